//! Shares of the hosts in the size of a timeline.

use protocol::peer::PeerId;

use super::{MAX_EVENTS, MAX_TIMELINE_BYTES, TimelineError, pending::LogEntry};

/// Events of a log so far, by host. All riders count alike, because they have the same log.
#[derive(Default)]
pub(super) struct HostShares<'a> {
    hosts: Vec<(&'a PeerId, Amount)>,
    all: Amount,
}

#[derive(Clone, Copy, Default)]
struct Amount {
    events: usize,
    bytes: usize,
}

impl<'a> HostShares<'a> {
    /// Counts the next event.
    ///
    /// # Errors
    /// [`TimelineError::Full`] if its host has more than half of what the others leave.
    pub(super) fn take(&mut self, entry: &'a LogEntry) -> Result<(), TimelineError> {
        let host = &entry.event.host;
        let at = self.hosts.iter().position(|(known, _)| *known == host);
        let at = at.unwrap_or_else(|| {
            self.hosts.push((host, Amount::default()));
            self.hosts.len() - 1
        });
        let own = &mut self.hosts[at].1;
        for amount in [&mut *own, &mut self.all] {
            amount.events += 1;
            amount.bytes += entry.signed.bytes.len();
        }
        let left = |max: usize, all: usize, own: usize| max.saturating_sub(all - own);
        let fits = 2 * own.events <= left(MAX_EVENTS, self.all.events, own.events)
            && 2 * own.bytes <= left(MAX_TIMELINE_BYTES, self.all.bytes, own.bytes);
        fits.then_some(()).ok_or(TimelineError::Full)
    }
}
