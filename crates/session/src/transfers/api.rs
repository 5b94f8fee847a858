use clock::Duration;
use protocol::peer::PeerId;

/// Id of a transfer on this page. It is random, and kept over a reload: a place for bytes can be
/// named with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransferId(pub u64);

/// Input of file transfers.
#[derive(Clone, Debug)]
pub enum TransferInput {
    /// Answer to [`TransferOutput::Load`]: what was stored of transfers that this page received
    /// before a reload, each with the number of bytes that the browser has kept of it.
    Loaded(Vec<StoredTransfer>),
    /// The rider offers a file to one rider, or to all who are there.
    Offer {
        /// Number with which the driver knows the file.
        file: u32,
        /// Name, as the browser gives it.
        name: String,
        /// Size in bytes.
        size: u64,
        /// Receiver; `None` for all.
        to: Option<PeerId>,
    },
    /// The rider accepts an offered file.
    Accept(TransferId),
    /// The rider declines it.
    Decline(TransferId),
    /// The rider pauses a transfer, or lets it go on.
    Pause(TransferId, bool),
    /// The rider cancels a transfer, or removes one that has ended from the list.
    Cancel(TransferId),
    /// Answer to [`TransferOutput::ReadFile`]; `None` if the file cannot be read any more.
    FileRead {
        /// Number of the file.
        file: u32,
        /// Position of the first byte.
        offset: u64,
        /// The bytes.
        bytes: Option<Vec<u8>>,
    },
    /// Answer to [`TransferOutput::Write`]: the bytes up to here are kept, or cannot be kept.
    Written {
        /// Transfer.
        transfer: TransferId,
        /// Number of bytes that are kept; `None` if the place is full or was taken away.
        kept: Option<u64>,
    },
    /// Answer to [`TransferOutput::ReadBack`]; `None` if they cannot be read.
    ReadBack {
        /// Transfer.
        transfer: TransferId,
        /// Position of the first byte.
        offset: u64,
        /// The bytes.
        bytes: Option<Vec<u8>>,
    },
}

/// Transfer that this page received before a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransfer {
    /// Transfer, as in [`TransferOutput::Store`].
    pub transfer: TransferId,
    /// Record that [`TransferOutput::Store`] gave.
    pub record: Vec<u8>,
    /// Number of bytes that the browser has kept.
    pub kept: u64,
}

/// Output of file transfers.
#[derive(Clone, Debug, PartialEq)]
pub enum TransferOutput {
    /// Load transfers that are stored for this rider (the own id), once per page load; answered by
    /// [`TransferInput::Loaded`], also if there are none. All others are of the same rider.
    Load(PeerId),
    /// Read a part of an offered file; answered by [`TransferInput::FileRead`].
    ReadFile {
        /// Number of the file.
        file: u32,
        /// Position of the first byte.
        offset: u64,
        /// Number of bytes.
        length: u32,
    },
    /// The file is not needed any more; also after [`TransferOutput::Rejected`].
    ForgetFile(u32),
    /// Keep this record of a transfer in place of an earlier one, and make place for its bytes. Not
    /// answered if that succeeds; if there is no place, by [`TransferInput::Written`] without a
    /// number.
    Store {
        /// Transfer.
        transfer: TransferId,
        /// Record.
        record: Vec<u8>,
    },
    /// Append bytes to what is kept of a transfer; answered by [`TransferInput::Written`]. There is
    /// one unanswered write per transfer, of at most 2 MiB.
    Write {
        /// Transfer.
        transfer: TransferId,
        /// Position of the first byte.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Read kept bytes of a transfer that goes on after a reload; answered by
    /// [`TransferInput::ReadBack`].
    ReadBack {
        /// Transfer.
        transfer: TransferId,
        /// Position of the first byte.
        offset: u64,
        /// Number of bytes.
        length: u32,
    },
    /// The file is complete and its hash is right: offer it to the rider, who saves it. It is
    /// kept until the rider removes it from the list ([`TransferOutput::Discard`]). Repeated after
    /// a reload.
    Complete {
        /// Transfer.
        transfer: TransferId,
        /// Cleaned name.
        name: String,
    },
    /// Delete everything that is kept of a transfer.
    Discard(TransferId),
    /// Another page goes on with what is stored: write nothing more, also not what was to be written,
    /// and delete nothing, until the next [`Self::Load`].
    Release,
    /// Show these transfers.
    Show(Vec<TransferView>),
    /// An offer of a file was not made.
    Rejected(OfferRejection),
}

/// Reason why a file was not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferRejection {
    /// Larger than this number of bytes.
    TooLarge(u64),
    /// [`MAX_AT_A_TIME`](super::MAX_AT_A_TIME) files are offered or on their way, or this rider is offered this file
    /// already.
    TooMany,
    /// No rider is there to receive it.
    Nobody,
}

/// One transfer on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferView {
    /// Id.
    pub id: TransferId,
    /// Rider at the other end.
    pub peer: PeerId,
    /// Name of that rider.
    pub peer_name: String,
    /// True if this page sends the file.
    pub is_sending: bool,
    /// Cleaned name of the file.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Bytes that have arrived at the receiver.
    pub transferred: u64,
    /// Bytes per second, while bytes arrive.
    pub rate: Option<u32>,
    /// Time left at this rate.
    pub time_left: Option<Duration>,
    /// True if the file goes over the server, more slowly.
    pub is_relayed: bool,
    /// State.
    pub state: TransferState,
}

/// State of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferState {
    /// The receiver has not answered the offer.
    Offered,
    /// The rider at this page has accepted the file; it starts when one of [`MAX_AT_A_TIME`](super::MAX_AT_A_TIME) others
    /// has ended. The sender sees it as paused by the receiver.
    Queued,
    /// Bytes are on their way.
    Running,
    /// The sender or the receiver has paused it.
    Paused {
        /// True if this page's rider has.
        by_me: bool,
    },
    /// There is no link to the other rider; it goes on when there is one.
    Waiting,
    /// All bytes have arrived, and their hash is being compared.
    Checking,
    /// Complete.
    Complete,
    /// It has ended without the file.
    Failed(TransferFailure),
}

/// Reason why a transfer has ended without the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferFailure {
    /// The receiver has declined.
    Declined,
    /// The receiver has not answered for [`PATIENCE`](super::PATIENCE).
    NotAnswered,
    /// The receiver has too many unanswered offers, or does not take files of this size.
    Busy,
    /// The rider at this page has cancelled it.
    Cancelled,
    /// The rider at the other end has.
    CancelledByPeer,
    /// The rider at this page has left the ride, or the ride was closed.
    LeftRide,
    /// The other rider has left the ride, or was away for too long.
    PeerLeft,
    /// The sender's page was reloaded, so that it has no access to the file any more.
    SenderReloaded,
    /// The file changed or cannot be read any more.
    Unreadable,
    /// The receiver's browser has no place for the file.
    NoSpace,
    /// The bytes that arrived are not those that were sent.
    WrongHash,
}
