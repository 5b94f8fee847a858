//! Presence and avatars: of this rider, for the others, and of the others.

use clock::{Duration, GroupTime, Moment};
use protocol::peer::{DeliveryClass, PeerId};
use ride::chat::{AvatarReport, ChatMessage, PresenceReport};

use super::{Avatar, Chat, Presence};
use crate::exchange::ExchangeNow;

/// Time between two presences, and between two avatars, that are sent to others.
pub(super) const PRESENCE_INTERVAL: Duration = Duration::from_secs(1);
pub(super) const AVATAR_INTERVAL: Duration = Duration::from_secs(5);

/// Something to be sent to others that changes often: sent at once, and then not before the end of an
/// interval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pending {
    pub(super) due: Option<Moment>,
    sent: Option<Moment>,
}

impl Pending {
    pub(super) fn want(&mut self, now: Moment, interval: Duration) {
        let earliest = self.sent.map_or(now, |sent| sent + interval);
        self.due.get_or_insert(now.max(earliest));
    }

    pub(super) fn poll(&mut self, now: Moment) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            self.due = None;
            self.sent = Some(now);
        }
        is_due
    }
}

impl Chat {
    pub(super) fn set_avatar(&mut self, now: Moment, avatar: Avatar) {
        if self.avatar == avatar || !report_of(&avatar).is_valid() {
            return;
        }
        self.avatar = avatar;
        self.avatar_pending.want(now, AVATAR_INTERVAL);
        self.is_dirty = true;
        self.store_soon(now);
    }

    pub(super) fn send_presence(&mut self, now: ExchangeNow, to: &PeerId) {
        let Some(report) = self.presence_report(now) else {
            // It is sent when group time is known.
            self.presence_pending.want(now.own.moment, Duration::ZERO);
            return;
        };
        self.send(to, DeliveryClass::Control, &report);
    }

    pub(super) fn presence_report(&self, now: ExchangeNow) -> Option<ChatMessage> {
        let (presence, since) = self.presence;
        let lasts = since.map_or(Duration::ZERO, |since| now.own.wall.since(since));
        let micros = i64::try_from(lasts.as_micros()).unwrap_or(0);
        let GroupTime(group) = self.group_time(now)?;
        Some(ChatMessage::Presence(PresenceReport {
            presence: presence as u8,
            since: GroupTime(group.saturating_sub(micros)),
        }))
    }

    pub(super) fn send_avatar(&mut self, to: &PeerId) {
        let report = report_of(&self.avatar);
        let is_default = report == AvatarReport::Initials;
        let Some(peer) = self.peers.get_mut(to) else {
            return;
        };
        if !peer.is_reachable || !peer.is_heard || peer.has_avatar || is_default {
            return;
        }
        peer.has_avatar = true;
        self.send(to, DeliveryClass::Bulk, &ChatMessage::Avatar(report));
    }

    pub(super) fn receive_presence(
        &mut self,
        now: ExchangeNow,
        from: &PeerId,
        report: PresenceReport,
    ) {
        let presence = match report.presence {
            0 => Presence::Waiting,
            1 => Presence::Riding,
            2 => Presence::Paused,
            _ => Presence::Hidden,
        };
        let since = self.wall_of(now, report.since).min(now.own.wall);
        if let Some(peer) = self.peers.get_mut(from) {
            // The same presence, sent again, does not change its time by a drift of clocks.
            if peer.presence.is_none_or(|(known, _)| known != presence) {
                peer.presence = Some((presence, since));
                self.is_dirty = true;
            }
        }
    }
}

pub(super) fn report_of(avatar: &Avatar) -> AvatarReport {
    match avatar {
        Avatar::Initials => AvatarReport::Initials,
        Avatar::Emoji(text) => AvatarReport::Emoji(text.clone()),
        Avatar::Picture(bytes) => AvatarReport::Picture(bytes.to_vec()),
    }
}

pub(super) fn avatar_of(report: AvatarReport) -> Avatar {
    match report {
        AvatarReport::Initials => Avatar::Initials,
        AvatarReport::Emoji(text) => Avatar::Emoji(text),
        AvatarReport::Picture(bytes) => Avatar::Picture(bytes.into()),
    }
}
