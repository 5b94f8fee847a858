//! How a link gets its connection, loses it and gets another.

use clock::Moment;

use std::time::Duration;

use super::{Connection, Effect, IMPOLITE_PATIENCE, Link, NEW_EVERY, RtcCommand, RtcEvent};
use protocol::signaling::Signal;

impl Link {
    /// When a call wants to be made with [`Link::call`].
    pub(crate) fn call_at(&self) -> Option<Moment> {
        let ready = self.reach.direct && self.reach.relay && self.they_can;
        self.retry_at.filter(|_| ready)
    }

    /// Whether we are making a connection.
    pub(crate) fn is_calling(&self) -> bool {
        let opening = self.connection.as_ref().is_some_and(|one| !one.is_open());
        opening && self.called && self.retry_at.is_none()
    }

    /// Offers, on the connection there is or on a new one, under a number never
    /// used before.
    pub(crate) fn call(&mut self, now: Moment, id: u32) {
        let again = !self.tries.is_multiple_of(NEW_EVERY);
        self.tries = self.tries.saturating_add(1);
        self.called = true;
        if let Some(connection) = self.connection.as_mut().filter(|_| again) {
            self.retry_at = None;
            connection.begin_again(now);
            let offer = connection.offer(true);
            return self.effects.extend([Effect::Tried, offer]);
        }
        self.hang_up();
        let attempt = self.last_attempt.saturating_add(1);
        let offer = self.open(now, id, attempt).offer(false);
        self.effects.push_back(offer);
    }

    /// Whether signals of the other page count: those for a direct link that is not wanted do not.
    pub(crate) fn wants_signals(&self) -> bool {
        self.reach.direct
    }

    /// A signal of the other page; `id` is for the connection it may open.
    pub(crate) fn signal(&mut self, now: Moment, id: u32, signal: Signal) {
        let (Signal::Offer { attempt, .. }
        | Signal::Answer { attempt, .. }
        | Signal::Candidates { attempt, .. }) = signal;
        if matches!(signal, Signal::Offer { .. }) && attempt > self.last_attempt {
            self.hang_up();
            self.open(now, id, attempt);
            self.tries = 1;
            self.called = false;
        }
        if let Some(connection) = self
            .connection
            .as_mut()
            .filter(|one| one.attempt == attempt)
        {
            // The other tries once more.
            if matches!(signal, Signal::Offer { .. }) && self.retry_at.take().is_some() {
                connection.begin_again(now);
                self.tries = self.tries.saturating_add(1);
            }
            let effects = connection.signal(signal);
            self.effects.extend(effects);
        }
    }

    /// What the driver tells of a connection, but for frames.
    pub(crate) fn driver(&mut self, now: Moment, id: u32, event: RtcEvent) {
        let Some(connection) = self.connection.as_mut().filter(|one| one.id == id) else {
            return;
        };
        if matches!(event, RtcEvent::Closed(_) | RtcEvent::Failed) {
            return self.lose(now);
        }
        let was_open = connection.is_open();
        self.effects.extend(connection.driver(now, event));
        if connection.is_open() && !was_open {
            self.beat_at = now;
        }
    }

    /// Signals may have been lost, and the network may be another: a call that
    /// was under way is made again, one that was to be made is made soon.
    pub(crate) fn signals_lost(&mut self, now: Moment) {
        if self.is_calling() {
            self.lose(now);
        } else if let Some(at) = self.retry_at {
            self.backoff.reset();
            let soon = now + self.backoff.wait() + self.patience();
            self.retry_at = Some(at.min(soon));
        }
    }

    /// The other page is no more, or this one.
    pub(crate) fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.effects.push_back(connection.tell(RtcCommand::Close));
        }
    }

    pub(super) fn tick_connection(&mut self, now: Moment) {
        let patience = self.reach.patience;
        let Some(connection) = &mut self.connection else {
            return;
        };
        if !self.reach.direct || !self.they_can {
            return self.hang_up();
        }
        if connection.is_lost(now) {
            return self.lose(now);
        }
        if self.retry_at.is_none() && connection.has_failed(now, patience) {
            self.retry_at = Some(now + self.backoff.wait() + self.patience());
            self.effects.push_back(Effect::Failed);
            return;
        }
        let Some(connection) = &mut self.connection else {
            return;
        };
        let effects = connection.tick(now, self.reach.relay);
        self.effects.extend(effects);
    }

    fn open(&mut self, now: Moment, id: u32, attempt: u32) -> &mut Connection {
        self.last_attempt = attempt;
        self.retry_at = None;
        self.effects.push_back(Effect::Open { connection: id });
        let polite = self.calls_first();
        self.connection
            .insert(Connection::new(id, attempt, polite, now))
    }

    /// Gives the connection up, to try another after a while.
    fn lose(&mut self, now: Moment) {
        self.hang_up();
        self.retry_at = Some(now + self.backoff.wait() + self.patience());
    }

    fn patience(&self) -> Duration {
        match self.calls_first() {
            true => Duration::ZERO,
            false => IMPOLITE_PATIENCE,
        }
    }

    fn calls_first(&self) -> bool {
        self.me.number > self.them.number
    }
}
