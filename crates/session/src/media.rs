//! Voice, cameras and screen sharing of one page.
//!
//! Media never pass through the server: each pair of pages has a media connection of its own
//! ([`mesh::media`]), which exists while either of them sends something. [`Media`] decides what the own
//! page sends to whom, and what is shown and heard of the others.
//!
//! Layout:
//! - `own`: the own devices; `peer`: the page of another rider.
//! - `connections`: media connections, what they send, and volumes.
//! - `quality`: parameters of what is sent, and their steps when bandwidth falls.
//! - `speech`: who speaks; `limits`: what another rider can make this page do.
//! - `inputs`, `receive`, `show`: what the rider does, what others send, what the screen shows.
//!
//! Cameras are limited, and one screen is shown at a time. Every page announces since when its camera
//! or screen is live; all pages put the announced ones into the same order (by time, then by peer id)
//! and show the first ones, and the page of a further one stops it. A rider can claim an early time
//! and so take one place, but no more.
//!
//! Contract: a state machine without IO, see [`Media`]. Everything that another rider can make it keep
//! or send has a bound.

mod api;
mod connections;
mod inputs;
mod limits;
mod own;
mod peer;
mod quality;
mod receive;
mod show;
mod speech;

use std::{collections::VecDeque, sync::Arc};

use clock::{Duration, GroupTime, Moment};
use mesh::random::Random;
use protocol::peer::{DeliveryClass, PeerId};
use ride::media::{MediaMessage, MediaStatus, PictureSize};

use crate::exchange::{ExchangeNow, ExchangeOutput, GroupMembers};
use own::OwnDevices;
use peer::Peer;
use quality::QualityControl;
use speech::Speech;

pub use api::{
    CameraQuality, Encoding, MediaInput, MediaKind, MediaNotice, MediaOutput, MediaState,
    MediaView, RiderMedia,
};

/// Largest number of cameras at a time, where the server has announced none.
const DEFAULT_MAX_CAMERAS: u8 = 6;
/// Largest number of volumes that are kept.
const MAX_VOLUMES: usize = 128;
/// Time after which a request of the host to unmute goes.
const REQUEST_TIME: Duration = Duration::from_secs(60);

/// Media of one page.
///
/// [`Self::set_members`], [`Self::receive`] and [`Self::handle`] take inputs, [`Self::poll_output`] is
/// drained after each of them, and [`Self::poll_timeout`] says when to call [`Self::handle_timeout`].
#[derive(Debug)]
pub struct Media {
    random: Random,
    outputs: VecDeque<ExchangeOutput>,
    members: Option<Arc<GroupMembers>>,
    /// Reading of group time, to go on with while it is unknown.
    last_group: Option<(GroupTime, Moment)>,
    own: OwnDevices,
    own_speech: Speech,
    quality: QualityControl,
    /// Newest [`MediaOutput::Audible`] while the microphone is live.
    told_audible: Option<bool>,
    /// Riders who take part, in order of arrival.
    peers: Vec<Peer>,
    /// Highest number of a connection so far.
    last_connection: u32,
    /// Volumes in percent that the rider has chosen, kept over reloads of the others.
    volumes: Vec<(PeerId, u8)>,
    /// Riders whom this browser hides.
    hidden: Vec<PeerId>,
    enlarged: Option<PeerId>,
    /// Moment until which the host's request to unmute is shown.
    asked_until: Option<Moment>,
    /// Moment until which voices are lowered.
    lowered_until: Option<Moment>,
    has_ended: bool,
    shown: Option<MediaView>,
    /// Messages of others that were not understood, not allowed, or over a limit.
    rejected: u64,
}

impl Media {
    /// Media of a page; `seed` differs in every page load.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            outputs: VecDeque::new(),
            members: None,
            last_group: None,
            own: OwnDevices::default(),
            own_speech: Speech::default(),
            quality: QualityControl::default(),
            told_audible: None,
            peers: Vec::new(),
            last_connection: 0,
            volumes: Vec::new(),
            hidden: Vec::new(),
            enlarged: None,
            asked_until: None,
            lowered_until: None,
            has_ended: false,
            shown: None,
            rejected: 0,
        }
    }

    /// Takes over the group.
    pub fn set_members(&mut self, now: ExchangeNow, members: Arc<GroupMembers>) {
        if self.has_ended {
            return;
        }
        let before = self.members.replace(Arc::clone(&members));
        let is_same_page = before.as_ref().is_some_and(|before| {
            (&before.me, before.incarnation) == (&members.me, members.incarnation)
        });
        if !is_same_page {
            self.close_all();
        }
        if before.is_some_and(|before| before.host != members.host) {
            self.asked_until = None;
        }
        let mut known = std::mem::take(&mut self.peers);
        for member in members.others.iter().filter(|member| member.is_rider) {
            let of_page =
                |peer: &Peer| peer.id == member.peer && peer.incarnation == member.incarnation;
            let mut peer = match known.iter().position(of_page) {
                Some(position) => known.swap_remove(position),
                None => Peer::new(now.own.moment, member),
            };
            peer.follow(now.own.moment, member);
            if let Some(connection) = &mut peer.connection {
                connection
                    .media
                    .set_ice_servers(members.ice_servers.clone());
            }
            self.peers.push(peer);
        }
        known.into_iter().for_each(|peer| self.close(peer));
        self.finish(now);
    }

    /// Takes over the riders whom this browser hides. Their voices are not heard.
    pub fn set_hidden(&mut self, now: ExchangeNow, hidden: Vec<PeerId>) {
        if self.hidden != hidden {
            self.hidden = hidden;
            self.finish(now);
        }
    }

    /// The moment of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: ExchangeNow) {
        self.finish(now);
    }

    /// Ends everything: tracks are stopped, connections closed.
    pub fn end(&mut self, now: ExchangeNow) {
        if self.has_ended {
            return;
        }
        self.stop_all();
        self.close_all();
        self.has_ended = true;
        self.members = None;
        self.finish(now);
    }

    /// Number of messages of others that were malformed, not allowed, or over a limit.
    pub fn rejected(&self) -> u64 {
        let connections = self
            .peers
            .iter()
            .filter_map(|peer| peer.connection.as_ref());
        let signals: u64 = connections.map(|one| one.media.rejected()).sum();
        self.rejected + signals
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<ExchangeOutput> {
        self.outputs.pop_front()
    }

    /// Moment of the next timeout.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let status = self.own_status();
        let reports = self
            .peers
            .iter()
            .filter_map(|peer| peer.report_due(status.as_ref()?, self.wanted_picture(peer)));
        let peers = self.peers.iter().filter_map(Peer::poll_timeout);
        let own = [
            self.asked_until,
            self.lowered_until,
            self.own_speech.ends_at(),
        ];
        let own = own.into_iter().flatten();
        peers.chain(reports).chain(own).min()
    }

    /// Carries out everything that is due, and that follows from an input.
    fn finish(&mut self, now: ExchangeNow) {
        let moment = now.own.moment;
        self.note_group_time(now);
        self.peers.iter_mut().for_each(|peer| peer.expire(moment));
        self.own_speech.expire(moment);
        self.asked_until = self.asked_until.filter(|at| *at > moment);
        self.lowered_until = self.lowered_until.filter(|at| *at > moment);
        if self.members.as_ref().is_some_and(|members| members.is_over) {
            self.stop_all();
        }
        self.keep_order();
        let enlarged = self.enlarged.take();
        self.enlarged = enlarged.filter(|enlarged| {
            let peer = self.peers.iter().find(|peer| peer.id == *enlarged);
            peer.is_some_and(|peer| self.has_place(peer, MediaKind::Camera))
        });
        // A new track is not to be heard while the microphone is muted.
        self.update_audible();
        self.report(moment);
        self.update_connections(moment);
        self.show();
    }

    fn note_group_time(&mut self, now: ExchangeNow) {
        let moment = now.own.moment;
        if let Some(group) = now.group {
            self.last_group = Some((group, moment));
        }
        if let Some((group, at)) = self.last_group {
            self.own.note_group_time(group.after(moment - at));
        }
    }

    /// True while the rider can use media.
    fn is_available(&self) -> bool {
        let members = self.members.as_ref();
        members.is_some_and(|members| members.has_webrtc && !members.is_over)
    }

    /// Status that the others have been told; `None` before there is something to tell.
    fn own_status(&self) -> Option<MediaStatus> {
        let members = self.members.as_ref()?;
        let can_connect = members.has_webrtc && members.allows_direct_links;
        let is_paused = self.quality.quality() == CameraQuality::Off;
        Some(self.own.status(can_connect, is_paused))
    }

    /// Largest number of riders who use a device at the same time.
    fn places(&self, kind: MediaKind) -> usize {
        match kind {
            MediaKind::Microphone => usize::MAX,
            MediaKind::Camera => {
                let members = self.members.as_ref();
                let announced = members.and_then(|members| members.max_cameras);
                announced.unwrap_or(DEFAULT_MAX_CAMERAS).into()
            }
            MediaKind::Screen => 1,
        }
    }

    /// Number of live cameras or screens whose turn is before that of one.
    fn before(&self, kind: MediaKind, since: GroupTime, id: &PeerId) -> usize {
        let others = self.peers.iter().filter_map(|peer| {
            let since = peer.live_since(kind)?;
            Some((since, &peer.id))
        });
        let me = self.members.as_ref().map(|members| &members.me);
        let own = self.own_since(kind).zip(me);
        let all = others.chain(own);
        all.filter(|one| *one < (since, id)).count()
    }

    /// Time in the order of cameras or screens since which the own one is live.
    fn own_since(&self, kind: MediaKind) -> Option<GroupTime> {
        let live = match kind {
            MediaKind::Microphone => None,
            MediaKind::Camera => self.own.camera,
            MediaKind::Screen => self.own.screen,
        };
        live.map(own::Live::order)
    }

    /// True if a rider's camera or screen is live and among the first ones.
    fn has_place(&self, peer: &Peer, kind: MediaKind) -> bool {
        let since = peer.live_since(kind);
        since.is_some_and(|since| self.before(kind, since, &peer.id) < self.places(kind))
    }

    /// Stops the own camera and screen where others were earlier.
    fn keep_order(&mut self) {
        let Some(me) = self.members.as_ref().map(|members| members.me.clone()) else {
            return;
        };
        for (kind, notice) in [
            (MediaKind::Camera, self.too_many_cameras()),
            (MediaKind::Screen, MediaNotice::ScreenLost),
        ] {
            let since = self.own_since(kind);
            if since.is_some_and(|since| self.before(kind, since, &me) >= self.places(kind)) {
                self.stop(kind);
                self.output(MediaOutput::Notify(notice));
            }
        }
    }

    fn too_many_cameras(&self) -> MediaNotice {
        let max = u8::try_from(self.places(MediaKind::Camera)).unwrap_or(u8::MAX);
        MediaNotice::TooManyCameras { max }
    }

    /// Stops a device if it is live.
    fn stop(&mut self, kind: MediaKind) {
        if !self.own.stop(kind) {
            return;
        }
        match kind {
            MediaKind::Microphone => {
                (self.told_audible, self.asked_until) = (None, None);
                self.own_speech = Speech::default();
            }
            MediaKind::Camera => self.quality = QualityControl::default(),
            MediaKind::Screen => {}
        }
        self.output(MediaOutput::Stop(kind));
    }

    fn stop_all(&mut self) {
        MediaKind::ALL.into_iter().for_each(|kind| self.stop(kind));
    }

    /// Size in which the camera of a rider is shown here.
    fn wanted_picture(&self, peer: &Peer) -> PictureSize {
        if peer.live_since(MediaKind::Camera).is_none() {
            PictureSize::default()
        } else if !self.has_place(peer, MediaKind::Camera) {
            PictureSize::None
        } else if self.enlarged.as_ref() == Some(&peer.id) {
            PictureSize::Enlarged
        } else {
            PictureSize::Normal
        }
    }

    /// Tells the others what is sent here, and in which size their cameras are shown, as far as it has
    /// changed.
    fn report(&mut self, now: Moment) {
        let Some(status) = self.own_status() else {
            return;
        };
        for index in 0..self.peers.len() {
            let picture = self.wanted_picture(&self.peers[index]);
            let due = self.peers[index].report_due(&status, picture);
            if due.is_some_and(|due| due <= now) {
                self.report_status(now, index, &status);
                let peer = &mut self.peers[index];
                if std::mem::replace(&mut peer.told_picture, picture) != picture {
                    self.send(index, &MediaMessage::Picture(picture));
                }
            }
        }
    }

    /// Tells a rider what is sent here, unless it knows.
    fn report_status(&mut self, now: Moment, index: usize, status: &MediaStatus) {
        let peer = &mut self.peers[index];
        peer.reported(now);
        if peer.told.replace(*status) != Some(*status) {
            self.send(index, &MediaMessage::Status(*status));
        }
    }

    fn update_audible(&mut self) {
        let is_audible = self.own.is_audible();
        if !is_audible {
            self.own_speech = Speech::default();
        }
        let is_live = self.own.is_live(MediaKind::Microphone);
        if is_live && self.told_audible.replace(is_audible) != Some(is_audible) {
            self.output(MediaOutput::Audible(is_audible));
        }
    }

    fn output(&mut self, output: MediaOutput) {
        self.outputs.push_back(ExchangeOutput::Media(output));
    }

    fn send(&mut self, index: usize, message: &MediaMessage) {
        self.outputs.push_back(ExchangeOutput::Send {
            to: self.peers[index].id.clone(),
            class: DeliveryClass::Control,
            payload: message.encode(),
        });
    }
}

#[cfg(test)]
mod rtc_model;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
