use proptest::prelude::*;

use super::*;

/// Time in seconds after the start.
const fn at(second: u64) -> WallTime {
    WallTime::from_unix_ms((1_800_000_000 + second) * 1_000)
}

fn recording() -> Recording {
    let mut recording = Recording::new(at(0), "Opener".into(), Ftp::default());
    let (power, cadence, heart_rate, target) = (Some(180), Some(90), None, Some(185));
    recording.samples = (0..60)
        .map(|n| Sample {
            at: at(n),
            power,
            cadence,
            heart_rate,
            target,
            speed: None,
        })
        .collect();
    recording.laps = vec![Lap {
        at: at(0),
        interval: Some(0),
        after_jump: false,
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
            at: at(n),
            power,
            cadence,
            heart_rate,
            target,
            speed: Some(9_000),
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
    assert_eq!(recording().end(), at(60));
    assert_eq!(
        Recording {
            finished_at: Some(at(100)),
            ..recording()
        }
        .end(),
        at(100)
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

/// Recordings in the browsers of riders have this format.
#[test]
fn the_stored_format_does_not_change() {
    let mut recording = Recording {
        started_at: WallTime::from_unix_ms(1_800_000_000_400),
        ..recording()
    };
    let (power, cadence, target) = (Some(180), Some(90), Some(185));
    let sample = Sample {
        at: at(0),
        power,
        cadence,
        heart_rate: None,
        target,
        speed: None,
    };
    let empty = Sample {
        at: at(1),
        power: None,
        cadence: None,
        heart_rate: None,
        target: None,
        speed: None,
    };
    recording.samples = vec![sample, empty];
    let interval = None;
    recording.laps.push(Lap {
        at: at(1),
        interval,
        after_jump: false,
    });
    let pauses = [(at(2), Some(at(9))), (at(10), None)];
    recording.pauses = pauses.map(|(from, to)| Pause { from, to }).to_vec();
    let open = "8201861b000001a3185c5190664f70656e657218c882851a6b49d20018b4185af618b9811a6b49d20182\
        821a6b49d20000811a6b49d20182821a6b49d2021a6b49d209811a6b49d20a";
    assert_eq!(hex(&recording), open);
    recording.finished_at = Some(at(12));
    let finished = "8201871b000001a3185c5190664f70656e657218c882851a6b49d20018b4185af618b9811a6b49d20182\
        821a6b49d20000811a6b49d20182821a6b49d2021a6b49d209811a6b49d20a1a6b49d20c";
    assert_eq!(hex(&recording), finished);
    assert_eq!(
        Recording::decode(&recording.encode()),
        Ok(recording.clone())
    );
    // Jumps, sensors and speed were added later; without them the bytes are the same.
    recording.samples[0].speed = Some(9_000);
    recording.laps[1].after_jump = true;
    recording.sensors = vec!["Kickr".into()];
    assert_eq!(
        Recording::decode(&recording.encode()),
        Ok(recording.clone())
    );
    recording.finished_at = None;
    assert_eq!(Recording::decode(&recording.encode()), Ok(recording));
}

#[test]
fn a_chunk_from_before_speed_was_recorded_is_read_without_it() {
    // Version 1, a recording of 8 fields, samples of 5 and of 1 fields.
    let chunk = [
        0x82, 0x01, 0x88, 0x1b, 0x00, 0x00, 0x01, 0xa3, 0x18, 0x5c, 0x51, 0x90, 0x66, b'O', b'p',
        b'e', b'n', b'e', b'r', 0x18, 0xc8, 0x82, 0x85, 0x1a, 0x6b, 0x49, 0xd2, 0x00, 0x18, 0xb4,
        0x18, 0x5a, 0x18, 0x78, 0x18, 0xb9, 0x81, 0x1a, 0x6b, 0x49, 0xd2, 0x01, 0x81, 0x82, 0x1a,
        0x6b, 0x49, 0xd2, 0x00, 0x00, 0x80, 0xf6, 0x81, 0x65, b'K', b'i', b'c', b'k', b'r',
    ];
    let mut recording = Recording::decode(&chunk).expect("a recording");
    let sample = Sample {
        at: at(0),
        power: Some(180),
        cadence: Some(90),
        heart_rate: Some(120),
        target: Some(185),
        speed: None,
    };
    let empty = Sample {
        at: at(1),
        power: None,
        cadence: None,
        heart_rate: None,
        target: None,
        speed: None,
    };
    assert_eq!(recording.samples, [sample, empty]);
    assert_eq!(recording.sensors, ["Kickr"]);
    assert_eq!(recording.encode(), chunk);
    // A newer chunk goes on with it.
    recording.samples[1].at = at(2);
    recording.samples[1].speed = Some(9_000);
    let newer = recording.encode();
    let whole = Recording::from_chunks([&chunk[..], &newer]).expect("a recording");
    let speeds = whole.samples.iter().map(|sample| sample.speed);
    assert_eq!(speeds.collect::<Vec<_>>(), [None, None, Some(9_000)]);
}

fn hex(recording: &Recording) -> String {
    let bytes = recording.encode();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
            let activity = Activity {
                recording: recording.clone(),
                workout: None,
                serial_number: 0,
                sub_sport: SubSport::default(),
            };
            let _ = fit::encode(&activity, i32::MIN);
            let _ = tcx::encode(&activity, i32::MAX);
            let _ = recording.end();
        }
    }
}
