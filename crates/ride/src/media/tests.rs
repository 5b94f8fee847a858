use proptest::prelude::*;

use super::*;

fn messages(text: &str, number: u32) -> [MediaMessage; 8] {
    let status = MediaStatus {
        microphone: [Microphone::Off, Microphone::Live, Microphone::Muted][number as usize % 3],
        camera: (number % 2 == 1).then_some(GroupTime(-i64::from(number))),
        screen: (number % 5 == 1).then_some(GroupTime(i64::from(number))),
        can_connect: number % 7 == 1,
        is_camera_paused: number % 11 == 1,
    };
    let (attempt, sdp) = (number, text.to_owned());
    [
        MediaMessage::Status(status),
        MediaMessage::Signal(Signal::Offer {
            attempt,
            sdp: sdp.clone(),
        }),
        MediaMessage::Signal(Signal::Answer { attempt, sdp }),
        MediaMessage::Signal(Signal::Candidates {
            attempt,
            candidates: vec![text.to_owned(); number as usize % (MAX_CANDIDATES + 1)],
        }),
        MediaMessage::MuteEveryone,
        MediaMessage::AskToUnmute,
        MediaMessage::Picture(PictureSize::None),
        MediaMessage::Picture([PictureSize::Normal, PictureSize::Enlarged][number as usize % 2]),
    ]
}

#[test]
fn messages_are_encoded_as_documented() {
    let status = MediaStatus {
        microphone: Microphone::Live,
        camera: Some(GroupTime(3)),
        screen: None,
        can_connect: true,
        is_camera_paused: false,
    };
    let bytes = [0x83, 1, 0x18, 24, 0x85, 1, 3, 0xf6, 0xf5, 0xf4];
    assert_eq!(MediaMessage::Status(status).encode(), bytes);
    let offer = Signal::Offer {
        attempt: 2,
        sdp: "v".to_owned(),
    };
    let bytes = [0x83, 1, 0x18, 25, 0x83, 0, 2, 0x61, b'v'];
    assert_eq!(MediaMessage::Signal(offer).encode(), bytes);
    let bytes = [0x83, 1, 0x18, 26, 0x80];
    assert_eq!(MediaMessage::MuteEveryone.encode(), bytes);
    let picture = MediaMessage::Picture(PictureSize::Enlarged);
    assert_eq!(picture.encode(), [0x83, 1, 0x18, 28, 0x81, 2]);
}

#[test]
fn fields_and_values_that_a_newer_version_adds_are_read_as_far_as_they_are_known() {
    let mute = MediaMessage::decode(&[0x83, 1, 0x18, 26, 0x81, 7]);
    assert_eq!(mute, Ok(MediaMessage::MuteEveryone));
    let picture = MediaMessage::decode(&[0x83, 1, 0x18, 28, 0x82, 9, 0x61, b'x']);
    assert_eq!(picture, Ok(MediaMessage::Picture(PictureSize::Normal)));
    let answer = MediaMessage::decode(&[0x83, 1, 0x18, 25, 0x84, 1, 2, 0x60, 0x81, 5]);
    let expected = Signal::Answer {
        attempt: 2,
        sdp: String::new(),
    };
    assert_eq!(answer, Ok(MediaMessage::Signal(expected)));
    let status = MediaMessage::decode(&[0x83, 1, 0x18, 24, 0x86, 7, 0xf6, 0xf6, 0xf4, 0xf4, 1]);
    let expected = MediaStatus {
        microphone: Microphone::Muted,
        ..MediaStatus::default()
    };
    assert_eq!(status, Ok(MediaMessage::Status(expected)));
}

#[test]
fn signals_over_a_limit_are_an_error() {
    let signals = [
        Signal::Offer {
            attempt: 1,
            sdp: "x".repeat(MAX_SDP_BYTES + 1),
        },
        Signal::Answer {
            attempt: 1,
            sdp: "x".repeat(MAX_SDP_BYTES + 1),
        },
        Signal::Candidates {
            attempt: 1,
            candidates: vec![String::new(); MAX_CANDIDATES + 1],
        },
        Signal::Candidates {
            attempt: 1,
            candidates: vec!["x".repeat(MAX_CANDIDATE_BYTES + 1)],
        },
    ];
    for signal in signals {
        let bytes = MediaMessage::Signal(signal).encode();
        assert_eq!(MediaMessage::decode(&bytes), Err(MessageError::Malformed));
    }
}

#[test]
fn bytes_that_are_no_message_are_an_error() {
    for message in messages("candidate", 3) {
        let bytes = message.encode();
        for end in 0..bytes.len() {
            assert!(MediaMessage::decode(&bytes[..end]).is_err());
        }
        assert!(MediaMessage::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
    // Fewer fields, another kind of signal, and a list of unknown length.
    for body in [
        &[0x82, 0, 1][..],
        &[0x83, 3, 1, 0x60],
        &[0x83, 2, 1, 0x9f, 0xff],
    ] {
        let bytes = [&[0x83, 1, 0x18, 25], body].concat();
        assert_eq!(MediaMessage::decode(&bytes), Err(MessageError::Malformed));
    }
    let unknown = MediaMessage::decode(&[0x83, 1, 0x18, 29, 0x80]);
    assert_eq!(unknown, Err(MessageError::Unknown(29)));
    let version = MediaMessage::decode(&[0x83, 2, 0x18, 24, 0x80]);
    assert_eq!(version, Err(MessageError::Version(2)));
}

proptest! {
    #[test]
    fn messages_are_decoded_as_they_were_encoded(number: u32, text in ".{0,200}") {
        for message in messages(&text, number) {
            prop_assert_eq!(MediaMessage::decode(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn decoding_any_bytes_never_panics(kind in 23u8..33, start in any::<bool>(), mut bytes: Vec<u8>) {
        if start {
            bytes.splice(0..0, [0x83, 1, 0x18, kind]);
        }
        let _ = MediaMessage::decode(&bytes);
    }

    #[test]
    fn decoding_a_damaged_message_never_panics(
        which in 0..8usize,
        number: u32,
        at in any::<prop::sample::Index>(),
        value: u8,
    ) {
        let mut bytes = messages("candidate:1", number)[which].encode();
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = MediaMessage::decode(&bytes);
    }
}
