//! What a browser keeps of the chat of a ride.

use clock::{GroupTime, WallTime};
use minicbor::{Decode, Encode};
use protocol::peer::PeerId;

use super::{AvatarReport, EntryId, SignedEntry};
use crate::wire;

/// Version of the format. Another one is not read.
const VERSION: u8 = 1;
/// Largest size of a stored chat in bytes.
pub const MAX_STORED_BYTES: usize = 2 * 1024 * 1024;

/// Chat of a ride as one rider's browser keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredChat {
    /// Time at which it was stored.
    #[cbor(n(0), with = "wire::unix_ms")]
    pub wall: WallTime,
    /// Group time at that time.
    #[n(1)]
    pub group: GroupTime,
    /// Riders; the other fields refer to them by their places in this list.
    #[n(2)]
    pub people: Vec<StoredPerson>,
    /// Entries, those of one log in the order of their numbers.
    #[n(3)]
    pub entries: Vec<SignedEntry>,
    /// Delivery of own messages.
    #[n(4)]
    pub marks: Vec<StoredMarks>,
    /// Last entries that were read, by log.
    #[n(5)]
    pub read: Vec<EntryId>,
    /// Riders with private tabs, in the order in which the tabs were opened.
    #[n(6)]
    pub tabs: Vec<u32>,
    /// Avatar of the rider.
    #[n(7)]
    pub avatar: AvatarReport,
    /// Time from which on messages count as unread.
    #[n(8)]
    pub unread_from: GroupTime,
    /// Entries that have no effect: true for those that arrived while the chat was off, false for those
    /// that arrived too late.
    #[n(9)]
    pub withheld: Option<Vec<(EntryId, bool)>>,
    /// Newest epoch of a host.
    #[n(10)]
    pub epoch: Option<u32>,
}

/// Rider whose entries or marks are stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredPerson {
    /// Id.
    #[cbor(n(0), with = "wire::peer_id")]
    pub peer: PeerId,
    /// Name.
    #[n(1)]
    pub name: String,
    /// Ed25519 key of 32 bytes; empty if it is not known.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub key: Vec<u8>,
    /// True if the key is from the server.
    #[n(3)]
    pub is_verified: bool,
    /// True if this browser hides the rider.
    #[n(4)]
    pub is_hidden: bool,
}

/// Delivery of an own message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredMarks {
    /// Log of the message.
    #[n(0)]
    pub log: u32,
    /// Its number.
    #[n(1)]
    pub number: u32,
    /// Riders who were there, each with 0 (sent), 1 (delivered) or 2 (read).
    #[n(2)]
    pub riders: Vec<(u32, u8)>,
}

impl StoredChat {
    /// Encodes the chat.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(&(VERSION, self))
    }

    /// Decodes a stored chat; `None` if it is damaged, too large, or of another version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let is_known = bytes.starts_with(&[0x82, VERSION]) && bytes.len() <= MAX_STORED_BYTES;
        let (_, chat) = wire::from_slice::<(u8, Self)>(bytes).filter(|_| is_known)?;
        Some(chat)
    }
}
