//! Messages of the others.

use protocol::peer::PeerId;
use ride::media::MediaMessage;

use super::{Media, MediaNotice, MediaOutput, REQUEST_TIME, limits::Work};
use crate::exchange::ExchangeNow;

impl Media {
    /// A message with a kind of [`MEDIA_KINDS`](crate::exchange::MEDIA_KINDS) arrived.
    pub fn receive(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]) {
        if self.has_ended {
            return;
        }
        let is_handled = self.receive_message(now, from, payload).is_some();
        self.rejected += u64::from(!is_handled);
        if is_handled {
            self.finish(now);
        }
    }

    /// Handles a message; `None` for one that is malformed, not allowed, or over a limit.
    fn receive_message(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]) -> Option<()> {
        let moment = now.own.moment;
        let host = self.members.as_ref()?.host.as_ref();
        let is_host = host == Some(from);
        let peer = self.peers.iter_mut().find(|peer| peer.id == *from)?;
        let message = MediaMessage::decode(payload).ok()?;
        let work = match &message {
            MediaMessage::Status(_) => Work::Status,
            MediaMessage::Signal(_) => Work::Signal,
            MediaMessage::MuteEveryone | MediaMessage::AskToUnmute => Work::Command,
            MediaMessage::Picture(_) => Work::Picture,
        };
        if !peer.limits.allow(moment, work) {
            return None;
        }
        match message {
            MediaMessage::Status(status) => peer.set_status(moment, status),
            // A page tells first that it sends something, and then makes a connection, so there is
            // one here by now.
            MediaMessage::Signal(signal) => {
                let connection = peer.connection.as_mut()?;
                connection.media.receive(moment, signal);
            }
            MediaMessage::MuteEveryone if is_host => self.muted_by_host(),
            MediaMessage::AskToUnmute if is_host => {
                if self.own.microphone.is_some_and(|one| one.is_muted) {
                    self.asked_until = Some(moment + REQUEST_TIME);
                }
            }
            MediaMessage::MuteEveryone | MediaMessage::AskToUnmute => return None,
            MediaMessage::Picture(size) => peer.wants = size,
        }
        Some(())
    }

    fn muted_by_host(&mut self) {
        let Some(microphone) = &mut self.own.microphone else {
            return;
        };
        let was_audible = microphone.is_audible();
        // The key for push to talk has to be pressed again.
        (microphone.is_muted, microphone.is_talking) = (true, false);
        if was_audible {
            self.output(MediaOutput::Notify(MediaNotice::MutedByHost));
        }
    }
}
