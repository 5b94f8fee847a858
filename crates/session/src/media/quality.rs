//! Parameters with which own devices are sent, and their steps down when bandwidth or the page's frame
//! rate falls.
//!
//! All connections send a device in the quality of the same step. Each connection estimates its
//! bandwidth by itself, so the estimate already is its share of the uplink; the smallest one decides
//! for all. Of it voice comes first, then the screen, then the camera.

use clock::{Duration, Moment};
use ride::media::PictureSize;

use super::{CameraQuality, Encoding};

/// Parameters of the microphone: wideband speech with Opus (RFC 7587, section 3.1.1).
pub(super) const VOICE: Encoding = Encoding {
    height: 0,
    fps: 0,
    max_bps: 32_000,
};
/// Time of bad measurements before a step down.
const DOWN_AFTER: Duration = Duration::from_secs(3);
/// Time of good measurements before a step up.
const UP_AFTER: Duration = Duration::from_secs(15);
/// Longest time of good measurements before a step up. The time doubles with each step up that was
/// soon followed by a step down.
const UP_AFTER_LIMIT: Duration = Duration::from_secs(120);
/// Time without a step down after which a step up has succeeded.
const TRIAL: Duration = Duration::from_secs(20);
/// Time without a measurement after which hysteresis begins anew.
const GAP: Duration = Duration::from_secs(5);
/// Pictures per second of the page below which it has too much to do.
const LOW_FPS: f32 = 20.0;
/// Pictures per second of the page from which it has time for more.
const GOOD_FPS: f32 = 27.0;
/// Pictures per second below which the page is hidden and draws nothing, which says nothing.
const HIDDEN_FPS: f32 = 1.0;

/// Steps of the quality, best first.
const STEPS: [CameraQuality; 4] = [
    CameraQuality::Full,
    CameraQuality::Reduced,
    CameraQuality::Low,
    CameraQuality::Off,
];

const fn pictures(height: u16, fps: u8, max_bps: u32) -> Option<Encoding> {
    Some(Encoding {
        height,
        fps,
        max_bps,
    })
}

/// Parameters of the camera for a receiver.
pub(super) const fn camera(quality: CameraQuality, size: PictureSize) -> Option<Encoding> {
    match (quality, size) {
        (CameraQuality::Off, _) | (_, PictureSize::None) => None,
        (CameraQuality::Full, PictureSize::Enlarged) => pictures(480, 15, 500_000),
        (CameraQuality::Full, PictureSize::Normal)
        | (CameraQuality::Reduced, PictureSize::Enlarged) => pictures(240, 15, 150_000),
        (CameraQuality::Reduced, PictureSize::Normal) => pictures(180, 10, 90_000),
        (CameraQuality::Low, _) => pictures(120, 5, 40_000),
    }
}

/// Parameters of the screen, in the quality of the camera.
pub(super) const fn screen(quality: CameraQuality) -> Encoding {
    let max_bps = match quality {
        CameraQuality::Full => 1_000_000,
        CameraQuality::Reduced => 600_000,
        CameraQuality::Low => 400_000,
        CameraQuality::Off => 250_000,
    };
    Encoding {
        height: 720,
        fps: 5,
        max_bps,
    }
}

/// Load of a connection: tracks beside the camera, and the largest size of the camera.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) has_microphone: bool,
    pub(super) has_screen: bool,
    pub(super) largest: PictureSize,
}

impl Load {
    /// Bits per second that a connection needs in a quality. A screen rarely needs more than half of
    /// what it may use.
    fn need(self, quality: CameraQuality) -> u32 {
        let voice = match self.has_microphone {
            true => VOICE.max_bps,
            false => 0,
        };
        let screen = match self.has_screen {
            true => screen(quality).max_bps / 2,
            false => 0,
        };
        let camera = camera(quality, self.largest).map_or(0, |one| one.max_bps);
        voice + screen + camera
    }
}

/// Steps of the camera's quality, with hysteresis.
#[derive(Clone, Debug)]
pub(super) struct QualityControl {
    step: usize,
    bad_since: Option<Moment>,
    good_since: Option<Moment>,
    measured_at: Option<Moment>,
    up_after: Duration,
    /// Moment of the last step up.
    stepped_up_at: Option<Moment>,
}

impl Default for QualityControl {
    fn default() -> Self {
        Self {
            step: 0,
            bad_since: None,
            good_since: None,
            measured_at: None,
            up_after: UP_AFTER,
            stepped_up_at: None,
        }
    }
}

impl QualityControl {
    pub(super) fn quality(&self) -> CameraQuality {
        STEPS[self.step]
    }

    /// Takes over a measurement.
    pub(super) fn measure(&mut self, now: Moment, available: Option<u32>, fps: f32, load: Load) {
        let last = self.measured_at.replace(now);
        if last.is_none_or(|last| now - last > GAP) {
            (self.bad_since, self.good_since) = (None, None);
        }
        let need = load.need(self.quality());
        let is_seen = fps >= HIDDEN_FPS;
        let is_bad = is_seen && fps < LOW_FPS || available.is_some_and(|bps| bps < need);
        // An estimate rises only a little above what is sent, so it is compared with the present
        // step; without pictures it says nothing, and the next step is tried.
        let has_room = available.is_none_or(|bps| bps / 5 >= need / 4);
        let is_off = self.quality() == CameraQuality::Off;
        let is_good = !(is_seen && fps < GOOD_FPS) && (is_off || has_room);
        if self
            .stepped_up_at
            .is_some_and(|stepped_up_at| now - stepped_up_at > TRIAL)
        {
            (self.stepped_up_at, self.up_after) = (None, UP_AFTER);
        }
        if is_bad && !is_off {
            self.good_since = None;
            let since = *self.bad_since.get_or_insert(now);
            if now - since >= DOWN_AFTER {
                self.step += 1;
                self.bad_since = Some(now);
                if self.stepped_up_at.take().is_some() {
                    self.up_after = (self.up_after * 2).min(UP_AFTER_LIMIT);
                }
            }
        } else if is_good {
            self.bad_since = None;
            let since = *self.good_since.get_or_insert(now);
            if self.step > 0 && now - since >= self.up_after {
                self.step -= 1;
                self.good_since = Some(now);
                self.stepped_up_at = Some(now);
            }
        } else {
            (self.bad_since, self.good_since) = (None, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: Load = Load {
        has_microphone: true,
        has_screen: false,
        largest: PictureSize::Normal,
    };

    struct Page {
        control: QualityControl,
        seconds: u64,
    }

    impl Page {
        fn new() -> Self {
            Self {
                control: QualityControl::default(),
                seconds: 100,
            }
        }

        /// Measures once a second until the quality changes, and returns the seconds.
        fn until_step(&mut self, available: Option<u32>, fps: f32) -> Option<(u64, CameraQuality)> {
            let (before, start) = (self.control.quality(), self.seconds);
            while self.seconds < start + 300 {
                let now = Moment::from_origin(Duration::from_secs(self.seconds));
                self.control.measure(now, available, fps, LOAD);
                self.seconds += 1;
                if self.control.quality() != before {
                    return Some((self.seconds - 1 - start, self.control.quality()));
                }
            }
            None
        }
    }

    #[test]
    fn a_camera_steps_down_every_three_seconds_until_it_is_off() {
        for (available, fps) in [(Some(30_000), 60.0), (None, 12.0)] {
            let mut page = Page::new();
            assert_eq!(
                page.until_step(available, fps),
                Some((3, CameraQuality::Reduced))
            );
            assert_eq!(
                page.until_step(available, fps),
                Some((2, CameraQuality::Low))
            );
            assert_eq!(
                page.until_step(available, fps),
                Some((2, CameraQuality::Off))
            );
            assert_eq!(page.until_step(Some(30_000), 12.0), None);
        }
    }

    #[test]
    fn a_camera_steps_up_after_fifteen_seconds_each() {
        let mut page = Page::new();
        while page.control.quality() != CameraQuality::Off {
            page.until_step(Some(10_000), 60.0);
        }
        let good = Some(2_000_000);
        assert_eq!(page.until_step(good, 60.0), Some((15, CameraQuality::Low)));
        assert_eq!(
            page.until_step(good, 60.0),
            Some((14, CameraQuality::Reduced))
        );
        assert_eq!(page.until_step(good, 60.0), Some((14, CameraQuality::Full)));
        assert_eq!(page.until_step(good, 60.0), None);
    }

    #[test]
    fn enough_for_the_present_step_and_little_more_changes_nothing() {
        let mut page = Page::new();
        assert_eq!(
            page.until_step(Some(130_000), 60.0),
            Some((3, CameraQuality::Reduced))
        );
        assert_eq!(page.until_step(Some(130_000), 60.0), None);
        assert_eq!(page.until_step(Some(2_000_000), 23.0), None);
    }

    #[test]
    fn a_step_up_that_fails_is_repeated_after_longer_and_longer() {
        let mut page = Page::new();
        let steps: Vec<_> = (0..5)
            .map(|_| {
                // Enough for the reduced quality only, where the estimate is above the need.
                let down = page.until_step(Some(100_000), 60.0);
                assert_eq!(down.unwrap().1, CameraQuality::Reduced);
                let (seconds, quality) = page.until_step(Some(180_000), 60.0).unwrap();
                assert_eq!(quality, CameraQuality::Full);
                seconds
            })
            .collect();
        assert_eq!(steps, [15, 30, 60, 120, 120]);
    }

    #[test]
    fn short_troubles_change_nothing() {
        let mut page = Page::new();
        for second in 0..200 {
            let now = Moment::from_origin(Duration::from_secs(100 + second));
            let available = match second % 4 {
                3 => 2_000_000,
                _ => 1_000,
            };
            page.control.measure(now, Some(available), 60.0, LOAD);
            assert_eq!(page.control.quality(), CameraQuality::Full);
        }
    }

    #[test]
    fn a_hidden_page_and_missing_measurements_say_nothing() {
        let mut page = Page::new();
        assert_eq!(page.until_step(None, 0.0), None);
        assert_eq!(page.until_step(None, f32::NAN), None);
        for second in 0..30 {
            let now = Moment::from_origin(Duration::from_secs(2_000 + 10 * second));
            page.control.measure(now, Some(1_000), 60.0, LOAD);
            assert_eq!(page.control.quality(), CameraQuality::Full);
        }
    }

    #[test]
    fn every_step_needs_less_than_the_one_before() {
        for largest in [PictureSize::Normal, PictureSize::Enlarged] {
            let load = Load {
                has_microphone: true,
                has_screen: true,
                largest,
            };
            let needs = STEPS.map(|quality| load.need(quality));
            assert!(
                needs.is_sorted_by(|better, worse| better > worse),
                "{needs:?}"
            );
        }
    }
}
