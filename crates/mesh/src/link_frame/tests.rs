use super::*;
use proptest::{collection::vec, prelude::*};

#[test]
fn a_full_segment_fits_into_a_relay_envelope() {
    let payload = vec![7; MAX_LINK_FRAME - SEGMENT_HEADER];
    let frame = LinkFrame {
        to: Incarnation(1),
        body: Body::Segment {
            class: DeliveryClass::Bulk,
            seq: 1,
            more: true,
            payload,
        },
    };
    let bytes = frame.encode();
    assert_eq!(bytes.len(), MAX_LINK_FRAME);
    assert_eq!(LinkFrame::decode(&bytes), Ok(frame));
}

#[test]
fn an_acknowledgement_of_telemetry_is_refused() {
    let ack = [3, 0, 0, 0, 1, 1, 0, 0, 0, 9];
    assert_eq!(LinkFrame::decode(&ack), Err(FrameError::Unknown(1)));
}

fn any_body() -> impl Strategy<Value = Body> {
    let class = prop_oneof![Just(DeliveryClass::Control), Just(DeliveryClass::Bulk)];
    let segment = (
        class.clone(),
        any::<u32>(),
        any::<bool>(),
        vec(any::<u8>(), 0..200),
    );
    let report = (any::<[u32; 5]>(), any::<i64>(), any::<bool>());
    let report =
        report.prop_map(
            |([number, load, delay, control, bulk], sent, direct)| ReceptionReport {
                number: PeerNumber(number),
                incarnation: Incarnation(load),
                sent,
                delay,
                direct,
                control,
                bulk,
            },
        );
    let election = (
        any::<(u32, u32)>(),
        any::<[u8; 32]>(),
        vec((any::<u32>(), any::<u8>()), 0..=MAX_RIDERS),
    );
    let election = election.prop_map(|((epoch, peer), sign_key, votes)| Election {
        term: HostTerm {
            epoch,
            peer: format!("peer-{peer}").parse().unwrap(),
            sign_key,
        },
        votes: votes.into_iter().map(any_vote).collect(),
    });
    let heartbeat = (
        any::<i64>(),
        any::<(Option<i64>, bool, u32)>(),
        vec(any::<u8>(), 0..=MAX_HEARTBEAT_PAYLOAD),
        vec(report, 0..=MAX_REPORTS),
    );
    prop_oneof![
        (any::<u32>(), vec(any::<u8>(), 0..200))
            .prop_map(|(seq, payload)| Body::Telemetry { seq, payload }),
        segment.prop_map(|(class, seq, more, payload)| Body::Segment {
            class,
            seq,
            more,
            payload
        }),
        (class, any::<u32>()).prop_map(|(class, cumulative)| Body::Ack { class, cumulative }),
        heartbeat.prop_map(
            |(sent, (group_offset, p2p, epoch), payload, reports)| Body::Heartbeat(Heartbeat {
                sent,
                group_offset: group_offset.map(GroupOffset),
                p2p,
                epoch,
                payload,
                reports
            })
        ),
        election.prop_map(Body::Election),
    ]
}

fn any_vote((voter, byte): (u32, u8)) -> Vote {
    Vote {
        voter: PeerNumber(voter),
        signature: [byte; 64],
    }
}

proptest! {
    #[test]
    fn encoded_link_frames_decode_to_the_same(to in any::<u32>(), body in any_body()) {
        let frame = LinkFrame { to: Incarnation(to), body };
        prop_assert_eq!(LinkFrame::decode(&frame.encode()), Ok(frame));
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = LinkFrame::decode(&bytes);
    }

    #[test]
    fn a_cut_or_damaged_frame_never_panics(
        body in any_body(), cut in 0..100usize, at in 0..100usize, to in any::<u8>()
    ) {
        let mut bytes = LinkFrame { to: Incarnation(1), body }.encode();
        let at = at % bytes.len();
        bytes[at] = to;
        let _ = LinkFrame::decode(&bytes);
        let _ = LinkFrame::decode(&bytes[..cut.min(bytes.len())]);
    }
}
