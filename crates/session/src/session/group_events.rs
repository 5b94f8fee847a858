//! Events of the group: members, links, the host, and the end of taking part.

use clock::Moment;
use mesh::node::{self, Node, NodeEvent};
use protocol::{
    peer::{LinkState, PeerId, PeerNumber, Token},
    signaling::{ErrorCode, LeftReason, Member},
};
use ride::timeline::Head;

use super::RideSession;
use crate::{
    exchange::ExchangeEnd,
    exchange_port::exchange_now,
    host_controls,
    storage::StorageCommand,
    view::{DirectLinks, JoinError, Notice, OtherMember, ServerConnection, Stage},
};

impl RideSession {
    pub(super) fn handle_group_events(&mut self, now: Moment) {
        while let Some(event) = self.group.poll_event(&mut self.outputs) {
            self.handle_group_event(now, event);
        }
    }

    pub(super) fn handle_group_event(&mut self, now: Moment, event: NodeEvent) {
        let is_message = matches!(
            event,
            NodeEvent::Received { .. } | NodeEvent::HeartbeatPayload { .. }
        );
        if !is_message {
            self.exchange.group_changed();
        }
        match event {
            NodeEvent::Welcomed {
                peer,
                number,
                token,
                members,
                ..
            } => self.welcomed(now, peer, number, token, &members),
            NodeEvent::Joined(member) => self.meet(now, &member),
            NodeEvent::Returned(member) => {
                self.roster.reset_metrics_age(&member.peer);
                self.meet(now, &member);
            }
            // The state of the link follows.
            NodeEvent::Away(_) => {}
            NodeEvent::Left { peer, reason } => self.member_left(&peer, reason),
            NodeEvent::HostChanged(term) => self.host_changed(now, &term.peer),
            NodeEvent::LinkChanged { peer, state } => {
                if state == LinkState::Direct {
                    self.links.became_direct(now);
                }
                self.link_changed(now, &peer, state);
            }
            NodeEvent::Received { from, payload, .. } => self.receive(now, &from, &payload),
            NodeEvent::HeartbeatPayload { from, payload } => {
                if self.roster.row(&from).is_some()
                    && let Some(head) = Head::from_bytes(&payload)
                {
                    self.timeline.update_peer_head(now, &from, head);
                    self.request_missing_events(now);
                }
            }
            NodeEvent::HostControlsSuspended(suspended) => {
                self.view.controls_suspended = suspended;
            }
            NodeEvent::ReclaimAvailable => self.view.can_reclaim = true,
            NodeEvent::LockChanged(locked) => {
                self.view.locked = locked;
                self.notify(match locked {
                    true => Notice::Locked,
                    false => Notice::Unlocked,
                });
            }
            NodeEvent::CommandRefused { code, .. } => {
                let rejection = host_controls::rejection(code);
                self.notify(Notice::CommandRejected(rejection));
            }
            NodeEvent::Kicked { reason } => {
                self.view.kick_reason = Some(reason);
                self.join_flow.set_banned();
                self.store(StorageCommand::SaveBan);
                self.expelled(now, JoinError::Kicked);
            }
            NodeEvent::RideEnded => self.closed(now),
            NodeEvent::JoinRefused { code, .. } => self.refused(now, code),
            NodeEvent::Replaced => {
                self.group.close(now, &mut self.outputs);
                self.stop(Stage::TakenOver);
            }
            NodeEvent::SocketLost { attempt, .. } => self.socket_lost(now, attempt),
            NodeEvent::SocketRestored => self.view.connection = ServerConnection::Online,
        }
    }

    pub(super) fn link_changed(&mut self, now: Moment, peer: &PeerId, state: LinkState) {
        let is_first = self.roster.reachable().next().is_none();
        let is_new = self.roster.reachable().all(|other| other != peer);
        self.roster.set_link(now, peer, state);
        if self.roster.row(peer).is_none() {
            return;
        }
        if matches!(state, LinkState::Relayed | LinkState::Direct) {
            self.send_telemetry(now, Some(peer));
            if is_new {
                self.ride.history.link_returned(now, peer, is_first);
            }
        }
    }

    /// Applies the server's permission of direct links. Problems of the browser stay.
    fn update_direct_links(&mut self) {
        let links = &mut self.view.direct_links;
        if !self.config.p2p_available {
            *links = DirectLinks::NoWebRtc;
        } else if !self.group.node().is_none_or(Node::allows_direct_links) {
            *links = DirectLinks::NotAllowed;
        } else if *links == DirectLinks::NotAllowed {
            *links = DirectLinks::Possible;
        }
    }

    pub(super) fn welcomed(
        &mut self,
        now: Moment,
        peer: PeerId,
        number: PeerNumber,
        token: Token,
        members: &[Member],
    ) {
        if let Some(me) = &mut self.me {
            me.peer = peer.clone();
            self.join_flow.welcomed(now, token);
            self.timeline.reset_sync();
            self.roster.add(&peer, number, true);
            self.view.connection = ServerConnection::Online;
            self.update_direct_links();
            self.show_own_profile();
            let stored = self.stored_timeline.as_ref();
            if self.timeline.head() == Head::NONE
                && stored.is_some_and(|stored| self.timeline.restore(stored))
            {
                self.timeline_changed(now);
                if members.iter().any(|member| member.role.follows_ride()) {
                    self.timeline.catch_up(now);
                }
            }
            self.publish_head(now);
            self.update_host();
            self.save(now);
            self.open_recording(now);
            // The next screen is shown at once.
            self.next_update = now;
        }
        for member in members {
            self.meet(now, member);
        }
        let is_member = |other: &PeerId| members.iter().any(|member| member.peer == *other);
        self.roster
            .retain(|other| *other == peer || is_member(other));
    }

    /// Another member is there, for the first time or again: sends the own profile and metrics to
    /// one who follows the ride.
    pub(super) fn meet(&mut self, now: Moment, member: &Member) {
        if !member.role.follows_ride() {
            return;
        }
        let peer = &member.peer;
        if member.role.is_rider() {
            self.roster.add(peer, member.number, false);
        }
        self.update_host();
        self.send_profile(now, Some(peer));
        self.send_telemetry(now, Some(peer));
        if self.is_host() && self.timeline.head() != Head::NONE {
            self.timeline
                .send_since(now, &mut self.group, peer, Head::NONE);
        }
    }

    pub(super) fn member_left(&mut self, peer: &PeerId, reason: LeftReason) {
        self.timeline.remove_peer(peer);
        self.limits.remove_peer(peer);
        self.ride.devices.member_left(peer);
        self.proved_bridges.remove(peer);
        if let Some(name) = self.roster.remove(peer) {
            self.notify(match reason {
                LeftReason::Gone => Notice::Gone(name),
                LeftReason::Left => Notice::Left(name),
                LeftReason::Kicked => Notice::Kicked(name),
            });
        }
    }

    pub(super) fn host_changed(&mut self, now: Moment, host: &PeerId) {
        self.timeline.host_changed(now);
        let was_host = self.view.is_host;
        self.update_host();
        if !self.is_host() {
            let name = self.roster.label(host);
            self.notify(Notice::NewHost(name));
        } else if !was_host {
            self.notify(Notice::YouAreHost);
        }
    }

    /// Shows who is host, and what this rider may do.
    pub(super) fn update_host(&mut self) {
        let node = self.group.node();
        if let Some(host) = node.and_then(Node::host) {
            self.roster.set_host(host);
        }
        self.view.can_reclaim = node.is_some_and(Node::may_reclaim);
        self.view.locked = node.is_some_and(Node::is_locked);
        self.view.is_host = self.is_host();
    }

    /// Lists the members who do not ride.
    pub(super) fn update_others(&mut self) {
        let members = self.group.node().into_iter().flat_map(Node::members);
        let others = members.filter(|member| !member.role.is_rider());
        let others = others.map(|member| OtherMember {
            peer: member.peer.clone(),
            number: member.number.0,
            role: member.role,
        });
        self.view.others = others.collect();
    }

    pub(super) fn socket_lost(&mut self, now: Moment, attempt: u32) {
        if self.view.stage == Stage::Joining && self.join_flow.socket_lost(now) {
            self.group.close(now, &mut self.outputs);
            self.stop(Stage::CannotJoin(JoinError::Unreachable));
        } else if self.view.stage != Stage::Joining || !self.join_flow.is_new() {
            self.view.connection = ServerConnection::Lost { attempt };
        }
    }

    /// The server refused this rider for good.
    pub(super) fn refused(&mut self, now: Moment, code: ErrorCode) {
        if self.timeline.started_at().is_some() {
            self.open_recording(now);
            let is_over = self.view.stage == Stage::Ended;
            let node = self.group.node();
            if node.is_some_and(|node| !is_over && !node.is_over()) {
                self.view.connection = ServerConnection::PeersOnly;
            } else {
                self.continue_alone(now);
            }
            return;
        }
        self.group.close(now, &mut self.outputs);
        if code == ErrorCode::BadToken {
            self.forget_identity();
            self.takes_part = false;
            self.view.stage = self.join_flow.enter_name();
            return;
        }
        self.stop(Stage::CannotJoin(JoinError::from(code)));
    }

    /// The server does not know the ride any more, but the ride has begun: workout, recording and
    /// summary are this rider's own and go on.
    pub(super) fn continue_alone(&mut self, now: Moment) {
        self.group.close(now, &mut self.outputs);
        let me = self.me.as_ref().map(|me| &me.peer);
        self.roster.retain(|peer| Some(peer) == me);
        self.view.is_host = false;
        self.view.controls_suspended = false;
        self.view.connection = match self.view.stage {
            Stage::Ended => ServerConnection::Idle,
            _ => ServerConnection::Alone,
        };
    }

    pub(super) fn leave(&mut self, now: Moment) {
        self.view.others_ride_on = self.roster.rows().count() > 1;
        self.group.handle(now, node::Input::Leave);
        self.handle_group_events(now);
        self.forget_identity();
        self.part(now, Stage::Left);
    }

    /// The host closed the ride.
    pub(super) fn closed(&mut self, now: Moment) {
        let was_over = self.view.stage == Stage::Ended;
        let host = self.group.node().and_then(Node::host);
        let end = host.map(|host| self.named_end(host, self.now.wall));
        if !was_over {
            self.notify(Notice::Closed);
        }
        self.expelled(now, JoinError::Closed);
        if !was_over {
            self.view.ended_by = end;
        }
    }

    /// The host kicked this rider or closed the ride.
    pub(super) fn expelled(&mut self, now: Moment, error: JoinError) {
        self.forget_identity();
        self.join_flow.forget_token();
        self.part(now, Stage::CannotJoin(error));
    }

    /// Leaves the group. A rider with a recording sees the summary, others see `otherwise`.
    pub(super) fn part(&mut self, now: Moment, otherwise: Stage) {
        self.group.close(now, &mut self.outputs);
        if self.view.stage != Stage::Ended {
            self.ride
                .discard_cancelled_start(now, &self.timeline, &mut self.outputs);
            self.summarize(now);
        }
        self.stop(match self.view.summary {
            Some(_) => Stage::Ended,
            None => otherwise,
        });
    }

    /// This page takes part no more: the trainer is released, the screen may turn off.
    pub(super) fn stop(&mut self, stage: Stage) {
        self.takes_part = false;
        self.close();
        let end = match stage {
            Stage::TakenOver => ExchangeEnd::Handover,
            _ => ExchangeEnd::Left,
        };
        let exchange_now = exchange_now(self.now, &self.group);
        self.exchange.close(exchange_now, end);
        self.view.controls_suspended = false;
        self.view.connection = ServerConnection::Idle;
        self.view.stage = stage;
    }
}
