use proptest::prelude::*;

use super::*;
use crate::history::{MAX_RIDERS, MAX_SLOTS, Track};
use crate::rider::{Ftp, TrainerKind};
use crate::timeline::{Change, SigningKey, Timeline};
use crate::workout::library;

fn profile() -> PeerMessage {
    let (name, ftp) = ("Ana".parse().expect("a name"), Ftp::default());
    PeerMessage::Profile(RiderProfile {
        name,
        ftp,
        ready: true,
        trainer: TrainerKind::Simulated,
    })
}

fn telemetry() -> PeerMessage {
    let (power, target) = (Some(212), Some(215));
    PeerMessage::Telemetry(Telemetry {
        power,
        cadence: Some(91),
        heart_rate: None,
        target,
        elapsed_ms: 90_250,
        at: GroupTime(-5),
        position_ms: None,
    })
}

fn history() -> PeerMessage {
    let track = Track {
        rider: "ana".parse().expect("a peer id"),
        name: "Ana".parse().ok(),
        first_slot: 3,
        points: vec![51, 0, 76],
    };
    PeerMessage::History(HistorySnapshot {
        started: GroupTime(-7),
        tracks: vec![track],
    })
}

fn timeline() -> PeerMessage {
    let mut timeline = Timeline::new();
    let key = SigningKey::from_seed([7; 32]).expect("a seed");
    let workout = library::all().remove(0).workout;
    let host = "ana".parse().expect("a peer id");
    timeline
        .append(Change::Share(workout), 1, &host, &key)
        .expect("a change");
    PeerMessage::Timeline(timeline.since(Head::NONE))
}

#[test]
fn messages_are_decoded_as_they_were_encoded() {
    let head = Head {
        epoch: 3,
        sequence: 14,
    };
    for message in [
        profile(),
        telemetry(),
        timeline(),
        PeerMessage::TimelineRequest { head },
        PeerMessage::HistoryRequest {
            started: GroupTime(12),
        },
        history(),
    ] {
        assert_eq!(PeerMessage::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn telemetry_takes_at_most_24_bytes() {
    assert!(
        telemetry().encode().len() <= 24,
        "{}",
        telemetry().encode().len()
    );
}

#[test]
fn the_history_of_a_full_day_fits_into_a_message() {
    let track = |number: usize| Track {
        rider: format!("{number:064}").parse().expect("a peer id"),
        name: "N".repeat(40).parse().ok(),
        first_slot: 0,
        points: vec![255; MAX_SLOTS],
    };
    let snapshot = PeerMessage::History(HistorySnapshot {
        started: GroupTime(0),
        tracks: (0..MAX_RIDERS).map(track).collect(),
    });
    assert_eq!(PeerMessage::decode(&snapshot.encode()), Ok(snapshot));
}

#[test]
fn the_version_comes_first_and_another_version_is_an_error_of_its_own() {
    let mut bytes = telemetry().encode();
    assert_eq!(bytes[1], VERSION);
    bytes[1] = 2;
    assert_eq!(PeerMessage::decode(&bytes), Err(MessageError::Version(2)));
}

#[test]
fn an_unknown_kind_is_distinguished_from_a_malformed_message() {
    assert_eq!(
        PeerMessage::decode(&[0x83, 0x01, 0x17, 0x80]),
        Err(MessageError::Unknown(23))
    );
    assert_eq!(
        PeerMessage::decode(&[0x83, 0x01, 0x01, 0x00]),
        Err(MessageError::Malformed)
    );
}

#[test]
fn unknown_fields_at_the_end_are_ignored() {
    // Telemetry of eight fields, of which the last one is unknown.
    let bytes = [
        0x83, 0x01, 0x01, 0x88, 0x18, 0xc8, 0xf6, 0xf6, 0xf6, 0x05, 0x06, 0xf6, 0x63, b'n', b'e',
        b'w',
    ];
    let expected = Telemetry {
        power: Some(200),
        elapsed_ms: 5,
        at: GroupTime(6),
        ..Telemetry::default()
    };
    assert_eq!(
        PeerMessage::decode(&bytes),
        Ok(PeerMessage::Telemetry(expected))
    );
}

#[test]
fn an_invalid_name_or_ftp_is_rejected() {
    let named = |name: &str, ftp: u16| {
        let mut bytes = vec![0x83, 0x01, 0x00];
        minicbor::encode((name, ftp, true, 0_u8), &mut bytes).expect("memory");
        PeerMessage::decode(&bytes)
    };
    assert!(named("Ana", 200).is_ok());
    for (name, ftp) in [
        ("<img onerror>", 200),
        ("A\u{202e}na", 200),
        ("", 200),
        ("Ana", 0),
        ("Ana", 601),
    ] {
        assert_eq!(named(name, ftp), Err(MessageError::Malformed));
    }
}

#[test]
fn a_history_with_an_invalid_peer_id_is_rejected() {
    let of = |rider: &str| {
        let points = minicbor::bytes::ByteVec::from(vec![9]);
        let track = (rider, "Ana", 0_u8, points);
        let mut bytes = vec![0x83, 0x01, 0x05];
        minicbor::encode((7_i64, [track]), &mut bytes).expect("memory");
        PeerMessage::decode(&bytes)
    };
    assert!(of("ana").is_ok());
    for rider in ["", "a b", "<img>", &"x".repeat(65)] {
        assert_eq!(of(rider), Err(MessageError::Malformed), "{rider}");
    }
}

#[test]
fn bytes_that_are_too_large_cut_off_or_too_long_are_rejected() {
    assert_eq!(
        PeerMessage::decode(&vec![0; MAX_MESSAGE_BYTES + 1]),
        Err(MessageError::TooLarge {
            bytes: MAX_MESSAGE_BYTES + 1
        })
    );
    let bytes = profile().encode();
    assert_eq!(
        PeerMessage::decode(&bytes[..bytes.len() - 1]),
        Err(MessageError::Malformed)
    );
    assert_eq!(
        PeerMessage::decode(&[bytes.as_slice(), &[0]].concat()),
        Err(MessageError::Malformed)
    );
    assert_eq!(PeerMessage::decode(&[]), Err(MessageError::Malformed));
}

#[test]
fn a_list_with_a_false_length_allocates_nothing() {
    // An array of 2^64 - 1 events.
    let bytes = [
        0x83, 0x01, 0x02, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    assert_eq!(PeerMessage::decode(&bytes), Err(MessageError::Malformed));
}

proptest! {
    #[test]
    fn decoding_arbitrary_bytes_never_panics(bytes: Vec<u8>) {
        let _ = PeerMessage::decode(&bytes);
    }

    #[test]
    fn decoding_damaged_messages_never_panics(
        which in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = [profile(), telemetry(), timeline(), history()][which].encode();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = PeerMessage::decode(&bytes);
    }
}
