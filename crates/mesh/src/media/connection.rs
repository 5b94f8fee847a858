use std::{collections::VecDeque, time::Duration};

use clock::Moment;
use protocol::signaling::{IceServer, Signal};

use super::{
    MediaCommand, MediaConnectionOutput, MediaConnectionState, MediaEvent,
    peer_connection::{PeerConnection, is_acceptable, polite_delay},
};
use crate::{backoff::Backoff, random::Random, rate_limit::RateLimit};

/// Time after which a connection that is not wanted is closed, so that a rider who switches a
/// microphone off and on again is heard at once.
const UNWANTED_TIMEOUT: Duration = Duration::from_secs(20);
/// A lost connection is replaced after 1, 2, 4 s and so on, up to the limit.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_LIMIT: Duration = Duration::from_secs(30);
/// Time for which a connection has to work before the delays begin anew.
const STABLE: Duration = Duration::from_secs(30);
/// Number of failed attempts after which the peer counts as unreachable.
const MAX_FAILURES: u32 = 3;
/// Time between a failed attempt and the next one to an unreachable peer, shortened by up to a quarter
/// at random. With the time that an attempt takes, there is about one a minute.
const UNREACHABLE_RETRY: Duration = Duration::from_secs(40);

/// Limit on the peer's offers. An honest page sends fewer, see [`OWN_OFFERS`].
const PEER_OFFERS: RateLimit = RateLimit::new(6, Duration::from_secs(5));
/// Limit on own offers, whatever the peer does to cause them. It is lower than that of the peer, so
/// that no offer of an honest page is dropped when several arrive at once after a delay.
const OWN_OFFERS: RateLimit = RateLimit::new(4, Duration::from_secs(6));

/// Media connection to one page of one other rider.
///
/// It is made when it is wanted and the peer is reachable. The impolite side offers at once, the
/// polite one after a second without an offer. A lost network path is repaired by ICE restarts;
/// what fails is replaced by a connection with the next attempt number. Numbers are compared as
/// serial numbers (RFC 1982), so that none is the last one.
///
/// Only [`Self::receive`], [`Self::handle_event`], [`Self::handle_timeout`] and [`Self::close`] have
/// outputs. The others change conditions; [`Self::poll_timeout`] is then in the past if something is
/// to be done.
#[derive(Debug)]
pub struct MediaConnection {
    is_polite: bool,
    is_wanted: bool,
    is_reachable: bool,
    has_ended: bool,
    ice_servers: Vec<IceServer>,
    connection: Option<PeerConnection>,
    /// Number of connections that were opened; that of the newest one for the driver.
    opened: u32,
    /// Number of the newest connection in signals.
    last_attempt: u32,
    /// Moment from which a connection is made if there is none.
    retry_at: Moment,
    unwanted_since: Moment,
    /// Attempts in a row that did not connect.
    failures: u32,
    backoff: Backoff,
    random: Random,
    peer_offers_full_at: Moment,
    own_offers_full_at: Moment,
    rejected: u64,
    outputs: VecDeque<MediaConnectionOutput>,
}

/// Something to be done at a certain moment.
#[derive(Clone, Copy, Debug)]
enum Action {
    Close,
    GiveUp,
    RestartIce,
    SendCandidates,
    Connect,
}

impl MediaConnection {
    /// Connection that is not wanted, to a peer that is not reachable. `seed` differs for every page
    /// load and peer; of two pages exactly one is polite.
    pub fn new(now: Moment, is_polite: bool, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let backoff = Backoff::new(RETRY, RETRY_LIMIT, random.next());
        Self {
            is_polite,
            is_wanted: false,
            is_reachable: false,
            has_ended: false,
            ice_servers: Vec::new(),
            connection: None,
            opened: 0,
            last_attempt: 0,
            retry_at: now,
            unwanted_since: now,
            failures: 0,
            backoff,
            random,
            peer_offers_full_at: Moment::ZERO,
            own_offers_full_at: Moment::ZERO,
            rejected: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Sets whether either side sends something now. A connection that is not wanted for 20 s is
    /// closed.
    pub fn set_wanted(&mut self, now: Moment, is_wanted: bool) {
        if is_wanted == self.is_wanted {
            return;
        }
        self.is_wanted = is_wanted;
        if is_wanted {
            self.retry_soon(now);
        } else {
            self.unwanted_since = now;
        }
    }

    /// Sets whether messages reach the other page now. Negotiations wait while they do not.
    pub fn set_reachable(&mut self, now: Moment, is_reachable: bool) {
        if is_reachable == self.is_reachable {
            return;
        }
        self.is_reachable = is_reachable;
        if !is_reachable {
            return;
        }
        self.failures = 0;
        self.backoff.reset();
        self.retry_soon(now);
        if let Some(connection) = &mut self.connection {
            connection.handle_reachable(now);
        }
    }

    /// Sets the ICE servers for connections that are made from now on. Attempts that have failed
    /// with other ones are repeated.
    pub fn set_ice_servers(&mut self, servers: Vec<IceServer>) {
        if servers == self.ice_servers {
            return;
        }
        self.ice_servers = servers;
        if std::mem::take(&mut self.failures) > 0 {
            self.backoff.reset();
            self.retry_at = Moment::ZERO;
        }
    }

    /// Handles a signal of the other page.
    pub fn receive(&mut self, now: Moment, signal: Signal) {
        let (Signal::Offer { attempt, .. }
        | Signal::Answer { attempt, .. }
        | Signal::Candidates { attempt, .. }) = signal;
        let is_offer = matches!(signal, Signal::Offer { .. });
        if self.has_ended {
            return;
        }
        if !is_acceptable(&signal) || (is_offer && !self.allows_peer_offer(now)) {
            self.rejected = self.rejected.saturating_add(1);
            return;
        }
        if is_offer && is_newer(attempt, self.last_attempt) {
            self.replace(now, attempt);
        }
        match &mut self.connection {
            Some(connection) if connection.attempt() == attempt => {
                match connection.handle_signal(now, signal) {
                    Some(outputs) => self.outputs.extend(outputs),
                    None => self.rejected = self.rejected.saturating_add(1),
                }
            }
            // The peer wants a connection and does not know that its own is replaced.
            None if is_offer => self.retry_at = self.retry_at.min(now),
            Some(_) | None => {}
        }
    }

    /// Handles an event of a connection; those of former connections are ignored.
    pub fn handle_event(&mut self, now: Moment, connection: u32, event: MediaEvent) {
        let current = self.connection.as_mut();
        let Some(current) = current.filter(|one| one.id == connection) else {
            return;
        };
        match event {
            MediaEvent::LocalDescription { kind, sdp } => {
                let outputs = current.handle_description(now, kind, sdp, self.is_reachable);
                self.outputs.extend(outputs);
            }
            MediaEvent::Candidate(candidate) => current.handle_candidate(now, candidate),
            MediaEvent::Connected => {
                current.handle_connected(now);
                self.failures = 0;
            }
            MediaEvent::Disconnected => current.handle_disconnected(now),
            MediaEvent::Failed => self.lose(now),
        }
    }

    /// Does what is due at the moment of [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Moment) {
        while let Some((at, action)) = self.next_action()
            && at <= now
        {
            match action {
                Action::Close => self.close_connection(),
                Action::GiveUp => self.lose(now),
                Action::RestartIce => self.restart_ice(now),
                Action::SendCandidates => {
                    if let Some(connection) = &mut self.connection {
                        self.outputs.extend(connection.send_due_candidates(now));
                    }
                }
                Action::Connect => self.connect(now),
            }
        }
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<MediaConnectionOutput> {
        self.outputs.pop_front()
    }

    /// Moment of the next [`Self::handle_timeout`]; in the past means at once.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.next_action().map(|(at, _)| at)
    }

    /// State of the connection.
    pub fn state(&self) -> MediaConnectionState {
        let has_failed = self.failures >= MAX_FAILURES;
        match &self.connection {
            Some(connection) if connection.is_interrupted() => MediaConnectionState::Interrupted,
            Some(connection) if connection.connected_at().is_some() => {
                MediaConnectionState::Connected
            }
            None if self.has_ended || !self.is_wanted => MediaConnectionState::Closed,
            Some(_) | None if has_failed => MediaConnectionState::Unreachable,
            Some(_) | None => MediaConnectionState::Connecting,
        }
    }

    /// Number of the connection that exists now, if any.
    pub fn connection(&self) -> Option<u32> {
        self.connection.as_ref().map(|connection| connection.id)
    }

    /// Closes the connection at once and for good: the rider has left.
    pub fn close(&mut self) {
        self.has_ended = true;
        self.is_wanted = false;
        self.close_connection();
    }

    /// Number of signals that were ignored because they exceed a limit or are malformed.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    fn next_action(&self) -> Option<(Moment, Action)> {
        let can_offer = !self.has_ended && self.is_wanted && self.is_reachable;
        let offer_at = |at: Moment| at.max(OWN_OFFERS.allows_at(self.own_offers_full_at));
        let Some(connection) = &self.connection else {
            return can_offer.then(|| (offer_at(self.retry_at), Action::Connect));
        };
        let unwanted_since = self.unwanted_since.max(connection.opened_at());
        let unwanted_at = (!self.is_wanted).then(|| unwanted_since + UNWANTED_TIMEOUT);
        let restart_at = connection.restart_at().filter(|_| can_offer).map(offer_at);
        let candidates_at = connection.candidates_due_at().filter(|_| self.is_reachable);
        let is_stuck = self.is_reachable && connection.has_lost_signals();
        let actions = [
            (unwanted_at, Action::Close),
            (is_stuck.then_some(Moment::ZERO), Action::Close),
            (connection.deadline(self.is_reachable), Action::GiveUp),
            (restart_at, Action::RestartIce),
            (candidates_at, Action::SendCandidates),
        ];
        let actions = actions.into_iter();
        let actions = actions.filter_map(|(at, action)| Some((at?, action)));
        actions.min_by_key(|(at, _)| *at)
    }

    fn connect(&mut self, now: Moment) {
        let attempt = self.last_attempt.wrapping_add(1);
        self.open(now, attempt);
        self.offer(now, false);
    }

    fn restart_ice(&mut self, now: Moment) {
        let connection = self.connection.as_mut();
        match connection.is_some_and(|connection| connection.begin_restart(now)) {
            true => self.offer(now, true),
            false => self.lose(now),
        }
    }

    /// Makes an offer, of which [`Self::next_action`] has seen that it is allowed.
    fn offer(&mut self, now: Moment, ice_restart: bool) {
        if let Some(connection) = &mut self.connection {
            self.own_offers_full_at = OWN_OFFERS.after_one(now, self.own_offers_full_at);
            self.outputs
                .push_back(connection.create_offer(now, ice_restart));
        }
    }

    fn open(&mut self, now: Moment, attempt: u32) {
        self.last_attempt = attempt;
        self.opened = self.opened.wrapping_add(1);
        let (id, seed) = (self.opened, self.random.next());
        let connection = PeerConnection::new(now, id, attempt, self.is_polite, seed);
        self.outputs
            .push_back(connection.command(MediaCommand::Open {
                ice_servers: self.ice_servers.clone(),
            }));
        self.connection = Some(connection);
    }

    /// Replaces the connection by the one that the peer offers.
    fn replace(&mut self, now: Moment, attempt: u32) {
        if let Some(connection) = &self.connection
            && connection.has_failed(now)
        {
            self.failures = self.failures.saturating_add(1);
        }
        self.close_connection();
        self.open(now, attempt);
    }

    /// Closes a connection that has failed, and plans another one.
    fn lose(&mut self, now: Moment) {
        let connected_at = self
            .connection
            .as_ref()
            .and_then(PeerConnection::connected_at);
        match connected_at {
            None => self.failures = self.failures.saturating_add(1),
            Some(at) if now >= at + STABLE => self.backoff.reset(),
            Some(_) => {}
        }
        self.close_connection();
        let delay = match self.failures < MAX_FAILURES {
            true => self.backoff.next_delay(),
            false => UNREACHABLE_RETRY.mul_f64(1.0 - self.random.fraction() / 4.0),
        };
        self.retry_at = now + delay + polite_delay(self.is_polite);
    }

    fn close_connection(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.outputs
                .push_back(connection.command(MediaCommand::Close));
        }
    }

    fn retry_soon(&mut self, now: Moment) {
        self.retry_at = now + polite_delay(self.is_polite);
    }

    fn allows_peer_offer(&mut self, now: Moment) -> bool {
        let is_allowed = PEER_OFFERS.allows(now, self.peer_offers_full_at);
        if is_allowed {
            self.peer_offers_full_at = PEER_OFFERS.after_one(now, self.peer_offers_full_at);
        }
        is_allowed
    }
}

/// Compares attempt numbers as serial numbers.
fn is_newer(attempt: u32, than: u32) -> bool {
    let distance = attempt.wrapping_sub(than);
    distance != 0 && distance < 1 << 31
}
