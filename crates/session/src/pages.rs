//! Pages that companions share with the riders: web sites behind tunnels.
//!
//! [`SharedPages`] asks each companion of the ride for its page and lists the answers. A companion names
//! a page by code and token; the address is made from the origin that the server of the ride names, so
//! that no member can send riders to another site.
//!
//! A page is listed until its companion has left, or has been away for 30 s. What a companion has
//! announced does not change while its program runs: a link is not replaced under a rider's finger.
//!
//! Contract: a state machine without IO, see [`SharedPages`]. Everything that a companion can make it
//! keep, send or show has a bound.

use std::{cmp::Reverse, collections::VecDeque};

use clock::{Duration, Moment};
use protocol::{
    peer::{DeliveryClass, Incarnation, LinkState, PeerId},
    tunnel_origin::TunnelOrigin,
};
use ride::page::{Page, PageMessage};

use crate::{
    exchange::{ExchangeNow, ExchangeOutput, GroupCompanion, GroupMembers},
    token_buckets::{Limit, TokenBuckets},
};

/// Largest number of pages that are listed: those of the companions that came first.
pub const MAX_PAGES: usize = 8;
/// Largest number of companions that are asked. A server admits as many members who do not ride.
const MAX_COMPANIONS: usize = 32;
/// Time after which a companion that has not answered is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Largest number of times that a page load of a companion is asked.
const MAX_ASKS: u8 = 5;
/// Time for which the page of a companion that is away stays in the list.
const AWAY_TIME: Duration = Duration::from_secs(30);
/// Announcements of one companion that are read. An honest one sends an answer per question.
const ANNOUNCEMENTS: [Limit; 1] = [(8, 2_500)];

/// Page in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPage {
    /// Companion that shares it.
    pub peer: PeerId,
    /// Name.
    pub name: String,
    /// Code of its tunnel.
    pub code: String,
    /// Address, with the token in the fragment.
    pub address: PageAddress,
}

/// Address of a shared page. Whoever has it may open the page, so `Debug` never prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct PageAddress(String);

/// Output about shared pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageOutput {
    /// Show these pages, in order of arrival of their companions.
    Show(Vec<SharedPage>),
}

/// Shared pages of one rider's page.
///
/// [`Self::set_members`] and [`Self::receive`] take inputs, [`Self::poll_output`] is drained after each
/// of them, and [`Self::poll_timeout`] says when to call [`Self::handle_timeout`].
#[derive(Debug, Default)]
pub struct SharedPages {
    outputs: VecDeque<ExchangeOutput>,
    origin: Option<TunnelOrigin>,
    /// Companions in order of arrival.
    companions: Vec<Companion>,
    shown: Vec<SharedPage>,
    has_ended: bool,
    /// Messages of others that were not understood, not allowed, or over a limit.
    rejected: u64,
}

#[derive(Debug)]
struct Companion {
    peer: PeerId,
    incarnation: Incarnation,
    link: LinkState,
    away_since: Option<Moment>,
    page: Option<Page>,
    /// Number of times that this page load was asked, and the time from which it is asked again.
    asks: u8,
    ask_at: Moment,
    announcements: TokenBuckets<1>,
}

impl PageAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PageAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageAddress(…)")
    }
}

impl SharedPages {
    /// Takes over the group.
    pub fn set_members(&mut self, now: ExchangeNow, members: &GroupMembers) {
        if self.has_ended {
            return;
        }
        let moment = now.own.moment;
        let origin = members.tunnel_origin.as_deref();
        self.origin = origin.and_then(|origin| origin.parse().ok());
        let mut known = std::mem::take(&mut self.companions);
        for member in members.companions.iter().take(MAX_COMPANIONS) {
            let position = known.iter().position(|it| it.peer == member.peer);
            let mut companion = match position {
                Some(position) => known.swap_remove(position),
                None => Companion::new(moment, member),
            };
            companion.follow(moment, member);
            self.companions.push(companion);
        }
        self.finish(moment);
    }

    /// Takes a message of a member, whose kind is one of
    /// [`PAGE_KINDS`](crate::exchange::PAGE_KINDS).
    pub fn receive(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]) {
        if self.has_ended {
            return;
        }
        let moment = now.own.moment;
        let mut companions = self.companions.iter_mut();
        let sender = companions.find(|companion| companion.peer == *from);
        let is_taken = sender.is_some_and(|companion| companion.receive(moment, payload));
        match is_taken {
            true => self.finish(moment),
            false => self.rejected += 1,
        }
    }

    /// The moment of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: ExchangeNow) {
        self.finish(now.own.moment);
    }

    /// The rider is in the group no more: the list is empty from now on.
    pub fn end(&mut self) {
        self.has_ended = true;
        self.companions.clear();
        self.show(Vec::new());
    }

    /// Number of messages of others that were malformed, not allowed, or over a limit.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<ExchangeOutput> {
        self.outputs.pop_front()
    }

    /// Moment of the next timeout.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.origin.as_ref()?;
        let asks = self.companions.iter().filter_map(Companion::asks_at);
        let shown = self.companions.iter().filter(|companion| {
            let mut pages = self.shown.iter();
            pages.any(|page| page.peer == companion.peer)
        });
        let ends = shown.filter_map(|companion| Some(companion.away_since? + AWAY_TIME));
        asks.chain(ends).min()
    }

    /// Carries out everything that is due, and that follows from an input.
    fn finish(&mut self, now: Moment) {
        if self.origin.is_some() {
            let due = |companion: &&mut Companion| companion.asks_at().is_some_and(|at| at <= now);
            for companion in self.companions.iter_mut().filter(due) {
                companion.asks += 1;
                companion.ask_at = now + ASK_AGAIN;
                self.outputs.push_back(ExchangeOutput::Send {
                    to: companion.peer.clone(),
                    class: DeliveryClass::Control,
                    payload: PageMessage::Ask.encode(),
                });
            }
        }
        self.show(self.pages(now));
    }

    /// Pages to list. A program that was killed and started again is another member with the same
    /// page, which is listed once: the one that is not away, else the one that came first.
    fn pages(&self, now: Moment) -> Vec<SharedPage> {
        let Some(origin) = &self.origin else {
            return Vec::new();
        };
        let listed = || self.companions.iter().filter(|it| it.is_listed(now));
        let pages = listed().enumerate().filter_map(|(at, companion)| {
            let page = companion.page.as_ref()?;
            let same = listed().enumerate().filter(|(_, other)| {
                let other = other.page.as_ref();
                other.is_some_and(|other| other.code == page.code)
            });
            let best = same.max_by_key(|(at, other)| (other.away_since.is_none(), Reverse(*at)));
            best.is_some_and(|(best, _)| best == at)
                .then(|| SharedPage {
                    peer: companion.peer.clone(),
                    name: page.name.to_string(),
                    code: page.code.as_str().to_owned(),
                    address: PageAddress(origin.address(page.code.as_str(), page.token.expose())),
                })
        });
        pages.take(MAX_PAGES).collect()
    }

    fn show(&mut self, pages: Vec<SharedPage>) {
        if self.shown != pages {
            self.shown.clone_from(&pages);
            let show = PageOutput::Show(pages);
            self.outputs.push_back(ExchangeOutput::Pages(show));
        }
    }
}

impl Companion {
    fn new(now: Moment, member: &GroupCompanion) -> Self {
        Self {
            peer: member.peer.clone(),
            incarnation: member.incarnation,
            link: member.link,
            away_since: None,
            page: None,
            asks: 0,
            ask_at: now,
            announcements: TokenBuckets::default(),
        }
    }

    /// Takes over what has changed.
    fn follow(&mut self, now: Moment, member: &GroupCompanion) {
        if self.incarnation != member.incarnation {
            // Another program, with another page perhaps. Its limits stay.
            (self.page, self.asks, self.ask_at) = (None, 0, now);
        }
        (self.incarnation, self.link) = (member.incarnation, member.link);
        self.away_since = match member.link {
            LinkState::Away => self.away_since.or(Some(now)),
            _ => None,
        };
    }

    /// Takes a message. Returns false for one that is rejected.
    fn receive(&mut self, now: Moment, payload: &[u8]) -> bool {
        if !self.announcements.take(now, 0, &ANNOUNCEMENTS) {
            return false;
        }
        match PageMessage::decode(payload) {
            Ok(PageMessage::Announce(page)) => {
                *self.page.get_or_insert_with(|| page.clone()) == page
            }
            Ok(PageMessage::Ask) | Err(_) => false,
        }
    }

    /// Time of the next question; `None` if there is none to ask.
    fn asks_at(&self) -> Option<Moment> {
        let is_reachable = matches!(self.link, LinkState::Relayed | LinkState::Direct);
        let is_asked = is_reachable && self.page.is_none() && self.asks < MAX_ASKS;
        is_asked.then_some(self.ask_at)
    }

    fn is_listed(&self, now: Moment) -> bool {
        let is_away_long = self
            .away_since
            .is_some_and(|since| now - since >= AWAY_TIME);
        self.page.is_some() && !is_away_long
    }
}

#[cfg(test)]
mod tests;
