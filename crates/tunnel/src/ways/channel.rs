//! Pings and signs of life of one channel.

use clock::{Duration, Moment};

use super::{BUSY_PING, SILENCE};

/// A full channel passes on bytes only as the other side acknowledges earlier ones. With fewer bytes
/// that wait, it may pass them on although nobody receives them.
const FULL: usize = 64 * 1024;

/// State of a channel.
#[derive(Debug, Default)]
pub(super) struct ChannelState {
    /// Moment at which it opened.
    opened: Option<Moment>,
    /// Last sign of life.
    heard: Moment,
    /// Moment of the last ping.
    pinged: Option<Moment>,
    /// The last ping has not been answered.
    is_waiting: bool,
    /// Moment from which silence counts.
    silent_from: Moment,
    /// Bytes that wait to be sent.
    buffered: usize,
    /// Smoothed round-trip time.
    latency: Option<Duration>,
}

impl ChannelState {
    pub(super) fn open(&mut self, now: Moment) {
        *self = Self {
            opened: Some(now),
            heard: now,
            latency: self.latency,
            ..Self::default()
        };
    }

    pub(super) fn close(&mut self) {
        self.opened = None;
    }

    pub(super) fn is_open(&self) -> bool {
        self.opened.is_some()
    }

    pub(super) fn latency(&self) -> Option<Duration> {
        self.latency
    }

    pub(super) fn hear(&mut self, now: Moment) {
        self.heard = now;
    }

    /// Takes the number of bytes that wait; that a full channel has passed some on is a sign of life.
    pub(super) fn buffer(&mut self, now: Moment, bytes: usize) {
        if bytes < self.buffered && bytes >= FULL {
            self.hear(now);
        }
        self.buffered = bytes;
    }

    pub(super) fn ping(&mut self, now: Moment) {
        self.pinged = Some(now);
        self.is_waiting = true;
        // An idle channel has been silent for want of pings.
        self.silent_from = match now - self.heard <= BUSY_PING {
            true => self.heard,
            false => now,
        };
    }

    pub(super) fn pong(&mut self, now: Moment, sent: Moment) {
        // A pong of a channel that has closed since tells nothing.
        let Some(opened) = self.opened.filter(|opened| *opened <= sent && sent <= now) else {
            return;
        };
        self.heard = now.max(opened);
        if self.pinged.is_some_and(|pinged| pinged <= sent) {
            self.is_waiting = false;
        }
        // Smoothed as in RFC 6298, section 2.
        let sample = now - sent;
        self.latency = Some(match self.latency {
            Some(latency) => (latency * 7 + sample) / 8,
            None => sample,
        });
    }

    /// Moment of the next ping: an interval after the last one, if that is answered.
    pub(super) fn ping_due(&self, interval: Duration) -> Option<Moment> {
        let opened = self.opened.filter(|_| !self.is_waiting)?;
        Some(self.pinged.map_or(opened, |pinged| pinged + interval))
    }

    /// Moment at which the channel counts as failed, if it stays silent.
    pub(super) fn fails_at(&self) -> Option<Moment> {
        let is_watched = self.is_open() && self.is_waiting;
        is_watched.then(|| self.heard.max(self.silent_from) + SILENCE)
    }
}
