use super::*;
use proptest::prelude::*;

fn signal(signal: Signal) -> ClientMessage {
    ClientMessage::Signal {
        to: "ana".parse().unwrap(),
        incarnation: Incarnation(2),
        signal,
    }
}

#[test]
fn a_hello_reads_as_documented() {
    let key = "00".repeat(32);
    let text = format!(
        r#"{{"type":"hello","version":1,"keys":{{"sign":"{key}","agree":"{key}"}},
            "resume":{{"peer":"ana","token":"t","incarnation":3}},"later":[1,2]}}"#
    );
    let ClientMessage::Hello(hello) = ClientMessage::parse(&text).unwrap() else {
        panic!("not a hello");
    };
    assert_eq!(hello.resume.unwrap().incarnation, Some(Incarnation(3)));
}

#[test]
fn messages_survive_the_way_over_json() {
    let sent = signal(Signal::Candidates {
        attempt: 1,
        candidates: vec!["{\"candidate\":\"x\"}".into()],
    });
    assert_eq!(ClientMessage::parse(&sent.to_json()).unwrap(), sent);
    let text = ServerMessage::Closing {
        retry_after_ms: 500,
    }
    .to_json();
    assert_eq!(text, r#"{"type":"closing","retryAfterMs":500}"#);
    let left = ServerMessage::Left {
        peer: "ana".parse().unwrap(),
        reason: LeftReason::Gone,
    };
    assert_eq!(ServerMessage::parse(&left.to_json()).unwrap(), left);
}

#[test]
fn an_error_of_a_newer_server_is_still_an_error() {
    let text = r#"{"type":"error","code":"coffee-break","message":"Later."}"#;
    let ServerMessage::Error { code, .. } = ServerMessage::parse(text).unwrap() else {
        panic!("not an error");
    };
    assert_eq!(code, ErrorCode::Unknown);
}

#[test]
fn what_is_too_large_is_refused() {
    let long = signal(Signal::Offer {
        attempt: 1,
        sdp: "x".repeat(50_000),
    })
    .to_json();
    assert!(matches!(
        ClientMessage::parse(&long),
        Err(ParseError::TooMuch(_))
    ));
    let many = Signal::Candidates {
        attempt: 1,
        candidates: vec!["x".into(); 65],
    };
    let many = signal(many).to_json();
    assert!(matches!(
        ClientMessage::parse(&many),
        Err(ParseError::TooMuch(_))
    ));
    let huge = " ".repeat(MAX_MESSAGE_BYTES + 1);
    assert_eq!(
        ClientMessage::parse(&huge),
        Err(ParseError::TooLarge(65_537))
    );
}

#[test]
fn deep_json_is_refused_and_not_followed() {
    let deep = "[".repeat(60_000);
    assert!(matches!(
        ClientMessage::parse(&deep),
        Err(ParseError::Malformed(_))
    ));
    let nested = format!(r#"{{"type":"leave","x":{}"#, "{\"a\":".repeat(5_000));
    assert!(ClientMessage::parse(&nested).is_err());
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in ".{0,200}") {
        let _ = ClientMessage::parse(&text);
        let _ = ServerMessage::parse(&text);
    }
}
