//! Messages of the chat: signed entries, what a page holds of them, receipts, and what riders show of
//! themselves.
//!
//! Each page load of a rider writes logs of numbered, signed entries: one for the group, and one for
//! each rider with whom it exchanges private messages. Any rider may pass an entry for the group on;
//! nobody can forge or change one. A private entry goes from its author to its receiver only.
//!
//! The messages have the form of those between riders ([`crate::message`]), with kinds of their own.
//! Decoders never panic, and use no more memory than a few times the number of bytes.
//!
//! [`stored`] is what a browser keeps of a chat.

pub mod stored;

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::{Decode, Encode};
use protocol::{
    peer::PeerId,
    text::{clusters, truncate},
};

use clock::GroupTime;

use crate::{
    message::{self, Envelope, MessageError},
    text::clean,
    timeline::keys::{self, SigningKey},
    wire,
};

/// Largest number of characters (Unicode scalar values) of a text.
pub const MAX_TEXT_CHARS: usize = 500;
/// Number of reactions that riders can choose from.
pub const REACTIONS: u8 = 5;
/// Largest size of an avatar's picture in bytes.
pub const MAX_PICTURE_BYTES: usize = 16 * 1024;
/// Largest width and height of an avatar's picture in pixels, so that a small file does not become a
/// large picture in memory.
pub const MAX_PICTURE_SIDE: u32 = 512;
/// Largest length of an avatar's emoji in bytes.
pub const MAX_EMOJI_BYTES: usize = 64;
/// Largest size of an encoded entry in bytes, without its signature: a text of four bytes per
/// character, three ids and numbers.
pub const MAX_ENTRY_BYTES: usize = 2_400;
/// Largest size of a message of the chat in bytes.
pub const MAX_CHAT_MESSAGE_BYTES: usize = 64 * 1024;
/// Largest number of logs in a [`Have`] or in a list of receipts.
pub const MAX_LOGS: usize = 512;
/// Largest number of ranges of one log in a [`Have`].
pub const MAX_RANGES: usize = 8;

/// Largest length of a name in characters and in bytes.
const MAX_NAME: (usize, usize) = (48, 1_400);
/// Largest size of an avatar, and of a small message, in bytes.
const MAX_AVATAR_BYTES: usize = MAX_PICTURE_BYTES + 64;
const MAX_SMALL_BYTES: usize = 16 * 1024;
/// Lowest kind of content that only later versions know.
const FIRST_UNKNOWN: u32 = 6;
/// Prefix of the signed bytes (domain separation).
const CONTEXT: &[u8] = b"gruppetto chat 1\0";

mod kind {
    pub(super) const ENTRIES: u8 = 8;
    pub(super) const HAVE: u8 = 9;
    pub(super) const RECEIPTS: u8 = 10;
    pub(super) const TYPING: u8 = 11;
    pub(super) const PRESENCE: u8 = 12;
    pub(super) const REACTION: u8 = 13;
    pub(super) const AVATAR: u8 = 14;
}

/// Id of an entry: its author, a log of the author, and its number in this log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct EntryId {
    /// Author.
    #[cbor(n(0), with = "wire::peer_id")]
    pub author: PeerId,
    /// Log: 256 times the author's page load; plus 1 to 255 for private messages to one rider.
    #[n(1)]
    pub log: u32,
    /// Number in the log, from 1.
    #[n(2)]
    pub number: u32,
}

impl EntryId {
    /// True if the entry is for one rider only.
    pub const fn is_private(&self) -> bool {
        self.log & 0xff != 0
    }

    /// Page load of the author.
    pub const fn incarnation(&self) -> u32 {
        self.log >> 8
    }
}

/// Content of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Content {
    /// Message.
    #[n(0)]
    Text(#[n(0)] String),
    /// New text of an own message.
    #[n(1)]
    Edit(#[n(0)] EntryId, #[n(1)] String),
    /// Deletion of an own message.
    #[n(2)]
    Delete(#[n(0)] EntryId),
    /// Reaction to a message: its number from 0, and whether it is given or taken back.
    #[n(3)]
    React(#[n(0)] EntryId, #[n(1)] u8, #[n(2)] bool),
    /// Removal of any message by the host of an epoch.
    #[n(4)]
    Remove(#[n(0)] EntryId, #[n(1)] u32),
    /// The host of an epoch switches the chat on or off.
    #[n(5)]
    Switch(#[n(0)] bool, #[n(1)] u32),
}

impl Content {
    /// Message that the content is about, unless it is a message itself.
    pub const fn target(&self) -> Option<&EntryId> {
        match self {
            Self::Edit(target, _)
            | Self::Delete(target)
            | Self::React(target, ..)
            | Self::Remove(target, _) => Some(target),
            Self::Text(_) | Self::Switch(..) => None,
        }
    }

    fn is_valid(&self) -> bool {
        match self {
            Self::Text(text) | Self::Edit(_, text) => chat_text(text).is_some(),
            Self::React(_, reaction, _) => *reaction < REACTIONS,
            Self::Delete(_) | Self::Remove(..) | Self::Switch(..) => true,
        }
    }
}

/// Decodes a content; `None` for a kind that only later versions know.
fn known_content<C>(
    decoder: &mut Decoder<'_>,
    context: &mut C,
) -> Result<Option<Content>, DecodeError> {
    wire::known_variant(decoder, context, FIRST_UNKNOWN)
}

/// Entry of a log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// Id.
    #[n(0)]
    pub id: EntryId,
    /// Time at which it was written; never before that of the preceding entry of the log.
    #[n(1)]
    pub at: GroupTime,
    /// Content; `None` for a kind that this version does not know. Such an entry keeps its place in
    /// the log and is passed on.
    #[cbor(n(2), decode_with = "known_content")]
    pub content: Option<Content>,
    /// Receiver of a private entry.
    #[cbor(n(3), with = "optional_peer_id", has_nil)]
    pub to: Option<PeerId>,
}

impl Entry {
    /// Signs the entry.
    pub fn sign(&self, key: &SigningKey) -> SignedEntry {
        let bytes = wire::to_vec(self);
        let signature = key.sign_in(CONTEXT, &bytes);
        SignedEntry { bytes, signature }
    }
}

/// Entry as it is sent and stored: exactly the bytes that its author signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedEntry {
    /// [`Entry`] in CBOR, at most [`MAX_ENTRY_BYTES`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 signature of the author (RFC 8032) over a prefix and `bytes`.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl SignedEntry {
    /// Decodes the entry without checking its signature.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] for bytes that are not an entry, or for an entry with a content
    /// out of its range.
    pub fn read(&self) -> Result<Entry, MessageError> {
        if self.bytes.len() > MAX_ENTRY_BYTES {
            return Err(MessageError::Malformed);
        }
        let mut entry: Entry = wire::from_slice(&self.bytes).ok_or(MessageError::Malformed)?;
        let is_valid = entry.id.number > 0
            && entry.id.is_private() == entry.to.is_some()
            && entry.content.as_ref().is_none_or(Content::is_valid);
        if !is_valid {
            return Err(MessageError::Malformed);
        }
        if let Some(Content::Text(text) | Content::Edit(_, text)) = &mut entry.content {
            *text = clean(text, true);
        }
        Ok(entry)
    }

    /// Checks the signature.
    pub fn is_signed_by(&self, key: &[u8; 32]) -> bool {
        keys::verify_in(CONTEXT, key, &self.bytes, &self.signature)
    }

    /// Number of bytes of the entry in a message, about.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.signature.len() + 6
    }
}

/// Text of a message without what hides text; `None` unless it has 1 to [`MAX_TEXT_CHARS`]
/// characters.
pub fn chat_text(text: &str) -> Option<String> {
    // Cleaning never adds bytes or characters.
    if text.len() > 8 * MAX_TEXT_CHARS {
        return None;
    }
    let text = clean(text, true);
    let is_valid = !text.is_empty() && text.chars().count() <= MAX_TEXT_CHARS;
    is_valid.then_some(text)
}

/// Name of a rider without what hides text, and no longer than names are.
pub fn chat_name(name: &str) -> String {
    let end = name.len().min(4 * MAX_NAME.1);
    let end = (0..=end).rev().find(|end| name.is_char_boundary(*end));
    let name = clean(&name[..end.unwrap_or(0)], false);
    truncate(&name, MAX_NAME.0, MAX_NAME.1).to_owned()
}

/// Author of entries that a rider passes on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Author {
    /// Id.
    #[cbor(n(0), with = "wire::peer_id")]
    pub peer: PeerId,
    /// Ed25519 key, as the sender knows it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: [u8; 32],
    /// Name, as the sender knows it. See [`chat_name`].
    #[n(2)]
    pub name: String,
}

/// Entries, new ones or the answer to a [`Have`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Entries {
    /// Authors other than the sender.
    #[n(0)]
    pub authors: Vec<Author>,
    /// Entries; those of one log in the order of their numbers.
    #[n(1)]
    pub entries: Vec<SignedEntry>,
    /// In the answer to a [`Have`]: true if the sender has more entries that the receiver lacks.
    /// `None` for new entries.
    #[n(2)]
    pub more: Option<bool>,
}

/// Numbers of a log that a page holds: the answer to its [`Have`] contains all others.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LogRanges {
    /// Author.
    #[cbor(n(0), with = "wire::peer_id")]
    pub author: PeerId,
    /// Log.
    #[n(1)]
    pub log: u32,
    /// First and last numbers of ranges, in order, at most [`MAX_RANGES`].
    #[n(2)]
    pub ranges: Vec<(u32, u32)>,
}

impl LogRanges {
    /// Tells whether a number is in one of the ranges.
    pub fn contains(&self, number: u32) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&number))
    }
}

/// Question for the entries that the sender lacks, with those that it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Have {
    /// Logs, at most [`MAX_LOGS`].
    #[n(0)]
    pub logs: Vec<LogRanges>,
}

/// Numbers of a log of the receiver that the sender has delivered and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// Log of the receiver.
    #[n(0)]
    pub log: u32,
    /// First number of the newest entries without a gap.
    #[n(1)]
    pub first: u32,
    /// Last number of them.
    #[n(2)]
    pub last: u32,
    /// Number up to which messages were shown; 0 for none.
    #[n(3)]
    pub read: u32,
}

/// The sender is typing a message, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Typing {
    /// True if the message is for the receiver only.
    #[n(0)]
    pub is_private: bool,
    /// True while the sender is typing.
    #[n(1)]
    pub is_typing: bool,
}

/// Presence of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PresenceReport {
    /// 0 waiting, 1 riding, 2 paused, 3 hidden page.
    #[n(0)]
    pub presence: u8,
    /// Time since which it does.
    #[n(1)]
    pub since: GroupTime,
}

/// Reaction of the sender to a rider or to the group.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reaction {
    /// Number of the reaction, from 0 to 4.
    #[n(0)]
    pub reaction: u8,
    /// Rider; `None` for the group.
    #[cbor(n(1), with = "optional_peer_id", has_nil)]
    pub to: Option<PeerId>,
}

/// Avatar of the sender.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum AvatarReport {
    /// Initials of the name.
    #[n(0)]
    Initials,
    /// See [`is_emoji`].
    #[n(1)]
    Emoji(#[n(0)] String),
    /// See [`is_picture`].
    #[n(2)]
    Picture(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
}

impl AvatarReport {
    /// Tells whether the avatar can be shown.
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Initials => true,
            Self::Emoji(text) => is_emoji(text),
            Self::Picture(bytes) => is_picture(bytes),
        }
    }
}

/// Tells whether a text is one visible character (grapheme cluster) of at most [`MAX_EMOJI_BYTES`].
pub fn is_emoji(text: &str) -> bool {
    text.len() <= MAX_EMOJI_BYTES && clean(text, false) == text && clusters(text).count() == 1
}

/// Tells whether bytes begin like a WebP or JPEG of at most [`MAX_PICTURE_BYTES`] and
/// [`MAX_PICTURE_SIDE`].
pub fn is_picture(bytes: &[u8]) -> bool {
    let side = 1..=MAX_PICTURE_SIDE;
    bytes.len() <= MAX_PICTURE_BYTES
        && webp_size(bytes)
            .or_else(|| jpeg_size(bytes))
            .is_some_and(|(width, height)| side.contains(&width) && side.contains(&height))
}

/// Width and height of a WebP (RFC 9649, section 2).
fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let data = bytes.strip_prefix(b"RIFF")?.get(4..)?;
    let data = data.strip_prefix(b"WEBP")?;
    let (chunk, data) = (data.get(..4)?, data.get(8..)?);
    let u16_at = |at: usize| Some(u32::from(*data.get(at)?) | u32::from(*data.get(at + 1)?) << 8);
    match chunk {
        b"VP8 " => {
            let is_key_frame = data.get(3..6)? == [0x9d, 0x01, 0x2a];
            is_key_frame.then_some((u16_at(6)? & 0x3fff, u16_at(8)? & 0x3fff))
        }
        b"VP8L" => {
            let bits = u16_at(1)? | u16_at(3)? << 16;
            let is_lossless = *data.first()? == 0x2f;
            is_lossless.then_some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        // A still picture only: bit 1 of the flags is that of an animation.
        b"VP8X" if data.first()? & 2 == 0 => {
            let width = u16_at(4)? | u32::from(*data.get(6)?) << 16;
            let height = u16_at(7)? | u32::from(*data.get(9)?) << 16;
            Some((width + 1, height + 1))
        }
        _ => None,
    }
}

/// Width and height of a JPEG: those of its frame header (ITU-T T.81, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let (marker, data) = match rest {
            [0xff, 0xff, ..] => {
                rest = &rest[1..];
                continue;
            }
            [0xff, marker, data @ ..] => (*marker, data),
            _ => return None,
        };
        let length = usize::from(*data.first()?) << 8 | usize::from(*data.get(1)?);
        match marker {
            // C4, C8 and CC are tables and extensions, not frames.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let u16_at = |at: usize| {
                    Some(u32::from(*data.get(at)?) << 8 | u32::from(*data.get(at + 1)?))
                };
                return Some((u16_at(5)?, u16_at(3)?));
            }
            0xc4 | 0xc8 | 0xcc | 0xdb..=0xef | 0xfe if length >= 2 => rest = data.get(length..)?,
            _ => return None,
        }
    }
}

/// Message of the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatMessage {
    /// Entries.
    Entries(Entries),
    /// Question for entries that the sender lacks.
    Have(Have),
    /// Receipts for entries of the receiver, at most [`MAX_LOGS`].
    Receipts(Vec<Receipt>),
    /// The sender is typing.
    Typing(Typing),
    /// Presence of the sender.
    Presence(PresenceReport),
    /// Reaction to a rider or to the group.
    Reaction(Reaction),
    /// Avatar of the sender.
    Avatar(AvatarReport),
}

impl ChatMessage {
    /// Encodes the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Entries(entries) => wire::to_vec(&Envelope(kind::ENTRIES, entries)),
            Self::Have(have) => wire::to_vec(&Envelope(kind::HAVE, have)),
            Self::Receipts(receipts) => wire::to_vec(&Envelope(kind::RECEIPTS, &(receipts,))),
            Self::Typing(typing) => wire::to_vec(&Envelope(kind::TYPING, typing)),
            Self::Presence(report) => wire::to_vec(&Envelope(kind::PRESENCE, report)),
            Self::Reaction(reaction) => wire::to_vec(&Envelope(kind::REACTION, reaction)),
            Self::Avatar(report) => wire::to_vec(&Envelope(kind::AVATAR, &(report,))),
        }
    }

    /// Decodes a message. It never panics and uses no more memory than a few times the number of
    /// bytes.
    ///
    /// # Errors
    /// [`MessageError`] for bytes that are not a message of the chat, for one that is too large, and
    /// for values out of their ranges.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        // Array of three, version, kind.
        let kind = match bytes {
            [0x83, _, kind, ..] => *kind,
            _ => return Err(MessageError::Malformed),
        };
        let limit = match kind {
            kind::ENTRIES | kind::HAVE => MAX_CHAT_MESSAGE_BYTES,
            kind::AVATAR => MAX_AVATAR_BYTES,
            _ => MAX_SMALL_BYTES,
        };
        if bytes.len() > limit {
            return Err(MessageError::TooLarge { bytes: bytes.len() });
        }
        let message = message::decode_kind(bytes, kind, |decoder| {
            Ok(match kind {
                kind::ENTRIES => Self::Entries(decoder.decode()?),
                kind::HAVE => Self::Have(decoder.decode()?),
                kind::RECEIPTS => {
                    let (receipts,) = decoder.decode()?;
                    Self::Receipts(receipts)
                }
                kind::TYPING => Self::Typing(decoder.decode()?),
                kind::PRESENCE => Self::Presence(decoder.decode()?),
                kind::REACTION => Self::Reaction(decoder.decode()?),
                kind::AVATAR => {
                    let (avatar,) = decoder.decode()?;
                    Self::Avatar(avatar)
                }
                unknown => return Err(MessageError::Unknown(unknown)),
            })
        })?;
        let is_valid = match &message {
            Self::Have(have) => {
                let in_bounds = |log: &LogRanges| log.ranges.len() <= MAX_RANGES;
                have.logs.len() <= MAX_LOGS && have.logs.iter().all(in_bounds)
            }
            Self::Receipts(receipts) => receipts.len() <= MAX_LOGS,
            Self::Presence(report) => report.presence < 4,
            Self::Reaction(reaction) => reaction.reaction < REACTIONS,
            Self::Avatar(avatar) => avatar.is_valid(),
            Self::Entries(_) | Self::Typing(_) => true,
        };
        is_valid.then_some(message).ok_or(MessageError::Malformed)
    }
}

/// Optional [`PeerId`] as text or null.
mod optional_peer_id {
    use minicbor::data::Type;
    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};
    use protocol::peer::PeerId;

    use crate::wire::peer_id;

    pub(super) fn encode<C, W: Write>(
        peer: &Option<PeerId>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match peer {
            Some(peer) => peer_id::encode(peer, encoder, context),
            None => encoder.null()?.ok(),
        }
    }

    pub(super) fn decode<C>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Option<PeerId>, DecodeError> {
        if decoder.datatype()? == Type::Null {
            decoder.skip()?;
            return Ok(None);
        }
        peer_id::decode(decoder, context).map(Some)
    }

    /// Value of a field that is missing: the encoder omits empty fields at the end of a structure.
    // The trait method that this replaces returns an option of the field's type.
    #[expect(clippy::unnecessary_wraps, reason = "signature required by minicbor")]
    pub(super) const fn nil() -> Option<Option<PeerId>> {
        Some(None)
    }

    pub(super) const fn is_nil(peer: &Option<PeerId>) -> bool {
        peer.is_none()
    }
}

#[cfg(test)]
mod tests;
