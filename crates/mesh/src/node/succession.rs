//! A host while there is no server: who stands, who votes, and whose controls
//! wait.
//!
//! Without the server, and when the host has not been heard for 3 s, the
//! longest-present rider asks those whom it reaches directly for their votes,
//! the next one a little later if it does not succeed. With more than half of
//! the riders whom the server last named, itself included, it is host of the
//! next epoch ([`Election`]); the votes are shown to everybody who does not know
//! that epoch yet.
//!
//! Law: without the server the host's controls wait (see
//! [`Node::host_controls_suspended`]) wherever others may have named another host: with
//! the host in fewer than half, without it in no more than half. The old host is
//! no exception. A frame that is forged, or of an epoch that is over, changes
//! nothing and is counted.

use clock::Moment;

use std::time::Duration;

use super::{Node, NodeEvent, Peer};
use protocol::{
    election::Election,
    peer::{LinkState, PeerId, PeerNumber},
    signaling::{HostTerm, MAX_ELECTIONS, MAX_HOST_TERMS},
};

/// Not heard for so long, the host is lost to who wants to stand.
const LOST: Duration = Duration::from_secs(3);
/// Not heard for so long, it is lost to who is asked for a vote.
const SILENT: Duration = Duration::from_millis(1_500);
/// The next-longest present waits so much longer.
const TURN: Duration = Duration::from_millis(600);
/// Who asks for votes asks again so often,
const ASK: Duration = Duration::from_millis(300);
/// and after so long for another epoch, for some may have voted for another;
const ROUND: Duration = Duration::from_secs(1);
/// after longer from the second time on, for the way may be a long one.
const LATER_ROUND: Duration = Duration::from_secs(3);
/// Who is asked by somebody who is present for longer does not stand for so long.
const YIELD: Duration = Duration::from_secs(5);
/// The controls wait no sooner: a socket that is back at once is no trouble. No
/// later either, so that they wait before anybody else can be host.
const PATIENCE: Duration = Duration::from_secs(1);
/// Epochs further ahead are not believed: no ride loses so many hosts.
const AHEAD: u32 = 64;
/// Those who do not know an epoch are told so often.
const TELL: Duration = Duration::from_millis(500);

/// What goes on without the server.
#[derive(Debug, Default)]
pub(super) struct Succession {
    /// Came and not looked at yet.
    papers: Vec<(PeerNumber, Election)>,
    /// Who was elected since the server last said who is host, oldest first.
    pub(super) elections: Vec<Election>,
    /// The newest epoch that we voted in.
    voted: Option<HostTerm>,
    /// The newest epoch that anybody gave a vote in, as far as we were shown.
    seen: u32,
    campaign: Option<Campaign>,
    rounds: u32,
    yields_until: Moment,
    told_at: Moment,
    few_since: Option<Moment>,
    waiting: bool,
    wake: Option<Moment>,
}

/// We ask for votes.
#[derive(Debug)]
struct Campaign {
    election: Election,
    ask_at: Moment,
    until: Moment,
}

impl Succession {
    pub(super) fn timeout(&self) -> Option<Moment> {
        self.wake
    }

    /// The server says who is host.
    pub(super) fn server_rules(&mut self) {
        self.elections.clear();
        self.campaign = None;
    }

    pub(super) fn receive(&mut self, from: PeerNumber, election: Election) {
        self.papers.push((from, election));
    }
}

impl Node {
    /// Whether what the host decides now may be void later, because there is no
    /// server and too few riders are reached: the host's controls are to be
    /// disabled, and everybody else is told why nothing comes.
    pub fn host_controls_suspended(&self) -> bool {
        self.succession.waiting
    }

    pub(super) fn tick_succession(&mut self, now: Moment) {
        self.succession.wake = None;
        for (from, election) in std::mem::take(&mut self.succession.papers) {
            self.take_paper(now, from, election);
        }
        self.judge_controls(now);
        if self.socket.is_open() {
            self.succession.campaign = None;
            return;
        }
        self.stand(now);
        self.tell_elections(now);
    }

    /// How many riders the server last named, and how many of them are reached
    /// directly; both with ourselves.
    fn count(&self) -> (usize, usize) {
        let reached = self.reached().count();
        (self.peers.len() + 1, reached + 1)
    }

    fn reached(&self) -> impl Iterator<Item = (&PeerNumber, &Peer)> {
        let direct = |(_, peer): &(&PeerNumber, &Peer)| peer.link.state() == LinkState::Direct;
        self.peers.iter().filter(direct)
    }

    /// Since when the host has not been heard; nothing for ourselves.
    fn host_unheard_since(&self) -> Option<Moment> {
        let host = self.host()?;
        if self.me.as_ref().is_some_and(|me| me.peer == *host) {
            return None;
        }
        let heard = self.peer(host).map(|peer| peer.link.heard_at());
        Some(heard.unwrap_or(Moment::ZERO))
    }

    fn judge_controls(&mut self, now: Moment) {
        let (all, reached) = self.count();
        let host = self.host();
        let own = self.me.as_ref().map(|me| &me.peer) == host;
        let near = own
            || self
                .reached()
                .any(|(_, peer)| Some(&peer.member.peer) == host);
        let enough = 2 * reached > all || near && 2 * reached == all;
        if enough || self.socket.is_open() {
            self.succession.few_since = None;
        } else {
            self.succession.few_since.get_or_insert(now);
        }
        let from = self.succession.few_since.map(|since| since + PATIENCE);
        let waiting = from.is_some_and(|from| from <= now);
        self.wake_at(from.filter(|_| !waiting));
        if std::mem::replace(&mut self.succession.waiting, waiting) != waiting {
            self.event(NodeEvent::HostControlsSuspended(waiting));
        }
    }

    /// Stands for host when it is our turn, and asks for votes.
    fn stand(&mut self, now: Moment) {
        let (all, reached) = self.count();
        let turn = self.turn().filter(|_| 2 * reached > all);
        if turn.is_none_or(|turn| turn > now) {
            (self.succession.campaign, self.succession.rounds) = (None, 0);
            return self.wake_at(turn);
        }
        let over = |campaign: &Campaign| campaign.until <= now;
        if self.succession.campaign.as_ref().is_none_or(over) {
            self.begin_campaign(now);
        }
        self.win(now);
        if let Some(campaign) = &mut self.succession.campaign {
            let ask = campaign.ask_at <= now;
            campaign.ask_at = if ask { now + ASK } else { campaign.ask_at };
            let (again, until) = (campaign.ask_at, campaign.until);
            let election = campaign.election.clone();
            if ask {
                self.tell_reached(&election, 0);
            }
            self.wake_at(Some(again.min(until)));
        }
    }

    /// When we may stand, if nobody was elected by then: after those who are
    /// present for longer. A host whom those who are reached do not know stands
    /// too, for nobody but the server could tell them.
    fn turn(&self) -> Option<Moment> {
        let me = self.me.as_ref()?;
        self.config.ballot_key.as_ref()?;
        let lost = match self.host_unheard_since() {
            Some(heard) => heard + LOST,
            None if self.is_unknown_host() => Moment::ZERO,
            None => return None,
        };
        let host = self.host();
        let before = self
            .reached()
            .filter(|(number, peer)| **number < me.number && Some(&peer.member.peer) != host);
        let before = u32::try_from(before.count()).unwrap_or(u32::MAX);
        let turn = lost + TURN.saturating_mul(before);
        Some(turn.max(self.succession.yields_until))
    }

    /// Whether we are host, and riders who are reached know only an older epoch
    /// which no votes can raise.
    fn is_unknown_host(&self) -> bool {
        let epoch = self.epoch();
        let shown = self.succession.elections.last();
        let shown = shown.is_some_and(|election| election.term.epoch == epoch);
        let behind = |(_, peer): (_, &Peer)| peer.link.their_epoch().is_some_and(|it| it < epoch);
        !shown && self.reached().any(behind)
    }

    fn begin_campaign(&mut self, now: Moment) {
        self.succession.campaign = None;
        let Some((me, key)) = self.me.as_ref().zip(self.config.ballot_key.as_ref()) else {
            return;
        };
        let own = self.epoch();
        let voted = self.succession.voted.iter().map(|term| term.epoch);
        let heard = self
            .reached()
            .filter_map(|(_, peer)| peer.link.their_epoch());
        // Voters have to believe the one after it.
        let heard = heard.filter(|epoch| *epoch < own.saturating_add(AHEAD));
        let heard = heard.fold(own, u32::max);
        let fresh = HostTerm {
            epoch: voted.fold(heard, u32::max).saturating_add(1),
            peer: me.peer.clone(),
            sign_key: key.public(),
        };
        // Votes that were split need another epoch; those who hear the host give none in any.
        let rounds = self.succession.rounds;
        let voted = self.succession.voted.as_ref();
        let again = voted.filter(|term| term.peer == fresh.peer && term.epoch > heard);
        let again = again.filter(|_| !rounds.is_power_of_two()).cloned();
        let term = again.unwrap_or(fresh);
        let votes = vec![key.vote(me.number, &term)];
        let round = match rounds {
            0 => ROUND,
            _ => LATER_ROUND,
        };
        self.succession.voted = Some(term.clone());
        self.succession.campaign = Some(Campaign {
            election: Election { term, votes },
            ask_at: now,
            until: now + round,
        });
        self.succession.rounds = self.succession.rounds.saturating_add(1);
    }

    /// Is host, with more than half of the votes.
    fn win(&mut self, now: Moment) {
        let (all, _) = self.count();
        let won = |campaign: &mut Campaign| campaign.election.is_majority_of(all);
        if let Some(campaign) = self.succession.campaign.take_if(won) {
            self.adopt(now, campaign.election);
        }
    }

    /// Votes have come: for us, by us for another, or enough of them.
    fn take_paper(&mut self, now: Moment, from: PeerNumber, paper: Election) {
        let term = &paper.term;
        let newest = self.terms.last();
        let epoch = newest.map_or(0, |newest| newest.epoch);
        let repeated = newest == Some(term);
        // Near what was seen: those who stand in vain go on from epoch to epoch.
        let seen = epoch.max(self.succession.seen);
        let new = term.epoch > epoch && term.epoch <= seen.saturating_add(AHEAD);
        let member = self.sign_key_of(&term.peer) == Some(term.sign_key);
        let genuine = |node: &Self| paper.is_genuine(|number| node.key_of_number(number));
        if !(repeated || new) || !member || !genuine(self) {
            self.stats.ignored += 1;
            return;
        }
        self.succession.seen = seen.max(term.epoch);
        if repeated {
            let known = self.succession.elections.last_mut();
            known
                .filter(|known| known.term == paper.term)
                .map(|known| known.merge(&paper.votes));
        } else if self.socket.is_open() {
            // The server rules; they will tell it themselves.
        } else if self.me.as_ref().is_some_and(|me| me.peer == term.peer) {
            self.take_votes(now, &paper);
        } else if paper.is_majority_of(self.peers.len() + 1) {
            self.adopt(now, paper);
        } else {
            self.give_vote(now, from, paper);
        }
    }

    fn take_votes(&mut self, now: Moment, paper: &Election) {
        let campaign = self.succession.campaign.as_mut();
        if let Some(campaign) = campaign.filter(|it| it.election.term == paper.term) {
            campaign.election.merge(&paper.votes);
            self.win(now);
        }
    }

    /// Votes for who asks, once in an epoch, unless the host is heard.
    fn give_vote(&mut self, now: Moment, from: PeerNumber, paper: Election) {
        let term = paper.term;
        let asks = self
            .peers
            .get(&from)
            .is_some_and(|peer| peer.member.peer == term.peer);
        let by_itself = paper.votes.iter().any(|vote| vote.voter == from);
        if !asks || !by_itself {
            self.stats.ignored += 1;
            return;
        }
        let lost = self
            .host_unheard_since()
            .is_some_and(|heard| heard + SILENT <= now);
        // A host who has to be named once more is nobody else's loss.
        let lost = lost || self.host() == Some(&term.peer);
        if lost && self.me.as_ref().is_some_and(|me| from < me.number) {
            self.succession.yields_until = now + YIELD;
        }
        let voted = self.succession.voted.as_ref();
        let free = voted.is_none_or(|voted| voted.epoch < term.epoch || *voted == term);
        let voter = self.me.as_ref().zip(self.config.ballot_key.as_ref());
        if let Some((me, key)) = voter.filter(|_| lost && free) {
            let votes = vec![key.vote(me.number, &term)];
            self.succession.voted = Some(term.clone());
            if let Some(peer) = self.peers.get_mut(&from) {
                peer.link.tell_election(&Election { term, votes });
            }
        }
    }

    /// A host whom more than half have voted for.
    fn adopt(&mut self, now: Moment, election: Election) {
        let term = election.term.clone();
        self.terms.push(term.clone());
        if self.terms.len() > MAX_HOST_TERMS {
            self.terms.remove(0);
        }
        self.succession.campaign = None;
        self.succession.elections.push(election);
        if self.succession.elections.len() > MAX_ELECTIONS {
            self.succession.elections.remove(0);
        }
        self.succession.told_at = now;
        self.event(NodeEvent::HostChanged(term));
        self.offer();
        for peer in self.peers.values_mut() {
            peer.link.hurry(now);
        }
        self.tell_behind();
    }

    /// Shows the votes to those who know only an older epoch.
    fn tell_elections(&mut self, now: Moment) {
        if now >= self.succession.told_at + TELL {
            self.succession.told_at = now;
            self.tell_behind();
        }
    }

    fn tell_behind(&mut self) {
        for election in self.succession.elections.clone() {
            self.tell_reached(&election, election.term.epoch);
        }
    }

    /// Sends votes to all who are reached, or to those of them who know no epoch
    /// as late as `behind`.
    fn tell_reached(&mut self, election: &Election, behind: u32) {
        for peer in self.peers.values_mut() {
            if behind == 0 || peer.link.their_epoch().is_none_or(|epoch| epoch < behind) {
                peer.link.tell_election(election);
            }
        }
    }

    fn sign_key_of(&self, id: &PeerId) -> Option<[u8; 32]> {
        let me = self.me.as_ref().filter(|me| me.peer == *id);
        let member = me.or_else(|| self.peer(id).map(|peer| &peer.member));
        member.map(|member| member.keys.sign)
    }

    fn key_of_number(&self, number: PeerNumber) -> Option<[u8; 32]> {
        let me = self.me.as_ref().filter(|me| me.number == number);
        let other = || self.peers.get(&number).map(|peer| &peer.member);
        me.or_else(other).map(|member| member.keys.sign)
    }

    fn wake_at(&mut self, at: Option<Moment>) {
        let wakes = [self.succession.wake, at];
        self.succession.wake = wakes.into_iter().flatten().min();
    }
}
