//! Who rules the ride: what only the server does for the host, and what becomes
//! of a rider who is sent away.

use protocol::signaling::HostCommand;
use std::time::Duration;

use clock::Moment;
use leptos::prelude::*;
use mesh::node::Input;
use protocol::{peer::PeerId, signaling::ErrorCode};

use super::{Session, put};
use crate::{
    browser::storage,
    state::{CommandRejection, JoinError, Notice, ServerConnection, Stage},
};

impl Session {
    /// Asks the server, or says that it cannot be asked now.
    pub(super) fn wish(&mut self, now: Duration, wish: HostCommand) {
        if self.state.connection.get_untracked() != ServerConnection::Online {
            return self.notify(Notice::CommandRejected(CommandRejection::NoServer));
        }
        self.with_node(now, Input::Command(wish));
    }

    /// Lets nobody new in, or everybody again.
    pub(super) fn lock(&mut self, now: Duration, lock: bool) {
        self.wish(
            now,
            if lock {
                HostCommand::Lock
            } else {
                HostCommand::Unlock
            },
        );
    }

    /// The server does not do what was wished.
    pub(super) fn denied(&mut self, code: ErrorCode) {
        self.notify(Notice::CommandRejected(match code {
            ErrorCode::NotFirstHost => CommandRejection::NotFirstHost,
            ErrorCode::NoSuchRider => CommandRejection::NotConnected,
            ErrorCode::TooManyBans => CommandRejection::TooManyBans,
            _ => CommandRejection::NotHost,
        }));
    }

    /// The ride lets nobody new in, or everybody again.
    pub(super) fn locked(&mut self, locked: bool) {
        put(self.state.locked, locked);
        self.notify(if locked {
            Notice::Locked
        } else {
            Notice::Unlocked
        });
    }

    /// Who is host, on every row and button.
    pub(super) fn crown_host(&mut self) {
        let node = self.group.as_ref().map(|group| &group.node);
        if let Some(host) = node.and_then(|node| node.host()) {
            self.roster.crown(host);
        }
        let (reclaim, locked) = node.map_or((false, false), |node| {
            (node.may_reclaim(), node.is_locked())
        });
        put(self.state.can_reclaim, reclaim);
        put(self.state.locked, locked);
        put(self.state.is_host, self.is_host());
    }

    /// There is a new host.
    pub(super) fn crowned(&mut self, now: Duration, host: &PeerId) {
        self.timeline_sync.host_changed(Moment::from_origin(now));
        let was_host = self.state.is_host.get_untracked();
        self.crown_host();
        if self.is_host() {
            if !was_host {
                self.notify(Notice::YouAreHost);
            }
        } else {
            self.notify(Notice::NewHost(self.roster.name(host)));
        }
    }

    /// The host removed this rider, who keeps what they have ridden.
    pub(super) fn removed(&mut self, now: Duration, reason: String) {
        self.state.kick_reason.set(Some(reason));
        if let Some(code) = &self.code {
            storage::save_ban(code);
        }
        self.sent_home(now, JoinError::Kicked);
    }

    /// The host closed the ride.
    pub(super) fn closed_by_host(&mut self, now: Duration) {
        let over = self.state.stage.get_untracked() == Stage::Ended;
        if !over {
            self.notify(Notice::Closed);
        }
        self.sent_home(now, JoinError::Closed);
    }

    fn sent_home(&mut self, now: Duration, refusal: JoinError) {
        self.forget_me();
        // Nothing to come back with.
        self.entry.token = None;
        self.part(now, Stage::CannotJoin(refusal));
    }

    /// Leaves the group; whoever has ridden gets the summary, whoever has not
    /// sees `otherwise`.
    pub(super) fn part(&mut self, now: Duration, otherwise: Stage) {
        self.remember_offset(now);
        self.group = None;
        let over = self.state.stage.get_untracked() == Stage::Ended;
        if !over {
            self.forget_called_off();
            self.summarise(now);
        }
        let ridden = self.state.summary.with_untracked(Option::is_some);
        self.stand_down(if ridden { Stage::Ended } else { otherwise });
    }
}
