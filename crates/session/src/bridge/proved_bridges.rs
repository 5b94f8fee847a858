//! Bridges whose proofs were verified, so that each proof is verified once.

use protocol::peer::PeerId;
use ride::bridge::BridgeProof;

/// Largest number of bridges that are remembered: phones that a rider has used.
const MAX_BRIDGES: usize = 4;

/// The bridges, the newest last.
#[derive(Debug, Default)]
pub(crate) struct ProvedBridges {
    /// Rider, bridge and proof.
    proofs: Vec<(PeerId, PeerId, BridgeProof)>,
}

impl ProvedBridges {
    /// Tells whether this proof of a bridge for a rider was verified.
    pub(crate) fn contains(&self, rider: &PeerId, bridge: &PeerId, proof: &BridgeProof) -> bool {
        let mut proofs = self.proofs.iter();
        proofs.any(|known| (&known.0, &known.1, &known.2) == (rider, bridge, proof))
    }

    /// Remembers a proof that was verified.
    pub(crate) fn insert(&mut self, rider: &PeerId, bridge: &PeerId, proof: BridgeProof) {
        self.remove(bridge);
        if self.proofs.len() == MAX_BRIDGES {
            self.proofs.remove(0);
        }
        self.proofs.push((rider.clone(), bridge.clone(), proof));
    }

    /// Forgets a bridge that has left the ride.
    pub(crate) fn remove(&mut self, bridge: &PeerId) {
        self.proofs.retain(|(_, known, _)| known != bridge);
    }
}
