use std::{collections::VecDeque, time::Duration};

use clock::Moment;

use super::{LinkOutput, RtcCommand, RtcEvent, peer_connection::PeerConnection};
use crate::backoff::Backoff;
use protocol::signaling::{AttemptOutcome, Signal};

/// Failed attempts are repeated after 1, 2 and 4 s, then every 30 s for as long as the ride lasts.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_LIMIT: Duration = Duration::from_secs(30);
const SHORT_RETRIES: u32 = 3;
/// Number of attempts of which the first makes a new connection; the others restart ICE on it.
const ATTEMPTS_PER_CONNECTION: u32 = 3;
/// Time that the impolite side leaves to the other for replacing a lost connection first.
const IMPOLITE_DELAY: Duration = Duration::from_secs(2);

type LinkOutputs = VecDeque<LinkOutput>;

/// The peer connection of a link, and the attempts to get one.
///
/// The member with the higher number, who joined later, starts the first attempt and is the polite
/// side of the negotiation, so that usually only one side sends an offer.
#[derive(Debug)]
pub(super) struct ConnectionAttempts {
    is_polite: bool,
    connection: Option<PeerConnection>,
    /// Number of the newest connection in signals.
    last_attempt: u32,
    retry_at: Option<Moment>,
    backoff: Backoff,
    /// Attempts since the link was last direct.
    count: u32,
    /// True if this side started the last attempt.
    started_here: bool,
    connect_time: Option<Duration>,
}

impl ConnectionAttempts {
    pub(super) fn new(now: Moment, is_polite: bool, seed: u64) -> Self {
        let backoff = Backoff::new(RETRY, RETRY_LIMIT, seed);
        Self {
            is_polite,
            connection: None,
            last_attempt: 0,
            retry_at: is_polite.then_some(now),
            backoff: backoff.with_short_delays(SHORT_RETRIES),
            count: 0,
            started_here: false,
            connect_time: None,
        }
    }

    pub(super) fn connection(&self) -> Option<&PeerConnection> {
        self.connection.as_ref()
    }

    pub(super) fn connection_mut(&mut self) -> Option<&mut PeerConnection> {
        self.connection.as_mut()
    }

    /// Moment from which the next attempt may be started with [`Self::start`].
    pub(super) fn due_at(&self) -> Option<Moment> {
        self.retry_at
    }

    /// Returns true if an attempt of this side is in progress.
    pub(super) fn is_connecting(&self) -> bool {
        let is_opening = |connection: &PeerConnection| !connection.is_open();
        let is_opening = self.connection.as_ref().is_some_and(is_opening);
        is_opening && self.started_here && self.retry_at.is_none()
    }

    /// Time that the newest direct connection took to become direct.
    pub(super) fn connect_time(&self) -> Option<Duration> {
        self.connect_time
    }

    /// Sends an offer, on the present connection or on a new one with a number that was never used
    /// before.
    pub(super) fn start(&mut self, now: Moment, connection_id: u32, outputs: &mut LinkOutputs) {
        let repeats = !self.count.is_multiple_of(ATTEMPTS_PER_CONNECTION);
        self.count = self.count.saturating_add(1);
        self.started_here = true;
        if let Some(connection) = self.connection.as_mut().filter(|_| repeats) {
            self.retry_at = None;
            connection.restart_attempt(now);
            let offer = connection.create_offer(true);
            return outputs.extend([LinkOutput::AttemptRepeated, offer]);
        }
        self.close(outputs);
        let attempt = self.last_attempt.saturating_add(1);
        let offer = self
            .open(now, connection_id, attempt, outputs)
            .create_offer(false);
        outputs.push_back(offer);
    }

    /// Handles a signal of the peer; `connection_id` is for the connection that it may open.
    pub(super) fn handle_signal(
        &mut self,
        now: Moment,
        connection_id: u32,
        signal: Signal,
        outputs: &mut LinkOutputs,
    ) {
        let (Signal::Offer { attempt, .. }
        | Signal::Answer { attempt, .. }
        | Signal::Candidates { attempt, .. }) = signal;
        let is_offer = matches!(signal, Signal::Offer { .. });
        if is_offer && attempt > self.last_attempt {
            self.fail(AttemptOutcome::ClosedByPeer, outputs);
            self.close(outputs);
            self.open(now, connection_id, attempt, outputs);
            self.count = 1;
            self.started_here = false;
        }
        let connection = self.connection.as_mut();
        if let Some(connection) = connection.filter(|one| one.attempt() == attempt) {
            // The peer repeats the attempt.
            if is_offer && self.retry_at.take().is_some() {
                connection.restart_attempt(now);
                self.count = self.count.saturating_add(1);
            }
            outputs.extend(connection.handle_signal(signal));
        }
    }

    /// Handles an event other than a frame. Returns whether all channels are open now and were not
    /// before.
    pub(super) fn handle_event(
        &mut self,
        now: Moment,
        connection_id: u32,
        event: RtcEvent,
        outputs: &mut LinkOutputs,
    ) -> bool {
        let connection = self.connection.as_mut();
        let Some(connection) = connection.filter(|one| one.id == connection_id) else {
            return false;
        };
        let failure = match event {
            RtcEvent::Closed(_) => Some(AttemptOutcome::ClosedByPeer),
            RtcEvent::Failed => Some(AttemptOutcome::ChecksFailed),
            _ => None,
        };
        if let Some(failure) = failure {
            self.fail(failure, outputs);
            self.lose(now, outputs);
            return false;
        }
        let was_open = connection.is_open();
        outputs.extend(connection.handle_event(now, event));
        connection.is_open() && !was_open
    }

    /// Signals may have been lost, and the network may be another one: an attempt in progress is
    /// repeated, and one that is planned is started soon.
    pub(super) fn signals_lost(&mut self, now: Moment, outputs: &mut LinkOutputs) {
        if self.is_connecting() {
            self.lose(now, outputs);
        } else if let Some(at) = self.retry_at {
            self.backoff.reset();
            self.retry_at = Some(at.min(self.next_retry(now)));
        }
    }

    /// Closes the connection, because one of the pages is gone.
    pub(super) fn page_gone(&mut self, outputs: &mut LinkOutputs) {
        self.fail(AttemptOutcome::ClosedByPeer, outputs);
        self.close(outputs);
    }

    /// Returns true if the success of a connection is to be counted now.
    pub(super) fn count_success(&mut self, connection_id: u32) -> bool {
        let connection = self.connection.as_mut();
        let connection = connection.filter(|one| one.id == connection_id);
        connection.is_some_and(PeerConnection::count_success)
    }

    /// Closes the connection without replacing it.
    pub(super) fn close(&mut self, outputs: &mut LinkOutputs) {
        if let Some(connection) = self.connection.take() {
            outputs.push_back(connection.command(RtcCommand::Close));
        }
    }

    pub(super) fn tick(
        &mut self,
        now: Moment,
        can_signal: bool,
        timeout: Duration,
        outputs: &mut LinkOutputs,
    ) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        if connection.is_lost(now) {
            self.fail(AttemptOutcome::TimedOut, outputs);
            return self.lose(now, outputs);
        }
        if self.retry_at.is_none() && connection.has_timed_out(now, timeout) {
            self.fail(AttemptOutcome::TimedOut, outputs);
            self.retry_at = Some(self.next_retry(now));
            return;
        }
        outputs.extend(connection.tick(now, can_signal));
    }

    /// Records that the link is direct.
    pub(super) fn became_direct(&mut self, now: Moment, outputs: &mut LinkOutputs) {
        self.backoff.reset();
        (self.count, self.retry_at) = (0, None);
        let connection = self.connection.as_mut();
        if let Some(time) = connection.and_then(|one| one.became_direct(now)) {
            self.connect_time = Some(time);
            outputs.push_back(LinkOutput::BecameDirect);
        }
    }

    /// Next moment after `now` at which [`Self::tick`] has something to do.
    pub(super) fn timeout(&self, now: Moment, attempt_timeout: Duration) -> Option<Moment> {
        self.connection.as_ref()?.timeout(now, attempt_timeout)
    }

    fn open(
        &mut self,
        now: Moment,
        connection_id: u32,
        attempt: u32,
        outputs: &mut LinkOutputs,
    ) -> &mut PeerConnection {
        self.last_attempt = attempt;
        self.retry_at = None;
        outputs.push_back(LinkOutput::Open {
            connection: connection_id,
        });
        let connection = PeerConnection::new(connection_id, attempt, self.is_polite, now);
        self.connection.insert(connection)
    }

    /// Counts the failure of an attempt in progress.
    fn fail(&self, reason: AttemptOutcome, outputs: &mut LinkOutputs) {
        let connection = self.connection.as_ref();
        let in_progress = connection.filter(|_| self.retry_at.is_none());
        outputs.extend(in_progress.and_then(|one| one.failure(reason)));
    }

    /// Closes the connection and plans another one.
    fn lose(&mut self, now: Moment, outputs: &mut LinkOutputs) {
        self.close(outputs);
        self.retry_at = Some(self.next_retry(now));
    }

    fn next_retry(&mut self, now: Moment) -> Moment {
        let delay = match self.is_polite {
            true => Duration::ZERO,
            false => IMPOLITE_DELAY,
        };
        now + self.backoff.next_delay() + delay
    }
}
