//! The rider at this screen, with the keys of this ride.

use ed25519_compact::{KeyPair, Seed, x25519};
use protocol::{
    election::BallotKey,
    peer::{PeerId, PublicKeys},
};
use ride::{
    rider::{Bias, Ftp, RiderName, RiderProfile, TrainerKind},
    timeline::SigningKey,
};

use crate::{bridge::BridgeSecret, storage::StoredIdentity};

/// Id of a rider before the server has assigned one, and in a solo ride.
const SOLO_ID: &str = "alone";

/// Number of secrets that are tried with a proof that is not valid.
const MAX_REVOKED_SECRETS: u32 = 4;

/// The rider at this screen.
#[derive(Clone, Debug)]
pub(crate) struct OwnRider {
    pub(crate) peer: PeerId,
    pub(crate) name: RiderName,
    pub(crate) ftp: Ftp,
    pub(crate) bias: Bias,
    pub(crate) ready: bool,
    /// Seed of all keys.
    pub(crate) seed: [u8; 32],
    pub(crate) key: SigningKey,
    /// Number of phones' links that the rider has made invalid.
    pub(crate) revoked_links: u32,
}

impl OwnRider {
    /// New rider; `None` for a seed of zeros, which no working random source gives.
    pub(crate) fn new(name: RiderName, ftp: Ftp, seed: [u8; 32]) -> Option<Self> {
        Some(Self {
            peer: provisional_id(),
            name,
            ftp,
            bias: Bias::default(),
            ready: false,
            seed,
            key: SigningKey::from_seed(seed).ok()?,
            revoked_links: 0,
        })
    }

    /// Rider of a stored identity; `None` if it was stored by another version or tampered with.
    pub(crate) fn from_stored(identity: &StoredIdentity) -> Option<Self> {
        let (name, ftp) = identity.profile.parse()?;
        Some(Self {
            peer: identity.peer.clone(),
            bias: Bias::new(identity.bias),
            ready: identity.ready,
            revoked_links: identity.revoked_links,
            ..Self::new(name, ftp, identity.seed)?
        })
    }

    pub(crate) fn public_keys(&self) -> PublicKeys {
        public_keys(&self.key, &self.seed)
    }

    /// Secret of the link for a phone.
    pub(crate) fn bridge_secret(&self) -> BridgeSecret {
        BridgeSecret::of_rider(&self.seed, self.revoked_links)
    }

    /// Secrets of the links that the rider has made invalid last.
    pub(crate) fn revoked_bridge_secrets(&self) -> impl Iterator<Item = BridgeSecret> {
        let oldest = self.revoked_links.saturating_sub(MAX_REVOKED_SECRETS);
        (oldest..self.revoked_links).map(|number| BridgeSecret::of_rider(&self.seed, number))
    }

    pub(crate) fn ballot_key(&self) -> Option<BallotKey> {
        BallotKey::from_seed(self.seed)
    }

    /// Number derived from the seed, for jitter and for the simulator.
    pub(crate) fn seed_number(&self) -> u64 {
        seed_number(&self.seed)
    }

    /// Number of this rider in files. Other riders have other keys, and so other numbers.
    pub(crate) fn serial_number(&self) -> u32 {
        let key = self.key.public();
        let bytes = key.iter().take(4);
        bytes.fold(0, |number, byte| number << 8 | u32::from(*byte))
    }

    pub(crate) fn profile(&self, trainer: TrainerKind) -> RiderProfile {
        RiderProfile {
            name: self.name.clone(),
            ftp: self.ftp,
            ready: self.ready,
            trainer,
        }
    }
}

/// Public keys of a page with a seed.
pub(crate) fn public_keys(key: &SigningKey, seed: &[u8; 32]) -> PublicKeys {
    PublicKeys {
        sign: key.public(),
        agree: agreement_key(seed),
    }
}

/// Number derived from a seed.
pub(crate) fn seed_number(seed: &[u8; 32]) -> u64 {
    let bytes = seed.iter().take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Id of the own rider until the server has assigned one.
pub(crate) fn provisional_id() -> PeerId {
    // The constant has only characters that a peer id may have.
    SOLO_ID.parse().expect("a valid peer id")
}

/// Public X25519 key of the seed, for end-to-end encryption of frames. All zeros, with which no key
/// can be agreed, if there is none.
fn agreement_key(seed: &[u8; 32]) -> [u8; 32] {
    let signing = KeyPair::from_seed(Seed::new(*seed));
    x25519::KeyPair::from_ed25519(&signing).map_or([0; 32], |pair| *pair.pk)
}
