use std::time::Duration;

use clock::Moment;

use super::{
    host_terms::HostTerms,
    members::{Members, Peer},
};
use protocol::{
    election::{BallotKey, Election},
    peer::{PeerId, PeerNumber},
    signaling::{HostTerm, MAX_ELECTIONS},
};

/// Time without a frame of the host after which a rider stands for election.
const HOST_LOSS_TIMEOUT: Duration = Duration::from_secs(3);
/// Time without a frame of the host after which a rider votes for another one.
const HOST_SILENCE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Additional time for each rider in reach that has been present for longer.
const TURN: Duration = Duration::from_millis(600);
/// Interval between two requests for votes.
const REQUEST_INTERVAL: Duration = Duration::from_millis(300);
/// Duration of a candidate's first round. Another epoch follows, since some riders may have voted
/// for another candidate.
const FIRST_ROUND: Duration = Duration::from_secs(1);
/// Duration of further rounds, longer for slow paths.
const LATER_ROUND: Duration = Duration::from_secs(3);
/// Time for which a rider does not stand after a request by one that has been present for longer.
const YIELD: Duration = Duration::from_secs(5);
/// Time without enough riders in reach after which the host's controls are suspended. Not shorter,
/// so that a socket that reopens at once changes nothing; not longer, so that they are suspended
/// before another rider can become host.
const SUSPEND_AFTER: Duration = Duration::from_secs(1);
/// Largest number of epochs ahead of the newest one seen that is believed: a ride does not lose
/// that many hosts.
const MAX_EPOCHS_AHEAD: u32 = 64;
/// Interval in which elections are sent to members that do not know their epochs.
const ANNOUNCE_INTERVAL: Duration = Duration::from_millis(500);

/// Election of a host while the server is unreachable.
///
/// When no frame of the host has arrived for 3 s, the rider that has been present for the longest
/// time requests votes from the riders that it reaches directly, and the next one a little later if
/// it does not succeed. With the votes of more than half of the riders in the server's last member
/// list, itself included, it is host of the next epoch ([`Election`]). The votes are sent to all
/// who do not know that epoch yet. Members of other roles neither vote nor stand nor count.
///
/// Contract: without the server, the host's controls are suspended wherever others may have elected
/// another host: in a group with the host, when it is fewer than half of the riders, and in one
/// without, when it is not more than half. This includes the old host's own controls. A forged
/// frame, or one of a past epoch, changes nothing and is counted.
#[derive(Debug, Default)]
pub(super) struct Succession {
    /// Received and not yet judged.
    received: Vec<(PeerNumber, Election)>,
    /// Elections since the server last named the host, oldest first.
    elections: Vec<Election>,
    /// Newest term that this rider voted for.
    voted: Option<HostTerm>,
    /// Newest epoch in which a vote was seen.
    newest_epoch_seen: u32,
    campaign: Option<Campaign>,
    rounds: u32,
    yields_until: Moment,
    announced_at: Moment,
    too_few_since: Option<Moment>,
    controls_suspended: bool,
    wake_at: Option<Moment>,
}

/// Candidacy of this rider for one term.
#[derive(Debug)]
struct Campaign {
    election: Election,
    request_at: Moment,
    until: Moment,
}

/// View of the ride for [`Succession`].
#[derive(Clone, Copy)]
pub(super) struct SuccessionView<'a> {
    pub(super) members: &'a Members,
    pub(super) terms: &'a HostTerms,
    /// Present if this rider votes and stands for election.
    pub(super) ballot_key: Option<&'a BallotKey>,
    /// True if the socket is open, so that the server names the host.
    pub(super) is_server_reachable: bool,
}

/// Decision of [`Succession`], to be carried out in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// A rider was elected.
    Elected(HostTerm),
    /// Send votes to a member.
    SendElection { to: PeerNumber, election: Election },
    /// The host's controls are suspended, or work again.
    SuspendControls(bool),
    /// A received election was ignored.
    Ignored,
}

impl Succession {
    pub(super) fn timeout(&self) -> Option<Moment> {
        self.wake_at
    }

    pub(super) fn controls_suspended(&self) -> bool {
        self.controls_suspended
    }

    /// Elections since the server last named the host, oldest first.
    pub(super) fn elections(&self) -> &[Election] {
        &self.elections
    }

    /// The server named the host: elections before that are settled.
    pub(super) fn server_named_host(&mut self) {
        self.elections.clear();
        self.campaign = None;
    }

    pub(super) fn receive(&mut self, from: PeerNumber, election: Election) {
        self.received.push((from, election));
    }

    pub(super) fn take_received(&mut self) -> Vec<(PeerNumber, Election)> {
        std::mem::take(&mut self.received)
    }

    /// Judges a received election: a request for a vote, a vote for this rider, or a result.
    pub(super) fn judge(
        &mut self,
        now: Moment,
        view: SuccessionView<'_>,
        from: PeerNumber,
        election: Election,
    ) -> Vec<Decision> {
        let term = &election.term;
        let newest = view.terms.newest();
        let epoch = view.terms.epoch();
        let is_known = newest == Some(term);
        // The limit counts from the newest epoch seen, because candidates without success move on
        // from epoch to epoch.
        let seen = epoch.max(self.newest_epoch_seen);
        let max_epoch = seen.saturating_add(MAX_EPOCHS_AHEAD);
        let is_new = term.epoch > epoch && term.epoch <= max_epoch;
        let candidate = view.members.rider_by_id(&term.peer);
        let has_own_key = candidate.is_some_and(|rider| rider.keys.sign == term.sign_key);
        let key_of = |number| view.members.rider(number).map(|rider| rider.keys.sign);
        if !(is_known || is_new) || !has_own_key || !election.is_genuine(key_of) {
            return vec![Decision::Ignored];
        }
        self.newest_epoch_seen = seen.max(term.epoch);
        if is_known {
            let known = self.elections.last_mut();
            if let Some(known) = known.filter(|known| known.term == election.term) {
                known.merge(&election.votes);
            }
            Vec::new()
        } else if view.is_server_reachable {
            // The server names the host; the candidate will present the votes to it.
            Vec::new()
        } else if view.members.is_own(&term.peer) {
            self.count_votes(now, view, &election)
        } else if election.is_majority_of(view.members.rider_count()) {
            self.adopt(now, view, election)
        } else {
            self.vote(now, view, from, election)
        }
    }

    /// Suspends controls, stands for election and announces results when that is due.
    pub(super) fn tick(&mut self, now: Moment, view: SuccessionView<'_>) -> Vec<Decision> {
        self.wake_at = None;
        let mut decisions = Vec::new();
        decisions.extend(self.check_controls(now, view));
        if view.is_server_reachable {
            self.campaign = None;
            return decisions;
        }
        decisions.extend(self.run_campaign(now, view));
        if now >= self.announced_at + ANNOUNCE_INTERVAL {
            self.announced_at = now;
            decisions.extend(self.announce(view));
        }
        decisions
    }

    fn check_controls(&mut self, now: Moment, view: SuccessionView<'_>) -> Option<Decision> {
        let (all, reached) = (view.members.rider_count(), view.reached_count());
        let host = view.terms.host();
        let is_host = |peer: &Peer| Some(&peer.member.peer) == host;
        let own = view.members.own().map(|own| &own.peer);
        let with_host = own == host || view.reached().any(is_host);
        let is_enough = 2 * reached > all || with_host && 2 * reached == all;
        if is_enough || view.is_server_reachable {
            self.too_few_since = None;
        } else {
            self.too_few_since.get_or_insert(now);
        }
        let from = self.too_few_since.map(|since| since + SUSPEND_AFTER);
        let suspended = from.is_some_and(|from| from <= now);
        self.wake_no_later_than(from.filter(|_| !suspended));
        let has_changed = std::mem::replace(&mut self.controls_suspended, suspended) != suspended;
        has_changed.then_some(Decision::SuspendControls(suspended))
    }

    /// Stands for election when it is this rider's turn, and requests votes.
    fn run_campaign(&mut self, now: Moment, view: SuccessionView<'_>) -> Vec<Decision> {
        let can_win = 2 * view.reached_count() > view.members.rider_count();
        let turn = self.turn(view).filter(|_| can_win);
        if turn.is_none_or(|turn| turn > now) {
            (self.campaign, self.rounds) = (None, 0);
            self.wake_no_later_than(turn);
            return Vec::new();
        }
        let is_over = |campaign: &Campaign| campaign.until <= now;
        if self.campaign.as_ref().is_none_or(is_over) {
            self.campaign = self.next_campaign(now, view);
        }
        let decisions = self.check_majority(now, view);
        let Some(campaign) = &mut self.campaign else {
            return decisions;
        };
        let requests = campaign.request_at <= now;
        if requests {
            campaign.request_at = now + REQUEST_INTERVAL;
        }
        let next = campaign.request_at.min(campaign.until);
        let election = campaign.election.clone();
        self.wake_no_later_than(Some(next));
        match requests {
            true => send_to(view.reached(), &election),
            false => Vec::new(),
        }
    }

    /// Moment from which this rider may stand, if no host was elected by then: after those that
    /// have been present for longer. A host that riders in reach do not know stands too, since only
    /// the unreachable server could have named it to them.
    fn turn(&self, view: SuccessionView<'_>) -> Option<Moment> {
        let own = view.members.own().filter(|own| own.role.is_rider())?;
        view.ballot_key?;
        let lost_at = match view.host_last_received_at() {
            Some(received_at) => received_at + HOST_LOSS_TIMEOUT,
            None if self.is_unknown_host(view) => Moment::ZERO,
            None => return None,
        };
        let host = view.terms.host();
        let is_before =
            |peer: &&Peer| peer.member.number < own.number && Some(&peer.member.peer) != host;
        let before = view.reached().filter(is_before).count();
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        let turn = lost_at + TURN.saturating_mul(before);
        Some(turn.max(self.yields_until))
    }

    /// Returns true if this rider is host, and riders in reach know only an older epoch, which no
    /// votes have raised.
    fn is_unknown_host(&self, view: SuccessionView<'_>) -> bool {
        let epoch = view.terms.epoch();
        let newest = self.elections.last();
        let was_elected = newest.is_some_and(|election| election.term.epoch == epoch);
        let is_behind = |peer: &Peer| peer.link.peer_epoch().is_some_and(|known| known < epoch);
        !was_elected && view.reached().any(is_behind)
    }

    fn next_campaign(&mut self, now: Moment, view: SuccessionView<'_>) -> Option<Campaign> {
        let (own, key) = view.members.own().zip(view.ballot_key)?;
        let epoch = view.terms.epoch();
        let voted = self.voted.iter().map(|term| term.epoch);
        // Voters have to believe the epoch after this one.
        let is_believable = |known: &u32| *known < epoch.saturating_add(MAX_EPOCHS_AHEAD);
        let known = view.reached().filter_map(|peer| peer.link.peer_epoch());
        let known = known.filter(is_believable).fold(epoch, u32::max);
        let fresh = HostTerm {
            epoch: voted.fold(known, u32::max).saturating_add(1),
            peer: own.peer.clone(),
            sign_key: key.public(),
        };
        // Split votes need another epoch. Riders that still hear the host vote in none, though, so
        // the epoch is raised at ever longer intervals.
        let is_own_candidacy = |term: &&HostTerm| term.peer == fresh.peer && term.epoch > known;
        let repeated = self.voted.as_ref().filter(is_own_candidacy);
        let repeated = repeated.filter(|_| !self.rounds.is_power_of_two()).cloned();
        let term = repeated.unwrap_or(fresh);
        let votes = vec![key.vote(own.number, &term)];
        let duration = match self.rounds {
            0 => FIRST_ROUND,
            _ => LATER_ROUND,
        };
        self.rounds = self.rounds.saturating_add(1);
        self.voted = Some(term.clone());
        Some(Campaign {
            election: Election { term, votes },
            request_at: now,
            until: now + duration,
        })
    }

    /// Ends the campaign if it has the votes of more than half of the riders.
    fn check_majority(&mut self, now: Moment, view: SuccessionView<'_>) -> Vec<Decision> {
        let riders = view.members.rider_count();
        let has_won = |campaign: &mut Campaign| campaign.election.is_majority_of(riders);
        match self.campaign.take_if(has_won) {
            Some(campaign) => self.adopt(now, view, campaign.election),
            None => Vec::new(),
        }
    }

    fn count_votes(
        &mut self,
        now: Moment,
        view: SuccessionView<'_>,
        election: &Election,
    ) -> Vec<Decision> {
        let campaign = self.campaign.as_mut();
        let Some(campaign) = campaign.filter(|own| own.election.term == election.term) else {
            return Vec::new();
        };
        campaign.election.merge(&election.votes);
        self.check_majority(now, view)
    }

    /// Votes for the candidate that requests it, once in an epoch, and only while the host is
    /// silent.
    fn vote(
        &mut self,
        now: Moment,
        view: SuccessionView<'_>,
        from: PeerNumber,
        election: Election,
    ) -> Vec<Decision> {
        let term = election.term;
        let sender = view.members.peer(from);
        let is_from_candidate = sender.is_some_and(|peer| peer.member.peer == term.peer);
        let has_own_vote = election.votes.iter().any(|vote| vote.voter == from);
        if !is_from_candidate || !has_own_vote {
            return vec![Decision::Ignored];
        }
        let is_silent = |received_at: Moment| received_at + HOST_SILENCE_TIMEOUT <= now;
        let is_host_lost = view.host_last_received_at().is_some_and(is_silent);
        // A host that is to be confirmed in another epoch takes the role from no other rider.
        let is_host_lost = is_host_lost || view.terms.host() == Some(&term.peer);
        let own = view.members.own().filter(|own| own.role.is_rider());
        let Some((own, key)) = own.zip(view.ballot_key).filter(|_| is_host_lost) else {
            return Vec::new();
        };
        if from < own.number {
            self.yields_until = now + YIELD;
        }
        let is_free = |voted: &HostTerm| voted.epoch < term.epoch || *voted == term;
        if !self.voted.as_ref().is_none_or(is_free) {
            return Vec::new();
        }
        self.voted = Some(term.clone());
        let votes = vec![key.vote(own.number, &term)];
        let election = Election { term, votes };
        vec![Decision::SendElection { to: from, election }]
    }

    /// Takes over the result of an election.
    fn adopt(
        &mut self,
        now: Moment,
        view: SuccessionView<'_>,
        election: Election,
    ) -> Vec<Decision> {
        let elected = Decision::Elected(election.term.clone());
        self.campaign = None;
        self.elections.push(election);
        if self.elections.len() > MAX_ELECTIONS {
            self.elections.remove(0);
        }
        self.announced_at = now;
        let mut decisions = vec![elected];
        decisions.extend(self.announce(view));
        decisions
    }

    /// Sends each election to the members that do not know its epoch yet.
    fn announce(&self, view: SuccessionView<'_>) -> Vec<Decision> {
        let to_behind = |election: &Election| {
            let epoch = election.term.epoch;
            let is_behind = |peer: &&Peer| peer.link.peer_epoch().is_none_or(|known| known < epoch);
            let direct = view.members.peers().filter(|peer| peer.link.is_direct());
            send_to(direct.filter(is_behind), election)
        };
        self.elections.iter().flat_map(to_behind).collect()
    }

    fn wake_no_later_than(&mut self, at: Option<Moment>) {
        self.wake_at = self.wake_at.into_iter().chain(at).min();
    }
}

impl<'a> SuccessionView<'a> {
    /// The other riders that are reached directly.
    fn reached(self) -> impl Iterator<Item = &'a Peer> {
        let riders = self.members.riders();
        riders.filter(|peer| peer.link.is_direct())
    }

    /// Number of riders that are reached directly, this one included.
    fn reached_count(self) -> usize {
        self.reached().count() + usize::from(self.members.is_rider())
    }

    /// Moment at which a frame of the host last arrived, or [`Moment::ZERO`] for a host that has
    /// left the ride. None while there is no host or this rider is it.
    fn host_last_received_at(self) -> Option<Moment> {
        let host: &PeerId = self.terms.host()?;
        if self.members.is_own(host) {
            return None;
        }
        let host = self.members.peer_by_id(host);
        Some(host.map_or(Moment::ZERO, |host| host.link.last_received_at()))
    }
}

fn send_to<'a>(peers: impl Iterator<Item = &'a Peer>, election: &Election) -> Vec<Decision> {
    let send = |peer: &Peer| Decision::SendElection {
        to: peer.member.number,
        election: election.clone(),
    };
    peers.map(send).collect()
}

#[cfg(test)]
mod tests;
