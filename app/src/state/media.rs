//! Signals of voice, cameras and screen sharing.

use leptos::prelude::*;
use protocol::peer::PeerId;
use session::media::{MediaKind, MediaNotice, MediaView};

use crate::browser::{
    capture::{CaptureError, OwnTrack, Pictures},
    playback::Playback,
};

/// All signals of media. `Copy`, as a part of [`ExchangeState`](super::ExchangeState).
#[derive(Clone, Copy)]
pub struct MediaSignals {
    /// What the screen shows.
    pub view: RwSignal<MediaView>,
    /// The newest notice, with a number that makes each one new.
    pub notice: RwSignal<Option<(u32, MediaNotice)>>,
    /// Device whose dialog is open.
    pub choosing: RwSignal<Option<MediaKind>>,
    /// Reasons why devices could not be opened, until they could.
    pub problems: RwSignal<Vec<(MediaKind, CaptureError)>>,
    /// Tracks that this page sends.
    pub own: RwSignal<Vec<(MediaKind, OwnTrack)>, LocalStorage>,
    /// Pictures of the others: of the camera or of the screen.
    pub pictures: RwSignal<Vec<RemotePictures>, LocalStorage>,
    /// True while the browser plays no sound until the rider taps the page.
    pub is_silenced: RwSignal<bool>,
    /// Sounds of the others.
    pub sounds: StoredValue<Vec<(PeerId, Playback)>, LocalStorage>,
}

/// Pictures that arrive from a rider.
#[derive(Clone, PartialEq)]
pub struct RemotePictures {
    /// Rider.
    pub peer: PeerId,
    /// Camera or screen.
    pub kind: MediaKind,
    /// The pictures.
    pub pictures: Pictures,
}

impl MediaSignals {
    /// Signals of a page that was just opened.
    pub fn new() -> Self {
        Self {
            view: RwSignal::new(MediaView::default()),
            notice: RwSignal::new(None),
            choosing: RwSignal::new(None),
            problems: RwSignal::new(Vec::new()),
            own: RwSignal::new_local(Vec::new()),
            pictures: RwSignal::new_local(Vec::new()),
            is_silenced: RwSignal::new(false),
            sounds: StoredValue::new_local(Vec::new()),
        }
    }

    /// The track of a device that is live.
    pub fn own_track(self, kind: MediaKind) -> Option<OwnTrack> {
        let of_kind = |own: &Vec<(MediaKind, OwnTrack)>| {
            let track = own.iter().find(|(own, _)| *own == kind);
            track.map(|(_, track)| track.clone())
        };
        self.own.try_with_untracked(of_kind).flatten()
    }

    /// Replaces the track of a device, and stops the one before; `None` stops it.
    pub fn set_own_track(self, kind: MediaKind, track: Option<OwnTrack>) {
        // Without a page there is nothing left to stop.
        let _ = self.own.try_update(|own| {
            own.retain(|(own, before)| {
                if *own == kind && track.as_ref() != Some(before) {
                    before.stop();
                }
                *own != kind
            });
            own.extend(track.map(|track| (kind, track)));
        });
    }

    /// Pictures of a rider.
    pub fn pictures_of(self, peer: &PeerId, kind: MediaKind) -> Option<Pictures> {
        let pictures = self.pictures.read();
        let found = pictures
            .iter()
            .find(|pictures| pictures.peer == *peer && pictures.kind == kind);
        found.map(|found| found.pictures.clone())
    }

    /// Plays all sounds, in a tap, where the browser did not play them before.
    pub fn play_sounds(self) {
        self.is_silenced.set(false);
        self.sounds
            .with_value(|sounds| sounds.iter().for_each(|(_, sound)| sound.play()));
    }

    /// Sets or removes the reason why a device could not be opened.
    pub fn set_problem(self, kind: MediaKind, problem: Option<CaptureError>) {
        let _ = self.problems.try_update(|problems| {
            problems.retain(|(of, _)| *of != kind);
            problems.extend(problem.map(|problem| (kind, problem)));
        });
    }

    /// Reason why a device could not be opened.
    pub fn problem(self, kind: MediaKind) -> Option<CaptureError> {
        let problems = self.problems.read();
        let problem = problems.iter().find(|(of, _)| *of == kind);
        problem.map(|(_, problem)| *problem)
    }
}

impl Default for MediaSignals {
    fn default() -> Self {
        Self::new()
    }
}
