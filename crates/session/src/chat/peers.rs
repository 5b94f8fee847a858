//! State of each other member: its link, what it has received, and what it shows of itself.

use clock::{Duration, GroupTime, Moment, WallTime};
use protocol::peer::Incarnation;

use super::{Avatar, Presence, limits::Limits};

/// Time without a receipt after which entries are sent again; doubled with every attempt.
const RESEND: Duration = Duration::from_secs(3);
const MAX_RESEND: Duration = Duration::from_secs(60);
/// Largest number of questions to one member whose answers are still taken.
const MAX_QUESTIONS: u32 = 4;
/// Number of attempts without any receipt after which the member is taken for one that has no chat.
const MAX_ATTEMPTS: u32 = 8;

/// Another member.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    pub(super) incarnation: Incarnation,
    pub(super) is_reachable: bool,
    /// Time since which the member has been reachable without a break.
    pub(super) reachable_since: Option<GroupTime>,
    pub(super) away_since: Option<WallTime>,
    pub(super) limits: Limits,
    /// Last number that the member has received of the own log for the group, and of the one for this
    /// member.
    pub(super) received: [u32; 2],
    resend_at: Option<Moment>,
    attempts: u32,
    /// Questions for missing entries that the member has not answered.
    questions: u32,
    /// Moments until which the member is shown as typing, to the group and privately.
    pub(super) typing_until: [Option<Moment>; 2],
    pub(super) presence: Option<(Presence, WallTime)>,
    pub(super) avatar: Option<Avatar>,
    /// True once a message of this page load has arrived: it has loaded its chat. What was sent before
    /// may have found no room there.
    pub(super) is_heard: bool,
    /// True once the own avatar was sent to this page load.
    pub(super) has_avatar: bool,
}

impl Peer {
    /// The member with a new page load, which asks by itself for the entries up to `received` that it
    /// lacks.
    pub(super) fn reloaded(self, incarnation: Incarnation, received: [u32; 2]) -> Self {
        Self {
            incarnation,
            received,
            limits: self.limits,
            away_since: self.away_since,
            avatar: self.avatar,
            ..Self::default()
        }
    }

    /// Entries that were not received yet are sent again, after a while.
    pub(super) fn expect_receipt(&mut self, now: Moment) {
        if self.attempts < MAX_ATTEMPTS {
            let wait = RESEND * (1 << self.attempts);
            self.resend_at.get_or_insert(now + wait.min(MAX_RESEND));
        }
    }

    /// The member has received something, or its link is new.
    pub(super) fn progressed(&mut self) {
        self.resend_at = None;
        self.attempts = 0;
    }

    /// The member is asked for missing entries.
    pub(super) fn asked(&mut self) {
        self.questions = (self.questions + 1).min(MAX_QUESTIONS);
    }

    /// Takes over an answer. Returns false if there was no question: what the member passes on is not
    /// accepted then.
    pub(super) fn answered(&mut self) -> bool {
        let was_asked = self.questions > 0;
        self.questions = self.questions.saturating_sub(1);
        was_asked
    }

    pub(super) fn is_resend_due(&mut self, now: Moment) -> bool {
        let is_due = self.is_reachable && self.resend_at.is_some_and(|at| at <= now);
        if is_due {
            self.resend_at = None;
            self.attempts += 1;
        }
        is_due
    }

    pub(super) fn timeout(&self) -> Option<Moment> {
        let resend = self.resend_at.filter(|_| self.is_reachable);
        let typing = self.typing_until.into_iter().flatten();
        resend.into_iter().chain(typing).min()
    }
}
