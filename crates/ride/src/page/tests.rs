use proptest::prelude::*;

use super::*;

const CODE: &str = "abcdefghij234567";
const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567";

fn page(name: &str) -> Page {
    Page {
        name: name.parse().unwrap(),
        code: CODE.parse().unwrap(),
        token: TOKEN.parse().unwrap(),
    }
}

/// An announcement with any texts.
fn announcement(name: &str, code: &str, token: &str) -> Vec<u8> {
    let mut bytes = vec![0x83, 1, 0x18, 33, 0x83];
    for text in [name, code, token] {
        bytes.extend(minicbor::to_vec(text).unwrap());
    }
    bytes
}

#[test]
fn messages_are_encoded_as_documented() {
    assert_eq!(PageMessage::Ask.encode(), [0x83, 1, 0x18, 32, 0x80]);
    let bytes = PageMessage::Announce(page("Route videos")).encode();
    assert_eq!(bytes, announcement("Route videos", CODE, TOKEN));
    assert_eq!(
        PageMessage::decode(&bytes),
        Ok(PageMessage::Announce(page("Route videos")))
    );
}

#[test]
fn fields_that_a_newer_version_adds_are_ignored() {
    let ask = PageMessage::decode(&[0x83, 1, 0x18, 32, 0x81, 7]);
    assert_eq!(ask, Ok(PageMessage::Ask));
    let mut bytes = announcement("Videos", CODE, TOKEN);
    bytes[4] = 0x84;
    bytes.push(0xf6);
    let page = PageMessage::Announce(page("Videos"));
    assert_eq!(PageMessage::decode(&bytes), Ok(page));
}

#[test]
fn names_codes_and_tokens_that_are_none_are_an_error() {
    let (long, other_code) = ("x".repeat(MAX_PAGE_NAME_BYTES + 1), "abcdefghij234568");
    let piled = format!("e{}", "\u{301}".repeat(30));
    let accepted = announcement(&long[1..], CODE, TOKEN);
    assert!(PageMessage::decode(&accepted).is_ok());
    for (name, code, token) in [
        ("", CODE, TOKEN),
        (" ", CODE, TOKEN),
        (&*long, CODE, TOKEN),
        ("a\nb", CODE, TOKEN),
        ("a\u{202e}b", CODE, TOKEN),
        ("\u{200b}", CODE, TOKEN),
        (&*piled, CODE, TOKEN),
        ("Videos", "", TOKEN),
        ("Videos", other_code, TOKEN),
        ("Videos", "ABCDEFGHIJ234567", TOKEN),
        ("Videos", "evil.example/aaa", TOKEN),
        ("Videos", TOKEN, TOKEN),
        ("Videos", CODE, CODE),
        ("Videos", CODE, "#bcdefghijklmnopqrstuvwxyz234567"),
    ] {
        let bytes = announcement(name, code, token);
        let decoded = PageMessage::decode(&bytes);
        assert_eq!(decoded, Err(MessageError::Malformed), "{name} {code}");
    }
    // Fewer fields, and a list without an end.
    for bytes in [&[0x83, 1, 0x18, 33, 0x80][..], &[0x83, 1, 0x18, 33, 0x9f]] {
        assert!(PageMessage::decode(bytes).is_err());
    }
}

#[test]
fn a_name_is_made_of_any_text() {
    for (text, name) in [
        ("Route videos", Some("Route videos")),
        (" Route\n\u{202e}videos\u{7} ", Some("Route videos")),
        ("🇩🇪 टूर", Some("🇩🇪 टूर")),
        ("", None),
        ("\u{200b}\u{202e} ", None),
    ] {
        let cleaned = PageName::cleaned(text);
        assert_eq!(cleaned.as_ref().map(PageName::as_str), name, "{text}");
    }
    let long = PageName::cleaned(&"ü".repeat(200)).unwrap();
    assert_eq!(long.as_str(), "ü".repeat(40));
}

#[test]
fn a_token_is_not_printed() {
    let shown = format!("{:?}", page("Videos"));
    assert!(shown.contains(CODE) && !shown.contains(TOKEN), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = PageMessage::decode(&bytes);
        let _ = PageMessage::decode(&[&[0x83, 1, 0x18, 33], &bytes[..]].concat());
    }

    #[test]
    fn a_cleaned_name_is_sent_and_read_as_it_is(text in any::<String>()) {
        if let Some(name) = PageName::cleaned(&text) {
            let message = PageMessage::Announce(Page { name, ..page("x") });
            prop_assert_eq!(PageMessage::decode(&message.encode()), Ok(message));
        }
    }
}
