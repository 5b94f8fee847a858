//! Driver of voice, cameras and screen sharing: carries out what media decide, and measures what they
//! ask for.
//!
//! The tracks of this page are in its signals ([`MediaSignals::own`]), into which the rider's dialogs put
//! them; here they are sent and stopped. Everything ends when the driver is dropped, which is when the
//! page of the ride is left.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use leptos::prelude::*;
use mesh::media::{MediaCommand, MediaEvent};
use protocol::peer::PeerId;
use session::{
    exchange::ExchangeInput,
    media::{Encoding, MediaInput, MediaKind, MediaOutput, MediaView},
};

use super::PostInput;
use crate::{
    browser::{
        capture::{LevelMeter, OwnTrack},
        clock,
        frames::frames_per_second,
        listener::Listener,
        media_rtc::{MediaHandlers, MediaPeer, RemoteTrack, SECTIONS, SendParameters},
        playback::Playback,
        sound,
    },
    state::{MediaSignals, RemotePictures},
};

/// Interval between two measurements of the sound levels.
const LEVELS_INTERVAL: Duration = Duration::from_millis(200);
/// Time over which the pictures of the page are counted.
const FRAMES_INTERVAL: Duration = Duration::from_secs(1);
/// Pictures per second that count as drawn while the page is hidden, when browsers draw none.
const HIDDEN_FPS: f32 = 60.0;

/// Driver of the media of a page.
pub(super) struct MediaDriver {
    signals: MediaSignals,
    post: PostInput,
    peers: RefCell<Vec<Peer>>,
    devices: RefCell<Vec<Device>>,
    meter: RefCell<Option<LevelMeter>>,
    /// True while the microphone is to be heard.
    is_audible: Cell<bool>,
    measures_levels: Cell<bool>,
    measures_frames: Cell<bool>,
    notices: Cell<u32>,
}

/// Connection to another rider's page.
struct Peer {
    peer: PeerId,
    connection: u32,
    link: MediaPeer,
    sending: [Option<Encoding>; SECTIONS],
    /// Volume at which its sound is played.
    gain: f32,
}

/// Live device of this page.
struct Device {
    kind: MediaKind,
    track: OwnTrack,
    _ended: Listener,
}

impl MediaDriver {
    pub(super) fn new(signals: MediaSignals, post: PostInput) -> Rc<Self> {
        let driver = Rc::new(Self {
            signals,
            post,
            peers: RefCell::default(),
            devices: RefCell::default(),
            meter: RefCell::default(),
            is_audible: Cell::new(false),
            measures_levels: Cell::new(false),
            measures_frames: Cell::new(false),
            notices: Cell::new(0),
        });
        let weak = Rc::downgrade(&driver);
        sound::on_tone(Some(Rc::new(move |length| {
            if let Some(driver) = weak.upgrade() {
                driver.post(MediaInput::TonePlayed(length));
            }
        })));
        driver.follow_tracks();
        driver
    }

    /// Carries out an output.
    pub(super) fn carry_out(self: &Rc<Self>, output: MediaOutput) {
        match output {
            MediaOutput::Connection {
                peer,
                connection,
                command,
            } => self.command(peer, connection, command),
            MediaOutput::Send {
                peer,
                kind,
                encoding,
            } => self.send(&peer, kind, encoding),
            MediaOutput::Audible(is_audible) => {
                self.is_audible.set(is_audible);
                if let Some(track) = self.signals.own_track(MediaKind::Microphone) {
                    track.set_enabled(is_audible);
                }
            }
            MediaOutput::Stop(kind) => self.signals.set_own_track(kind, None),
            MediaOutput::Volume { peer, gain } => {
                let mut peers = self.peers.borrow_mut();
                if let Some(known) = peers.iter_mut().find(|known| known.peer == peer) {
                    known.gain = gain;
                }
                drop(peers);
                let _ = self.signals.sounds.try_with_value(|sounds| {
                    let sound = sounds.iter().find(|(of, _)| *of == peer);
                    if let Some((_, sound)) = sound {
                        sound.set_volume(gain);
                    }
                });
            }
            MediaOutput::Show(view) => self.show(*view),
            MediaOutput::Notify(notice) => {
                self.notices.set(self.notices.get().wrapping_add(1));
                let _ = self
                    .signals
                    .notice
                    .try_set(Some((self.notices.get(), notice)));
            }
        }
    }

    fn post(&self, input: MediaInput) {
        (self.post)(ExchangeInput::Media(input));
    }

    fn show(self: &Rc<Self>, view: MediaView) {
        let hears = view.riders.iter().any(|rider| rider.microphone);
        if (view.microphone || hears) && !self.measures_levels.replace(true) {
            Self::measure_levels(Rc::downgrade(self));
        }
        if view.camera && !self.measures_frames.replace(true) {
            Self::measure_frames(Rc::downgrade(self));
        }
        let _ = self.signals.view.try_set(view);
    }

    fn command(self: &Rc<Self>, peer: PeerId, connection: u32, command: MediaCommand) {
        match command {
            MediaCommand::Open { ice_servers } => {
                self.forget(&peer);
                let handlers = self.handlers(peer.clone(), connection);
                match MediaPeer::open(&ice_servers, handlers) {
                    Some(link) => self.peers.borrow_mut().push(Peer {
                        peer,
                        connection,
                        link,
                        sending: Default::default(),
                        gain: 0.0,
                    }),
                    None => self.post(MediaInput::Connection {
                        peer,
                        connection,
                        event: MediaEvent::Failed,
                    }),
                }
            }
            MediaCommand::Close => {
                let is_current = self
                    .peers
                    .borrow()
                    .iter()
                    .any(|known| known.peer == peer && known.connection == connection);
                if is_current {
                    self.forget(&peer);
                }
            }
            command => {
                let peers = self.peers.borrow();
                let known = peers
                    .iter()
                    .find(|known| known.peer == peer && known.connection == connection);
                if let Some(known) = known {
                    known.link.command(command);
                }
            }
        }
    }

    /// Closes the connection to a rider.
    fn forget(&self, peer: &PeerId) {
        self.peers.borrow_mut().retain(|known| known.peer != *peer);
        let signals = self.signals;
        let _ = signals
            .sounds
            .try_update_value(|sounds| sounds.retain(|(of, _)| of != peer));
        let _ = signals
            .pictures
            .try_update(|pictures| pictures.retain(|pictures| pictures.peer != *peer));
    }

    fn handlers(self: &Rc<Self>, peer: PeerId, connection: u32) -> MediaHandlers {
        let of = peer.clone();
        let event = {
            let driver = Rc::downgrade(self);
            move |event| {
                if let Some(driver) = driver.upgrade() {
                    driver.post(MediaInput::Connection {
                        peer: peer.clone(),
                        connection,
                        event,
                    });
                }
            }
        };
        let driver = Rc::downgrade(self);
        MediaHandlers {
            event: Box::new(event),
            tracks: Box::new(move |tracks| {
                if let Some(driver) = driver.upgrade() {
                    driver.take_tracks(&of, connection, &tracks);
                }
            }),
        }
    }

    /// Plays and shows the tracks of a rider from now on. They are silent and black until the rider
    /// goes live.
    fn take_tracks(&self, peer: &PeerId, connection: u32, tracks: &[RemoteTrack; SECTIONS]) {
        let peers = self.peers.borrow();
        let current = peers
            .iter()
            .find(|known| known.peer == *peer && known.connection == connection);
        let Some(gain) = current.map(|known| known.gain) else {
            return;
        };
        drop(peers);
        let signals = self.signals;
        let [voice, camera, screen] = tracks;
        let refused = Rc::new(move || {
            let _ = signals.is_silenced.try_set(true);
        });
        if let Some(sound) = Playback::new(voice, gain, refused) {
            let _ = signals.sounds.try_update_value(|sounds| {
                sounds.retain(|(of, _)| of != peer);
                sounds.push((peer.clone(), sound));
            });
        }
        let _ = signals.pictures.try_update(|all| {
            all.retain(|pictures| pictures.peer != *peer);
            for (kind, track) in [(MediaKind::Camera, camera), (MediaKind::Screen, screen)] {
                all.extend(track.pictures().map(|pictures| RemotePictures {
                    peer: peer.clone(),
                    kind,
                    pictures,
                }));
            }
        });
    }

    fn send(&self, peer: &PeerId, kind: MediaKind, encoding: Option<Encoding>) {
        let section = section_of(kind);
        let mut peers = self.peers.borrow_mut();
        let Some(known) = peers.iter_mut().find(|known| known.peer == *peer) else {
            return;
        };
        if let Some(sending) = known.sending.get_mut(section) {
            *sending = encoding;
        }
        let track = self.signals.own_track(kind);
        known
            .link
            .send(section, track.zip(encoding.map(parameters)));
    }

    /// Follows the tracks that the rider puts in and takes out: sends new ones in place of old ones, and
    /// reports those that end by themselves.
    fn follow_tracks(self: &Rc<Self>) {
        let driver = Rc::downgrade(self);
        let own = self.signals.own;
        Effect::new(move || {
            // After the page, there are neither signals nor a driver.
            if let (Some(own), Some(driver)) = (own.try_get(), driver.upgrade()) {
                driver.tracks_changed(&own);
            }
        });
    }

    fn tracks_changed(self: &Rc<Self>, own: &[(MediaKind, OwnTrack)]) {
        self.devices
            .borrow_mut()
            .retain(|device| own.contains(&(device.kind, device.track.clone())));
        for (kind, track) in own {
            let is_known = self
                .devices
                .borrow()
                .iter()
                .any(|device| device.kind == *kind);
            if !is_known {
                self.track_added(*kind, track);
            }
        }
        let has_microphone = own.iter().any(|(kind, _)| *kind == MediaKind::Microphone);
        if !has_microphone {
            *self.meter.borrow_mut() = None;
        }
    }

    fn track_added(self: &Rc<Self>, kind: MediaKind, track: &OwnTrack) {
        let driver = Rc::downgrade(self);
        let ended = track.on_ended(move || {
            if let Some(driver) = driver.upgrade() {
                driver.post(MediaInput::DeviceEnded(kind));
            }
        });
        self.devices.borrow_mut().push(Device {
            kind,
            track: track.clone(),
            _ended: ended,
        });
        if kind == MediaKind::Microphone {
            track.set_enabled(self.is_audible.get());
            *self.meter.borrow_mut() = LevelMeter::new(track);
        }
        let section = section_of(kind);
        for known in self.peers.borrow().iter() {
            if let Some(encoding) = known.sending.get(section).copied().flatten() {
                let sending = (track.clone(), parameters(encoding));
                known.link.send(section, Some(sending));
            }
        }
    }

    /// Reports the levels of all sounds while there are any.
    fn measure_levels(driver: Weak<Self>) {
        leptos::task::spawn_local(async move {
            loop {
                clock::sleep(LEVELS_INTERVAL).await;
                let Some(driver) = driver.upgrade() else {
                    return;
                };
                let is_live = driver.signals.view.try_with_untracked(|view| {
                    view.microphone || view.riders.iter().any(|rider| rider.microphone)
                });
                if is_live != Some(true) {
                    return driver.measures_levels.set(false);
                }
                let own = driver.meter.borrow().as_ref().map(LevelMeter::level);
                let mut levels: Vec<_> = own.map(|level| (None, level)).into_iter().collect();
                levels.extend(
                    driver
                        .peers
                        .borrow()
                        .iter()
                        .map(|known| (Some(known.peer.clone()), known.link.level())),
                );
                driver.post(MediaInput::Levels(levels));
            }
        });
    }

    /// Reports bandwidth and pictures per second while the camera is live.
    fn measure_frames(driver: Weak<Self>) {
        leptos::task::spawn_local(async move {
            loop {
                let drawn = frames_per_second(FRAMES_INTERVAL).await;
                let Some(driver) = driver.upgrade() else {
                    return;
                };
                if driver.signals.view.try_with_untracked(|view| view.camera) != Some(true) {
                    return driver.measures_frames.set(false);
                }
                let mut rates = Vec::new();
                for known in driver.peers.borrow().iter() {
                    rates.push(known.link.available_bps());
                }
                let mut available = None::<u32>;
                for rate in rates {
                    if let Some(rate) = rate.await {
                        available = Some(available.map_or(rate, |least| least.min(rate)));
                    }
                }
                driver.post(MediaInput::Measured {
                    available_bps: available,
                    page_fps: drawn.unwrap_or(HIDDEN_FPS),
                });
            }
        });
    }
}

impl Drop for MediaDriver {
    fn drop(&mut self) {
        sound::on_tone(None);
        for device in self.devices.borrow_mut().drain(..) {
            device.track.stop();
        }
        self.peers.borrow_mut().clear();
        // The signals may be gone, and the tracks with them.
        for kind in MediaKind::ALL {
            self.signals.set_own_track(kind, None);
        }
        let _ = self.signals.sounds.try_update_value(Vec::clear);
        let _ = self.signals.pictures.try_update(Vec::clear);
    }
}

/// Section of a connection in which a device is sent.
fn section_of(kind: MediaKind) -> usize {
    match kind {
        MediaKind::Microphone => 0,
        MediaKind::Camera => 1,
        MediaKind::Screen => 2,
    }
}

fn parameters(encoding: Encoding) -> SendParameters {
    SendParameters {
        height: encoding.height,
        fps: encoding.fps,
        max_bps: encoding.max_bps,
    }
}
