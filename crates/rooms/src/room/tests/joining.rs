//! Joining, leaving and resuming.

use crate::ClientKey;

use super::{fake_signer::FakeSigner, *};
use crate::room::Signer;

#[test]
fn newcomers_without_end_are_refused_and_riders_of_the_ride_return_all_the_same() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let mut refused = 0;
    for socket in 2..200 {
        match harness.hello(socket, None, 1) {
            Some(_) => harness.message(socket, ClientMessage::Leave),
            None => {
                refused += 1;
                assert_eq!(
                    code(&harness.last_received(socket)),
                    Some(ErrorCode::RateLimited)
                );
            }
        }
    }
    assert_eq!(refused, 198 - 63, "64 newcomers at once, with Ana");
    assert!(harness.hello(200, resume(&ana, true), 1).is_some());
    harness.advance(Duration::from_secs(2));
    assert!(harness.hello(201, None, 1).is_some());
}

#[test]
fn a_rider_that_returns_in_a_loop_is_refused_for_a_while() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    let returned = (3..100).filter(|it| harness.hello(*it, resume(&ben, true), 1).is_some());
    assert_eq!(returned.count(), 8);
    assert!(harness.hello(100, resume(&ana, true), 1).is_some());
    harness.advance(Duration::from_secs(2));
    assert!(harness.hello(101, resume(&ben, true), 1).is_some());
}

#[test]
fn the_first_rider_is_host_and_the_next_one_is_announced() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    assert_eq!(
        (ana.is_host(), ana.epoch, ana.host.clone()),
        (true, 1, Some(ana.peer))
    );
    assert!(ana.members.is_empty());
    let ben = harness.join(2);
    assert_eq!((ben.is_host(), ben.members.len()), (false, 1));
    let ServerMessage::Joined { member } = harness.last_received(1) else {
        panic!()
    };
    assert_eq!((member.peer, member.number), (ben.peer, PeerNumber(2)));
}

#[test]
fn a_page_that_reconnects_within_the_grace_period_is_the_same_rider() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    assert_eq!(
        harness.last_received(1),
        ServerMessage::Away {
            peer: ben.peer.clone()
        }
    );
    harness.advance(GRACE - Duration::from_millis(1));
    let back = harness.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!((&back.peer, back.number), (&ben.peer, ben.number));
    assert_eq!(back.incarnation, ben.incarnation);
    assert!(matches!(harness.last_received(1), ServerMessage::Returned { member } if !member.away));
}

#[test]
fn a_reloaded_page_is_the_same_rider_with_a_new_incarnation() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    let back = harness.hello(3, resume(&ben, false), 1).unwrap();
    assert_eq!((back.peer, back.number), (ben.peer, ben.number));
    assert_eq!(back.incarnation, Incarnation(2));
}

#[test]
fn after_the_grace_period_a_rider_is_removed_and_its_token_admits_it_again() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    harness.advance(GRACE);
    let gone = ServerMessage::Left {
        peer: ben.peer.clone(),
        reason: LeftReason::Gone,
    };
    assert_eq!(harness.last_received(1), gone);
    let back = harness.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!(back.peer, ben.peer);
    assert_eq!(
        (back.number, back.incarnation),
        (PeerNumber(3), Incarnation(2))
    );
    assert!(matches!(
        harness.last_received(1),
        ServerMessage::Joined { .. }
    ));
}

#[test]
fn leaving_is_immediate() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.message(2, ClientMessage::Leave);
    let left = ServerMessage::Left {
        peer: ben.peer,
        reason: LeftReason::Left,
    };
    assert_eq!(harness.last_received(1), left);
    assert_eq!(harness.closed, [(SocketId(2), close::LEFT)]);
    harness.close(2);
    assert_eq!(harness.room.summary().riders, 1);
}

#[test]
fn the_thirty_third_rider_is_refused_and_a_member_can_still_return() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    (2..=32).for_each(|socket| drop(harness.join(socket)));
    assert!(harness.room.summary().full);
    assert_eq!(harness.hello(33, None, 1), None);
    assert_eq!(code(&harness.last_received(33)), Some(ErrorCode::RideFull));
    assert_eq!(harness.closed, [(SocketId(33), close::REFUSED)]);
    harness.close(1);
    assert!(harness.hello(34, resume(&ana, true), 1).is_some());
}

#[test]
fn a_wrong_token_is_refused_and_not_announced() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    let received = harness.received(1).len();
    let mut claim = resume(&ben, false).unwrap();
    claim.token = ana.token;
    assert_eq!(harness.hello(3, Some(claim), 1), None);
    assert_eq!(code(&harness.last_received(3)), Some(ErrorCode::BadToken));
    assert_eq!(harness.received(1).len(), received);
}

#[test]
fn a_second_tab_replaces_the_first_which_cannot_resume_again() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    let second = harness.hello(3, resume(&ben, false), 1).unwrap();
    assert_eq!(second.incarnation, Incarnation(2));
    assert_eq!(harness.last_received(2), ServerMessage::Replaced);
    assert_eq!(harness.closed, [(SocketId(2), close::REPLACED)]);
    assert_eq!(harness.hello(4, resume(&ben, true), 1), None);
    assert_eq!(harness.last_received(4), ServerMessage::Replaced);
    assert_eq!(harness.room.summary().riders, 2);
}

#[test]
fn a_page_that_missed_its_welcome_can_resume_again() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    harness.advance(GRACE);
    // The welcome with the new incarnation is lost on its way to the page.
    let lost = harness.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!(lost.incarnation, Incarnation(2));
    let again = harness.hello(4, resume(&ben, true), 1).unwrap();
    assert_eq!(again.incarnation, Incarnation(3));
    // Once a newer tab has resumed, the page is replaced.
    harness.hello(5, resume(&again, false), 1).unwrap();
    assert_eq!(harness.hello(6, resume(&ben, true), 1), None);
    assert_eq!(harness.last_received(6), ServerMessage::Replaced);
}

#[test]
fn a_new_socket_of_the_same_page_supersedes_the_old_one() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.hello(2, resume(&ana, true), 1).unwrap();
    assert!(!harness.received(1).contains(&ServerMessage::Replaced));
    assert_eq!(harness.closed, [(SocketId(1), close::SUPERSEDED)]);
}

#[test]
fn a_member_resumes_only_with_the_signing_key_that_it_joined_with() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    // Away, connected, and after it was removed.
    for socket in [3, 5, 7] {
        assert_eq!(harness.hello(socket, resume(&ben, false), 9), None);
        let refused = code(&harness.last_received(socket));
        assert_eq!(refused, Some(ErrorCode::BadToken));
        let back = harness.hello(socket + 1, resume(&ben, false), 1).unwrap();
        assert_eq!(back.peer, ben.peer);
        if socket == 5 {
            harness.message(6, ClientMessage::Leave);
        }
    }
    // As a new rider, the page is admitted.
    assert!(harness.hello(9, None, 9).is_some());
    assert!(harness.received(1).iter().all(|message| match message {
        ServerMessage::Returned { member } => member.keys.sign == [1; 32],
        _ => true,
    }));
    assert_eq!(harness.announced_host(1).map(|(_, peer)| peer), None);
    assert!(ana.is_host());
    // A bridge makes a new key with each page.
    let bridge = harness.join_as(protocol::peer::MemberRole::Bridge, 20);
    let back = harness.hello(21, resume(&bridge, false), 9).unwrap();
    assert_eq!(back.peer, bridge.peer);
}

#[test]
fn a_hello_of_another_version_is_refused() {
    let mut harness = RoomHarness::new();
    let keys = PublicKeys {
        sign: [0; 32],
        agree: [0; 32],
    };
    harness.handle(Input::Join(Join {
        socket: SocketId(1),
        client: ClientKey(1),
        hello: Hello {
            version: VERSION + 1,
            keys,
            role: protocol::peer::MemberRole::Rider,
            resume: None,
            snapshot: None,
        },
        fresh_peer: "a".parse().unwrap(),
        server_time: harness::TODAY,
    }));
    assert_eq!(
        code(&harness.last_received(1)),
        Some(ErrorCode::UnsupportedVersion)
    );
}

#[test]
fn a_room_ends_ten_minutes_after_its_last_rider_left() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.close(1);
    harness.advance(GRACE);
    harness.advance(Duration::from_secs(599));
    assert!(!harness.room.is_dead(harness.now));
    let back = harness.hello(2, resume(&ana, false), 1).unwrap();
    assert_eq!((back.is_host(), back.epoch), (true, 2));
    harness.message(2, ClientMessage::Leave);
    harness.advance(Duration::from_secs(600));
    assert!(harness.room.is_dead(harness.now));
    assert_eq!(harness.room.poll_timeout(), None);
}

#[test]
fn a_room_without_any_rider_ends_after_ten_minutes() {
    let mut harness = RoomHarness::new();
    harness.advance(Duration::from_secs(600));
    assert!(harness.room.is_dead(harness.now));
}

#[test]
fn each_welcome_carries_a_new_token_that_opens_a_lost_ride_for_one_day() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.wall_time = harness.wall_time.after(Duration::from_secs(3_600));
    let back = harness.hello(2, resume(&ana, true), 1).unwrap();
    let expiry = |welcome: &Welcome| match FakeSigner("ours").verify(&welcome.token) {
        Some(Statement::Resume(claims)) => claims.expires,
        other => panic!("not a resume token: {other:?}"),
    };
    let day = Duration::from_secs(86_400);
    assert_eq!(expiry(&ana), harness::TODAY.after(day));
    assert_eq!(expiry(&back), harness.wall_time.after(day));
}

#[test]
fn tokens_do_not_expire_while_their_ride_goes_on() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    let cleo = harness.join(3);
    harness.close(2);
    harness.message(3, ClientMessage::Leave);
    // A machine that started without a clock has got the time.
    harness.wall_time = harness
        .wall_time
        .after(Duration::from_secs(20_000 * 86_400));
    assert!(harness.hello(4, resume(&ben, true), 1).is_some());
    assert!(harness.hello(5, resume(&cleo, true), 1).is_some());
}

#[test]
fn a_forged_token_or_one_of_another_page_is_refused() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let forged = ana.token.expose().replace("ours", "theirs");
    let ban = format!("ours_ban_{}", ana.peer);
    let load = ana.token.expose().replace("_1_1_", "_1_2_");
    for text in [forged, ban, load, "ours".into(), "guessed".into()] {
        let mut claim = resume(&ana, true).unwrap();
        claim.token = text.parse().unwrap();
        assert_eq!(harness.hello(2, Some(claim), 1), None, "{text}");
        assert_eq!(code(&harness.last_received(2)), Some(ErrorCode::BadToken));
    }
    assert_eq!(harness.room.summary().riders, 1);
}
