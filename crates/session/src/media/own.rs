//! Devices that this page sends.

use clock::GroupTime;
use ride::media::{MediaStatus, Microphone};

use super::MediaKind;

/// Devices of the rider at this screen.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnDevices {
    pub(super) microphone: Option<OwnMicrophone>,
    pub(super) camera: Option<Live>,
    pub(super) screen: Option<Live>,
}

/// Live microphone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnMicrophone {
    pub(super) is_muted: bool,
    /// True while the key for push to talk is held.
    pub(super) is_talking: bool,
}

impl OwnMicrophone {
    pub(super) fn is_audible(self) -> bool {
        !self.is_muted || self.is_talking
    }
}

/// Live camera or screen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Live {
    /// Time since which it is live; `None` while group time is unknown. Others are not told before.
    pub(super) since: Option<GroupTime>,
}

impl Live {
    /// Time for the order of several; one without a time comes last.
    pub(super) fn order(self) -> GroupTime {
        self.since.unwrap_or(GroupTime(i64::MAX))
    }
}

impl OwnDevices {
    pub(super) fn is_live(&self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Microphone => self.microphone.is_some(),
            MediaKind::Camera => self.camera.is_some(),
            MediaKind::Screen => self.screen.is_some(),
        }
    }

    pub(super) fn is_any_live(&self) -> bool {
        MediaKind::ALL.iter().any(|kind| self.is_live(*kind))
    }

    pub(super) fn is_audible(&self) -> bool {
        self.microphone.is_some_and(OwnMicrophone::is_audible)
    }

    pub(super) fn start(&mut self, kind: MediaKind) {
        match kind {
            MediaKind::Microphone => self.microphone = Some(OwnMicrophone::default()),
            MediaKind::Camera => self.camera = Some(Live::default()),
            MediaKind::Screen => self.screen = Some(Live::default()),
        }
    }

    /// Returns true if the device was live.
    pub(super) fn stop(&mut self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Microphone => self.microphone.take().is_some(),
            MediaKind::Camera => self.camera.take().is_some(),
            MediaKind::Screen => self.screen.take().is_some(),
        }
    }

    /// Sets the time of what has gone live before group time was known.
    pub(super) fn note_group_time(&mut self, group: GroupTime) {
        for live in [&mut self.camera, &mut self.screen].into_iter().flatten() {
            live.since.get_or_insert(group);
        }
    }

    /// Status for the others.
    pub(super) fn status(&self, can_connect: bool, is_camera_paused: bool) -> MediaStatus {
        let camera = self.camera.and_then(|live| live.since);
        MediaStatus {
            microphone: match self.microphone {
                None => Microphone::Off,
                Some(microphone) if microphone.is_audible() => Microphone::Live,
                Some(_) => Microphone::Muted,
            },
            camera,
            screen: self.screen.and_then(|live| live.since),
            can_connect,
            is_camera_paused: is_camera_paused && camera.is_some(),
        }
    }
}
