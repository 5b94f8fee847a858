//! Inputs of faulty and hostile servers, riders and browsers.

use protocol::signaling::HostCommand;

use clock::{GroupTime, Moment};
use mesh::{
    clock_sync::GroupOffset,
    link_frame::{Body, Heartbeat, LinkFrame, ReceptionReport},
    node::{Input, Node, NodeConfig, NodeEvent, RtcEvent, SdpKind},
};
use proptest::{collection::vec, prelude::*};
use protocol::{
    frame::FromServer,
    peer::{DeliveryClass, Incarnation, LinkState, MemberRole, PeerId, PeerNumber, PublicKeys},
    signaling::{
        DirectLinkSettings, HostTerm, LeftReason, Limits, Member, RestoredRoom, ServerMessage,
        Signal, Welcome,
    },
};

use crate::network::{Network, incarnation, ms};

const KEYS: PublicKeys = PublicKeys {
    sign: [1; 32],
    agree: [1; 32],
};

fn id(number: u32) -> PeerId {
    format!("peer-{number}").parse().unwrap()
}

fn member((number, incarnation, away): (u32, u32, bool)) -> Member {
    Member {
        peer: id(number),
        number: PeerNumber(number),
        incarnation: Incarnation(incarnation),
        role: MemberRole::Rider,
        away,
        keys: KEYS,
    }
}

fn welcome(number: u32, load: u32, members: Vec<Member>, epoch: u32) -> ServerMessage {
    let term = HostTerm {
        epoch,
        peer: id(number),
        sign_key: [0; 32],
    };
    ServerMessage::Welcome(Box::new(Welcome {
        version: protocol::signaling::VERSION,
        peer: id(number),
        number: PeerNumber(number),
        incarnation: Incarnation(load),
        token: "token".parse().unwrap(),
        role: MemberRole::Rider,
        host: Some(id(number)),
        first_host: Some(id(number)),
        locked: load > 1,
        bans: Vec::new(),
        epoch,
        hosts: vec![term],
        host_token: None,
        members,
        ice_servers: Vec::new(),
        server_time: u64::MAX,
        limits: Limits {
            max_message_bytes: 0,
            max_riders: 0,
            max_direct: load,
            grace_ms: 0,
            relay_bytes_per_second: Some(load),
            max_file_bytes: Some(load),
            max_cameras: Some(6),
        },
        p2p: true,
        direct: DirectLinkSettings {
            timeout_ms: load,
            ..DirectLinkSettings::default()
        },
        tunnel_origin: None,
    }))
}

fn any_signal() -> impl Strategy<Value = Signal> {
    let attempt = prop_oneof![0..4u32, Just(u32::MAX)];
    prop_oneof![
        attempt.clone().prop_map(|attempt| Signal::Offer {
            attempt,
            sdp: "o".into()
        }),
        attempt.clone().prop_map(|attempt| Signal::Answer {
            attempt,
            sdp: "a".into()
        }),
        attempt.prop_map(|attempt| Signal::Candidates {
            attempt,
            candidates: vec!["c".into()]
        }),
    ]
}

fn any_message() -> impl Strategy<Value = ServerMessage> {
    let one = || (1..5u32, 0..3u32, any::<bool>());
    let term = |(epoch, number)| HostTerm {
        epoch,
        peer: id(number),
        sign_key: [0; 32],
    };
    prop_oneof![
        (1..5u32, 0..20u32, vec(one(), 0..5), any::<u32>()).prop_map(
            |(number, load, members, epoch)| {
                welcome(
                    number,
                    load,
                    members.into_iter().map(member).collect(),
                    epoch,
                )
            }
        ),
        one().prop_map(|one| ServerMessage::Joined {
            member: member(one)
        }),
        one().prop_map(|one| ServerMessage::Returned {
            member: member(one)
        }),
        (1..5u32).prop_map(|number| ServerMessage::Away { peer: id(number) }),
        (1..5u32).prop_map(|number| ServerMessage::Left {
            peer: id(number),
            reason: LeftReason::Left
        }),
        (any::<u32>(), 1..5u32).prop_map(move |one| ServerMessage::Host {
            term: term(one),
            first_host: id(1),
            host_token: None,
        }),
        (any::<u32>(), 1..5u32, any::<bool>()).prop_map(move |(epoch, number, locked)| {
            ServerMessage::Restored(Box::new(RestoredRoom {
                hosts: vec![term((epoch, number))],
                host_token: Some("token".parse().unwrap()),
                first_host: id(number),
                locked,
            }))
        }),
        any::<bool>().prop_map(|locked| ServerMessage::Locked { locked }),
        "[a-z]{1,9}".prop_map(|token| ServerMessage::Banned {
            token: token.parse().unwrap()
        }),
        (1..5u32, 0..3u32, any_signal()).prop_map(|(from, load, signal)| ServerMessage::Signal {
            from: id(from),
            incarnation: Incarnation(load),
            signal,
        }),
        any::<u32>().prop_map(|retry_after_ms| ServerMessage::Closing { retry_after_ms }),
        Just(ServerMessage::Pong),
    ]
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let report = (1..5u32, any::<i64>(), any::<[u32; 3]>(), any::<bool>()).prop_map(
        |(number, sent, [delay, control, bulk], direct)| ReceptionReport {
            number: PeerNumber(number),
            incarnation: Incarnation(1),
            sent,
            delay,
            direct,
            control,
            bulk,
        },
    );
    let heartbeat = (
        any::<i64>(),
        any::<Option<i64>>(),
        any::<(bool, u32)>(),
        vec(report, 0..4),
    );
    let class = prop_oneof![Just(DeliveryClass::Control), Just(DeliveryClass::Bulk)];
    let seq = prop_oneof![0..70u32, any::<u32>()];
    let body = prop_oneof![
        heartbeat.prop_map(
            |(sent, group_offset, (p2p, epoch), reports)| Body::Heartbeat(Heartbeat {
                sent,
                group_offset: group_offset.map(GroupOffset),
                p2p,
                epoch,
                payload: vec![],
                reports
            })
        ),
        (class.clone(), seq.clone(), any::<bool>()).prop_map(|(class, seq, more)| Body::Segment {
            class,
            seq,
            more,
            payload: vec![7; 9]
        }),
        (class, any::<u32>()).prop_map(|(class, cumulative)| Body::Ack { class, cumulative }),
        any::<u32>().prop_map(|seq| Body::Telemetry {
            seq,
            payload: vec![]
        }),
    ];
    let frame = (0..3u32, body).prop_map(|(to, body)| LinkFrame {
        to: Incarnation(to),
        body,
    });
    prop_oneof![4 => frame.prop_map(|frame| frame.encode()), 1 => vec(any::<u8>(), 0..60)]
}

fn any_class() -> impl Strategy<Value = DeliveryClass> {
    prop_oneof![
        Just(DeliveryClass::Control),
        Just(DeliveryClass::Telemetry),
        Just(DeliveryClass::Bulk)
    ]
}

fn any_event() -> impl Strategy<Value = RtcEvent> {
    let kind = prop_oneof![Just(SdpKind::Offer), Just(SdpKind::Answer)];
    prop_oneof![
        kind.prop_map(|kind| RtcEvent::LocalDescription {
            kind,
            sdp: "s".into()
        }),
        ".{0,9}".prop_map(RtcEvent::Candidate),
        any_class().prop_map(RtcEvent::Opened),
        any_class().prop_map(RtcEvent::Closed),
        (any_class(), any_frame()).prop_map(|(class, bytes)| RtcEvent::Frame { class, bytes }),
        (any_class(), any::<u32>()).prop_map(|(class, bytes)| RtcEvent::Buffered { class, bytes }),
        Just(RtcEvent::Failed),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let relayed = (1..5u32, 0..3u32, any::<bool>(), any_frame());
    let relayed = relayed.prop_map(|(from, load, sealed, payload)| {
        let (from, incarnation) = (PeerNumber(from), Incarnation(load));
        let class = DeliveryClass::Control;
        let payload = &payload;
        FromServer {
            class,
            sealed,
            from,
            incarnation,
            payload,
        }
        .encode()
    });
    prop_oneof![
        2 => Just(Input::SocketOpened),
        6 => any_message().prop_map(|message| Input::SocketText(message.to_json())),
        1 => ".{0,40}".prop_map(Input::SocketText),
        6 => relayed.prop_map(Input::SocketBinary),
        1 => vec(any::<u8>(), 0..40).prop_map(Input::SocketBinary),
        1 => Just(Input::SocketClosed { code: 1006, reason: String::new() }),
        8 => (1..5u32, 0..12u32, any_event()).prop_map(|(peer, connection, event)| Input::Rtc {
            peer: id(peer),
            connection,
            event
        }),
        2 => (1..5u32, any_class(), 0..40_000usize).prop_map(|(to, class, size)| Input::Send {
            to: id(to),
            class,
            payload: vec![0; size]
        }),
        1 => any_class().prop_map(|class| Input::Broadcast { class, payload: vec![1] }),
        1 => vec(any::<u8>(), 0..70).prop_map(Input::SetHeartbeatPayload),
        1 => (1..5u32).prop_map(|peer| Input::Command(HostCommand::HandOver { to: id(peer) })),
        1 => Just(Input::ProbeSocket),
        6 => Just(Input::Timeout),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_inputs_makes_a_node_panic_or_loop(
        inputs in vec((0..3_000u64, any_input()), 0..60), p2p_available in any::<bool>()
    ) {
        let config = NodeConfig {
            keys: KEYS,
            role: MemberRole::Rider,
            ballot_key: None,
            resume: None,
            seed: 1,
            p2p_available,
            group_offset: None,
            room_snapshot: None,
        };
        let mut node = Node::new(config);
        let mut now = Moment::from_origin(ms(1_000));
        let mut last = GroupTime(i64::MIN);
        for (wait, input) in inputs {
            now += ms(wait);
            node.handle(now, input);
            while node.poll_output().is_some() {}
            let time = node.group_time(now).unwrap_or(last);
            prop_assert!(time >= last, "group time ran backwards");
            last = time;
            let wakes = (0..20).take_while(|_| {
                let due = node.poll_timeout().is_some_and(|at| at <= now);
                node.handle(now, Input::Timeout);
                while node.poll_output().is_some() {}
                due
            });
            prop_assert!(wakes.count() < 20, "the timeout does not advance");
        }
    }
}

#[test]
fn frames_of_unknown_members_and_other_page_loads_are_ignored_and_counted() {
    let mut net = Network::with_riders(61, 2);
    let body = Body::Telemetry {
        seq: 1_000,
        payload: b"forged".to_vec(),
    };
    let payload = LinkFrame {
        to: Incarnation(0),
        body,
    }
    .encode();
    for (from, load) in [(9, 1), (2, 0), (2, 2)] {
        let (from, incarnation) = (PeerNumber(from), Incarnation(load));
        let class = DeliveryClass::Telemetry;
        let frame = FromServer {
            class,
            sealed: false,
            from,
            incarnation,
            payload: &payload,
        };
        net.feed(0, Input::SocketBinary(frame.encode()));
    }
    assert_eq!(net.riders[0].node.stats().ignored, 3);
    assert!(net.received(0, 1, DeliveryClass::Telemetry).is_empty());
}

#[test]
fn an_offer_of_another_page_load_opens_no_connection() {
    let mut net = Network::with_riders(62, 2);
    let attempts = net.riders[0].node.stats().connection_attempts;
    let offer = ServerMessage::Signal {
        from: net.id(1),
        incarnation: Incarnation(7),
        signal: Signal::Offer {
            attempt: 9,
            sdp: "late".into(),
        },
    };
    net.feed(0, Input::SocketText(offer.to_json()));
    assert_eq!(net.riders[0].node.stats().connection_attempts, attempts);
}

#[test]
fn a_flood_of_offers_opens_few_connections_and_leaves_other_links_alone() {
    for rising in [true, false] {
        let mut net = Network::with_riders(64, 3);
        let (opened, ignored) = (
            net.opened_connections(0),
            net.riders[0].node.stats().ignored,
        );
        for number in 0..200 {
            let attempt = if rising { 50 + number } else { 50 };
            let offer = ServerMessage::Signal {
                from: net.id(1),
                incarnation: incarnation(&net, 0),
                signal: Signal::Offer {
                    attempt,
                    sdp: "more".into(),
                },
            };
            net.feed(0, Input::SocketText(offer.to_json()));
            net.run(10);
        }
        let opened = net.opened_connections(0) - opened;
        assert!((1..=8).contains(&opened) || !rising, "{opened} connections");
        assert!(opened <= 8, "{opened} connections");
        assert!(net.riders[0].node.stats().ignored > ignored + 180);
        assert_eq!(
            net.link(0, 2),
            Some(LinkState::Direct),
            "the link to another rider"
        );
        let back = net.run_until("direct", |net| net.all_links(LinkState::Direct));
        assert!(back <= ms(60_000), "{back:?}");
    }
}

#[test]
fn a_host_term_that_is_not_newer_changes_nothing() {
    let mut net = Network::with_riders(63, 2);
    let term = HostTerm {
        epoch: 1,
        peer: net.id(1),
        sign_key: [9; 32],
    };
    let first_host = net.id(1);
    let message = ServerMessage::Host {
        term,
        first_host,
        host_token: None,
    };
    net.feed(1, Input::SocketText(message.to_json()));
    assert_eq!(net.riders[1].node.host(), Some(&net.id(0)));
    let changed = |event: &NodeEvent| matches!(event, NodeEvent::HostChanged(_));
    assert!(!net.riders[1].events.iter().any(changed));
}
