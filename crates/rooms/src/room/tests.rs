mod any;
mod coming;
mod gate;
mod hall;
mod host;
mod page;
mod paper;
mod relay;
mod restore;
mod silence;

use super::*;
use protocol::signaling::{Hello, Resume, VERSION, Welcome};

use hall::{RoomHarness, code, resume};

const GRACE: Duration = Duration::from_secs(30);
const HOST_GRACE: Duration = Duration::from_secs(4);
