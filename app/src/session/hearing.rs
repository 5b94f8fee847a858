//! What the node says of the ride: who comes and goes, and whether this rider
//! may stay.

use std::time::Duration;

use leptos::prelude::*;
use mesh::node::{Input, NodeEvent};
use protocol::{
    peer::{LinkState, PeerId, PeerNumber, Token},
    signaling::{ErrorCode, LeftReason},
};
use ride::timeline::TimelineSync;

use super::{Session, put};
use crate::state::{JoinError, Notice, ServerConnection, Stage};

impl Session {
    /// What the node says.
    pub(super) fn heard(&mut self, now: Duration, event: NodeEvent) {
        match event {
            NodeEvent::Welcomed {
                peer,
                number,
                token,
                members,
                ..
            } => {
                self.welcomed(now, &peer, number, token);
                for member in &members {
                    self.meet(now, &member.peer, member.number);
                }
                self.roster.retain(|other| {
                    *other == peer || members.iter().any(|member| member.peer == *other)
                });
                self.list_riders();
            }
            NodeEvent::Joined(member) => {
                self.meet(now, &member.peer, member.number);
                self.list_riders();
            }
            NodeEvent::Returned(member) => {
                self.roster.forget_numbers(&member.peer);
                self.meet(now, &member.peer, member.number);
                self.list_riders();
            }
            // Its link says so.
            NodeEvent::Away(_) => {}
            NodeEvent::Left { peer, reason } => self.parted(&peer, reason),
            NodeEvent::HostChanged(term) => self.crowned(now, &term.peer),
            NodeEvent::LinkChanged { peer, state } => self.linked(now, &peer, state),
            NodeEvent::Received { from, payload, .. } => self.received(now, &from, &payload),
            NodeEvent::HeartbeatPayload { from, payload } => self.gossiped(now, &from, &payload),
            NodeEvent::HostControlsSuspended(suspended) => {
                put(self.state.controls_suspended, suspended)
            }
            NodeEvent::ReclaimAvailable => put(self.state.can_reclaim, true),
            NodeEvent::LockChanged(locked) => self.locked(locked),
            NodeEvent::CommandRefused { code, .. } => self.denied(code),
            NodeEvent::Kicked { reason } => self.removed(now, reason),
            NodeEvent::RideEnded => self.closed_by_host(now),
            NodeEvent::JoinRefused { code, .. } => self.refused(now, code),
            NodeEvent::Replaced => {
                self.group = None;
                self.stand_down(Stage::TakenOver);
            }
            NodeEvent::SocketLost { attempt, .. } => self.socket_lost(now, attempt),
            NodeEvent::SocketRestored => self.state.connection.set(ServerConnection::Online),
        }
    }

    fn welcomed(&mut self, now: Duration, peer: &PeerId, number: PeerNumber, token: Token) {
        let Some(me) = &mut self.me else { return };
        me.peer = peer.clone();
        self.timeline_sync = TimelineSync::default();
        self.roster.add(peer, number, true);
        self.entry.token = Some(token);
        self.state.connection.set(ServerConnection::Online);
        self.introduce_myself();
        self.adopt_kept_timeline(now);
        self.gossip(now);
        self.crown_host();
        self.keep(now);
        self.open_recording();
    }

    fn parted(&mut self, peer: &PeerId, reason: LeftReason) {
        let name = self.roster.remove(peer);
        self.timeline_sync.remove_peer(peer);
        self.list_riders();
        let Some(name) = name else { return };
        self.notify(match reason {
            LeftReason::Gone => Notice::Gone(name),
            LeftReason::Left => Notice::Left(name),
            LeftReason::Kicked => Notice::Kicked(name),
        });
    }

    fn linked(&mut self, now: Duration, peer: &PeerId, state: LinkState) {
        if self.roster.link(now, peer, state) {
            self.list_riders();
        }
        if matches!(state, LinkState::Relayed | LinkState::Direct) {
            self.send_numbers(now, Some(peer));
        }
    }

    /// The server tells who is gone; while there is none, time does.
    pub(super) fn lose_the_gone(&mut self, now: Duration) {
        if self.state.connection.get_untracked() == ServerConnection::Online {
            return;
        }
        let gone = self.roster.lose_the_gone(now);
        if gone.is_empty() {
            return;
        }
        self.list_riders();
        for name in gone {
            self.notify(Notice::Gone(name));
        }
        let unserved = self.state.connection.get_untracked() == ServerConnection::PeersOnly;
        if unserved && self.roster.peers().len() <= 1 {
            self.ride_on_alone(now);
        }
    }

    fn refused(&mut self, now: Duration, code: ErrorCode) {
        if self.timeline.started_at().is_some() {
            let over = self.state.stage.get_untracked() == Stage::Ended;
            let goes_on = |group: &super::Group| !over && !group.node.is_over();
            return match self.group.as_ref().is_some_and(goes_on) {
                true => self.state.connection.set(ServerConnection::PeersOnly),
                false => self.ride_on_alone(now),
            };
        }
        self.group = None;
        let refusal = match code {
            ErrorCode::NoSuchRide => JoinError::NoSuchRide,
            ErrorCode::RideFull => JoinError::Full,
            ErrorCode::RideLocked => JoinError::Locked,
            ErrorCode::UnsupportedVersion => JoinError::Outdated,
            ErrorCode::BadToken => {
                self.forget_me();
                self.takes_part = false;
                return self.introduce();
            }
            _ => JoinError::Other,
        };
        self.stand_down(Stage::CannotJoin(refusal));
    }

    /// The server knows the ride no more, but it has begun: the workout, the
    /// recording and the summary are this rider's own and go on.
    fn ride_on_alone(&mut self, now: Duration) {
        self.remember_offset(now);
        self.group = None;
        let me = self.me.as_ref().map(|me| me.peer.clone());
        self.roster.retain(|peer| Some(peer) == me.as_ref());
        self.list_riders();
        put(self.state.is_host, false);
        put(self.state.controls_suspended, false);
        let over = self.state.stage.get_untracked() == Stage::Ended;
        let connection = if over {
            ServerConnection::Idle
        } else {
            ServerConnection::Alone
        };
        self.state.connection.set(connection);
    }

    pub(super) fn leave(&mut self, now: Duration) {
        self.with_node(now, Input::Leave);
        self.drain(now);
        self.forget_me();
        self.part(now, Stage::Left);
    }

    /// This tab rides no more: the trainer is let go of, the screen may sleep.
    pub(super) fn stand_down(&mut self, stage: Stage) {
        self.takes_part = false;
        self.recording.save();
        self.own.let_go();
        self.wake_lock.release();
        put(self.state.controls_suspended, false);
        self.state.connection.set(ServerConnection::Idle);
        self.state.stage.set(stage);
    }

    /// The page goes on without the session: keep what there is to keep.
    pub(super) fn close(&mut self) {
        self.recording.save();
        self.own.let_go();
        self.wake_lock.release();
    }
}
