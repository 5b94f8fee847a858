use proptest::prelude::*;

use super::*;

fn messages<'a>(bytes: &'a [u8], name: &'a str, id: u64, number: u64) -> [TransferMessage<'a>; 8] {
    let flag = number.is_multiple_of(2);
    [
        TransferMessage::Offer(Offer {
            id,
            name,
            size: number,
            paused: flag,
        }),
        TransferMessage::Accept(Accept {
            id,
            from: number,
            paused: flag,
        }),
        TransferMessage::Pause(Pause {
            id,
            by_sender: flag,
            paused: !flag,
        }),
        TransferMessage::Chunk(Chunk {
            id,
            offset: number,
            bytes,
        }),
        TransferMessage::Progress(Progress { id, kept: number }),
        TransferMessage::End(End {
            id,
            sha256: [number as u8; 32],
        }),
        TransferMessage::Complete(Complete { id, is_right: flag }),
        TransferMessage::Cancel(Cancel {
            id,
            by_sender: flag,
            reason: CancelReason::ALL[(number % 8) as usize],
        }),
    ]
}

#[test]
fn a_chunk_is_encoded_as_documented() {
    let chunk = Chunk {
        id: 258,
        offset: 3,
        bytes: &[7, 8],
    };
    let bytes = [0x83, 1, 19, 0x83, 0x19, 1, 2, 3, 0x42, 7, 8];
    assert_eq!(TransferMessage::Chunk(chunk).encode(), bytes);
}

#[test]
fn a_chunk_takes_no_more_than_the_overhead_beside_its_content() {
    let bytes = vec![1; MAX_LINK_FRAME];
    let chunk = Chunk {
        id: u64::MAX,
        offset: u64::MAX,
        bytes: &bytes,
    };
    let encoded = TransferMessage::Chunk(chunk).encode();
    assert_eq!(encoded.len(), bytes.len() + CHUNK_OVERHEAD);
    assert_eq!(
        TransferMessage::decode(&encoded),
        Ok(TransferMessage::Chunk(chunk))
    );
}

#[test]
fn a_reason_of_a_newer_version_means_cancelled() {
    let decoded = TransferMessage::decode(&[0x83, 1, 23, 0x83, 5, 0xf4, 0x18, 99]);
    let cancel = Cancel {
        id: 5,
        by_sender: false,
        reason: CancelReason::Cancelled,
    };
    assert_eq!(decoded, Ok(TransferMessage::Cancel(cancel)));
}

#[test]
fn fields_that_a_newer_version_adds_are_ignored() {
    let decoded = TransferMessage::decode(&[0x83, 1, 20, 0x84, 5, 6, 0x81, 7, 0x61, b'x']);
    let progress = Progress { id: 5, kept: 6 };
    assert_eq!(decoded, Ok(TransferMessage::Progress(progress)));
}

#[test]
fn bytes_that_are_no_message_are_an_error() {
    let too_long = "x".repeat(MAX_SENT_NAME_BYTES + 1);
    let too_many = vec![0; MAX_LINK_FRAME + 1];
    for message in [
        messages(&[], "a", 1, 2)[3],
        messages(&too_many, "a", 1, 2)[3],
        messages(&[0], &too_long, 1, 2)[0],
    ] {
        let bytes = message.encode();
        let decoded = TransferMessage::decode(&bytes);
        assert_eq!(decoded, Err(MessageError::Malformed));
    }
    for message in messages(&[1, 2, 3], "name", 3, 4) {
        let bytes = message.encode();
        for end in 0..bytes.len() {
            assert!(TransferMessage::decode(&bytes[..end]).is_err());
        }
        assert!(TransferMessage::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
    let unknown = TransferMessage::decode(&[0x83, 1, 7, 0x80]);
    assert_eq!(unknown, Err(MessageError::Unknown(7)));
    let version = TransferMessage::decode(&[0x83, 2, 16, 0x80]);
    assert_eq!(version, Err(MessageError::Version(2)));
}

#[test]
fn a_record_is_decoded_as_it_was_encoded() {
    let record = TransferRecord {
        receiver: "ana".parse().unwrap(),
        sender: "ben".parse().unwrap(),
        sender_name: "Ben".to_owned(),
        id: u64::MAX,
        name: "ride.fit".to_owned(),
        size: 5,
        accepted_at: WallTime::from_unix_ms(1_700_000_000_000),
        is_complete: true,
    };
    let bytes = record.encode();
    assert_eq!(TransferRecord::decode(&bytes), Some(record));
    assert_eq!(TransferRecord::decode(&bytes[1..]), None);
    assert_eq!(TransferRecord::decode(&vec![0x80; 5000]), None);
}

proptest! {
    #[test]
    fn messages_are_decoded_as_they_were_encoded(
        id: u64,
        number: u64,
        name in ".{0,200}",
        bytes in proptest::collection::vec(any::<u8>(), 1..500),
    ) {
        for message in messages(&bytes, &name, id, number) {
            let bytes = message.encode();
            prop_assert_eq!(TransferMessage::decode(&bytes), Ok(message));
        }
    }

    #[test]
    fn decoding_any_bytes_never_panics(
        kind in 14u8..26,
        start in any::<bool>(),
        mut bytes: Vec<u8>,
    ) {
        if start {
            bytes.splice(0..0, [0x83, 1, kind]);
        }
        let _ = TransferMessage::decode(&bytes);
        let _ = TransferRecord::decode(&bytes);
    }

    #[test]
    fn decoding_a_damaged_message_never_panics(
        which in 0..8usize,
        at in any::<prop::sample::Index>(),
        value: u8,
    ) {
        let mut bytes = messages(&[1, 2, 3, 4], "name.txt", u64::MAX, 1 << 40)[which].encode();
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = TransferMessage::decode(&bytes);
    }
}
