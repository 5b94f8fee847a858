//! Riders by id: their keys, names, and whether this browser hides them.

use litemap::LiteMap;
use protocol::peer::PeerId;

/// Largest number of riders that are known at once.
const MAX_PEOPLE: usize = 256;
/// Largest number of riders that are hidden at once.
const MAX_HIDDEN: usize = 64;

/// Rider who is or was in the ride.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) key: Option<[u8; 32]>,
    /// True if the key is from the server.
    pub(super) is_verified: bool,
    pub(super) is_hidden: bool,
}

/// All riders whose entries may be held.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    people: LiteMap<PeerId, Person>,
}

impl People {
    pub(super) fn person(&self, peer: &PeerId) -> Option<&Person> {
        self.people.get(peer)
    }

    pub(super) fn person_mut(&mut self, peer: &PeerId) -> Option<&mut Person> {
        self.people.get_mut(peer)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&PeerId, &Person)> {
        self.people.iter()
    }

    pub(super) fn name(&self, peer: &PeerId) -> String {
        let name = self.people.get(peer).map(|person| person.name.clone());
        name.unwrap_or_default()
    }

    pub(super) fn is_hidden(&self, peer: &PeerId) -> bool {
        self.people.get(peer).is_some_and(|person| person.is_hidden)
    }

    /// Hides a rider or shows it again. Returns false if too many are hidden.
    pub(super) fn hide(&mut self, peer: &PeerId, hide: bool) -> bool {
        let hidden = self.people.values().filter(|person| person.is_hidden);
        if hide && hidden.count() >= MAX_HIDDEN {
            return false;
        }
        self.people.entry(peer.clone()).or_default().is_hidden = hide;
        true
    }

    /// The person of an id, which is added if there is room: `is_used` tells which ones have to stay.
    pub(super) fn add(
        &mut self,
        peer: &PeerId,
        is_used: impl Fn(&PeerId) -> bool,
    ) -> Option<&mut Person> {
        if !self.people.contains_key(peer) && self.people.len() >= MAX_PEOPLE {
            self.people
                .retain(|peer, person| person.is_hidden || is_used(peer));
            if self.people.len() >= MAX_PEOPLE {
                return None;
            }
        }
        Some(self.people.entry(peer.clone()).or_default())
    }
}
