//! One RTCPeerConnection, driven by the commands of `mesh::link`.
//!
//! The browser queues its operations in order, so commands are passed on at
//! once. A failure is reported as [`RtcEvent::Failed`], except for candidates:
//! candidates that belong to an ignored offer are expected to fail.
//!
//! In the browser only: connections are opened by the session, never during
//! server rendering. Dropping a [`PeerConnection`] removes its listeners and
//! closes it.

use std::rc::Rc;

use mesh::link::{RefusedServer, RtcCommand, RtcEvent, SdpKind, accepted_servers, low_watermark};
use protocol::{
    peer::DeliveryClass,
    signaling::{BundlePolicy, DirectLinkSettings, IceServer},
};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    MessageEvent, RtcBundlePolicy, RtcConfiguration, RtcDataChannel, RtcDataChannelInit,
    RtcDataChannelState, RtcDataChannelType, RtcIceCandidate, RtcIceCandidateInit,
    RtcPeerConnection, RtcPeerConnectionIceEvent, RtcPeerConnectionState, RtcSdpType,
    RtcSessionDescriptionInit,
};

use super::listener::Listener;

#[wasm_bindgen]
extern "C" {
    /// The connection with two methods that web-sys lacks: `setLocalDescription`
    /// without an argument, which creates the matching description itself, and
    /// `restartIce` (W3C WebRTC, section 4.4.2).
    #[wasm_bindgen(extends = RtcPeerConnection)]
    #[derive(Clone)]
    type NegotiatingConnection;
    #[wasm_bindgen(method, js_name = setLocalDescription)]
    fn describe_locally(this: &NegotiatingConnection) -> js_sys::Promise;
    #[wasm_bindgen(method, js_name = restartIce)]
    fn restart_ice(this: &NegotiatingConnection);
}

type Emit = Rc<dyn Fn(RtcEvent)>;

/// Types of the two candidates of a connection, as the statistics name them
/// (W3C WebRTC, `candidateType`): `host`, `srflx`, `prflx` or `relay`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidatePair {
    /// Type of the own candidate.
    pub local: String,
    /// Type of the other peer's candidate.
    pub remote: String,
}

/// Result of [`PeerConnection::open`].
pub struct Opened {
    /// The connection.
    pub connection: PeerConnection,
    /// ICE servers that the browser refuses.
    pub refused: Vec<RefusedServer>,
    /// Number of ICE servers that it uses.
    pub used: usize,
}

/// A connection to one peer with its data channels.
pub struct PeerConnection {
    pc: RtcPeerConnection,
    channels: Vec<(DeliveryClass, RtcDataChannel)>,
    emit: Emit,
    _listeners: Vec<Listener>,
}

impl PeerConnection {
    /// Creates a connection with its three data channels, without the ICE servers
    /// that the browser refuses.
    ///
    /// # Errors
    /// The browser's error if it refuses the connection whatever its servers are.
    pub fn open(
        ice_servers: &[IceServer],
        direct: DirectLinkSettings,
        emit: impl Fn(RtcEvent) + 'static,
    ) -> Result<Opened, String> {
        let emit: Emit = Rc::new(emit);
        let (pc, refused, used) = match construct(ice_servers, direct) {
            Ok(pc) => (pc, Vec::new(), ice_servers.len()),
            Err(_) => construct_with_accepted(ice_servers, direct)?,
        };
        let mut listeners = watch_connection(&pc, &emit);
        let channels = [
            DeliveryClass::Control,
            DeliveryClass::Telemetry,
            DeliveryClass::Bulk,
        ]
        .map(|class| {
            let channel = open_channel(&pc, class);
            listeners.extend(watch_channel(&channel, class, &emit));
            (class, channel)
        });
        let connection = Self {
            pc,
            channels: channels.into(),
            emit,
            _listeners: listeners,
        };
        Ok(Opened {
            connection,
            refused,
            used,
        })
    }

    /// Executes a command. `Open` and `Close` are executed by the owner, by
    /// creating and dropping the connection.
    pub fn command(&self, command: RtcCommand) {
        match command {
            RtcCommand::Open { .. } | RtcCommand::Close => {}
            RtcCommand::CreateOffer { ice_restart } => {
                if ice_restart {
                    self.pc
                        .unchecked_ref::<NegotiatingConnection>()
                        .restart_ice();
                }
                self.make_offer();
            }
            RtcCommand::SetRemote { kind, sdp } => self.set_remote(kind, &sdp),
            RtcCommand::AddCandidate(candidate) => self.add_candidate(&candidate),
            RtcCommand::Send { class, bytes } => self.send(class, &bytes),
        }
    }

    /// The candidates that the connection runs between now; `None` while it is
    /// not connected.
    pub fn candidate_pair(&self) -> impl Future<Output = Option<CandidatePair>> + use<> {
        let stats = self.pc.get_stats();
        async move {
            let report = JsFuture::from(stats).await.ok()?;
            selected_pair(report.unchecked_ref())
        }
    }

    fn set_remote(&self, kind: SdpKind, sdp: &str) {
        let sdp_type = match kind {
            SdpKind::Offer => RtcSdpType::Offer,
            SdpKind::Answer => RtcSdpType::Answer,
        };
        let description = RtcSessionDescriptionInit::new(sdp_type);
        description.set_sdp(sdp);
        let done = self.pc.set_remote_description(&description);
        let (pc, emit) = (
            self.pc.clone().unchecked_into::<NegotiatingConnection>(),
            self.emit.clone(),
        );
        spawn_local(async move {
            if JsFuture::from(done).await.is_err() {
                return emit(RtcEvent::Failed);
            }
            if kind == SdpKind::Offer {
                announce(&pc, pc.describe_locally(), &emit).await;
            }
        });
    }

    fn make_offer(&self) {
        // Called now, so that the browser queues it in order; awaited later.
        let (pc, emit) = (
            self.pc.clone().unchecked_into::<NegotiatingConnection>(),
            self.emit.clone(),
        );
        let described = pc.describe_locally();
        spawn_local(async move { announce(&pc, described, &emit).await });
    }

    fn add_candidate(&self, candidate: &str) {
        let Ok(init) = js_sys::JSON::parse(candidate) else {
            return;
        };
        let init: RtcIceCandidateInit = init.unchecked_into();
        let Ok(candidate) = RtcIceCandidate::new(&init) else {
            return;
        };
        let added = self
            .pc
            .add_ice_candidate_with_opt_rtc_ice_candidate(Some(&candidate));
        spawn_local(async move {
            let _ = JsFuture::from(added).await;
        });
    }

    fn send(&self, class: DeliveryClass, bytes: &[u8]) {
        let Some((_, channel)) = self.channels.iter().find(|(own, _)| *own == class) else {
            return;
        };
        if channel.ready_state() != RtcDataChannelState::Open {
            return;
        }
        // Fails only for a full send buffer; the heartbeats detect the loss.
        let _ = channel.send_with_u8_array(bytes);
        if channel.buffered_amount() > low_watermark(0) {
            (self.emit)(buffered(class, channel));
        }
    }
}

impl Drop for PeerConnection {
    fn drop(&mut self) {
        self.pc.close();
    }
}

/// The selected candidate pair (W3C WebRTC statistics). The `transport` entry
/// refers to it; in browsers without that, the pair has a `selected` flag.
fn selected_pair(report: &js_sys::Map) -> Option<CandidatePair> {
    let text = |entry: &JsValue, name: &str| {
        js_sys::Reflect::get(entry, &name.into())
            .ok()
            .and_then(|value| value.as_string())
    };
    let flag = |entry: &JsValue, name: &str| {
        js_sys::Reflect::get(entry, &name.into()).is_ok_and(|value| value.is_truthy())
    };
    let entries: Vec<JsValue> = report.values().into_iter().flatten().collect();
    let of_type = |kind: &'static str| {
        entries
            .iter()
            .filter(move |entry| text(entry, "type").as_deref() == Some(kind))
    };
    let named = of_type("transport").find_map(|entry| text(entry, "selectedCandidatePairId"));
    let pair = match named {
        Some(id) => report.get(&id.into()),
        None => of_type("candidate-pair")
            .find(|entry| flag(entry, "selected"))?
            .clone(),
    };
    let candidate = |name: &str| {
        let entry = report.get(&text(&pair, name)?.into());
        text(&entry, "candidateType")
    };
    Some(CandidatePair {
        local: candidate("localCandidateId")?,
        remote: candidate("remoteCandidateId")?,
    })
}

/// Waits for the local description and reports it.
async fn announce(pc: &NegotiatingConnection, described: js_sys::Promise, emit: &Emit) {
    let done = JsFuture::from(described).await;
    let event = match (done, pc.local_description()) {
        (Ok(_), Some(description)) => RtcEvent::LocalDescription {
            kind: match description.type_() {
                RtcSdpType::Answer => SdpKind::Answer,
                _ => SdpKind::Offer,
            },
            sdp: description.sdp(),
        },
        _ => RtcEvent::Failed,
    };
    emit(event);
}

/// Constructs a connection with the ICE servers that the browser accepts, and names
/// the others on the console.
fn construct_with_accepted(
    ice_servers: &[IceServer],
    direct: DirectLinkSettings,
) -> Result<(RtcPeerConnection, Vec<RefusedServer>, usize), String> {
    let (accepted, refused) = accepted_servers(ice_servers, |server| {
        construct(std::slice::from_ref(server), direct).map(|pc| pc.close())
    });
    for RefusedServer { url, reason } in &refused {
        let warning = format!("The ICE server {url:?} is not used: {reason}");
        web_sys::console::warn_1(&warning.into());
    }
    Ok((construct(&accepted, direct)?, refused, accepted.len()))
}

fn construct(
    ice_servers: &[IceServer],
    direct: DirectLinkSettings,
) -> Result<RtcPeerConnection, String> {
    let configuration = configuration(ice_servers, direct);
    RtcPeerConnection::new_with_configuration(&configuration).map_err(|error| {
        let error = error.dyn_ref::<js_sys::Error>();
        error.map_or_else(String::new, |error| String::from(error.message()))
    })
}

fn configuration(ice_servers: &[IceServer], direct: DirectLinkSettings) -> RtcConfiguration {
    let servers = js_sys::Array::new();
    for server in ice_servers {
        let entry = web_sys::RtcIceServer::new();
        let urls: js_sys::Array = server
            .urls
            .iter()
            .map(|url| JsValue::from_str(url))
            .collect();
        entry.set_urls(&urls);
        if let Some(username) = &server.username {
            entry.set_username(username);
        }
        if let Some(credential) = &server.credential {
            entry.set_credential(credential);
        }
        servers.push(&entry);
    }
    let configuration = RtcConfiguration::new();
    configuration.set_ice_servers(&servers);
    configuration.set_bundle_policy(match direct.bundle_policy {
        BundlePolicy::Balanced => RtcBundlePolicy::Balanced,
        BundlePolicy::MaxBundle => RtcBundlePolicy::MaxBundle,
        BundlePolicy::MaxCompat => RtcBundlePolicy::MaxCompat,
    });
    let pool = JsValue::from(direct.candidate_pool);
    // Missing in web-sys. Setting a property of a new object cannot fail.
    let _ = js_sys::Reflect::set(&configuration, &"iceCandidatePoolSize".into(), &pool);
    configuration
}

/// Creates a data channel. Both sides negotiate it in advance by its id, so that
/// neither waits for an announcement of the other.
fn open_channel(pc: &RtcPeerConnection, class: DeliveryClass) -> RtcDataChannel {
    let (name, id) = match class {
        DeliveryClass::Control => ("control", 0),
        DeliveryClass::Telemetry => ("telemetry", 1),
        DeliveryClass::Bulk => ("bulk", 2),
    };
    let options = RtcDataChannelInit::new();
    options.set_negotiated(true);
    options.set_id(id);
    if class == DeliveryClass::Telemetry {
        options.set_ordered(false);
        options.set_max_retransmits(0);
    }
    let channel = pc.create_data_channel_with_data_channel_dict(name, &options);
    channel.set_binary_type(RtcDataChannelType::Arraybuffer);
    channel.set_buffered_amount_low_threshold(low_watermark(0));
    channel
}

/// Reports the bytes buffered in a channel, and sets the low threshold at which
/// the browser reports again.
fn buffered(class: DeliveryClass, channel: &RtcDataChannel) -> RtcEvent {
    let bytes = channel.buffered_amount();
    channel.set_buffered_amount_low_threshold(low_watermark(bytes));
    RtcEvent::Buffered { class, bytes }
}

fn watch_connection(pc: &RtcPeerConnection, emit: &Emit) -> Vec<Listener> {
    let candidates = Listener::new(pc, "icecandidate", {
        let emit = emit.clone();
        move |event| {
            let candidate = event
                .dyn_ref::<RtcPeerConnectionIceEvent>()
                .and_then(RtcPeerConnectionIceEvent::candidate);
            let json = candidate
                .and_then(|candidate| js_sys::JSON::stringify(&candidate.to_json()).ok())
                .and_then(|json| json.as_string());
            if let Some(json) = json {
                emit(RtcEvent::Candidate(json));
            }
        }
    });
    let state = Listener::new(pc, "connectionstatechange", {
        let (pc, emit) = (pc.clone(), emit.clone());
        move |_| {
            if pc.connection_state() == RtcPeerConnectionState::Failed {
                emit(RtcEvent::Failed);
            }
        }
    });
    vec![candidates, state]
}

fn watch_channel(channel: &RtcDataChannel, class: DeliveryClass, emit: &Emit) -> Vec<Listener> {
    let on = |name, event: fn(DeliveryClass, &RtcDataChannel) -> RtcEvent| {
        let (emit, channel) = (emit.clone(), channel.clone());
        Listener::new(&channel.clone(), name, move |_| {
            emit(event(class, &channel))
        })
    };
    let frames = {
        let emit = emit.clone();
        Listener::new(channel, "message", move |event| {
            let data = event.dyn_ref::<MessageEvent>().map(MessageEvent::data);
            if let Some(buffer) = data.and_then(|data| data.dyn_into::<js_sys::ArrayBuffer>().ok())
            {
                let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
                emit(RtcEvent::Frame { class, bytes });
            }
        })
    };
    vec![
        on("open", |class, _| RtcEvent::Opened(class)),
        on("close", |class, _| RtcEvent::Closed(class)),
        on("bufferedamountlow", buffered),
        frames,
    ]
}
