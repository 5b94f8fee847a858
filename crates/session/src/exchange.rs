//! Exchange between riders beside the ride: chat, reactions, presence, files, voice and pictures.
//!
//! The app loads this part later than the ride, so [`RideSession`](crate::RideSession) knows it only
//! as a [`LoadedExchange`]: it passes members and received messages in, and frames to send out.
//! [`GroupExchange`] combines [`Chat`], [`Transfers`] and [`Media`], state machines that know nothing of
//! each other; it tells the other two which riders are hidden.

mod hosted;

use std::{collections::VecDeque, fmt::Debug, sync::Arc};

use clock::{Duration, GroupTime, Moment, Now};
use protocol::{
    peer::{DeliveryClass, Incarnation, LinkState, PeerId},
    signaling::{HostTerm, IceServer},
};
use ride::timeline::SigningKey;

use crate::{
    chat::{Chat, ChatInput, ChatOutput},
    group::Group,
    media::{Media, MediaInput, MediaOutput},
    rider::OwnRider,
    roster::Roster,
    transfers::{TransferInput, TransferOutput, Transfers},
};

pub use hosted::{open, open_without_media};

/// Time for which a browser keeps messages of the chat and received files.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Messages between riders whose kind is in this range are for the chat.
pub const CHAT_KINDS: std::ops::Range<u8> = 8..16;
/// Messages between riders whose kind is in this range are for file transfers. All of these kinds
/// are encoded in one byte (CBOR).
pub const TRANSFER_KINDS: std::ops::Range<u8> = 16..24;

/// Messages between riders whose kind is in this range are for voice and pictures. They are encoded
/// in two bytes (CBOR).
pub const MEDIA_KINDS: std::ops::Range<u8> = 24..32;

/// State machine beside the session, see the [module documentation](self).
pub trait Exchange: Debug {
    /// Handles one input.
    fn handle(&mut self, now: ExchangeNow, input: ExchangeInput);

    /// Next output; `None` when there is none.
    fn poll_output(&mut self) -> Option<ExchangeOutput>;

    /// Moment of the next [`ExchangeInput::Timeout`]; in the past means at once.
    fn poll_timeout(&self) -> Option<Moment>;
}

/// Opens the exchange of a page whose rider signs with the key: [`open`]. The number differs in every
/// page load.
pub type OpenExchange = fn(SigningKey, u64) -> Box<dyn LoadedExchange>;

/// Call of an exchange by its driver.
pub type ExchangeCall = Box<dyn FnOnce(&mut dyn LoadedExchange, ExchangeNow)>;

/// Exchange of a session. The session calls everything but [`Self::handle`] and
/// [`Self::poll_output`], which are for the driver.
pub trait LoadedExchange: Debug {
    /// Something of the group may have changed.
    fn group_changed(&mut self, context: &mut SessionContext<'_>);

    /// A message arrived whose kind is one of [`exchange_kind`].
    fn receive(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]);

    /// Handles one input of the driver.
    fn handle(&mut self, now: ExchangeNow, input: ExchangeInput);

    /// The exchange ends. Afterwards it sends and stores nothing, and only transfers that have ended
    /// can be removed.
    fn end(&mut self, now: ExchangeNow, end: ExchangeEnd);

    /// Calls the exchange if it is time, and sends what it wants to be sent.
    fn send(&mut self, context: &mut SessionContext<'_>);

    /// Next output for the driver, never [`ExchangeOutput::Send`]; `None` when there is none.
    fn poll_output(&mut self) -> Option<ExchangeOutput>;

    /// Moment of the next call.
    fn poll_timeout(&self) -> Option<Moment>;

    /// Number of messages that were rejected: forged, unreadable, or not allowed.
    fn rejected(&self) -> u64;
}

/// Reason for the end of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeEnd {
    /// The rider is no longer in the group.
    Left,
    /// Another page goes on as this rider with what the browser has stored, or this page as another
    /// member.
    Handover,
}

/// Parts of the session that an exchange may use.
#[derive(Debug)]
pub struct SessionContext<'a> {
    pub(crate) now: ExchangeNow,
    pub(crate) group: &'a mut Group,
    /// The rider at this screen; `None` outside of a group.
    pub(crate) me: Option<&'a OwnRider>,
    pub(crate) roster: &'a Roster,
    /// True once the ride has ended.
    pub(crate) is_over: bool,
}

/// Readings of all clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeNow {
    /// Clocks of this browser.
    pub own: Now,
    /// Group time; `None` while it is unknown.
    pub group: Option<GroupTime>,
}

/// The group as the session knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMembers {
    /// Id of the rider at this screen.
    pub me: PeerId,
    /// Page load of this rider.
    pub incarnation: Incarnation,
    /// Name of this rider.
    pub name: String,
    /// All others who follow the ride, in order of arrival.
    pub others: Vec<GroupMember>,
    /// Host of the ride, if known.
    pub host: Option<PeerId>,
    /// Terms of the hosts, oldest first.
    pub host_terms: Arc<Vec<HostTerm>>,
    /// Bytes per second that the server relays for this page.
    pub relay_bytes_per_second: u32,
    /// Size in bytes of the largest file, if the server has announced it.
    pub max_file_bytes: Option<u32>,
    /// Largest number of cameras at a time, if the server has announced it.
    pub max_cameras: Option<u8>,
    /// False for a browser without `RTCPeerConnection`, and for a program without media.
    pub has_webrtc: bool,
    /// False if the server allows no direct links.
    pub allows_direct_links: bool,
    /// ICE servers for media connections.
    pub ice_servers: Vec<IceServer>,
    /// True once the ride has ended and its summary is shown.
    pub is_over: bool,
}

/// Another member of the group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMember {
    /// Id.
    pub peer: PeerId,
    /// Page load.
    pub incarnation: Incarnation,
    /// Name, with the start number where riders share it; empty until it has arrived.
    pub name: String,
    /// Ed25519 key of the page.
    pub sign_key: [u8; 32],
    /// State of the link.
    pub link: LinkState,
    /// True for riders; false for spectators and coaches.
    pub is_rider: bool,
}

impl GroupMember {
    /// True for a rider who is not away.
    pub fn is_present(&self) -> bool {
        self.is_rider && self.link != LinkState::Away
    }

    /// True if messages reach the member now.
    pub fn is_reachable(&self) -> bool {
        matches!(self.link, LinkState::Relayed | LinkState::Direct)
    }
}

/// Input of an [`Exchange`].
#[derive(Clone, Debug)]
pub enum ExchangeInput {
    /// The group, at first and whenever something of it has changed. Without a group (solo ride,
    /// after leaving) there is no input.
    Members(Arc<GroupMembers>),
    /// A message arrived from a member, whose kind is one of [`exchange_kind`].
    Received {
        /// Sender.
        from: PeerId,
        /// The message.
        payload: Vec<u8>,
    },
    /// Input for the chat.
    Chat(ChatInput),
    /// Input for file transfers.
    Transfers(TransferInput),
    /// Input for voice and pictures.
    Media(MediaInput),
    /// The moment of [`Exchange::poll_timeout`] has come.
    Timeout,
}

/// Output of an [`Exchange`].
#[derive(Clone, Debug, PartialEq)]
pub enum ExchangeOutput {
    /// Send a message to one member. The mesh sends it again until it has arrived, unless the page
    /// load at either end changes.
    Send {
        /// Receiver.
        to: PeerId,
        /// Control or bulk.
        class: DeliveryClass,
        /// The message.
        payload: Vec<u8>,
    },
    /// Output of the chat.
    Chat(ChatOutput),
    /// Output of file transfers.
    Transfers(TransferOutput),
    /// Output of voice and pictures.
    Media(MediaOutput),
}

/// Kind of a message between riders, of those in [`CHAT_KINDS`], [`TRANSFER_KINDS`] and
/// [`MEDIA_KINDS`].
pub fn exchange_kind(payload: &[u8]) -> Option<u8> {
    // Array of three, version 1, kind.
    match payload {
        [0x83, 1, kind, ..] if (CHAT_KINDS.start..TRANSFER_KINDS.end).contains(kind) => Some(*kind),
        // Numbers from 24 on follow a byte that says so.
        [0x83, 1, 24, kind, ..] if MEDIA_KINDS.contains(kind) => Some(*kind),
        _ => None,
    }
}

/// Chat, file transfers and media of one page.
#[derive(Debug)]
pub struct GroupExchange {
    chat: Chat,
    transfers: Transfers,
    media: Media,
    outputs: VecDeque<ExchangeOutput>,
}

impl GroupExchange {
    /// Chat, transfers and media of a page whose rider signs with `key`; `seed` differs in every page load.
    pub fn new(key: SigningKey, seed: u64) -> Self {
        Self {
            chat: Chat::new(key, seed),
            transfers: Transfers::new(seed),
            media: Media::new(seed),
            outputs: VecDeque::new(),
        }
    }
}

impl GroupExchange {
    /// Ends all transfers and media.
    pub fn end(&mut self, now: ExchangeNow, end: ExchangeEnd) {
        self.transfers.end_all(now, end);
        self.media.end(now);
        self.collect_outputs();
    }

    /// Number of messages that were rejected.
    pub fn rejected(&self) -> u64 {
        self.chat.rejected() + self.media.rejected()
    }

    fn collect_outputs(&mut self) {
        while let Some(output) = self.chat.poll_output() {
            self.outputs.push_back(output);
        }
        while let Some(output) = self.transfers.poll_output() {
            self.outputs.push_back(output);
        }
        while let Some(output) = self.media.poll_output() {
            self.outputs.push_back(output);
        }
    }
}

impl Exchange for GroupExchange {
    fn handle(&mut self, now: ExchangeNow, input: ExchangeInput) {
        match input {
            ExchangeInput::Members(members) => {
                self.chat.set_members(now, Arc::clone(&members));
                self.transfers.set_members(now, Arc::clone(&members));
                self.media.set_members(now, members);
            }
            ExchangeInput::Received { from, payload } => match exchange_kind(&payload) {
                Some(kind) if CHAT_KINDS.contains(&kind) => self.chat.receive(now, &from, &payload),
                Some(kind) if MEDIA_KINDS.contains(&kind) => {
                    self.media.receive(now, &from, &payload);
                }
                Some(_) => self.transfers.receive(now, &from, &payload),
                None => {}
            },
            ExchangeInput::Chat(input) => {
                self.chat.handle(now, input);
                self.transfers.set_hidden(now, self.chat.hidden());
                self.media.set_hidden(now, self.chat.hidden());
            }
            ExchangeInput::Transfers(input) => self.transfers.handle(now, input),
            ExchangeInput::Media(input) => self.media.handle(now, input),
            ExchangeInput::Timeout => {
                self.chat.handle_timeout(now);
                self.transfers.handle_timeout(now);
                self.media.handle_timeout(now);
            }
        }
        self.collect_outputs();
    }

    fn poll_output(&mut self) -> Option<ExchangeOutput> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let parts = [
            self.chat.poll_timeout(),
            self.transfers.poll_timeout(),
            self.media.poll_timeout(),
        ];
        parts.into_iter().flatten().min()
    }
}
