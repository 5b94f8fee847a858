//! Signatures of events: Ed25519 (RFC 8032).

use core::fmt;

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
use thiserror::Error;

/// Prefix of the signed bytes (domain separation), so that the signature of a timeline event is not
/// valid for anything else.
pub const CONTEXT: &[u8] = b"gruppetto timeline 1\0";

/// Key that a rider signs events with as the host.
#[derive(Clone)]
pub struct SigningKey(KeyPair);

/// Reason why bytes are not a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SeedError {
    /// All bytes are zero: the random source does not work.
    #[error("This browser did not provide random numbers. Reload the page or use another browser.")]
    Zero,
}

impl SigningKey {
    /// Key pair of a seed. The seed is secret: random, stored locally, and never sent.
    ///
    /// # Errors
    /// [`SeedError::Zero`] for a seed of zeros.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, SeedError> {
        KeyPair::try_from_seed(Seed::new(seed))
            .map(Self)
            .map_err(|_| SeedError::Zero)
    }

    /// Public key, which other riders verify signatures with.
    pub fn public(&self) -> [u8; 32] {
        *self.0.pk
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.sign_in(CONTEXT, bytes)
    }

    /// Signs bytes for one purpose, which `context` names.
    pub(crate) fn sign_in(&self, context: &[u8], bytes: &[u8]) -> [u8; 64] {
        *self.0.sk.sign([context, bytes].concat(), None)
    }
}

/// Prints the public key only.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

pub(super) fn verify(key: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
    verify_in(CONTEXT, key, bytes, signature)
}

/// Verifies a signature of [`SigningKey::sign_in`].
pub(crate) fn verify_in(
    context: &[u8],
    key: &[u8; 32],
    bytes: &[u8],
    signature: &[u8; 64],
) -> bool {
    let key = PublicKey::new(*key);
    key.verify([context, bytes].concat(), &Signature::new(*signature))
        .is_ok()
}
