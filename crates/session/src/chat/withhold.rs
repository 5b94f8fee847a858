//! Entries whose times cannot be right.

use clock::{Duration, GroupTime};
use protocol::peer::PeerId;
use ride::chat::{Content, Entry};

use super::{Chat, OFF_TOLERANCE, logs::Withheld};
use crate::exchange::ExchangeNow;

/// Age up to which a change of a message is taken that arrives here for the first time. From an author
/// who could be reached all the time: until it was sent again often enough. From an author who may have
/// been away: 30 minutes more. Passed on by a rider who could be reached all the time: until that one
/// was asked in its turn.
const MAX_CHANGE_AGE: Duration = Duration::from_secs(5 * 60);
const MAX_QUEUED_CHANGE_AGE: Duration = Duration::from_secs(35 * 60);
const MAX_PASSED_CHANGE_AGE: Duration = Duration::from_secs(60 * 60);
/// Time in which what a former host did before may still arrive from it.
const FORMER_HOST_TIME: Duration = Duration::from_secs(10);

impl Chat {
    /// Tells whether an entry that arrives now is to have no effect, by what this page knows of the time
    /// at which it was written.
    ///
    /// Its author can date it back. A page that was not there at that time cannot tell, nor can one that
    /// gets it from a rider who is in league with the author; but riders who withhold an entry do not
    /// pass it on.
    pub(super) fn withhold(
        &self,
        now: ExchangeNow,
        from: &PeerId,
        entry: &Entry,
    ) -> Option<Withheld> {
        let (author, at) = (&entry.id.author, entry.at);
        let group = self.group_time(now).filter(|_| self.me() != Some(author))?;
        let was_there = |time: GroupTime| self.unread_from.is_some_and(|from| from <= time);
        let was_reachable = |peer: &PeerId| {
            let peer = self.peers.get(peer);
            peer.and_then(|peer| peer.reachable_since)
                .is_some_and(|since| since <= at)
        };
        let is_authors = author == from;
        match &entry.content {
            Some(Content::Remove(_, epoch) | Content::Switch(_, epoch)) => {
                let terms = &self.members.as_ref()?.host_terms;
                let since = self.newest_term_since?.after(FORMER_HOST_TIME);
                let is_former = terms.iter().any(|term| term.epoch > *epoch);
                let is_late = at > since || is_authors && group > since;
                return (is_former && is_late).then_some(Withheld::Late);
            }
            Some(Content::Edit(..) | Content::Delete(_)) => {
                let max_age = if was_reachable(author) {
                    Some(MAX_CHANGE_AGE)
                } else if is_authors {
                    was_there(at).then_some(MAX_QUEUED_CHANGE_AGE)
                } else {
                    was_reachable(from).then_some(MAX_PASSED_CHANGE_AGE)
                };
                if max_age.is_some_and(|max_age| group.since(at) > max_age) {
                    return Some(Withheld::Late);
                }
            }
            Some(Content::Text(_) | Content::React(..)) => {}
            None => return None,
        }
        let switch = self.switch.as_ref().filter(|switch| !switch.is_on)?;
        let is_off = was_there(switch.at) && group > switch.at.after(OFF_TOLERANCE);
        let is_deletion = matches!(entry.content, Some(Content::Delete(_)));
        (is_off && !is_deletion).then_some(Withheld::WhileOff)
    }
}
