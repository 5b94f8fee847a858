//! Signing events, with Ed25519 (RFC 8032).

use core::fmt;

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
use thiserror::Error;

/// What stands before the signed bytes, so that a signature for a timeline counts for nothing else.
pub const CONTEXT: &[u8] = b"gruppetto timeline 1\0";

/// The key a rider signs with while they are the host.
#[derive(Clone)]
pub struct SigningKey(KeyPair);

/// Why bytes are no seed of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SeedError {
    /// Nothing but zeros: the random source they came from does not work.
    #[error(
        "This browser gave no random numbers to sign with. Reload the page or use another browser."
    )]
    Zero,
}

impl SigningKey {
    /// The key of a seed. The seed is the secret: random, kept, and never sent.
    ///
    /// # Errors
    /// [`SeedError::Zero`] for a seed of zeros.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, SeedError> {
        KeyPair::try_from_seed(Seed::new(seed))
            .map(Self)
            .map_err(|_| SeedError::Zero)
    }

    /// The public key, by which others verify.
    pub fn public(&self) -> [u8; 32] {
        *self.0.pk
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        *self.0.sk.sign([CONTEXT, bytes].concat(), None)
    }
}

/// Shows the public key only.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

pub(super) fn verify(key: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
    let key = PublicKey::new(*key);
    key.verify([CONTEXT, bytes].concat(), &Signature::new(*signature))
        .is_ok()
}
