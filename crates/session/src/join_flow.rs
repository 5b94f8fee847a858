//! The way from the page's address to a rider who joins: whether the ride exists, and which rider
//! sits at this screen.

use clock::{Duration, Moment};
use protocol::peer::Token;
use ride::rider::{Ftp, RiderName};

use crate::{
    api::RideInfo,
    group::SERVER_TIMEOUT,
    roster::look,
    storage::{StoredIdentity, StoredRide},
    view::{JoinError, Stage, numbered},
};

/// Time after joining during which names of other riders are not announced: these riders were there
/// before.
const INTRODUCTIONS: Duration = Duration::from_secs(3);

/// State of joining.
#[derive(Debug, Default)]
pub(crate) struct JoinFlow {
    /// This tab was in the ride and was reloaded. Used up by the first answer of the server.
    reloaded: bool,
    /// Riders that this browser has been in the ride, newest first.
    known: Vec<StoredIdentity>,
    /// A rider of this browser was banned from the ride.
    banned: bool,
    /// Token that the server gave.
    token: Option<Token>,
    /// A new rider joins, who has nothing to lose by an attempt that ends.
    is_new: bool,
    unanswered_since: Option<Moment>,
    joined_at: Option<Moment>,
}

/// Next step after the answer of the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Show a screen.
    Show(Stage),
    /// Resume as a stored rider.
    Resume(Box<StoredIdentity>),
    /// Join as a new rider.
    Join(RiderName, Ftp),
}

impl JoinFlow {
    pub(crate) fn new(reloaded: bool) -> Self {
        Self {
            reloaded,
            ..Self::default()
        }
    }

    /// Decides the next step from the server's answer about the ride and the browser's stored data.
    pub(crate) fn looked_up(
        &mut self,
        result: &Result<RideInfo, JoinError>,
        stored: StoredRide,
    ) -> Step {
        self.banned = stored.banned;
        self.known = stored.known_identities;
        let same_tab = |reloaded: &mut bool| {
            let is_same = std::mem::take(reloaded) || stored.tab_is_alone;
            stored.tab_identity.filter(|_| is_same).map(Box::new)
        };
        let info = match result {
            Ok(info) => info,
            // A server that was restarted restores the ride from the riders' tokens.
            Err(JoinError::NoSuchRide) => {
                return match same_tab(&mut self.reloaded) {
                    Some(identity) => Step::Resume(identity),
                    None => Step::Show(
                        self.choose_rider()
                            .unwrap_or(Stage::CannotJoin(JoinError::NoSuchRide)),
                    ),
                };
            }
            Err(error) => return Step::Show(Stage::CannotJoin(*error)),
        };
        if let Some(identity) = same_tab(&mut self.reloaded) {
            return Step::Resume(identity);
        }
        if let Some(stage) = self.choose_rider() {
            return Step::Show(stage);
        }
        let entered = stored.profile.filter(|_| stored.joining);
        match entered.and_then(|profile| profile.parse()) {
            _ if self.banned => Step::Show(self.enter_name()),
            _ if info.full => Step::Show(Stage::CannotJoin(JoinError::Full)),
            _ if info.locked => Step::Show(Stage::CannotJoin(JoinError::Locked)),
            Some((name, ftp)) => Step::Join(name, ftp),
            None => Step::Show(self.enter_name()),
        }
    }

    /// Screen for a new rider. No new rider joins from a browser that was banned.
    pub(crate) fn enter_name(&self) -> Stage {
        if self.banned {
            Stage::CannotJoin(JoinError::Kicked)
        } else {
            Stage::EnterName
        }
    }

    fn choose_rider(&self) -> Option<Stage> {
        let looks: Vec<_> = self.known.iter().map(|it| look(&it.profile.name)).collect();
        let names = self.known.iter().zip(&looks).map(|(known, own)| {
            let name = &known.profile.name;
            match looks.iter().filter(|other| *other == own).count() {
                1 => name.clone(),
                _ => numbered(name, known.number),
            }
        });
        let known: Vec<String> = names.collect();
        (!known.is_empty()).then_some(Stage::ChooseRider { known })
    }

    /// Known rider at a position of the screen that asks for it.
    pub(crate) fn known(&self, position: usize) -> Option<&StoredIdentity> {
        self.known.get(position)
    }

    pub(crate) fn is_banned(&self) -> bool {
        self.banned
    }

    pub(crate) fn set_banned(&mut self) {
        self.banned = true;
    }

    /// An attempt to join begins, of a new rider or of one who resumes.
    pub(crate) fn begin(&mut self, is_new: bool) {
        self.is_new = is_new;
        self.unanswered_since = None;
    }

    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// The socket was lost while joining. Returns whether the attempt of a new rider ends.
    pub(crate) fn socket_lost(&mut self, now: Moment) -> bool {
        if !self.is_new {
            return false;
        }
        let since = *self.unanswered_since.get_or_insert(now);
        now >= since + SERVER_TIMEOUT
    }

    pub(crate) fn welcomed(&mut self, now: Moment, token: Token) {
        self.token = Some(token);
        self.joined_at.get_or_insert(now);
    }

    pub(crate) fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// Forgets the token: there is no ride to come back to.
    pub(crate) fn forget_token(&mut self) {
        self.token = None;
    }

    /// Tells whether a rider whose name arrives now has joined after this one.
    pub(crate) fn announces_names(&self, now: Moment) -> bool {
        self.joined_at
            .is_some_and(|joined| now - joined >= INTRODUCTIONS)
    }
}
