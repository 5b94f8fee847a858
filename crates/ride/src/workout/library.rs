//! Built-in workouts, made for Gruppetto.
//!
//! Layout: this file holds the list, `build` builds workouts, and `easy`, `hard` and `ftp_tests`
//! hold the workouts by what they train.

mod build;
mod easy;
mod ftp_tests;
mod hard;

use super::{Draft, Workout};

/// What a built-in workout trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Focus {
    /// Easy riding between hard days.
    Recovery,
    /// Long riding at low power.
    Endurance,
    /// Brisk riding, 76 to 90 % of FTP.
    Tempo,
    /// Just below FTP, 84 to 97 %.
    SweetSpot,
    /// Around FTP.
    Threshold,
    /// Under and over FTP in turn.
    OverUnders,
    /// Minutes above FTP.
    Vo2Max,
    /// Efforts of about a minute.
    Anaerobic,
    /// Efforts of seconds.
    Sprint,
    /// Test that measures FTP.
    Test,
}

impl Focus {
    /// All, from easy to hard, the tests last.
    pub const ALL: [Self; 10] = [
        Self::Recovery,
        Self::Endurance,
        Self::Tempo,
        Self::SweetSpot,
        Self::Threshold,
        Self::OverUnders,
        Self::Vo2Max,
        Self::Anaerobic,
        Self::Sprint,
        Self::Test,
    ];
}

/// Built-in workout.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltIn {
    /// What it trains.
    pub focus: Focus,
    /// The workout.
    pub workout: Workout,
}

/// All built-in workouts, from short to long.
pub fn all() -> Vec<BuiltIn> {
    // A test shows that every draft is valid.
    let built = drafts().into_iter().filter_map(|(focus, draft)| {
        let workout = Workout::new(draft).ok()?;
        Some(BuiltIn { focus, workout })
    });
    let mut all: Vec<_> = built.collect();
    all.sort_by_key(|built_in| built_in.workout.duration());
    all
}

fn drafts() -> Vec<(Focus, Draft)> {
    [easy::drafts(), hard::drafts(), ftp_tests::drafts()].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_built_in_workout_is_valid() {
        for (_, draft) in drafts() {
            let name = draft.name.clone();
            assert!(Workout::new(draft).is_ok(), "{name}");
        }
    }

    #[test]
    fn there_are_workouts_of_every_focus_and_of_many_durations() {
        let all = all();
        assert!(all.len() >= 24, "{}", all.len());
        for focus in Focus::ALL {
            assert!(all.iter().any(|it| it.focus == focus), "{focus:?}");
        }
        let minutes: Vec<u64> = all
            .iter()
            .map(|it| it.workout.duration().as_secs() / 60)
            .collect();
        assert!(minutes.is_sorted());
        assert_eq!(minutes.first(), Some(&5));
        assert!(minutes.last().is_some_and(|longest| *longest >= 90));
    }

    #[test]
    fn names_differ_and_every_workout_says_what_it_is() {
        let all = all();
        let names: HashSet<&str> = all.iter().map(|it| it.workout.name()).collect();
        assert_eq!(names.len(), all.len());
        for BuiltIn { workout, .. } in &all {
            assert!(workout.description().len() > 30, "{}", workout.name());
            assert!(!workout.cues().is_empty(), "{}", workout.name());
        }
    }

    #[test]
    fn every_workout_begins_and_ends_easily() {
        for BuiltIn { workout, .. } in all() {
            let ends = [workout.intervals().first(), workout.intervals().last()];
            for interval in ends.into_iter().flatten() {
                let powers = [0.0, 1.0].map(|share| interval.target.at(share));
                let is_easy = |power: &Option<f32>| power.is_some_and(|power| power <= 0.85);
                assert!(powers.iter().all(is_easy), "{}", workout.name());
            }
        }
    }
}
