//! Inputs of the rider and of the driver.

use clock::Duration;
use protocol::peer::PeerId;
use ride::media::MediaMessage;

use super::{Media, MediaInput, MediaKind, MediaNotice, MediaOutput, limits::Work};
use crate::exchange::ExchangeNow;

/// Longest time for which one tone lowers the voices.
const MAX_TONE: Duration = Duration::from_secs(10);
/// Time after a tone in which it dies away.
const RELEASE: Duration = Duration::from_millis(150);

impl Media {
    /// Handles an input of the driver.
    pub fn handle(&mut self, now: ExchangeNow, input: MediaInput) {
        if self.has_ended {
            // The driver has the track by now.
            if let MediaInput::GoLive(kind) = input {
                self.output(MediaOutput::Stop(kind));
            }
            return;
        }
        let moment = now.own.moment;
        match input {
            MediaInput::GoLive(kind) => self.go_live(kind),
            MediaInput::TurnOff(kind) => self.stop(kind),
            MediaInput::DeviceEnded(kind) => {
                if self.own.is_live(kind) {
                    self.stop(kind);
                    self.output(MediaOutput::Notify(MediaNotice::DeviceEnded(kind)));
                }
            }
            MediaInput::SetMuted(is_muted) => self.set_muted(is_muted),
            MediaInput::PushToTalk(is_held) => {
                if let Some(microphone) = &mut self.own.microphone {
                    microphone.is_talking = is_held;
                }
            }
            MediaInput::MuteEveryone => self.mute_everyone(now),
            MediaInput::AskToUnmute(peer) => self.ask_to_unmute(now, &peer),
            MediaInput::AnswerUnmute(does_unmute) => {
                if self.asked_until.take().is_some() && does_unmute {
                    self.set_muted(false);
                }
            }
            MediaInput::SetVolume { peer, percent } => self.set_volume(peer, percent),
            MediaInput::Enlarge(peer) => self.enlarged = peer,
            MediaInput::Connection {
                peer,
                connection,
                event,
            } => self.connection_event(moment, &peer, connection, event),
            MediaInput::Levels(levels) => self.levels(now, levels),
            MediaInput::Measured {
                available_bps,
                page_fps,
            } => {
                if self.own.is_live(MediaKind::Camera) {
                    let load = self.load();
                    self.quality.measure(moment, available_bps, page_fps, load);
                }
            }
            MediaInput::TonePlayed(length) => {
                let until = moment + length.min(MAX_TONE) + RELEASE;
                self.lowered_until = self.lowered_until.max(Some(until));
            }
        }
        self.finish(now);
    }

    fn go_live(&mut self, kind: MediaKind) {
        if self.own.is_live(kind) {
            self.send_again(kind);
            if kind == MediaKind::Microphone {
                self.told_audible = None;
            }
            return;
        }
        let others = self.peers.iter();
        let others = others.filter(|peer| peer.live_since(kind).is_some());
        let is_full = others.count() >= self.places(kind);
        if self.is_available() && !is_full {
            self.own.start(kind);
            return;
        }
        self.output(MediaOutput::Stop(kind));
        if self.is_available() {
            self.output(MediaOutput::Notify(match kind {
                MediaKind::Screen => MediaNotice::ScreenTaken,
                _ => self.too_many_cameras(),
            }));
        }
    }

    fn set_muted(&mut self, is_muted: bool) {
        if let Some(microphone) = &mut self.own.microphone {
            microphone.is_muted = is_muted;
            if !is_muted {
                self.asked_until = None;
            }
        }
    }

    pub(super) fn is_host(&self) -> bool {
        let members = self.members.as_ref();
        members.is_some_and(|members| members.host.as_ref() == Some(&members.me))
    }

    fn mute_everyone(&mut self, now: ExchangeNow) {
        for index in 0..self.peers.len() {
            self.command(now, index, &MediaMessage::MuteEveryone);
        }
    }

    fn ask_to_unmute(&mut self, now: ExchangeNow, peer: &PeerId) {
        if let Some(index) = self.peers.iter().position(|one| one.id == *peer) {
            self.command(now, index, &MediaMessage::AskToUnmute);
        }
    }

    /// Sends a command of the host, unless there were several in a short time.
    fn command(&mut self, now: ExchangeNow, index: usize, message: &MediaMessage) {
        let is_host = self.is_host();
        let peer = &mut self.peers[index];
        if is_host && peer.is_reachable && peer.limits.allow(now.own.moment, Work::SendCommand) {
            self.send(index, message);
        }
    }

    fn levels(&mut self, now: ExchangeNow, levels: Vec<(Option<PeerId>, f32)>) {
        let moment = now.own.moment;
        for (of, level) in levels {
            let Some(of) = of else {
                if self.own.is_audible() {
                    self.own_speech.read(moment, level);
                }
                continue;
            };
            let peer = self.peers.iter_mut().find(|peer| peer.id == of);
            if let Some(peer) = peer.filter(|peer| peer.is_audible()) {
                peer.speech.read(moment, level);
            }
        }
    }
}
