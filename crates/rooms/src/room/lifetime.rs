use clock::Moment;

/// End of a room: a while after its last member left, or when the host ends the ride.
#[derive(Debug)]
pub(super) struct Lifetime {
    /// `None` while the room has members.
    ends_at: Option<Moment>,
    /// Set once `ends_at` has passed, so that no further timeout is asked for.
    end_was_reached: bool,
    was_ended_by_host: bool,
    was_extended: bool,
}

impl Lifetime {
    /// Lifetime of a room without members.
    pub(super) fn until(ends_at: Moment) -> Self {
        Self {
            ends_at: Some(ends_at),
            end_was_reached: false,
            was_ended_by_host: false,
            was_extended: false,
        }
    }

    /// A member joined.
    pub(super) fn extend(&mut self) {
        self.ends_at = None;
        self.end_was_reached = false;
        self.was_extended = true;
    }

    /// Returns `true` if a member has joined.
    pub(super) fn was_extended(&self) -> bool {
        self.was_extended
    }

    /// The last member left.
    pub(super) fn limit(&mut self, ends_at: Moment) {
        self.ends_at = Some(ends_at);
    }

    /// The host ended the ride.
    pub(super) fn end(&mut self, now: Moment) {
        self.ends_at = Some(now);
        self.was_ended_by_host = true;
    }

    pub(super) fn was_ended_by_host(&self) -> bool {
        self.was_ended_by_host
    }

    pub(super) fn is_over(&self, now: Moment) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }

    pub(super) fn handle_timeout(&mut self, now: Moment) {
        self.end_was_reached |= self.is_over(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.ends_at.filter(|_| !self.end_was_reached)
    }
}
