//! What is kept for a reload, and for a page that was put away.

use std::time::Duration;

use clock::Moment;
use leptos::prelude::*;
use mesh::node::Input;

use super::Session;
use crate::{
    browser::{
        storage,
        storage::{Identity, SavedProfile},
    },
    state::Stage,
};

/// How often the own identity and recording are kept.
const SAVE_EVERY: Duration = Duration::from_secs(2);

impl Session {
    /// The page is put away: keep everything, and let a reload come back as
    /// the same rider without asking.
    pub(super) fn park(&mut self, now: Duration) {
        if self.timeline.started_at().is_none() {
            self.forget_called_off();
        }
        self.keep(now);
        if let Some(code) = self.code.as_ref().filter(|_| self.takes_part) {
            storage::save_reload_marker(code);
        }
    }

    pub(super) fn woken(&mut self, now: Duration) {
        if let Some(code) = self.code.as_ref().filter(|_| self.takes_part) {
            storage::take_reload_marker(code);
        }
        if matches!(
            self.state.stage.get_untracked(),
            Stage::Countdown | Stage::Riding
        ) {
            self.wake_lock.take();
        }
        self.with_node(now, Input::ProbeSocket);
    }

    /// Keeps group time for when nobody can tell it.
    pub(super) fn remember_offset(&mut self, now: Duration) {
        let now = Moment::from_origin(now);
        let group = self.group.as_ref();
        if let Some(offset) = group.and_then(|group| group.node.group_offset(now)) {
            self.last_offset = Some(offset.0);
        }
    }

    pub(super) fn forget_me(&mut self) {
        if let (Some(code), Some(me)) = (&self.code, &self.me) {
            storage::forget_identity(code, &me.peer);
        }
    }

    /// Keeps who this is, for a reload.
    pub(super) fn keep(&mut self, now: Duration) {
        self.next_save = now + SAVE_EVERY;
        self.recording.save();
        if !self.takes_part {
            return;
        }
        self.remember_offset(now);
        if let (Some(code), Some(me), Some(token)) = (&self.code, &self.me, &self.entry.token) {
            let identity = Identity {
                peer: me.peer.clone(),
                token: token.clone(),
                seed: me.seed,
                profile: SavedProfile {
                    name: me.name.as_str().to_owned(),
                    ftp: me.ftp.watts(),
                },
                ready: me.ready,
                simulated: self.own.is_simulated(),
                group_offset: self.last_offset,
                room: self
                    .group
                    .as_ref()
                    .and_then(|group| group.node.room_snapshot()),
            };
            storage::save_identity(code, &identity);
        }
    }
}
