//! The state machine of a bridge's page.

use std::collections::VecDeque;

use clock::{Duration, Moment, Now};
use mesh::node::{self, Node, NodeEvent};
use protocol::{
    peer::{MemberRole, PeerId, Token},
    signaling::ErrorCode,
};
use ride::{
    bridge::{BridgeLoad, BridgeProof, BridgeReport, BridgedDevice},
    trainer::Load,
};

use super::{BridgeLink, held_load::HeldLoad, identity::BridgeIdentity};
use crate::{
    Session,
    api::{Input, Intent, Output, SessionConfig},
    devices::OwnDevices,
    group::{Group, SERVER_TIMEOUT},
    storage::StorageCommand,
    view::{BridgeView, DevicesView, JoinError, RiderPage, ServerConnection, Stage, View},
};

/// Interval between two updates of the view and of the load.
const UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// Interval between two reports of the same devices.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// Silence of the rider's page after which it counts as silent.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(3);

/// Session of a phone that connects devices for a rider; see [`crate::bridge`].
///
/// Its [`View`] has the stages [`Stage::Joining`], [`Stage::Lobby`] once the server has let it in,
/// [`Stage::CannotJoin`], and [`Stage::TakenOver`] once another tab of the phone is the bridge;
/// further its devices, and a [`BridgeView`].
#[derive(Debug)]
pub struct BridgeSession {
    config: SessionConfig,
    outputs: VecDeque<Output>,
    view: View,
    group: Group,
    devices: OwnDevices,
    /// Rider to serve; `None` if the link is not complete.
    link: Option<BridgeLink>,
    /// Member that this phone is, or was before its page was loaded again; `None` for a new one.
    identity: Option<BridgeIdentity>,
    /// Proof for the rider, once the server has given this page an id.
    proof: Option<BridgeProof>,
    load: HeldLoad,
    /// True while the devices are connected for the rider.
    serves: bool,
    /// True if the rider is a member of the ride, as far as this page knows.
    has_rider: bool,
    /// Reason why the server refused this page, which goes on over its direct link.
    refused: Option<JoinError>,
    /// Start of the attempt to join.
    joining_since: Moment,
    /// Newest message of the rider's page.
    heard_at: Option<Moment>,
    /// Devices in the last report, and the moment of the next one of the same devices.
    reported: Option<(Vec<BridgedDevice>, Moment)>,
    /// Moment of the newest input.
    now: Moment,
    next_update: Moment,
}

impl BridgeSession {
    /// Session of the page with this fragment of the address. `stored` is the text of the last
    /// [`StorageCommand::SaveBridge`], or empty. Drain the outputs before the first input.
    pub fn new(config: SessionConfig, now: Now, fragment: &str, stored: &str) -> Self {
        let link: Option<BridgeLink> = fragment.parse().ok();
        let identity = stored.parse().ok();
        let is_of_link =
            |identity: &BridgeIdentity| link.as_ref().is_some_and(|link| identity.is_for(link));
        let mut session = Self {
            outputs: VecDeque::new(),
            view: View::default(),
            group: Group::default(),
            devices: OwnDevices::new(config.devices.clone()),
            config,
            identity: identity.filter(is_of_link),
            link,
            proof: None,
            load: HeldLoad::default(),
            serves: false,
            has_rider: true,
            refused: None,
            joining_since: now.moment,
            heard_at: None,
            reported: None,
            now: now.moment,
            next_update: now.moment,
        };
        session.view.devices.bridge = Some(session.bridge_view(now.moment));
        session.join(now.moment);
        session
    }

    fn join(&mut self, now: Moment) {
        let Some(link) = &self.link else {
            self.view.stage = Stage::CannotJoin(JoinError::NotACode);
            return;
        };
        let (code, role) = (link.code.clone(), MemberRole::Bridge);
        let resume = self.identity.as_ref().map(BridgeIdentity::resume);
        let SessionConfig {
            entropy,
            p2p_available,
            ..
        } = self.config;
        let group = &mut self.group;
        if !group.join_beside(code, role, entropy, p2p_available, resume) {
            self.view.stage = Stage::CannotJoin(JoinError::Other);
            return;
        }
        // The new node does not know the rider yet.
        (self.heard_at, self.has_rider, self.refused) = (None, true, None);
        self.joining_since = now;
        self.view.stage = Stage::Joining;
        if !self.serves {
            self.serves = true;
            self.devices.find_remembered(now, &mut self.outputs);
            self.outputs.push_back(Output::KeepScreenOn(true));
        }
    }

    /// Joins again after a refusal, or takes over from another tab.
    fn retry(&mut self, now: Moment) {
        if matches!(self.view.stage, Stage::CannotJoin(_) | Stage::TakenOver) {
            self.group.close(now, &mut self.outputs);
            self.join(now);
        }
    }

    fn handle_intent(&mut self, now: Moment, intent: Intent) {
        match intent {
            Intent::Pair(kind) => self.devices.pair(now, kind, &mut self.outputs),
            Intent::Forget(kind) => {
                self.devices.forget(now, kind, &mut self.outputs);
                self.save_devices();
            }
            Intent::Retry | Intent::TakeOver => self.retry(now),
            // Only the page of a rider handles the others.
            _ => {}
        }
    }

    fn handle_group_events(&mut self, now: Moment) {
        while let Some(event) = self.group.poll_event(&mut self.outputs) {
            self.handle_group_event(now, event);
        }
    }

    fn handle_group_event(&mut self, now: Moment, event: NodeEvent) {
        match event {
            NodeEvent::Welcomed {
                peer,
                token,
                members,
                ..
            } => {
                self.has_rider = members.iter().any(|member| self.is_rider(&member.peer));
                self.welcomed(now, peer, token);
            }
            NodeEvent::Received { from, payload, .. } => self.receive(now, &from, &payload),
            NodeEvent::Joined(member) if self.is_rider(&member.peer) => self.has_rider = true,
            NodeEvent::Left { peer, .. } if self.is_rider(&peer) => {
                self.has_rider = false;
                self.load.rider_left(now);
            }
            NodeEvent::SocketLost { attempt, .. } => {
                self.view.connection = ServerConnection::Lost { attempt };
                // One that was in the ride goes on trying.
                let is_new = self.view.stage == Stage::Joining && self.identity.is_none();
                if is_new && now - self.joining_since >= SERVER_TIMEOUT {
                    self.end(now, JoinError::Unreachable);
                }
            }
            NodeEvent::SocketRestored => self.view.connection = ServerConnection::Online,
            NodeEvent::JoinRefused { code, .. } => self.join_refused(now, code),
            NodeEvent::Kicked { reason } => {
                self.view.kick_reason = Some(reason);
                self.end(now, JoinError::Kicked);
            }
            NodeEvent::RideEnded => self.end(now, JoinError::Closed),
            NodeEvent::Replaced => self.replaced(now),
            // Of other members, and of hosts.
            _ => {}
        }
    }

    fn is_rider(&self, peer: &PeerId) -> bool {
        self.link.as_ref().is_some_and(|link| link.rider == *peer)
    }

    fn join_refused(&mut self, now: Moment, code: ErrorCode) {
        let is_joining = self.view.stage == Stage::Joining;
        if code == ErrorCode::BadToken && is_joining && self.identity.take().is_some() {
            // The server knows this phone no more; it comes as a new member.
            self.group.close(now, &mut self.outputs);
            self.join(now);
        } else if self.group.node().is_none_or(Node::is_over) {
            self.end(now, code.into());
        } else {
            // A direct link to the rider is kept.
            self.refused = Some(code.into());
        }
    }

    /// Another tab of this phone is the bridge. It connects the devices now.
    fn replaced(&mut self, now: Moment) {
        self.end(now, JoinError::Other);
        self.load = HeldLoad::default();
        self.view.stage = Stage::TakenOver;
        self.next_update = now;
    }

    fn welcomed(&mut self, now: Moment, own: PeerId, token: Token) {
        let Some(link) = &self.link else { return };
        self.proof = Some(link.secret.proof(&link.rider, &own));
        let identity = self.identity.insert(BridgeIdentity {
            link: link.clone(),
            peer: own,
            token,
        });
        let command = StorageCommand::SaveBridge(identity.to_string());
        self.outputs.push_back(Output::Storage(command));
        self.reported = None;
        self.next_update = now;
        self.view.stage = Stage::Lobby;
        self.view.connection = ServerConnection::Online;
    }

    /// Takes a message, if it comes from the rider.
    fn receive(&mut self, now: Moment, from: &PeerId, payload: &[u8]) {
        if !self.is_rider(from) {
            return;
        }
        let Ok(message) = BridgeLoad::decode(payload) else {
            return;
        };
        let Some(load) = message.load else {
            self.group.handle(now, node::Input::Leave);
            // Sends what that has caused.
            self.handle_group_events(now);
            return self.end(now, JoinError::Dismissed);
        };
        if self.heard_at.replace(now).is_none() {
            // The rider's page has accepted the proof, and takes the offer of a direct link.
            let partner = from.clone();
            self.group.handle(now, node::Input::SetPartner(partner));
            // Another tab of this phone, which has left now, may have held them before.
            self.devices.find_remembered(now, &mut self.outputs);
        }
        self.load.set(now, load);
        if let Some(view) = &mut self.view.devices.bridge {
            view.rider = message.rider();
        }
        let load = self.load.load(now);
        self.devices.set_load(now, load, &mut self.outputs);
    }

    /// Ends the connection to the ride for good. The load is eased off.
    fn end(&mut self, now: Moment, error: JoinError) {
        self.group.close(now, &mut self.outputs);
        self.load.rider_left(now);
        (self.proof, self.refused) = (None, None);
        self.view.connection = ServerConnection::Idle;
        self.view.stage = Stage::CannotJoin(error);
    }

    fn update(&mut self, now: Moment) {
        self.devices.handle_timeout(now, &mut self.outputs);
        if now < self.next_update {
            return;
        }
        self.next_update = now + UPDATE_INTERVAL;
        let load = self.load.load(now);
        self.devices.set_load(now, load, &mut self.outputs);
        if let Some(error) = self.refused.filter(|_| self.load.is_eased(now)) {
            // The direct link is lost, too.
            self.end(now, error);
        }
        let has_ended = matches!(self.view.stage, Stage::CannotJoin(_) | Stage::TakenOver);
        if self.serves && has_ended && load == Load::FREE {
            // Another page or app may use the devices.
            self.serves = false;
            self.devices.release(now, &mut self.outputs);
            self.outputs.push_back(Output::KeepScreenOn(false));
        }
        let bridge = self.view.devices.bridge.take();
        self.view.devices = DevicesView {
            bridge,
            ..self.devices.view(now)
        };
        self.report(now);
    }

    fn report(&mut self, now: Moment) {
        let (Some(link), Some(proof)) = (&self.link, self.proof) else {
            return;
        };
        let devices = self.devices.bridged();
        let is_reported = |(reported, next): &(Vec<_>, Moment)| *reported == devices && now < *next;
        if self.reported.as_ref().is_some_and(is_reported) {
            return;
        }
        self.reported = Some((devices.clone(), now + REPORT_INTERVAL));
        let payload = BridgeReport { proof, devices }.encode();
        self.group.send_telemetry(now, link.rider.clone(), payload);
    }

    fn bridge_view(&mut self, now: Moment) -> BridgeView {
        let page = match self.heard_at {
            _ if !self.has_rider => RiderPage::Absent,
            None => RiderPage::Awaited,
            Some(_) if self.load.is_eased(now) => RiderPage::Lost,
            Some(at) if now - at >= SILENCE_TIMEOUT => RiderPage::Silent,
            Some(_) => RiderPage::Connected,
        };
        let rider = self
            .view
            .devices
            .bridge
            .as_ref()
            .map(|view| view.rider.clone());
        BridgeView {
            rider: rider.unwrap_or_default(),
            page,
            load: self.load.load(now),
        }
    }

    fn save_devices(&mut self) {
        let command = StorageCommand::SaveDevices(self.devices.stored());
        self.outputs.push_back(Output::Storage(command));
    }
}

impl Session for BridgeSession {
    fn handle(&mut self, now: Now, input: Input) {
        let now = now.moment;
        self.now = now;
        match input {
            Input::Intent(intent) => self.handle_intent(now, intent),
            Input::Wake => {
                if self.serves {
                    self.outputs.push_back(Output::KeepScreenOn(true));
                }
                self.devices.wake(now);
                self.group.handle(now, node::Input::ProbeSocket);
            }
            // The page may not come back. If it does, the load is set again.
            Input::Hide => self.devices.release_target(now, &mut self.outputs),
            Input::DirectLinks(links) => self.view.direct_links = links,
            Input::Device(input) => {
                if self.devices.handle(now, input, &mut self.outputs) {
                    self.save_devices();
                }
            }
            // Only the page of a rider handles the others.
            input => self.group.handle_input(now, input),
        }
        self.handle_group_events(now);
        self.update(now);
        self.handle_group_events(now);
        self.view.devices.bridge = Some(self.bridge_view(now));
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let parts = [self.group.poll_timeout(), self.devices.poll_timeout()];
        let next = parts.into_iter().flatten().chain([self.next_update]);
        next.min()
    }

    fn view(&self) -> &View {
        &self.view
    }

    fn close(&mut self) {
        let now = self.now;
        self.group.handle(now, node::Input::Leave);
        self.handle_group_events(now);
        self.group.close(now, &mut self.outputs);
        self.devices.release(now, &mut self.outputs);
        self.outputs.push_back(Output::KeepScreenOn(false));
    }
}
