mod access;
mod fake_signer;
mod fake_standings;
mod harness;
mod host_terms;
mod joining;
mod liveness;
mod properties;
mod relay;
mod restore;
mod roles;
mod test_page;

use std::time::Duration;

use super::*;
use protocol::{
    peer::{Incarnation, PublicKeys},
    signaling::{Hello, HostTerm, Member, Resume, Signal, VERSION, Welcome},
};

use harness::{RoomHarness, code, resume};

const GRACE: Duration = Duration::from_secs(30);
const HOST_GRACE: Duration = Duration::from_secs(4);
