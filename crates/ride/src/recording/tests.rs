use proptest::prelude::*;

use super::*;

fn recording() -> Recording {
    let mut recording = Recording::new(1_800_000_000_000, "Opener".into(), Ftp::default());
    let (power, cadence, heart_rate, target) = (Some(180), Some(90), None, Some(185));
    recording.samples = (0..60)
        .map(|n| Sample {
            at: 1_800_000_000 + n,
            power,
            cadence,
            heart_rate,
            target,
        })
        .collect();
    recording.laps = vec![Lap {
        at: 1_800_000_000,
        interval: Some(0),
    }];
    recording
}

#[test]
fn a_recording_is_read_as_it_was_stored() {
    let recording = recording();
    assert_eq!(Recording::decode(&recording.encode()), Ok(recording));
}

#[test]
fn a_full_day_fits_into_one_chunk() {
    let mut recording = recording();
    let (power, cadence, heart_rate, target) = (Some(1_180), Some(90), Some(180), Some(1_185));
    recording.samples = (0..MAX_SAMPLES as u64)
        .map(|n| Sample {
            at: 1_800_000_000 + n,
            power,
            cadence,
            heart_rate,
            target,
        })
        .collect();
    assert!(recording.encode().len() <= MAX_CHUNK_BYTES);
    assert!(Recording::decode(&recording.encode()).is_ok());
    recording.samples.push(recording.samples[0]);
    assert_eq!(
        Recording::decode(&recording.encode()),
        Err(StoreError::Damaged)
    );
}

#[test]
fn the_end_is_the_second_after_the_last_sample_while_it_goes_on() {
    assert_eq!(recording().end(), 1_800_000_060);
    assert_eq!(
        Recording {
            finished_at: Some(1_800_000_100),
            ..recording()
        }
        .end(),
        1_800_000_100
    );
}

#[test]
fn nothing_stored_and_other_versions_are_told_apart_from_damage() {
    assert_eq!(Recording::from_chunks([]), Err(StoreError::Missing));
    let mut bytes = recording().encode();
    bytes[1] = 9;
    assert_eq!(Recording::decode(&bytes), Err(StoreError::Version));
    let cut = recording().encode();
    assert_eq!(
        Recording::decode(&cut[..cut.len() - 1]),
        Err(StoreError::Damaged)
    );
    assert_eq!(Recording::decode(&[]), Err(StoreError::Damaged));
}

proptest! {
    #[test]
    fn whatever_is_stored_reading_it_never_panics(bytes: Vec<u8>, at: prop::sample::Index, byte: u8) {
        let _ = Recording::decode(&bytes);
        let mut damaged = recording().encode();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        if let Ok(recording) = Recording::decode(&damaged) {
            let _ = crate::analysis::Summary::of(&recording);
            let _ = fit::encode(&recording);
            let _ = recording.end();
        }
    }
}
