use proptest::prelude::*;

use super::*;
use crate::peer::PeerNumber;

fn signal(signal: Signal) -> ClientMessage {
    ClientMessage::Signal {
        to: "ana".parse().unwrap(),
        incarnation: Incarnation(2),
        signal,
    }
}

#[test]
fn a_hello_is_parsed_as_documented() {
    let key = "00".repeat(32);
    let text = format!(
        r#"{{"type":"hello","version":2,"keys":{{"sign":"{key}","agree":"{key}"}},
            "resume":{{"peer":"ana","token":"t","incarnation":3}},"later":[1,2]}}"#
    );
    let ClientMessage::Hello(hello) = ClientMessage::parse(&text).unwrap() else {
        panic!("not a hello");
    };
    assert_eq!(hello.resume.unwrap().incarnation, Some(Incarnation(3)));
}

#[test]
fn host_commands_are_encoded_as_documented() {
    let peer: PeerId = "ana".parse().unwrap();
    let reason = "Too loud.".to_owned();
    let kick = ClientMessage::Command(HostCommand::Kick {
        peer: peer.clone(),
        reason,
    });
    for (text, message) in [
        (r#"{"type":"kick","peer":"ana","reason":"Too loud."}"#, kick),
        (
            r#"{"type":"lock"}"#,
            ClientMessage::Command(HostCommand::Lock),
        ),
        (
            r#"{"type":"unlock"}"#,
            ClientMessage::Command(HostCommand::Unlock),
        ),
        (
            r#"{"type":"hand-over","to":"ana"}"#,
            ClientMessage::Command(HostCommand::HandOver { to: peer }),
        ),
        (
            r#"{"type":"end"}"#,
            ClientMessage::Command(HostCommand::End),
        ),
        (
            r#"{"type":"reclaim"}"#,
            ClientMessage::Command(HostCommand::Reclaim),
        ),
    ] {
        assert_eq!(message.to_json(), text);
        assert_eq!(ClientMessage::parse(text).unwrap(), message);
    }
}

fn report_of_outcomes(outcomes: &str) -> Result<Report, ParseError> {
    let text = format!(r#"{{"type":"report","links":[],"outcomes":[{outcomes}]}}"#);
    ClientMessage::parse(&text).map(|message| match message {
        ClientMessage::Report(report) => report,
        _ => panic!("not a report"),
    })
}

#[test]
fn outcomes_of_attempts_are_parsed_as_documented() {
    let outcomes = r#"{"outcome":"direct","candidate":"srflx","count":2},
        {"outcome":"noCandidates","count":1}"#;
    let report = report_of_outcomes(outcomes).unwrap();
    let count = |outcome, candidate, count| OutcomeCount {
        outcome,
        candidate,
        count,
    };
    let srflx = Some(CandidateType::ServerReflexive);
    let expected = [
        count(AttemptOutcome::Direct, srflx, 2),
        count(AttemptOutcome::NoCandidates, None, 1),
    ];
    assert_eq!(report.outcomes, expected);
}

#[test]
fn unknown_outcomes_and_too_many_of_them_are_refused() {
    let unknown = [
        r#"{"outcome":"won","count":1}"#,
        r#"{"outcome":"direct","candidate":"tcp","count":1}"#,
        r#"{"outcome":"direct","count":-1}"#,
    ];
    for outcomes in unknown {
        assert!(report_of_outcomes(outcomes).is_err(), "{outcomes}");
    }
    let many = |count| vec![r#"{"outcome":"direct","count":1}"#; count].join(",");
    assert!(report_of_outcomes(&many(OutcomeCount::MAX)).is_ok());
    let refused = report_of_outcomes(&many(OutcomeCount::MAX + 1));
    assert_eq!(refused, Err(ParseError::TooMuch("outcomes")));
}

#[test]
fn a_report_and_a_restored_message_are_parsed_as_documented() {
    let text = r#"{"type":"report","links":[{"peer":"ana","state":"direct","connectMs":840},
        {"peer":"ben","state":"relayed"}],"attempts":2,"successes":1,"fallbacks":0}"#;
    let ClientMessage::Report(report) = ClientMessage::parse(text).unwrap() else {
        panic!("not a report");
    };
    assert_eq!(report.links[0].connect_ms, Some(840));
    assert_eq!(report.outcomes, [], "of an older page");
    let key = "00".repeat(32);
    let text = format!(
        r#"{{"type":"restored","hosts":[{{"epoch":1,"peer":"ana","signKey":"{key}"}}],
            "firstHost":"ana","locked":false}}"#
    );
    let ServerMessage::Restored(restored) = ServerMessage::parse(&text).unwrap() else {
        panic!("not restored");
    };
    assert_eq!(restored.first_host.as_str(), "ana");
    assert_eq!(restored.host_token, None, "of an older server");
}

#[test]
fn a_host_message_is_parsed_with_and_without_a_token() {
    let key = "00".repeat(32);
    let message = |token: &str| {
        let text = format!(
            r#"{{"type":"host","term":{{"epoch":2,"peer":"ana","signKey":"{key}"}},
                "firstHost":"ben"{token}}}"#
        );
        match ServerMessage::parse(&text).unwrap() {
            ServerMessage::Host { host_token, .. } => host_token,
            other => panic!("not a host: {other:?}"),
        }
    };
    assert_eq!(message(""), None);
    let token = message(r#","hostToken":"BAAA""#);
    assert_eq!(token.unwrap().expose(), "BAAA");
}

#[test]
fn a_hello_carries_a_snapshot_of_the_largest_ride_and_no_more() {
    let member = Member {
        peer: "x".repeat(32).parse().unwrap(),
        number: PeerNumber(u32::MAX),
        incarnation: Incarnation(u32::MAX),
        role: MemberRole::Companion,
        away: false,
        keys: PublicKeys {
            sign: [255; 32],
            agree: [255; 32],
        },
    };
    let term = HostTerm {
        epoch: u32::MAX,
        peer: member.peer.clone(),
        sign_key: [255; 32],
    };
    let hello = |members: usize, hosts: usize, bans: usize| {
        let snapshot = RoomSnapshot {
            hosts: vec![term.clone(); hosts],
            host_token: Some("x".repeat(136).parse().unwrap()),
            first_host: Some(member.peer.clone()),
            members: vec![member.clone(); members],
            bans: vec!["x".repeat(88).parse().unwrap(); bans],
            locked: true,
            elections: Vec::new(),
        };
        let text = ClientMessage::Hello(Hello {
            version: VERSION,
            keys: member.keys,
            resume: None,
            role: MemberRole::Rider,
            snapshot: Some(Box::new(snapshot)),
        });
        ClientMessage::parse(&text.to_json())
    };
    assert!(hello(MAX_MEMBERS, MAX_HOST_TERMS, MAX_BANS).is_ok());
    for (members, hosts, bans) in [(97, 1, 1), (1, 65, 1), (1, 1, 129)] {
        let refused = hello(members, hosts, bans);
        assert!(matches!(refused, Err(ParseError::TooMuch(_))));
    }
    let kick = ClientMessage::Command(HostCommand::Kick {
        peer: member.peer.clone(),
        reason: "x".repeat(MAX_REASON + 1),
    });
    assert!(ClientMessage::parse(&kick.to_json()).is_err());
}

#[test]
fn messages_round_trip_through_json() {
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
fn a_welcome_may_name_the_origins_of_tunnels_up_to_a_limit() {
    let welcome = |origin: &str| {
        let text = format!(
            r#"{{"type":"welcome","version":2,"peer":"ana","number":1,"incarnation":1,
                "token":"t","epoch":0,"hosts":[],"members":[],"iceServers":[],"serverTime":1,
                "limits":{{"maxMessageBytes":65536,"maxRiders":32,"maxDirect":16,
                "graceMs":30000}},"p2p":true{origin}}}"#
        );
        ServerMessage::parse(&text)
    };
    let named = |origin: &str| match welcome(origin) {
        Ok(ServerMessage::Welcome(welcome)) => welcome.tunnel_origin,
        other => panic!("not a welcome: {other:?}"),
    };
    assert_eq!(named(""), None, "of an older server");
    let origin = r#","tunnelOrigin":"https://*.tunnel.example""#;
    assert_eq!(named(origin).as_deref(), Some("https://*.tunnel.example"));
    let long = format!(r#","tunnelOrigin":"{}""#, "x".repeat(MAX_TUNNEL_ORIGIN + 1));
    assert_eq!(welcome(&long), Err(ParseError::TooMuch("tunnel origin")));
}

/// One message of the server of each kind but the welcome.
fn server_messages() -> Vec<ServerMessage> {
    let peer: PeerId = "ana".parse().unwrap();
    let token: Token = "BAAA".parse().unwrap();
    let keys = PublicKeys {
        sign: [1; 32],
        agree: [2; 32],
    };
    let member = Member {
        peer: peer.clone(),
        number: PeerNumber(3),
        incarnation: Incarnation(4),
        role: MemberRole::Coach,
        away: true,
        keys,
    };
    let term = HostTerm {
        epoch: 5,
        peer: peer.clone(),
        sign_key: [6; 32],
    };
    let signal = |signal| ServerMessage::Signal {
        from: "ben".parse().unwrap(),
        incarnation: Incarnation(7),
        signal,
    };
    vec![
        ServerMessage::Joined {
            member: member.clone(),
        },
        ServerMessage::Away { peer: peer.clone() },
        ServerMessage::Returned { member },
        ServerMessage::Left {
            peer: peer.clone(),
            reason: LeftReason::Gone,
        },
        ServerMessage::Host {
            term: term.clone(),
            first_host: peer.clone(),
            host_token: Some(token.clone()),
        },
        ServerMessage::Locked { locked: true },
        ServerMessage::Banned {
            token: token.clone(),
        },
        ServerMessage::Kicked {
            reason: "Too loud.".to_owned(),
        },
        ServerMessage::Ended,
        ServerMessage::Restored(Box::new(RestoredRoom {
            hosts: vec![term],
            host_token: None,
            first_host: peer,
            locked: false,
        })),
        signal(Signal::Offer {
            attempt: 1,
            sdp: "v=0".to_owned(),
        }),
        signal(Signal::Answer {
            attempt: 2,
            sdp: "v=0".to_owned(),
        }),
        signal(Signal::Candidates {
            attempt: 3,
            candidates: vec!["{}".to_owned()],
        }),
        ServerMessage::error(ErrorCode::RideFull),
        ServerMessage::Replaced,
        ServerMessage::Closing {
            retry_after_ms: 1_500,
        },
        ServerMessage::Pong,
    ]
}

#[test]
fn every_message_of_the_server_is_parsed_wherever_its_type_stands() {
    for message in server_messages() {
        let text = message.to_json();
        assert_eq!(ServerMessage::parse(&text).unwrap(), message);
        let fields: serde_json::Map<_, _> = serde_json::from_str(&text).unwrap();
        let (kind, rest): (Vec<_>, Vec<_>) = fields.iter().partition(|(name, _)| *name == "type");
        let unknown = (
            &"later".to_owned(),
            &serde_json::json!([1, { "type": "x" }]),
        );
        let shuffled = rest.iter().chain([&unknown]).chain(&kind);
        let shuffled: Vec<_> = shuffled
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        let text = format!("{{{}}}", shuffled.join(","));
        assert_eq!(ServerMessage::parse(&text).unwrap(), message, "{text}");
    }
}

#[test]
fn a_message_of_the_server_without_one_of_its_fields_is_refused() {
    for message in server_messages() {
        let text = message.to_json();
        let fields: serde_json::Map<_, _> = serde_json::from_str(&text).unwrap();
        for name in fields.keys().filter(|name| *name != "hostToken") {
            let mut fields = fields.clone();
            fields.remove(name);
            let text = serde_json::to_string(&fields).unwrap();
            assert!(ServerMessage::parse(&text).is_err(), "{text}");
        }
    }
    let left = r#"{"type":"left","peer":"ana","reason":"bored"}"#;
    assert!(ServerMessage::parse(left).is_err());
}

#[test]
fn an_unknown_error_code_is_parsed_as_unknown() {
    let text = r#"{"type":"error","code":"coffee-break","message":"Later."}"#;
    let ServerMessage::Error { code, .. } = ServerMessage::parse(text).unwrap() else {
        panic!("not an error");
    };
    assert_eq!(code, ErrorCode::Unknown);
}

#[test]
fn messages_over_a_limit_are_refused() {
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
fn deeply_nested_json_is_refused() {
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
