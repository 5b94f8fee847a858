//! Link from a phone to the rider for whom it connects devices.
//!
//! The rider's page shows it as a QR code. Everything is in the fragment of the address, which no
//! browser sends to a server: the server learns the secret neither from the link nor from the proof,
//! which is an HMAC (RFC 2104) of both members' ids.

use core::fmt;
use core::str::FromStr;

use hmac::{Hmac, Mac};
use protocol::{
    code::SessionCode,
    peer::{PeerId, hex},
};
use ride::bridge::BridgeProof;
use sha2::Sha256;
use thiserror::Error;

/// Label of the HMAC that derives the secret from the rider's seed.
const SECRET_LABEL: &[u8] = b"gruppetto bridge secret";
/// Label of the HMAC that is the proof of a bridge.
const PROOF_LABEL: &[u8] = b"gruppetto bridge proof";

/// Secret that a rider's page shares with its phone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BridgeSecret([u8; 16]);

/// Link to a rider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BridgeLink {
    pub(crate) code: SessionCode,
    pub(crate) rider: PeerId,
    pub(crate) secret: BridgeSecret,
}

/// A text that is no [`BridgeLink`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a link for a bridge")]
pub(crate) struct BridgeLinkError;

impl BridgeSecret {
    /// Secret of a rider with a seed, who has made a number of links invalid; the same after a reload.
    pub(crate) fn of_rider(seed: &[u8; 32], revoked_links: u32) -> Self {
        let mut secret = [0; 16];
        let parts = [SECRET_LABEL, &revoked_links.to_be_bytes()];
        secret.copy_from_slice(&hmac(seed, &parts)[..16]);
        Self(secret)
    }

    /// Proof that a bridge knows the secret. It is bound to both ids, so that another member cannot use
    /// it.
    pub(crate) fn proof(&self, rider: &PeerId, bridge: &PeerId) -> BridgeProof {
        // A peer id contains no zero byte, so the separator makes the text unambiguous.
        let ids = [rider.as_str().as_bytes(), &[0], bridge.as_str().as_bytes()];
        hmac(&self.0, &[PROOF_LABEL, ids[0], ids[1], ids[2]])
    }

    /// Tells whether a proof is right, in a time that does not depend on it.
    pub(crate) fn proves(&self, proof: &BridgeProof, rider: &PeerId, bridge: &PeerId) -> bool {
        let expected = self.proof(rider, bridge);
        let difference = expected.iter().zip(proof);
        let difference = difference.fold(0, |sum, (one, other)| sum | (one ^ other));
        core::hint::black_box(difference) == 0
    }
}

/// The secret is not printed.
impl fmt::Debug for BridgeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BridgeSecret")
    }
}

/// The fragment of the address, without `#`.
impl fmt::Display for BridgeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.code, self.rider)?;
        self.secret
            .0
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for BridgeLink {
    type Err = BridgeLinkError;

    fn from_str(text: &str) -> Result<Self, BridgeLinkError> {
        let mut parts = text.trim_start_matches('#').split('/');
        let mut next = || parts.next().ok_or(BridgeLinkError);
        let (code, rider, secret) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(BridgeLinkError);
        }
        Ok(Self {
            code: code.parse().map_err(|_| BridgeLinkError)?,
            rider: rider.parse().map_err(|_| BridgeLinkError)?,
            secret: BridgeSecret(hex::parse(secret.as_bytes()).ok_or(BridgeLinkError)?),
        })
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> PeerId {
        text.parse().unwrap()
    }

    fn link() -> BridgeLink {
        BridgeLink {
            code: "brave-otter-4821".parse().unwrap(),
            rider: id("8e61d223"),
            secret: BridgeSecret::of_rider(&[7; 32], 0),
        }
    }

    #[test]
    fn a_link_is_read_as_it_was_written() {
        let text = link().to_string();
        assert_eq!(text.parse(), Ok(link()));
        assert_eq!(format!("#{text}").parse(), Ok(link()));
    }

    #[test]
    fn a_link_that_is_cut_off_or_changed_is_an_error() {
        let text = link().to_string();
        for end in 0..text.len() {
            assert_eq!(text[..end].parse::<BridgeLink>(), Err(BridgeLinkError));
        }
        for wrong in [
            format!("{text}/"),
            format!("{text}0"),
            text.replace("8e61", "8é61"),
            text.replace("otter", "otter/"),
            format!("{}z", &text[..text.len() - 1]),
        ] {
            assert_eq!(wrong.parse::<BridgeLink>(), Err(BridgeLinkError), "{wrong}");
        }
    }

    #[test]
    fn a_proof_holds_for_one_bridge_of_one_rider_with_one_secret() {
        let (ana, phone) = (id("ana"), id("phone"));
        let secret = BridgeSecret::of_rider(&[1; 32], 0);
        let proof = secret.proof(&ana, &phone);
        assert!(secret.proves(&proof, &ana, &phone));
        assert!(!secret.proves(&proof, &id("ben"), &phone));
        assert!(!secret.proves(&proof, &ana, &id("thief")));
        assert!(!secret.proves(&[0; 32], &ana, &phone));
        for other in [
            BridgeSecret::of_rider(&[2; 32], 0),
            BridgeSecret::of_rider(&[1; 32], 1),
        ] {
            assert!(!other.proves(&proof, &ana, &phone));
        }
        assert_ne!(
            secret.proof(&id("a"), &id("bc")),
            secret.proof(&id("ab"), &id("c"))
        );
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", link()).contains(&link().to_string()[26..]));
    }
}
