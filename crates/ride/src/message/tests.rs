use proptest::prelude::*;

use super::*;
use crate::history::{MAX_RIDERS, MAX_SLOTS, Track};
use crate::rider::{Ftp, TrainerKind};
use crate::timeline::{Change, SigningKey, Timeline};
use crate::workout::library;

fn profile() -> Message {
    let (name, ftp) = ("Ana".parse().expect("a name"), Ftp::default());
    Message::Profile(Profile {
        name,
        ftp,
        ready: true,
        trainer: TrainerKind::Simulated,
    })
}

fn telemetry() -> Message {
    let (power, target) = (Some(212), Some(215));
    Message::Telemetry(Telemetry {
        power,
        cadence: Some(91),
        heart_rate: None,
        target,
        elapsed_ms: 90_250,
        at: -5,
        position_ms: None,
    })
}

fn history() -> Message {
    let track = Track {
        rider: "ana".into(),
        name: "Ana".parse().ok(),
        first: 3,
        points: vec![51, 0, 76],
    };
    Message::History(Told {
        started: GroupTime(-7),
        tracks: vec![track],
    })
}

fn timeline() -> Message {
    let mut timeline = Timeline::new();
    let key = SigningKey::from_seed([7; 32]).expect("a seed");
    let workout = library::all().remove(0);
    timeline
        .append(Change::Share(workout), 1, "ana", &key)
        .expect("a change");
    Message::Timeline(timeline.since(Head::NONE))
}

#[test]
fn every_message_arrives_as_it_was_sent() {
    let head = Head {
        epoch: 3,
        sequence: 14,
    };
    for message in [
        profile(),
        telemetry(),
        timeline(),
        Message::WantTimeline { head },
        Message::WantHistory {
            started: GroupTime(12),
        },
        history(),
    ] {
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn telemetry_is_small() {
    assert!(
        telemetry().encode().len() <= 24,
        "{}",
        telemetry().encode().len()
    );
}

#[test]
fn the_history_of_a_full_day_fits_into_a_message() {
    let track = |number: usize| Track {
        rider: format!("{number:064}"),
        name: "N".repeat(40).parse().ok(),
        first: 0,
        points: vec![255; MAX_SLOTS],
    };
    let told = Message::History(Told {
        started: GroupTime(0),
        tracks: (0..MAX_RIDERS).map(track).collect(),
    });
    assert_eq!(Message::decode(&told.encode()), Ok(told));
}

#[test]
fn the_version_comes_first_and_another_one_is_told() {
    let mut bytes = telemetry().encode();
    assert_eq!(bytes[1], VERSION);
    bytes[1] = 2;
    assert_eq!(Message::decode(&bytes), Err(DecodeError::Version(2)));
}

#[test]
fn an_unknown_kind_is_told_apart_from_a_broken_message() {
    assert_eq!(
        Message::decode(&[0x83, 0x01, 0x17, 0x80]),
        Err(DecodeError::Unknown(23))
    );
    assert_eq!(
        Message::decode(&[0x83, 0x01, 0x01, 0x00]),
        Err(DecodeError::Malformed)
    );
}

#[test]
fn a_field_that_a_later_app_adds_is_ignored() {
    // Telemetry of eight fields, the last one unknown here.
    let bytes = [
        0x83, 0x01, 0x01, 0x88, 0x18, 0xc8, 0xf6, 0xf6, 0xf6, 0x05, 0x06, 0xf6, 0x63, b'n', b'e',
        b'w',
    ];
    let expected = Telemetry {
        power: Some(200),
        elapsed_ms: 5,
        at: 6,
        ..Telemetry::default()
    };
    assert_eq!(Message::decode(&bytes), Ok(Message::Telemetry(expected)));
}

#[test]
fn a_rider_with_a_foul_name_or_ftp_is_not_decoded() {
    let named = |name: &str, ftp: u16| {
        let mut bytes = vec![0x83, 0x01, 0x00];
        minicbor::encode((name, ftp, true, 0_u8), &mut bytes).expect("memory");
        Message::decode(&bytes)
    };
    assert!(named("Ana", 200).is_ok());
    for (name, ftp) in [
        ("<img onerror>", 200),
        ("A\u{202e}na", 200),
        ("", 200),
        ("Ana", 0),
        ("Ana", 601),
    ] {
        assert_eq!(named(name, ftp), Err(DecodeError::Malformed));
    }
}

#[test]
fn what_is_too_large_cut_off_or_too_long_is_refused() {
    assert_eq!(
        Message::decode(&vec![0; MAX_BYTES + 1]),
        Err(DecodeError::TooLarge {
            bytes: MAX_BYTES + 1
        })
    );
    let bytes = profile().encode();
    assert_eq!(
        Message::decode(&bytes[..bytes.len() - 1]),
        Err(DecodeError::Malformed)
    );
    assert_eq!(
        Message::decode(&[bytes.as_slice(), &[0]].concat()),
        Err(DecodeError::Malformed)
    );
    assert_eq!(Message::decode(&[]), Err(DecodeError::Malformed));
}

#[test]
fn a_list_that_lies_about_its_length_costs_nothing() {
    // An array of 2^64 - 1 events.
    let bytes = [
        0x83, 0x01, 0x02, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    assert_eq!(Message::decode(&bytes), Err(DecodeError::Malformed));
}

proptest! {
    #[test]
    fn whatever_the_bytes_decoding_never_panics(bytes: Vec<u8>) {
        let _ = Message::decode(&bytes);
    }

    #[test]
    fn whatever_is_damaged_decoding_never_panics(
        which in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = [profile(), telemetry(), timeline(), history()][which].encode();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Message::decode(&bytes);
    }
}
