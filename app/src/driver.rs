//! Driver of a [`Session`] in the browser: it feeds the session with everything that happens on
//! the page, and carries out its outputs. It contains no decisions.
//!
//! Everything that happens is put into one queue ([`queue`]). Each event is handled with the clocks
//! read once; then the outputs are carried out, the signals are updated from the session's view, and
//! one timer is set for the session's next timeout.
//!
//! - `connections`: signaling socket and peer connections;
//! - `devices`: devices over Bluetooth;
//! - `display`: from the view to signals;
//! - `files`: workout files, the FIT file;
//! - `storage`: what the browser stores, and the recording in IndexedDB.
//!
//! The functions are called in effects, which do not run during server rendering. What they create
//! is released with the owner of the effect.

mod connections;
pub(crate) mod devices;
mod display;
mod files;
mod queue;
mod storage;

use std::rc::Rc;

use leptos::prelude::*;
use protocol::code::SessionCode;
use ride::rider::Ftp;
use send_wrapper::SendWrapper;
use session::{
    Input, Intent, Now, Opening, Output, RideSession, Session, SessionConfig, Sound,
    devices::{ChooserError, DeviceCommand, DeviceEvent, DeviceInput},
    storage::StoredDevices,
};

use crate::{
    browser::{
        api::ApiError, clock, listener::Listener, page, sound::Tone, timer::WorkerTimer,
        wake_lock::WakeLock,
    },
    lazy::{DeviceDriver, EXCHANGE, ExchangeDriver, OpenBridge, RIDES, SCREENS, TRAINERS},
    state::{Intents, JoinError, RideState},
};
use connections::Connections;
use display::Display;
use queue::{Event, Queue};
use storage::Storage;

/// Opens the group ride with the code in the page's address.
pub fn open_group(state: RideState, intents: Intents, address: String) {
    let code = address.parse::<SessionCode>().ok();
    let reloaded = code.as_ref().is_some_and(storage::take_reload_marker);
    let opening = Opening::Group { address, reloaded };
    open(state, intents, code, ride(opening));
}

/// Opens a solo ride on the simulator. `default_name` names a rider whose name this browser does not
/// know.
pub fn open_solo(state: RideState, intents: Intents, default_name: &str) {
    let opening = Opening::Solo {
        profile: storage::profile(),
        default_name: default_name.to_owned(),
    };
    open(state, intents, None, ride(opening));
}

/// Opens the page of a phone that connects devices for a rider, whom the fragment of the page's
/// address names.
pub fn open_bridge(state: RideState, intents: Intents, session: OpenBridge) {
    let session = session(config(), now(), &page::fragment(), &storage::bridge());
    open(state, intents, None, session);
}

fn ride(opening: Opening) -> Box<dyn Session> {
    Box::new(RideSession::new(config(), now(), opening))
}

fn open(state: RideState, intents: Intents, code: Option<SessionCode>, session: Box<dyn Session>) {
    let queue = Queue::new();
    queue.attach(Driver::new(state, queue.clone(), code, session));
    intents.connect({
        let queue = queue.clone();
        move |request| queue.post(Event::Request(request))
    });
    // Carries out the first outputs.
    queue.post(Event::Input(Input::Timeout));
    let queue = SendWrapper::new(queue);
    on_cleanup(move || queue.close());
}

fn config() -> SessionConfig {
    SessionConfig {
        origin: page::origin(),
        p2p_available: page::supports_webrtc(),
        entropy: page::random_bytes(),
        sub_sport: storage::sub_sport(),
        utc_offset: clock::utc_offset(clock::wall_time()),
        devices: StoredDevices::from_text(&storage::devices()),
    }
}

/// A session with its connections to the browser.
struct Driver {
    session: Box<dyn Session>,
    queue: Queue,
    code: Option<SessionCode>,
    display: Display,
    connections: Connections,
    /// Driver of trainers, once one was wanted.
    devices: Option<DeviceDriver>,
    storage: Storage,
    /// Driver of chat and file transfers, once they are loaded.
    exchange: Option<ExchangeDriver>,
    /// Owner of the page's signals.
    owner: Option<Owner>,
    timer: WorkerTimer,
    wake_lock: WakeLock,
    _listeners: Vec<Listener>,
}

impl Driver {
    fn new(
        state: RideState,
        queue: Queue,
        code: Option<SessionCode>,
        session: Box<dyn Session>,
    ) -> Self {
        let post = |input: fn() -> Input| {
            let queue = queue.clone();
            move || queue.post(Event::Input(input()))
        };
        let mut listeners = page::on_wake(post(|| Input::Wake));
        listeners.extend(page::on_hide(post(|| Input::Hide)));
        listeners.extend(page::on_gesture(|| {
            if let Some(views) = SCREENS.loaded() {
                (views.unlock_sound)();
            }
        }));
        state.volume.set(storage::volume());
        Self {
            session,
            display: Display::new(state),
            connections: Connections::new(queue.clone()),
            devices: None,
            storage: Storage::new(queue.clone(), code.clone()),
            exchange: None,
            owner: Owner::current(),
            timer: WorkerTimer::new(post(|| Input::Timeout)),
            wake_lock: WakeLock::default(),
            _listeners: listeners,
            queue,
            code,
        }
    }

    /// Handles one event to the end.
    fn handle(&mut self, event: Event) {
        let input = match event {
            Event::Input(input) => Some(input),
            Event::Request(request) => self.request(request),
            Event::Trainers(command) => self.trainers_fetched(command),
            Event::Recording(open, opened) => Some(self.storage.recording_opened(open, opened)),
        };
        if let Some(input) = input {
            self.session.handle(now(), input);
        }
        self.open_exchange();
        while let Some(output) = self.session.poll_output() {
            self.carry_out(output);
        }
        if let (Some(carry_out), Some(exchange)) = (&self.exchange, self.session.exchange()) {
            carry_out(exchange);
        }
        self.display.update(self.session.view());
    }

    /// Input for a request of the rider.
    fn request(&mut self, request: queue::Request) -> Option<Input> {
        match request {
            queue::Request::Intent(intent) => {
                // Another tab of this browser may have been banned since the ride was looked up.
                if let (Intent::Join(..), Some(code)) = (&intent, &self.code)
                    && storage::is_banned(code)
                {
                    self.session.handle(now(), Input::Banned);
                }
                if let Intent::ResumeUnfinished = intent
                    && let Some(ride) = &self.session.view().unfinished
                {
                    self.resume_unfinished(ride.key.clone());
                    return None;
                }
                if let (Intent::TakeOver, Some(code)) = (&intent, &self.code) {
                    let revoked = storage::revoked_links(code);
                    self.session.handle(now(), Input::RevokedLinks(revoked));
                }
                Some(Input::Intent(intent))
            }
            queue::Request::ShareFile(file) => {
                let ftp = Ftp::new(self.session.view().ftp).unwrap_or_default();
                files::read_workout(self.queue.clone(), file, ftp);
                Some(Input::WorkoutFileChosen)
            }
            queue::Request::Exchange(call) => {
                self.session.call_exchange(now(), call);
                None
            }
            queue::Request::SetVolume(volume) => {
                storage::save_volume(volume);
                self.display.state().volume.set(volume);
                self.play(Sound::Tick);
                None
            }
        }
    }

    /// Resumes a solo ride, unless another tab rides it by now.
    fn resume_unfinished(&self, key: String) {
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            queue.post(Event::Input(match storage::is_under_way(&key).await {
                true => Input::UnfinishedTaken,
                false => Input::Intent(Intent::ResumeUnfinished),
            }));
        });
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::LookUp(code) => self.look_up(code),
            Output::OpenSocket { code, socket } => self.connections.open_socket(&code, socket),
            Output::CloseSocket => self.connections.close_socket(),
            Output::SendText(text) => self.connections.send_text(&text),
            Output::SendBinary(bytes) => self.connections.send_binary(&bytes),
            Output::Rtc {
                peer,
                connection,
                command,
            } => self.connections.command(peer, connection, command),
            Output::CloseConnections => self.connections.close_all(),
            Output::QueryCandidatePair => self.connections.query_candidate_pairs(),
            Output::Storage(command) => self.storage.carry_out(command),
            Output::FindUnfinishedSolo => {
                let queue = self.queue.clone();
                wasm_bindgen_futures::spawn_local(async move {
                    // Without the part, the list of rides offers it later.
                    if let Ok(part) = RIDES.load().await {
                        (part.find_unfinished_solo)(Box::new(move |found| {
                            let found = Input::UnfinishedSolo(Box::new(found));
                            queue.post(Event::Input(found));
                        }));
                    }
                });
            }
            Output::OpenRecording { open, key, reads } => {
                self.storage.open_recording(open, key, reads);
            }
            Output::WriteRecording { write, change } => self.storage.write_recording(write, change),
            Output::Device(command) => self.device_command(command),
            Output::Sound(sound) => self.play(sound),
            Output::KeepScreenOn(true) => self.wake_lock.take(),
            Output::KeepScreenOn(false) => self.wake_lock.release(),
            Output::CopyLink(link) => {
                let queue = self.queue.clone();
                wasm_bindgen_futures::spawn_local(async move {
                    let copied = page::copy(&link).await;
                    queue.post(Event::Input(Input::LinkCopied(copied)));
                });
            }
            Output::SaveFit(activity) => files::save_fit(self.queue.clone(), activity),
            Output::Notice(notice) => self.display.notify(notice),
            Output::NeedEntropy => {
                if let Some(bytes) = page::random_bytes() {
                    self.queue.post(Event::Input(Input::Entropy(bytes)));
                }
            }
        }
    }

    /// Opens chat and file transfers of a group ride once they are loaded.
    fn open_exchange(&mut self) {
        let (None, Some(code), Some(part), Some(owner)) =
            (&self.exchange, &self.code, EXCHANGE.loaded(), &self.owner)
        else {
            return;
        };
        let state = owner.with(part.state);
        let queue = self.queue.clone();
        let post = Rc::new(move |call| {
            queue.post(Event::Request(queue::Request::Exchange(call)));
        });
        self.exchange = Some((part.driver)(code.clone(), state, post));
        self.display.state().exchange.set(Some(state));
        self.session.load_exchange(now(), part.open);
    }

    fn play(&self, sound: Sound) {
        let tone = match sound {
            Sound::Tick => Tone::Short,
            Sound::Start => Tone::Long,
            Sound::Alarm => Tone::Alarm,
        };
        let volume = self.display.state().volume.get_untracked();
        if let Some(views) = SCREENS.loaded().filter(|_| volume > 0) {
            (views.play)(tone, volume);
        }
    }

    /// Carries out a command to a trainer. Browsers show the device chooser only at once after a
    /// tap, so the part that does it is fetched before, in the lobby; one that is fetched in a few
    /// seconds is in time, too.
    fn device_command(&mut self, command: DeviceCommand) {
        if self.devices.is_none() {
            self.devices = TRAINERS.loaded().map(|part| {
                let queue = self.queue.clone();
                (part.open)(Rc::new(move |input| {
                    queue.post(Event::Input(Input::Device(input)));
                }))
            });
        }
        match &self.devices {
            Some(carry_out) => carry_out(command),
            None => {
                let queue = self.queue.clone();
                wasm_bindgen_futures::spawn_local(async move {
                    // The failure shows as a part that is not loaded.
                    let _ = TRAINERS.load().await;
                    queue.post(Event::Trainers(command));
                });
            }
        }
    }

    fn trainers_fetched(&mut self, command: DeviceCommand) -> Option<Input> {
        match command {
            DeviceCommand::Choose { attempt, .. } if TRAINERS.loaded().is_none() => {
                let event = DeviceEvent::NotChosen(ChooserError::PartUnavailable);
                Some(Input::Device(DeviceInput { attempt, event }))
            }
            DeviceCommand::Find { attempt, .. } if TRAINERS.loaded().is_none() => {
                let event = DeviceEvent::NotRemembered;
                Some(Input::Device(DeviceInput { attempt, event }))
            }
            command => {
                self.device_command(command);
                None
            }
        }
    }

    /// Asks the server about the ride.
    fn look_up(&self, code: SessionCode) {
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let token = storage::token(&code);
            let answer = crate::browser::api::look_up_ride(&code, token).await;
            let result = answer.map(|info| session::RideInfo {
                full: info.full,
                locked: info.locked,
                invitation: info.invitation,
            });
            let stored = Box::new(storage::load(&code).await);
            let result = result.map_err(join_error);
            queue.post(Event::Input(Input::LookedUp { result, stored }));
        });
    }

    /// Sets the timer for the session's next timeout.
    fn set_timer(&self) {
        if let Some(next) = self.session.poll_timeout() {
            self.timer.set(next - now().moment);
        }
    }

    fn close(mut self) {
        self.session.close();
        while let Some(output) = self.session.poll_output() {
            self.carry_out(output);
        }
    }
}

/// Readings of both clocks.
fn now() -> Now {
    Now {
        moment: clock::moment(),
        wall: clock::wall_time(),
    }
}

/// Reason why a ride cannot be joined or created.
pub fn join_error(error: ApiError) -> JoinError {
    match error {
        ApiError::NoSuchRide => JoinError::NoSuchRide,
        ApiError::Full => JoinError::Full,
        ApiError::TooManyRides => JoinError::TooManyRides,
        ApiError::Unreachable => JoinError::Unreachable,
        ApiError::Outdated => JoinError::Outdated,
        ApiError::Other => JoinError::Other,
    }
}
