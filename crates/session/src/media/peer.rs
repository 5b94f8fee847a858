//! Page of one other rider.

use clock::{Duration, GroupTime, Moment};
use mesh::media::{MediaConnection, MediaConnectionState};
use protocol::peer::{Incarnation, LinkState, PeerId};
use ride::media::{MediaStatus, Microphone, PictureSize};

use super::{Encoding, MediaKind, limits::Limits, speech::Speech};
use crate::exchange::GroupMember;

/// Time after which nothing is expected from a rider who is away. A media connection may work longer
/// than the link.
const AWAY_TIMEOUT: Duration = Duration::from_secs(30);
/// Time after which a reachable page that has sent no status counts as one that knows no media.
const STATUS_TIMEOUT: Duration = Duration::from_secs(10);
/// Time after which a media connection that is not there yet counts as impossible, while the link is
/// relayed: then the same networks have already refused a direct one.
const RELAYED_PATIENCE: Duration = Duration::from_secs(8);
/// Time for which a voice is still heard after its rider has muted the microphone or switched it off.
/// A rider who talks with the key again within this time is heard from the first syllable on.
const VOICE_END: Duration = Duration::from_secs(1);
/// Time between two reports to a page. Changes in between are sent together.
const REPORT_INTERVAL: Duration = Duration::from_millis(300);

/// Page load of another rider, with what is known of it and what it was told.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) id: PeerId,
    pub(super) incarnation: Incarnation,
    pub(super) name: String,
    pub(super) is_reachable: bool,
    is_relayed: bool,
    /// Moment from which a connection that is not there yet counts as impossible.
    hopeless_from: Option<Moment>,
    /// True if a connection is wanted and counts as impossible for now. It is tried all the same.
    pub(super) is_hopeless: bool,
    /// Moment from which the page counts as one that knows no media, without a status.
    silent_from: Option<Moment>,
    /// Moment from which nothing is expected from it any more.
    absent_from: Option<Moment>,
    /// False while it is away for long.
    pub(super) is_present: bool,
    /// True if it has sent no status for long.
    pub(super) is_silent: bool,
    pub(super) status: Option<MediaStatus>,
    /// Moment until which the voice of a microphone that is no longer live is heard.
    heard_until: Option<Moment>,
    /// Size in which it wants to have the own camera.
    pub(super) wants: PictureSize,
    /// Status that it was told; `None` if it is to be told anew.
    pub(super) told: Option<MediaStatus>,
    pub(super) told_picture: PictureSize,
    report_at: Moment,
    pub(super) connection: Option<Connection>,
    pub(super) sending: Option<Sending>,
    pub(super) speech: Speech,
    pub(super) limits: Limits,
}

/// Media connection. Its number for the driver is the sum of that of [`MediaConnection`] and `base`, so
/// that the numbers of two page loads differ.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) media: MediaConnection,
    pub(super) base: u32,
}

/// State of a connection as the driver knows it.
#[derive(Debug)]
pub(super) struct Sending {
    /// Number of the connection.
    pub(super) connection: u32,
    /// Parameters by `MediaKind as usize`.
    pub(super) encodings: [Option<Encoding>; 3],
    pub(super) gain: f32,
}

impl Peer {
    pub(super) fn new(now: Moment, member: &GroupMember) -> Self {
        let mut peer = Self {
            id: member.peer.clone(),
            incarnation: member.incarnation,
            name: String::new(),
            is_reachable: false,
            is_relayed: false,
            hopeless_from: None,
            is_hopeless: false,
            silent_from: None,
            absent_from: None,
            is_present: true,
            is_silent: false,
            status: None,
            heard_until: None,
            wants: PictureSize::default(),
            told: None,
            told_picture: PictureSize::default(),
            report_at: now,
            connection: None,
            sending: None,
            speech: Speech::default(),
            limits: Limits::default(),
        };
        peer.follow(now, member);
        peer
    }

    /// Takes over name and link.
    pub(super) fn follow(&mut self, now: Moment, member: &GroupMember) {
        self.name.clone_from(&member.name);
        let was_reachable = std::mem::replace(&mut self.is_reachable, member.is_reachable());
        self.is_relayed = member.link == LinkState::Relayed;
        if !self.is_reachable {
            self.told = None;
        } else if !was_reachable {
            self.silent_from = Some(now + STATUS_TIMEOUT);
        }
        if member.link != LinkState::Away {
            (self.absent_from, self.is_present) = (None, true);
        } else if self.is_present && self.absent_from.is_none() {
            self.absent_from = Some(now + AWAY_TIMEOUT);
        }
    }

    /// Carries out what is due.
    pub(super) fn expire(&mut self, now: Moment) {
        if self.absent_from.is_some_and(|at| at <= now) {
            (self.absent_from, self.is_present) = (None, false);
        }
        if self.status.is_some() {
            (self.silent_from, self.is_silent) = (None, false);
        } else if self.silent_from.is_some_and(|at| at <= now) {
            (self.silent_from, self.is_silent) = (None, true);
        }
        self.heard_until = self.heard_until.filter(|at| *at > now);
        self.speech.expire(now);
    }

    /// Takes over a status.
    pub(super) fn set_status(&mut self, now: Moment, status: MediaStatus) {
        let was_audible = self.is_audible();
        if self.status.replace(status).is_none() {
            // A page that has just loaded this part may not have kept an earlier report.
            self.told = None;
        }
        match self.is_audible() {
            true => self.heard_until = None,
            false if was_audible => self.heard_until = Some(now + VOICE_END),
            false => {}
        }
        if !self.is_audible() {
            self.speech = Speech::default();
        }
    }

    /// Moment of the next [`Self::expire`], or of the next work of the connection.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        let connection = self.connection.as_ref();
        let timeouts = [
            self.absent_from,
            self.silent_from,
            self.hopeless_from.filter(|_| !self.is_hopeless),
            self.heard_until,
            self.speech.ends_at(),
            connection.and_then(|connection| connection.media.poll_timeout()),
        ];
        timeouts.into_iter().flatten().min()
    }

    /// Status of a rider who is there.
    pub(super) fn present_status(&self) -> Option<&MediaStatus> {
        self.status.as_ref().filter(|_| self.is_present)
    }

    /// Time since which a camera or a screen of a rider who is there is live.
    pub(super) fn live_since(&self, kind: MediaKind) -> Option<GroupTime> {
        let status = self.present_status()?;
        match kind {
            MediaKind::Microphone => None,
            MediaKind::Camera => status.camera,
            MediaKind::Screen => status.screen,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.present_status().is_some_and(MediaStatus::is_live)
    }

    pub(super) fn is_audible(&self) -> bool {
        let status = self.present_status();
        status.is_some_and(|status| status.microphone == Microphone::Live)
    }

    /// True if sound of this rider is played. A page that sends sound while it says that the microphone
    /// is muted or off is not heard.
    pub(super) fn is_heard(&self) -> bool {
        self.is_audible() || self.heard_until.is_some()
    }

    pub(super) fn connection_state(&self) -> MediaConnectionState {
        let connection = self.connection.as_ref();
        connection.map_or(MediaConnectionState::Closed, |one| one.media.state())
    }

    /// Notes how long a connection that is wanted has been missing while the link is relayed.
    pub(super) fn note_connection(&mut self, now: Moment, is_wanted: bool) {
        let is_connected = self.connection_state() == MediaConnectionState::Connected;
        if !is_wanted || is_connected || !self.is_relayed {
            (self.hopeless_from, self.is_hopeless) = (None, false);
        } else {
            let from = *self.hopeless_from.get_or_insert(now + RELAYED_PATIENCE);
            self.is_hopeless = from <= now;
        }
    }

    /// Moment of the next report if something of it has changed.
    pub(super) fn report_due(&self, status: &MediaStatus, picture: PictureSize) -> Option<Moment> {
        let is_changed = self.told.as_ref() != Some(status) || self.told_picture != picture;
        (self.is_reachable && is_changed).then_some(self.report_at)
    }

    pub(super) fn reported(&mut self, now: Moment) {
        self.report_at = now + REPORT_INTERVAL;
    }
}
