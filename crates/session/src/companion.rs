//! A companion: a program of a rider that shares a page with everyone in the ride, such as a tunnel.
//!
//! [`CompanionSession`] joins the ride with the role companion, and tells its page to riders, spectators
//! and coaches who ask for it. The other side is [`pages`](crate::pages). A companion has no row, no
//! numbers and no direct links, and is sent nothing of the ride.

use std::collections::VecDeque;

use clock::{Moment, Now};
use litemap::LiteMap;
use mesh::node::{self, NodeEvent};
use protocol::{
    code::SessionCode,
    peer::{DeliveryClass, MemberRole, PeerId},
    signaling::ErrorCode,
};
use ride::page::{Page, PageMessage};

use crate::{
    Session,
    api::{Input, Output, SessionConfig},
    group::{Group, SERVER_TIMEOUT},
    token_buckets::{Limit, TokenBuckets},
    view::{JoinError, ServerConnection, Stage, View},
};

/// Answers to one member: one per second.
const ANSWERS: [Limit; 1] = [(1, 1_000)];

/// Session of a companion, see the [module documentation](self).
///
/// Its [`View`] has the stages [`Stage::Joining`], [`Stage::Lobby`] once the server has let it in,
/// [`Stage::CannotJoin`] and [`Stage::TakenOver`]. [`Self::state`] says the same more plainly.
#[derive(Debug)]
pub struct CompanionSession {
    config: SessionConfig,
    code: SessionCode,
    page: Page,
    outputs: VecDeque<Output>,
    view: View,
    group: Group,
    /// True once the server has let the companion in.
    has_joined: bool,
    /// Start of the attempt to join.
    joining_since: Moment,
    /// Limits of the answers to members of the ride.
    answers: LiteMap<PeerId, TokenBuckets<1>>,
    /// Moment of the newest input.
    now: Moment,
}

/// State of a companion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompanionState {
    /// The server has not let it in yet.
    Joining,
    /// In the ride. The page can be asked for while the server is reached.
    InRide {
        /// False while the server cannot be reached; the companion goes on trying.
        is_online: bool,
    },
    /// The host has removed it.
    Removed {
        /// Reason in the host's words; may be empty.
        reason: String,
    },
    /// The ride is over: the host has closed it, or the server does not know it any more.
    RideEnded,
    /// Another program took over this member.
    Replaced,
    /// The server did not let it in, or not in again.
    Refused(JoinError),
}

impl CompanionSession {
    /// Session that joins a ride. Drain the outputs before the first input.
    pub fn new(config: SessionConfig, now: Now, code: SessionCode, page: Page) -> Self {
        let now = now.moment;
        let mut session = Self {
            config,
            code,
            page,
            outputs: VecDeque::new(),
            view: View::default(),
            group: Group::default(),
            has_joined: false,
            joining_since: now,
            answers: LiteMap::new(),
            now,
        };
        session.join(now);
        session
    }

    /// State of the companion.
    pub fn state(&self) -> CompanionState {
        match self.view.stage {
            Stage::Lobby => CompanionState::InRide {
                is_online: self.view.connection == ServerConnection::Online,
            },
            Stage::TakenOver => CompanionState::Replaced,
            Stage::CannotJoin(JoinError::Kicked) => CompanionState::Removed {
                reason: self.view.kick_reason.clone().unwrap_or_default(),
            },
            Stage::CannotJoin(JoinError::Closed) => CompanionState::RideEnded,
            Stage::CannotJoin(JoinError::NoSuchRide) if self.has_joined => {
                CompanionState::RideEnded
            }
            Stage::CannotJoin(error) => CompanionState::Refused(error),
            _ => CompanionState::Joining,
        }
    }

    fn join(&mut self, now: Moment) {
        let (role, has_direct_links) = (MemberRole::Companion, false);
        let entropy = self.config.entropy;
        let code = self.code.clone();
        self.joining_since = now;
        self.view.stage = match self
            .group
            .join_beside(code, role, entropy, has_direct_links, None)
        {
            true => Stage::Joining,
            false => Stage::CannotJoin(JoinError::Other),
        };
    }

    fn handle_group_events(&mut self, now: Moment) {
        while let Some(event) = self.group.poll_event(&mut self.outputs) {
            self.handle_group_event(now, event);
        }
    }

    fn handle_group_event(&mut self, now: Moment, event: NodeEvent) {
        match event {
            NodeEvent::Welcomed { .. } => {
                self.has_joined = true;
                self.answers.clear();
                self.view.stage = Stage::Lobby;
                self.view.connection = ServerConnection::Online;
            }
            NodeEvent::Received { from, payload, .. } => self.receive(now, &from, &payload),
            NodeEvent::Left { peer, .. } => {
                self.answers.remove(&peer);
            }
            NodeEvent::SocketLost { attempt, .. } => {
                self.view.connection = ServerConnection::Lost { attempt };
                // One that was in the ride goes on trying.
                if !self.has_joined && now - self.joining_since >= SERVER_TIMEOUT {
                    self.end(now, Stage::CannotJoin(JoinError::Unreachable));
                }
            }
            NodeEvent::SocketRestored => self.view.connection = ServerConnection::Online,
            NodeEvent::JoinRefused { code, .. } => self.refused(now, code),
            NodeEvent::Kicked { reason } => {
                self.view.kick_reason = Some(reason);
                self.end(now, Stage::CannotJoin(JoinError::Kicked));
            }
            NodeEvent::RideEnded => self.end(now, Stage::CannotJoin(JoinError::Closed)),
            NodeEvent::Replaced => self.end(now, Stage::TakenOver),
            // Of other members, and of hosts.
            _ => {}
        }
    }

    /// Answers a question of someone who follows the ride. The page is not for other programs.
    fn receive(&mut self, now: Moment, from: &PeerId, payload: &[u8]) {
        let is_allowed = self.group.node().is_some_and(|node| {
            let mut members = node.members();
            members.any(|it| it.peer == *from && it.role.follows_ride())
        });
        if !is_allowed || PageMessage::decode(payload) != Ok(PageMessage::Ask) {
            return;
        }
        let answers = self.answers.entry(from.clone()).or_default();
        if answers.take(now, 0, &ANSWERS) {
            let answer = node::Input::Send {
                to: from.clone(),
                class: DeliveryClass::Control,
                payload: PageMessage::Announce(self.page.clone()).encode(),
            };
            self.group.handle(now, answer);
        }
    }

    fn refused(&mut self, now: Moment, code: ErrorCode) {
        // A server that knows this member no more lets it in as a new one, if the ride still exists.
        if code == ErrorCode::BadToken && std::mem::take(&mut self.has_joined) {
            self.group.close(now, &mut self.outputs);
            self.join(now);
        } else {
            self.end(now, Stage::CannotJoin(code.into()));
        }
    }

    fn end(&mut self, now: Moment, stage: Stage) {
        self.group.close(now, &mut self.outputs);
        self.answers.clear();
        self.view.connection = ServerConnection::Idle;
        self.view.stage = stage;
    }
}

impl Session for CompanionSession {
    fn handle(&mut self, now: Now, input: Input) {
        let now = now.moment;
        self.now = now;
        match input {
            Input::Wake => self.group.handle(now, node::Input::ProbeSocket),
            // Inputs of a rider mean nothing to a companion.
            input => self.group.handle_input(now, input),
        }
        self.handle_group_events(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.group.poll_timeout()
    }

    fn view(&self) -> &View {
        &self.view
    }

    fn close(&mut self) {
        let now = self.now;
        self.group.handle(now, node::Input::Leave);
        self.handle_group_events(now);
        self.group.close(now, &mut self.outputs);
    }
}
