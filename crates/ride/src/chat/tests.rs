use proptest::prelude::*;

use super::stored::{StoredChat, StoredMarks, StoredPerson};
use super::*;
use clock::WallTime;

fn peer(name: &str) -> PeerId {
    name.parse().unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32]).unwrap()
}

fn id(number: u32) -> EntryId {
    EntryId {
        author: peer("ana"),
        log: 256,
        number,
    }
}

fn entry(content: Content) -> Entry {
    Entry {
        id: id(7),
        at: GroupTime(95_250_000),
        content: Some(content),
        to: None,
    }
}

fn text(text: &str) -> Entry {
    entry(Content::Text(text.to_owned()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One message of each kind.
fn messages() -> Vec<ChatMessage> {
    let webp = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x7f\xc0\x1f\0\0".to_vec();
    vec![
        ChatMessage::Entries(Entries {
            authors: vec![Author {
                peer: peer("ana"),
                key: key(1).public(),
                name: "Ana".to_owned(),
            }],
            entries: vec![text("Hello").sign(&key(1))],
            more: Some(true),
        }),
        ChatMessage::Have(Have {
            logs: vec![LogRanges {
                author: peer("ana"),
                log: 256,
                ranges: vec![(1, 5), (7, 9)],
            }],
        }),
        ChatMessage::Receipts(vec![Receipt {
            log: 256,
            first: 1,
            last: 9,
            read: 7,
        }]),
        ChatMessage::Typing(Typing {
            is_private: false,
            is_typing: true,
        }),
        ChatMessage::Presence(PresenceReport {
            presence: 3,
            since: GroupTime(-5),
        }),
        ChatMessage::Reaction(Reaction {
            reaction: 4,
            to: Some(peer("ben")),
        }),
        ChatMessage::Reaction(Reaction {
            reaction: 0,
            to: None,
        }),
        ChatMessage::Avatar(AvatarReport::Initials),
        ChatMessage::Avatar(AvatarReport::Emoji("🚴🏿\u{200d}♀️".to_owned())),
        ChatMessage::Avatar(AvatarReport::Picture(webp)),
    ]
}

fn stored() -> StoredChat {
    StoredChat {
        wall: WallTime::from_unix_ms(1_700_000_000_123),
        group: GroupTime(95_000_000),
        people: vec![StoredPerson {
            peer: peer("ana"),
            name: "Ana".to_owned(),
            key: key(1).public().to_vec(),
            is_verified: true,
            is_hidden: false,
        }],
        entries: vec![text("Hello").sign(&key(1))],
        marks: vec![StoredMarks {
            log: 256,
            number: 7,
            riders: vec![(0, 2)],
        }],
        read: vec![id(7)],
        tabs: vec![0],
        avatar: AvatarReport::Emoji("🚴".to_owned()),
        withheld: Some(vec![(id(1), true)]),
        epoch: Some(2),
        unread_from: GroupTime(1),
    }
}

#[test]
fn messages_are_decoded_as_they_were_encoded() {
    for message in messages() {
        let bytes = message.encode();
        assert_eq!(ChatMessage::decode(&bytes).as_ref(), Ok(&message));
        for end in 0..bytes.len() {
            assert!(ChatMessage::decode(&bytes[..end]).is_err());
        }
        assert!(ChatMessage::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
}

#[test]
fn the_encoding_of_messages_is_fixed() {
    let all = messages();
    assert_eq!(hex(&all[2].encode()), "83010a818184190100010907");
    assert_eq!(hex(&all[3].encode()), "83010b82f4f5");
    assert_eq!(hex(&all[4].encode()), "83010c820324");
    assert_eq!(hex(&all[5].encode()), "83010d82046362656e");
    assert_eq!(hex(&all[6].encode()), "83010d8100");
    assert_eq!(hex(&all[7].encode()), "83010e818100");
    let bytes = text("Hi").sign(&key(1)).bytes;
    // Id, time, content; the receiver is omitted.
    assert_eq!(hex(&bytes), "838363616e61190100071a05ad66508200624869");
}

#[test]
fn an_entry_is_signed_by_its_author_and_for_the_chat_only() {
    let signed = text("Hello").sign(&key(1));
    assert_eq!(signed.read(), Ok(text("Hello")));
    assert!(signed.is_signed_by(&key(1).public()));
    assert!(!signed.is_signed_by(&key(2).public()));
    let mut altered = signed.clone();
    *altered.bytes.last_mut().unwrap() ^= 1;
    assert!(!altered.is_signed_by(&key(1).public()));
    assert!(!keys::verify_in(
        keys::CONTEXT,
        &key(1).public(),
        &signed.bytes,
        &signed.signature
    ));
}

#[test]
fn every_content_is_read_as_it_was_signed() {
    for content in [
        Content::Text("a\nb".to_owned()),
        Content::Edit(id(3), "c".to_owned()),
        Content::Delete(id(3)),
        Content::React(id(3), 4, true),
        Content::Remove(id(3), 2),
        Content::Switch(false, 2),
    ] {
        let entry = entry(content);
        assert_eq!(entry.sign(&key(1)).read(), Ok(entry));
    }
    let private = Entry {
        id: EntryId { log: 259, ..id(1) },
        to: Some(peer("ben")),
        ..text("psst")
    };
    assert_eq!(private.sign(&key(1)).read(), Ok(private));
}

#[test]
fn entries_out_of_their_ranges_are_malformed() {
    let with = |change: fn(&mut Entry)| {
        let mut entry = text("Hello");
        change(&mut entry);
        entry.sign(&key(1)).read()
    };
    let malformed = Err(MessageError::Malformed);
    assert_eq!(with(|entry| entry.id.number = 0), malformed);
    assert_eq!(with(|entry| entry.to = Some(peer("ben"))), malformed);
    assert_eq!(with(|entry| entry.id.log = 257), malformed);
    let long = |count| text(&"ä".repeat(count)).sign(&key(1)).read();
    assert!(long(500).is_ok());
    assert_eq!(long(501), malformed);
    assert_eq!(text(" \u{202e}\n").sign(&key(1)).read(), malformed);
    let reaction = entry(Content::React(id(1), 5, true));
    assert_eq!(reaction.sign(&key(1)).read(), malformed);
}

#[test]
fn a_text_is_cleaned_of_what_hides_text() {
    let entry = text("  a\u{202e}b\tc\n").sign(&key(1)).read().unwrap();
    assert_eq!(entry.content, Some(Content::Text("ab c".to_owned())));
    assert_eq!(
        chat_text(&"🚴".repeat(500)).map(|text| text.len()),
        Some(2_000)
    );
    assert_eq!(chat_text(&"x".repeat(100_000)), None);
    assert_eq!(chat_name(&"\u{202e}ä".repeat(20_000)).chars().count(), 48);
}

#[test]
fn a_content_that_only_later_versions_know_keeps_its_place() {
    let mut entry = text("Hello");
    let known = wire::to_vec(&entry);
    // Content [0, "Hello"] becomes [9, "Hello"].
    let mut bytes = known;
    let at = bytes.windows(3).position(|part| part == [0x82, 0, 0x65]);
    bytes[at.unwrap() + 1] = 9;
    let signature = key(1).sign_in(CONTEXT, &bytes);
    entry.content = None;
    assert_eq!(SignedEntry { bytes, signature }.read(), Ok(entry));
}

#[test]
fn the_longest_entry_fits_into_its_limit() {
    let long = |letter: char| peer(&letter.to_string().repeat(64));
    let id = |letter| EntryId {
        author: long(letter),
        log: u32::MAX,
        number: u32::MAX,
    };
    let entry = Entry {
        id: id('a'),
        at: GroupTime(i64::MIN),
        content: Some(Content::Edit(id('b'), "🚴".repeat(500))),
        to: Some(long('c')),
    };
    let signed = entry.sign(&key(1));
    assert!(signed.bytes.len() <= MAX_ENTRY_BYTES);
    assert_eq!(signed.read(), Ok(entry));
}

#[test]
fn messages_beyond_their_bounds_are_errors() {
    let ranges = LogRanges {
        author: peer("ana"),
        log: 256,
        ranges: vec![(1, 1); MAX_RANGES + 1],
    };
    let receipt = Receipt {
        log: 0,
        first: 0,
        last: 0,
        read: 0,
    };
    let small = LogRanges {
        ranges: vec![],
        ..ranges.clone()
    };
    for message in [
        ChatMessage::Have(Have { logs: vec![ranges] }),
        ChatMessage::Have(Have {
            logs: vec![small; MAX_LOGS + 1],
        }),
        ChatMessage::Receipts(vec![receipt; MAX_LOGS + 1]),
        ChatMessage::Presence(PresenceReport {
            presence: 4,
            since: GroupTime(0),
        }),
        ChatMessage::Reaction(Reaction {
            reaction: 5,
            to: None,
        }),
        ChatMessage::Avatar(AvatarReport::Emoji("ab".to_owned())),
        ChatMessage::Avatar(AvatarReport::Emoji(" ".to_owned())),
        ChatMessage::Avatar(AvatarReport::Picture(b"<svg>".to_vec())),
    ] {
        let bytes = message.encode();
        assert_eq!(ChatMessage::decode(&bytes), Err(MessageError::Malformed));
    }
    let entries = vec![text(&"x".repeat(500)).sign(&key(1)); 200];
    let large = ChatMessage::Entries(Entries {
        entries,
        ..Entries::default()
    });
    let error = ChatMessage::decode(&large.encode());
    assert!(matches!(error, Err(MessageError::TooLarge { .. })));
    let unknown = ChatMessage::decode(&[0x83, 1, 15, 0x80]);
    assert_eq!(unknown, Err(MessageError::Unknown(15)));
    assert_eq!(
        ChatMessage::decode(&[0x83, 2, 11, 0x80]),
        Err(MessageError::Version(2))
    );
}

#[test]
fn pictures_are_known_by_their_first_bytes() {
    let webp =
        |chunk: &[u8; 4], data: &[u8]| [b"RIFF\0\0\0\0WEBP", &chunk[..], &[0; 4], data].concat();
    assert!(is_picture(&webp(
        b"VP8 ",
        &[0, 0, 0, 0x9d, 1, 0x2a, 0x80, 0, 0x80, 0]
    )));
    assert!(is_picture(&webp(b"VP8L", &[0x2f, 0x7f, 0xc0, 0x1f, 0])));
    assert!(is_picture(&webp(
        b"VP8X",
        &[0, 0, 0, 0, 127, 0, 0, 127, 0, 0]
    )));
    // An animation, and a picture of 16,777,216 pixels a side.
    assert!(!is_picture(&webp(
        b"VP8X",
        &[2, 0, 0, 0, 127, 0, 0, 127, 0, 0]
    )));
    assert!(!is_picture(&webp(
        b"VP8X",
        &[0, 0, 0, 0, 255, 255, 255, 255, 255, 255]
    )));
    let jpeg = |height: u8| {
        let start = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2];
        let frame = [0xff, 0xc0, 0, 11, 8, height, 0, 0, 128, 1, 1, 0x11, 0];
        [&start[..], &frame].concat()
    };
    assert!(is_picture(&jpeg(1)));
    assert!(!is_picture(&jpeg(255)));
    let mut large = jpeg(1);
    large.resize(MAX_PICTURE_BYTES, 0);
    assert!(is_picture(&large));
    large.push(0);
    assert!(!is_picture(&large));
    for bad in [
        &b""[..],
        b"RIFF",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"<svg>",
        b"\xff\xd8\xff\xe0\0\0",
    ] {
        assert!(!is_picture(bad), "{bad:?}");
    }
}

#[test]
fn a_stored_chat_of_another_version_or_damaged_is_ignored() {
    let bytes = stored().encode();
    assert_eq!(StoredChat::decode(&bytes), Some(stored()));
    for end in 0..bytes.len() {
        assert_eq!(StoredChat::decode(&bytes[..end]), None);
    }
    let mut newer = bytes;
    newer[1] += 1;
    assert_eq!(StoredChat::decode(&newer), None);
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoders_panic(bytes: Vec<u8>, kind in 8u8..16) {
        let _ = ChatMessage::decode(&bytes);
        let _ = ChatMessage::decode(&[&[0x83, 1, kind], &bytes[..]].concat());
        let _ = StoredChat::decode(&[&[0x82, 1], &bytes[..]].concat());
        let _ = is_picture(&bytes);
        let _ = is_picture(&[&[0xff, 0xd8], &bytes[..]].concat());
        let entry = SignedEntry { bytes, signature: [0; 64] };
        let _ = entry.read();
    }

    #[test]
    fn no_altered_message_makes_the_decoders_panic(
        at in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let all = messages();
        let mut bytes = all[at.index(all.len())].encode();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(message) = ChatMessage::decode(&bytes) {
            prop_assert_eq!(ChatMessage::decode(&message.encode()), Ok(message));
        }
        let mut bytes = stored().encode();
        let place = place % bytes.len();
        bytes[place] = byte;
        let _ = StoredChat::decode(&bytes);
    }

    #[test]
    fn any_text_of_an_entry_is_read_or_refused(raw: String, number: u32) {
        let mut entry = text(&raw);
        entry.id.number = number;
        let read = entry.sign(&key(1)).read();
        prop_assert_eq!(read.is_ok(), number > 0 && chat_text(&raw).is_some());
        let name = chat_name(&raw);
        prop_assert!(name.len() <= 1_400);
    }
}
