//! One `RTCPeerConnection` with sound and pictures, driven by the commands of [`mesh::media`].
//!
//! What a connection has to do is carried out step by step, each step to its end, by one task. A
//! failure is reported as [`MediaEvent::Failed`], except for candidates and for the parameters of
//! what is sent.
//!
//! The connection has three sections (sound, camera, screen). Either side may have created them; they
//! are told apart by their order alone.
//!
//! In the browser only: connections are opened by the session, never during server rendering. Dropping
//! a [`MediaPeer`] removes its listeners and closes it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use mesh::{
    link::accepted_servers,
    media::{MediaCommand, MediaEvent, SdpKind},
};
use protocol::signaling::IceServer;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{
    capture::{OwnTrack, Pictures},
    js,
    listener::Listener,
};

/// Number of sections of a connection.
pub const SECTIONS: usize = 3;
/// `kind` of the tracks of each section.
const KINDS: [&str; SECTIONS] = ["audio", "video", "video"];

/// A track of the other side.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteTrack(JsValue);

impl RemoteTrack {
    /// Its pictures.
    pub fn pictures(&self) -> Option<Pictures> {
        Pictures::of(&self.0)
    }

    /// The track in JavaScript.
    pub(super) fn js(&self) -> &JsValue {
        &self.0
    }
}

/// Parameters with which a track is sent (`RTCRtpEncodingParameters`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendParameters {
    /// Largest height of pictures in pixels; 0 for sound.
    pub height: u16,
    /// Largest number of pictures per second; 0 for sound.
    pub fps: u8,
    /// Largest number of bits per second.
    pub max_bps: u32,
}

/// What is sent in a section.
type Sending = Option<(OwnTrack, SendParameters)>;

/// Calls of a connection. They are made in tasks of their own, never within a method.
pub struct MediaHandlers {
    /// An event for the state machine.
    pub event: Box<dyn Fn(MediaEvent)>,
    /// The tracks of the other side are known, in the order of the sections.
    pub tracks: Box<dyn Fn([RemoteTrack; SECTIONS])>,
}

/// A connection.
pub struct MediaPeer {
    shared: Rc<Shared>,
    _listeners: Vec<Listener>,
}

struct Shared {
    pc: JsValue,
    handlers: MediaHandlers,
    steps: RefCell<VecDeque<Step>>,
    is_running: Cell<bool>,
    is_closed: Cell<bool>,
    /// What is to be sent, and what was last set to be sent.
    sending: RefCell<[Sending; SECTIONS]>,
    knows_tracks: Cell<bool>,
}

enum Step {
    Offer { ice_restart: bool },
    SetRemote { kind: SdpKind, sdp: String },
    AddCandidate(String),
    Send(usize),
}

impl MediaPeer {
    /// Creates a connection; `None` if the browser refuses it. ICE servers that it refuses are left
    /// out.
    pub fn open(ice_servers: &[IceServer], handlers: MediaHandlers) -> Option<Self> {
        let pc = construct(ice_servers).or_else(|| {
            let (accepted, _) = accepted_servers(ice_servers, |server| {
                let tried = construct(std::slice::from_ref(server)).ok_or_else(String::new)?;
                js::call(&tried, "close", &[]);
                Ok(())
            });
            construct(&accepted)
        })?;
        let shared = Rc::new(Shared {
            pc,
            handlers,
            steps: RefCell::default(),
            is_running: Cell::new(false),
            is_closed: Cell::new(false),
            sending: RefCell::default(),
            knows_tracks: Cell::new(false),
        });
        let listeners = watch(&shared);
        Some(Self {
            shared,
            _listeners: listeners,
        })
    }

    /// Executes a command after those before it. `Open` and `Close` are executed by the owner, by
    /// creating and dropping the connection.
    pub fn command(&self, command: MediaCommand) {
        let step = match command {
            MediaCommand::Open { .. } | MediaCommand::Close => return,
            MediaCommand::CreateOffer { ice_restart } => Step::Offer { ice_restart },
            MediaCommand::SetRemote { kind, sdp } => Step::SetRemote { kind, sdp },
            MediaCommand::AddCandidate(candidate) => Step::AddCandidate(candidate),
        };
        Shared::start(&self.shared, step);
    }

    /// Sends a track in a section with these parameters, or nothing.
    pub fn send(&self, section: usize, sending: Option<(OwnTrack, SendParameters)>) {
        if let Some(place) = self.shared.sending.borrow_mut().get_mut(section) {
            *place = sending;
        }
        Shared::start(&self.shared, Step::Send(section));
    }

    /// Level of the sound that arrives, from 0 to 1, as measured by the browser.
    pub fn level(&self) -> f32 {
        let level = || {
            let section = sections(&self.shared.pc).into_iter().next()?;
            let receiver = js::get(&section, "receiver")?;
            let sources = js::call(&receiver, "getSynchronizationSources", &[])?;
            js::get(&js::get(&sources, "0")?, "audioLevel")?.as_f64()
        };
        level().unwrap_or_default() as f32
    }

    /// Bandwidth that the browser estimates for all that is sent, in bits per second.
    pub fn available_bps(&self) -> impl Future<Output = Option<u32>> + use<> {
        let report = js::call(&self.shared.pc, "getStats", &[]);
        async move {
            let report = report?.dyn_into::<js_sys::Promise>().ok()?;
            let report: js_sys::Map = JsFuture::from(report).await.ok()?.dyn_into().ok()?;
            let entries = report.values().into_iter().flatten();
            let rates = entries
                .filter_map(|entry: JsValue| js::get(&entry, "availableOutgoingBitrate")?.as_f64());
            rates.map(|rate| rate as u32).filter(|rate| *rate > 0).max()
        }
    }
}

impl Drop for MediaPeer {
    fn drop(&mut self) {
        self.shared.is_closed.set(true);
        self.shared.steps.borrow_mut().clear();
        *self.shared.sending.borrow_mut() = Default::default();
        js::call(&self.shared.pc, "close", &[]);
    }
}

impl Shared {
    /// Carries out a step after those before it.
    fn start(shared: &Rc<Self>, step: Step) {
        shared.steps.borrow_mut().push_back(step);
        if shared.is_running.replace(true) {
            return;
        }
        let shared = Rc::clone(shared);
        spawn_local(async move {
            loop {
                let next = shared.steps.borrow_mut().pop_front();
                match next {
                    Some(step) if !shared.is_closed.get() => shared.run(step).await,
                    _ => return shared.is_running.set(false),
                }
            }
        });
    }

    async fn run(&self, step: Step) {
        let done = match step {
            Step::Offer { ice_restart } => self.offer(ice_restart).await,
            Step::SetRemote { kind, sdp } => self.set_remote(kind, sdp).await,
            Step::AddCandidate(candidate) => {
                self.add_candidate(&candidate).await;
                Some(())
            }
            Step::Send(section) => {
                self.apply(section).await;
                Some(())
            }
        };
        if done.is_none() {
            self.emit(MediaEvent::Failed);
        }
    }

    fn emit(&self, event: MediaEvent) {
        if !self.is_closed.get() {
            (self.handlers.event)(event);
        }
    }

    async fn offer(&self, ice_restart: bool) -> Option<()> {
        if js::get(&js::call(&self.pc, "getTransceivers", &[])?, "length")?.as_f64()? < 1.0 {
            for kind in KINDS {
                let options = js_sys::Object::new();
                js::set(&options, "direction", &"sendrecv".into());
                js::call(&self.pc, "addTransceiver", &[kind.into(), options.into()])?;
            }
        }
        if ice_restart {
            js::call(&self.pc, "restartIce", &[])?;
        }
        self.describe().await
    }

    async fn set_remote(&self, kind: SdpKind, sdp: String) -> Option<()> {
        let description = js_sys::Object::new();
        let is_offer = kind == SdpKind::Offer;
        let name = if is_offer { "offer" } else { "answer" };
        js::set(&description, "type", &name.into());
        js::set(&description, "sdp", &sdp.into());
        wait(&self.pc, "setRemoteDescription", &[description.into()]).await?;
        if is_offer {
            // Sections of an own offer that was rolled back are not reused by the browser.
            for transceiver in transceivers(&self.pc) {
                if has_section(&transceiver) {
                    js::set(&transceiver, "direction", &"sendrecv".into());
                } else {
                    js::call(&transceiver, "stop", &[]);
                }
            }
            self.describe().await?;
        }
        self.report_tracks();
        for section in 0..SECTIONS {
            self.apply(section).await;
        }
        Some(())
    }

    /// Sets the local description that fits the state, and reports it.
    async fn describe(&self) -> Option<()> {
        wait(&self.pc, "setLocalDescription", &[]).await?;
        let description = js::get(&self.pc, "localDescription")?;
        let kind = match js::get(&description, "type")?.as_string()?.as_str() {
            "answer" => SdpKind::Answer,
            _ => SdpKind::Offer,
        };
        let sdp = js::get(&description, "sdp")?.as_string()?;
        self.emit(MediaEvent::LocalDescription { kind, sdp });
        Some(())
    }

    async fn add_candidate(&self, candidate: &str) {
        if let Ok(init) = js_sys::JSON::parse(candidate) {
            // Candidates of an offer that was ignored are expected to fail.
            let _ = wait(&self.pc, "addIceCandidate", &[init]).await;
        }
    }

    /// Tells the tracks of the other side, once.
    fn report_tracks(&self) {
        let tracks: Vec<RemoteTrack> = sections(&self.pc)
            .iter()
            .filter_map(|section| js::get(&js::get(section, "receiver")?, "track"))
            .map(RemoteTrack)
            .collect();
        if let Ok(tracks) = <[RemoteTrack; SECTIONS]>::try_from(tracks)
            && !self.knows_tracks.replace(true)
            && !self.is_closed.get()
        {
            (self.handlers.tracks)(tracks);
        }
    }

    /// Makes a section send what it is to send. Does nothing before it is negotiated.
    async fn apply(&self, section: usize) -> Option<()> {
        let sender = js::get(sections(&self.pc).get(section)?, "sender")?;
        let sending = self.sending.borrow().get(section).cloned().flatten();
        let Some((track, parameters)) = sending else {
            return wait(&sender, "replaceTrack", &[JsValue::NULL]).await;
        };
        let now = js::get(&sender, "track").unwrap_or(JsValue::NULL);
        if now != *track.js() {
            wait(&sender, "replaceTrack", std::slice::from_ref(track.js())).await?;
        }
        let current = js::call(&sender, "getParameters", &[])?;
        let encodings: js_sys::Array = js::get(&current, "encodings")?.dyn_into().ok()?;
        if encodings.length() == 0 {
            encodings.push(&js_sys::Object::new());
        }
        let encoding = encodings.get(0);
        js::set(&encoding, "maxBitrate", &parameters.max_bps.into());
        if parameters.height > 0 {
            js::set(&encoding, "maxFramerate", &parameters.fps.into());
            let height = track.height().unwrap_or_default();
            let scale = (height / f64::from(parameters.height)).max(1.0);
            js::set(&encoding, "scaleResolutionDownBy", &scale.into());
        }
        wait(&sender, "setParameters", &[current]).await
    }
}

/// Calls a method and waits for its promise; `None` if it fails.
async fn wait(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<()> {
    let promise = js::call(object, method, arguments)?;
    JsFuture::from(promise.dyn_into::<js_sys::Promise>().ok()?)
        .await
        .ok()
        .map(drop)
}

fn transceivers(pc: &JsValue) -> Vec<JsValue> {
    let list = js::call(pc, "getTransceivers", &[]).and_then(|list| list.dyn_into().ok());
    list.map(|list: js_sys::Array| list.to_vec())
        .unwrap_or_default()
}

/// True for a transceiver that is part of the negotiated session.
fn has_section(transceiver: &JsValue) -> bool {
    js::get(transceiver, "mid").is_some_and(|mid| !mid.is_null())
}

/// The transceivers of the negotiated sections, in their order.
fn sections(pc: &JsValue) -> Vec<JsValue> {
    let mut all = transceivers(pc);
    all.retain(has_section);
    all
}

fn construct(ice_servers: &[IceServer]) -> Option<JsValue> {
    let servers = js_sys::Array::new();
    for server in ice_servers {
        let entry = js_sys::Object::new();
        let urls: js_sys::Array = server
            .urls
            .iter()
            .map(|url| JsValue::from_str(url))
            .collect();
        js::set(&entry, "urls", &urls);
        for (name, value) in [
            ("username", &server.username),
            ("credential", &server.credential),
        ] {
            if let Some(value) = value {
                js::set(&entry, name, &value.into());
            }
        }
        servers.push(&entry);
    }
    let configuration = js_sys::Object::new();
    js::set(&configuration, "iceServers", &servers);
    js::set(&configuration, "bundlePolicy", &"max-bundle".into());
    js::construct("RTCPeerConnection", &[configuration.into()])
}

fn watch(shared: &Rc<Shared>) -> Vec<Listener> {
    let target = shared.pc.unchecked_ref();
    let candidates = {
        let shared = Rc::downgrade(shared);
        Listener::new(target, "icecandidate", move |event| {
            let json = js::get(&event, "candidate")
                .filter(|candidate| !candidate.is_null())
                .and_then(|candidate| js_sys::JSON::stringify(&candidate).ok())
                .and_then(|json| json.as_string());
            if let (Some(json), Some(shared)) = (json, shared.upgrade()) {
                shared.emit(MediaEvent::Candidate(json));
            }
        })
    };
    let states = {
        let shared = Rc::downgrade(shared);
        Listener::new(target, "connectionstatechange", move |_| {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let state = js::get(&shared.pc, "connectionState").and_then(|state| state.as_string());
            match state.as_deref() {
                Some("connected") => shared.emit(MediaEvent::Connected),
                Some("disconnected") => shared.emit(MediaEvent::Disconnected),
                Some("failed") => shared.emit(MediaEvent::Failed),
                _ => {}
            }
        })
    };
    vec![candidates, states]
}
