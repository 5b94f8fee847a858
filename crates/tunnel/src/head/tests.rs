use proptest::{collection::vec, prelude::*};

use super::*;

fn request() -> RequestHead {
    RequestHead {
        kind: Kind::Http,
        method: "GET".to_owned(),
        target: "/videos/alps.mp4?part=1".to_owned(),
        fields: vec![
            ("accept".to_owned(), b"*/*".to_vec()),
            ("x-name".to_owned(), "Zo\u{eb}".as_bytes().to_vec()),
            ("accept".to_owned(), Vec::new()),
        ],
    }
}

fn with(change: impl FnOnce(&mut RequestHead)) -> Result<Vec<u8>, HeadError> {
    let mut head = request();
    change(&mut head);
    head.encode()
}

/// Bytes of a head that is not checked.
fn unchecked(method: &str, target: &str, fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    encoder.array(4).unwrap().u8(0).unwrap();
    encoder.str(method).unwrap().str(target).unwrap();
    encoder.map(fields.len() as u64).unwrap();
    for (name, value) in fields {
        encoder.str(name).unwrap().bytes(value).unwrap();
    }
    bytes
}

#[test]
fn heads_decode_to_what_was_encoded() {
    for kind in [Kind::Http, Kind::WebSocket] {
        let head = RequestHead { kind, ..request() };
        assert_eq!(RequestHead::decode(&head.encode().unwrap()), Ok(head));
    }
    let head = ResponseHead {
        status: 206,
        fields: request().fields,
    };
    assert_eq!(ResponseHead::decode(&head.encode().unwrap()), Ok(head));
}

#[test]
fn repeated_fields_keep_their_order() {
    let fields: Vec<Field> = (0..MAX_FIELDS)
        .map(|at| ("set-cookie".to_owned(), format!("n={at}").into_bytes()))
        .collect();
    let head = ResponseHead {
        status: 200,
        fields,
    };
    assert_eq!(ResponseHead::decode(&head.encode().unwrap()), Ok(head));
}

#[test]
fn targets_that_are_not_paths_are_refused() {
    for target in [
        "",
        "*",
        "videos",
        "http://example.org/",
        "example.org:443",
        "/a b",
        "/a#b",
        "/a\r\nhost: example.org",
        "/\u{7f}",
        "/\u{e9}",
    ] {
        let bytes = unchecked("GET", target, &[]);
        assert_eq!(
            RequestHead::decode(&bytes),
            Err(HeadError::Malformed),
            "{target:?}"
        );
        let encoded = with(|head| head.target = target.to_owned());
        assert_eq!(encoded, Err(HeadError::Malformed), "{target:?}");
    }
}

#[test]
fn methods_that_are_not_tokens_are_refused() {
    for method in ["", "GET ", "GE\r\nT", "G:T", "CONNECT"] {
        let bytes = unchecked(method, "/", &[]);
        assert_eq!(
            RequestHead::decode(&bytes),
            Err(HeadError::Malformed),
            "{method:?}"
        );
    }
    assert!(RequestHead::decode(&unchecked("PROPFIND", "/", &[])).is_ok());
}

#[test]
fn fields_that_http_does_not_allow_are_refused() {
    let fields: [(&str, &[u8]); 7] = [
        ("", b"a"),
        ("Accept", b"a"),
        (":path", b"a"),
        ("a b", b"a"),
        ("a", b"b\r\nc: d"),
        ("a", b"b\nc"),
        ("a", b"\0"),
    ];
    for field in fields {
        let bytes = unchecked("GET", "/", &[field]);
        assert_eq!(
            RequestHead::decode(&bytes),
            Err(HeadError::Malformed),
            "{field:?}"
        );
    }
}

#[test]
fn a_status_outside_of_http_is_refused() {
    for status in [0, 99, 600] {
        let head = ResponseHead {
            status,
            fields: Vec::new(),
        };
        assert_eq!(head.encode(), Err(HeadError::Malformed));
    }
}

#[test]
fn large_heads_are_refused() {
    let field = ("a".to_owned(), vec![b'a'; MAX_HEAD]);
    assert_eq!(
        with(|head| head.fields = vec![field]),
        Err(HeadError::TooLarge)
    );
    let field = ("a".to_owned(), Vec::new());
    let many = vec![field; MAX_FIELDS + 1];
    assert_eq!(with(|head| head.fields = many), Err(HeadError::TooLarge));
    let bytes = vec![0; MAX_HEAD + 1];
    assert_eq!(RequestHead::decode(&bytes), Err(HeadError::TooLarge));
}

#[test]
fn announced_lengths_do_not_reserve_memory() {
    // A map of 2^63 fields, and one of the largest number with nothing behind it.
    let start = unchecked("GET", "/", &[]);
    let start = &start[..start.len() - 1];
    let huge = [start, &[0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0]].concat();
    assert_eq!(RequestHead::decode(&huge), Err(HeadError::TooLarge));
    let missing = [start, &[0xb8, 128]].concat();
    assert_eq!(RequestHead::decode(&missing), Err(HeadError::Malformed));
}

#[test]
fn bytes_after_the_head_are_refused() {
    let mut bytes = request().encode().unwrap();
    bytes.push(0);
    assert_eq!(RequestHead::decode(&bytes), Err(HeadError::Malformed));
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(head) = RequestHead::decode(&bytes) {
            prop_assert_eq!(RequestHead::decode(&head.encode().unwrap()), Ok(head));
        }
        if let Ok(head) = ResponseHead::decode(&bytes) {
            prop_assert_eq!(ResponseHead::decode(&head.encode().unwrap()), Ok(head));
        }
    }
}
