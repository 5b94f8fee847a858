use clock::{Duration, Moment};
use protocol::peer::PeerId;

use super::{TransferOutput, TransferView, outbox::Outbox, transfer::Transfer};

/// Time between two updates of the screen while bytes arrive.
const SHOW_INTERVAL: Duration = Duration::from_millis(250);
/// Time between two updates while only the rate changes.
const RATE_INTERVAL: Duration = Duration::from_secs(1);
/// Number of updates per second that are not delayed. Another rider can cause more changes.
pub(super) const MAX_PROMPT: u8 = 8;

/// List on the screen, and the time of its next update.
#[derive(Debug, Default)]
pub(super) struct Screen {
    shown: Vec<TransferView>,
    shown_at: Moment,
    /// Moment of the next update.
    pub(super) due: Option<Moment>,
    prompt: u8,
    prompt_since: Moment,
}

impl Screen {
    /// Shows what has changed, at once or a little later.
    pub(super) fn show(
        &mut self,
        now: Moment,
        list: &mut [Transfer],
        hidden: &[PeerId],
        outbox: &mut Outbox,
    ) {
        for transfer in &mut *list {
            if let Some(peer) = outbox.peers.get(&transfer.peer)
                && !peer.name.is_empty()
                && peer.name != transfer.peer_name
            {
                transfer.peer_name.clone_from(&peer.name);
            }
        }
        let is_shown = |one: &Transfer| !(one.is_open_offer() && hidden.contains(&one.peer));
        let shown = &self.shown;
        let listed = || list.iter().filter(|one| is_shown(one));
        let pairs = || listed().zip(shown);
        let is_changed = listed().count() != shown.len()
            || pairs().any(|(transfer, view)| {
                transfer.id != view.id
                    || transfer.state(outbox) != view.state
                    || transfer.peer_name != view.peer_name
                    || transfer.is_relayed(outbox) != view.is_relayed
            });
        let has_moved = pairs().any(|(transfer, view)| transfer.transferred() != view.transferred);
        let is_moving = list.iter().any(|transfer| transfer.meter.is_moving());
        let next = if is_changed && self.may_be_prompt(now) {
            Some(now)
        } else if is_changed || has_moved {
            Some(self.shown_at + SHOW_INTERVAL)
        } else {
            is_moving.then_some(self.shown_at + RATE_INTERVAL)
        };
        self.due = next;
        if next.is_none_or(|due| due > now) {
            return;
        }
        self.shown_at = now;
        let transfers = list.iter_mut().filter(|one| is_shown(one));
        let views: Vec<TransferView> = transfers.map(|one| one.view(now, outbox)).collect();
        let is_moving = list.iter().any(|transfer| transfer.meter.is_moving());
        self.due = is_moving.then_some(now + RATE_INTERVAL);
        if views != self.shown {
            self.shown.clone_from(&views);
            outbox.emit(TransferOutput::Show(views));
        }
    }

    /// Has the next change shown at once, since no other time comes.
    pub(super) fn hurry(&mut self) {
        self.prompt = 0;
    }

    /// True if a change is shown at once; counts it.
    fn may_be_prompt(&mut self, now: Moment) -> bool {
        if now.since(self.prompt_since) >= Duration::from_secs(1) {
            self.prompt_since = now;
            self.prompt = 0;
        }
        self.prompt = self.prompt.saturating_add(1);
        self.prompt <= MAX_PROMPT
    }
}
