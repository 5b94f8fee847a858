//! How the others are reached, for the server: it does not replace a host whom
//! somebody still reaches, and it counts.

use clock::Moment;

use std::{collections::BTreeMap, time::Duration};

use super::{Node, Stats};
use protocol::{
    peer::{LinkState, PeerId},
    signaling::{ClientMessage, LinkReport, MAX_RIDERS, Report},
};

/// Reports are this far apart.
const EVERY: Duration = Duration::from_secs(1);

/// What the server was told, and when it is told again.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    told: BTreeMap<PeerId, LinkState>,
    counted: Stats,
    /// How long links took to become direct, not told yet.
    took: BTreeMap<PeerId, Duration>,
    next: Moment,
    news: bool,
}

impl Reporter {
    /// When there is something to tell.
    pub(super) fn timeout(&self) -> Option<Moment> {
        self.news.then_some(self.next)
    }

    /// A new socket: the server may know nothing.
    pub(super) fn begin_anew(&mut self) {
        self.told.clear();
    }

    pub(super) fn connected(&mut self, peer: PeerId, took: Duration) {
        self.took.insert(peer, took);
    }
}

impl Node {
    /// Tells the server how the others are reached, when that has changed.
    pub(super) fn report(&mut self, now: Moment) {
        let peers = self.peers.values().take(MAX_RIDERS);
        let links = peers.map(|peer| (peer.member.peer.clone(), peer.link.state()));
        let links: BTreeMap<_, _> = links.collect();
        let report = Report {
            links: Vec::new(),
            attempts: since(
                self.stats.connection_attempts,
                self.reporter.counted.connection_attempts,
            ),
            successes: since(
                self.stats.direct_connections,
                self.reporter.counted.direct_connections,
            ),
            fallbacks: since(self.stats.fallbacks, self.reporter.counted.fallbacks),
        };
        let news = links != self.reporter.told || report != Report::default();
        self.reporter.news = news && self.socket.is_open();
        if !self.reporter.news || now < self.reporter.next {
            return;
        }
        let took = std::mem::take(&mut self.reporter.took);
        let one = |(peer, state): (&PeerId, &LinkState)| LinkReport {
            peer: peer.clone(),
            state: *state,
            connect_ms: took
                .get(peer)
                .and_then(|took| took.as_millis().try_into().ok()),
        };
        let links_told = links.iter().map(one).collect();
        self.say(&ClientMessage::Report(Report {
            links: links_told,
            ..report
        }));
        self.reporter = Reporter {
            told: links,
            counted: self.stats,
            took: BTreeMap::new(),
            next: now + EVERY,
            news: false,
        };
    }
}

fn since(now: u64, before: u64) -> u32 {
    u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX)
}
