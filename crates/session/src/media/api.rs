use clock::Duration;
use mesh::media::{MediaCommand, MediaEvent};
use protocol::peer::PeerId;

/// Kind of sound or picture that a rider sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Microphone.
    Microphone,
    /// Camera.
    Camera,
    /// Shared screen, window or tab.
    Screen,
}

impl MediaKind {
    /// All kinds, in the order of the media sections of a connection.
    pub const ALL: [Self; 3] = [Self::Microphone, Self::Camera, Self::Screen];
}

/// Input of media.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaInput {
    /// The rider goes live with a device, whose track the driver has. Refused by
    /// [`MediaOutput::Stop`] and a [`MediaNotice`] where it cannot be.
    GoLive(MediaKind),
    /// The rider switches a device off.
    TurnOff(MediaKind),
    /// The track of a device has ended by itself: unplugged, taken by another program, or stopped with
    /// a button of the browser.
    DeviceEnded(MediaKind),
    /// The rider mutes or unmutes the microphone.
    SetMuted(bool),
    /// The key for push to talk is held, or was released. While it is held, a muted microphone is
    /// audible.
    PushToTalk(bool),
    /// The host mutes everyone else.
    MuteEveryone,
    /// The host asks a rider to unmute.
    AskToUnmute(PeerId),
    /// The rider answers the host's request: true unmutes.
    AnswerUnmute(bool),
    /// Volume of a rider, in percent, at most 100.
    SetVolume {
        /// Rider.
        peer: PeerId,
        /// Volume.
        percent: u8,
    },
    /// The camera of this rider is shown large; `None`: none is.
    Enlarge(Option<PeerId>),
    /// Event of a connection.
    Connection {
        /// Other page's rider.
        peer: PeerId,
        /// Number of the connection in [`MediaOutput::Connection`].
        connection: u32,
        /// Event.
        event: MediaEvent,
    },
    /// Sound levels, from 0 to 1, a few times a second; `None` is the own microphone.
    Levels(Vec<(Option<PeerId>, f32)>),
    /// Measurements, about once a second while a camera is live.
    Measured {
        /// Smallest estimate of the outgoing bandwidth of all connections, in bits per second, as
        /// `availableOutgoingBitrate` of their statistics says.
        available_bps: Option<u32>,
        /// Pictures per second that the page draws.
        page_fps: f32,
    },
    /// A tone of this length is played: voices are lowered meanwhile.
    TonePlayed(Duration),
}

/// Output of media.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaOutput {
    /// Command to a connection.
    Connection {
        /// Other page's rider.
        peer: PeerId,
        /// Number of the connection, of which there is one for each peer at a time.
        connection: u32,
        /// Command.
        command: MediaCommand,
    },
    /// Track that a connection sends: the own one of a device with these parameters, or nothing
    /// (`replaceTrack`, `setParameters`).
    Send {
        /// Other page's rider.
        peer: PeerId,
        /// Device.
        kind: MediaKind,
        /// Parameters; `None` to send nothing.
        encoding: Option<Encoding>,
    },
    /// The own microphone is audible (`enabled` of its track).
    Audible(bool),
    /// Stop the track of a device, which switches its light off.
    Stop(MediaKind),
    /// Volume at which a rider is heard, from 0 to 1. A new connection is silent.
    Volume {
        /// Rider.
        peer: PeerId,
        /// Volume.
        gain: f32,
    },
    /// View for the screen.
    Show(Box<MediaView>),
    /// Something happened that the rider is told.
    Notify(MediaNotice),
}

/// Parameters with which a device is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Largest height in pixels; 0 for sound.
    pub height: u16,
    /// Largest number of pictures per second; 0 for sound.
    pub fps: u8,
    /// Largest number of bits per second.
    pub max_bps: u32,
}

/// Something happened that the rider is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaNotice {
    /// The host has muted everyone.
    MutedByHost,
    /// As many riders as may already show their camera.
    TooManyCameras {
        /// Number of cameras.
        max: u8,
    },
    /// Another rider shares a screen.
    ScreenTaken,
    /// Another rider's screen came first.
    ScreenLost,
    /// A device ended by itself.
    DeviceEnded(MediaKind),
}

/// Media as the screen shows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MediaView {
    /// False while media cannot be used: no group, or a browser without WebRTC.
    pub is_available: bool,
    /// True if the own microphone is live.
    pub microphone: bool,
    /// True if it is muted.
    pub is_muted: bool,
    /// True while the rider at this screen speaks.
    pub is_speaking: bool,
    /// True if the own camera is live.
    pub camera: bool,
    /// How well the own camera is sent.
    pub camera_quality: CameraQuality,
    /// True if the own screen is shared.
    pub screen: bool,
    /// True while the host asks this rider to unmute.
    pub asks_to_unmute: bool,
    /// True if this rider is host.
    pub is_host: bool,
    /// Others who send something or can be heard, in order of arrival.
    pub riders: Vec<RiderMedia>,
    /// Rider whose screen is shown.
    pub screen_of: Option<PeerId>,
    /// Rider whose camera is shown large.
    pub enlarged: Option<PeerId>,
}

/// How well the own camera is sent. Each step needs less bandwidth and less of the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CameraQuality {
    /// As the receivers ask for.
    #[default]
    Full,
    /// Fewer and smaller pictures.
    Reduced,
    /// Few and small pictures.
    Low,
    /// No pictures, so that voice and numbers go on.
    Off,
}

/// Media of another rider.
#[derive(Clone, Debug, PartialEq)]
pub struct RiderMedia {
    /// Rider.
    pub peer: PeerId,
    /// Name.
    pub name: String,
    /// True if the rider's microphone is live.
    pub microphone: bool,
    /// True if it is muted.
    pub is_muted: bool,
    /// True while the rider speaks.
    pub is_speaking: bool,
    /// True if the rider's camera is live and is shown here.
    pub camera: bool,
    /// True if the rider shares a screen.
    pub screen: bool,
    /// State of the connection.
    pub state: MediaState,
    /// Volume in percent that the rider at this screen has chosen.
    pub volume: u8,
    /// True if the rider at this screen has hidden this rider, who is not heard then.
    pub is_hidden: bool,
}

/// State of the media connection to a rider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaState {
    /// Neither side sends anything.
    #[default]
    Idle,
    /// On the way.
    Connecting,
    /// Sound and pictures flow.
    Connected,
    /// Not reachable for voice: attempts have failed, or no direct connection is allowed. It is tried
    /// again from time to time.
    Unreachable,
}
