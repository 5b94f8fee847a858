//! The view of media for the screen.

use mesh::media::MediaConnectionState;
use ride::media::Microphone;

use super::{Media, MediaKind, MediaOutput, MediaState, MediaView, RiderMedia, peer::Peer};

impl Media {
    /// Shows what has changed. The first view is shown in any case.
    pub(super) fn show(&mut self) {
        let view = self.view();
        if self.shown.as_ref() != Some(&view) {
            self.shown = Some(view.clone());
            self.output(MediaOutput::Show(Box::new(view)));
        }
    }

    fn view(&self) -> MediaView {
        let exchanging = self.peers.iter().filter(|peer| self.is_exchanging(peer));
        let mut screens = self.peers.iter();
        let screen_of = screens.find(|peer| self.has_place(peer, MediaKind::Screen));
        MediaView {
            is_available: self.is_available(),
            microphone: self.own.is_live(MediaKind::Microphone),
            is_muted: self.own.microphone.is_some_and(|one| one.is_muted),
            is_speaking: self.own_speech.is_speaking(),
            camera: self.own.is_live(MediaKind::Camera),
            camera_quality: self.quality.quality(),
            screen: self.own.is_live(MediaKind::Screen),
            asks_to_unmute: self.asked_until.is_some(),
            is_host: self.is_host(),
            riders: exchanging.map(|peer| self.rider(peer)).collect(),
            screen_of: screen_of.map(|peer| peer.id.clone()),
            enlarged: self.enlarged.clone(),
        }
    }

    fn rider(&self, peer: &Peer) -> RiderMedia {
        let status = peer.status.unwrap_or_default();
        RiderMedia {
            peer: peer.id.clone(),
            name: peer.name.clone(),
            microphone: status.microphone != Microphone::Off,
            is_muted: status.microphone == Microphone::Muted,
            is_speaking: peer.speech.is_speaking(),
            camera: !status.is_camera_paused && self.has_place(peer, MediaKind::Camera),
            screen: self.has_place(peer, MediaKind::Screen),
            state: self.state(peer),
            volume: self.volume(&peer.id),
            is_hidden: self.hidden.contains(&peer.id),
        }
    }

    /// State of the connection to a rider, if there is anything to send or receive.
    fn state(&self, peer: &Peer) -> MediaState {
        let is_known = peer.status.is_some();
        if peer.is_silent || peer.is_hopeless || is_known && !self.can_connect(peer) {
            return MediaState::Unreachable;
        }
        match peer.connection_state() {
            MediaConnectionState::Connected => MediaState::Connected,
            MediaConnectionState::Unreachable => MediaState::Unreachable,
            MediaConnectionState::Closed
            | MediaConnectionState::Connecting
            | MediaConnectionState::Interrupted => MediaState::Connecting,
        }
    }
}
