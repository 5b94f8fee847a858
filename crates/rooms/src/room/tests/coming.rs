//! Coming, going, and coming back.

use super::*;

#[test]
fn the_first_rider_in_is_host_and_the_next_is_announced() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    assert_eq!(
        (ana.is_host(), ana.epoch, ana.host.clone()),
        (true, 1, Some(ana.peer))
    );
    assert!(ana.members.is_empty());
    let ben = hall.join(2);
    assert_eq!((ben.is_host(), ben.members.len()), (false, 1));
    let ServerMessage::Joined { member } = hall.last(1) else {
        panic!()
    };
    assert_eq!((member.peer, member.number), (ben.peer, PeerNumber(2)));
}

#[test]
fn a_socket_lost_and_back_within_the_grace_is_the_same_rider() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    assert_eq!(
        hall.last(1),
        ServerMessage::Away {
            peer: ben.peer.clone()
        }
    );
    hall.pass(GRACE - Duration::from_millis(1));
    let back = hall.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!((&back.peer, back.number), (&ben.peer, ben.number));
    assert_eq!(back.incarnation, ben.incarnation);
    assert!(matches!(hall.last(1), ServerMessage::Returned { member } if !member.away));
}

#[test]
fn a_reloaded_page_is_the_same_rider_with_a_new_incarnation() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    let back = hall.hello(3, resume(&ben, false), 1).unwrap();
    assert_eq!((back.peer, back.number), (ben.peer, ben.number));
    assert_eq!(back.incarnation, Incarnation(2));
}

#[test]
fn after_the_grace_a_rider_is_gone_and_its_token_brings_it_back() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    hall.pass(GRACE);
    let gone = ServerMessage::Left {
        peer: ben.peer.clone(),
        reason: LeftReason::Gone,
    };
    assert_eq!(hall.last(1), gone);
    let back = hall.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!(back.peer, ben.peer);
    assert_eq!(
        (back.number, back.incarnation),
        (PeerNumber(3), Incarnation(2))
    );
    assert!(matches!(hall.last(1), ServerMessage::Joined { .. }));
}

#[test]
fn leaving_is_immediate() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.message(2, ClientMessage::Leave);
    let left = ServerMessage::Left {
        peer: ben.peer,
        reason: LeftReason::Left,
    };
    assert_eq!(hall.last(1), left);
    assert_eq!(hall.closed, [(SocketId(2), close::LEFT)]);
    hall.close(2);
    assert_eq!(hall.room.summary().riders, 1);
}

#[test]
fn the_thirty_third_rider_is_refused_and_a_member_still_comes_back() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    (2..=32).for_each(|socket| drop(hall.join(socket)));
    assert!(hall.room.summary().full);
    assert_eq!(hall.hello(33, None, 1), None);
    assert_eq!(code(&hall.last(33)), Some(ErrorCode::RideFull));
    assert_eq!(hall.closed, [(SocketId(33), close::REFUSED)]);
    hall.close(1);
    assert!(hall.hello(34, resume(&ana, true), 1).is_some());
}

#[test]
fn a_wrong_token_is_refused_and_tells_nobody() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    let said = hall.heard(1).len();
    let mut claim = resume(&ben, false).unwrap();
    claim.token = ana.token;
    assert_eq!(hall.hello(3, Some(claim), 1), None);
    assert_eq!(code(&hall.last(3)), Some(ErrorCode::BadToken));
    assert_eq!(hall.heard(1).len(), said);
}

#[test]
fn a_second_tab_replaces_the_first_which_does_not_fight_back() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    let second = hall.hello(3, resume(&ben, false), 1).unwrap();
    assert_eq!(second.incarnation, Incarnation(2));
    assert_eq!(hall.last(2), ServerMessage::Replaced);
    assert_eq!(hall.closed, [(SocketId(2), close::REPLACED)]);
    assert_eq!(hall.hello(4, resume(&ben, true), 1), None);
    assert_eq!(hall.last(4), ServerMessage::Replaced);
    assert_eq!(hall.room.summary().riders, 2);
}

#[test]
fn a_page_whose_welcome_was_lost_on_the_way_is_no_second_tab() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    hall.pass(GRACE);
    // Ben's page is given another incarnation, and never hears of it.
    let lost = hall.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!(lost.incarnation, Incarnation(2));
    let again = hall.hello(4, resume(&ben, true), 1).unwrap();
    assert_eq!(again.incarnation, Incarnation(3));
    // Once another tab is Ben, the page is an older one.
    hall.hello(5, resume(&again, false), 1).unwrap();
    assert_eq!(hall.hello(6, resume(&ben, true), 1), None);
    assert_eq!(hall.last(6), ServerMessage::Replaced);
}

#[test]
fn a_new_socket_of_the_same_page_is_no_second_tab() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.hello(2, resume(&ana, true), 1).unwrap();
    assert!(!hall.heard(1).contains(&ServerMessage::Replaced));
    assert_eq!(hall.closed, [(SocketId(1), close::SUPERSEDED)]);
}

#[test]
fn another_version_is_told_to_reload() {
    let mut hall = RoomHarness::new();
    let keys = PublicKeys {
        sign: [0; 32],
        agree: [0; 32],
    };
    hall.say(Input::Join(Join {
        socket: SocketId(1),
        hello: Hello {
            version: VERSION + 1,
            keys,
            role: protocol::peer::MemberRole::Rider,
            resume: None,
            snapshot: None,
        },
        fresh_peer: "a".parse().unwrap(),
        server_time: 0,
    }));
    assert_eq!(code(&hall.last(1)), Some(ErrorCode::UnsupportedVersion));
}

#[test]
fn a_room_dies_ten_minutes_after_its_last_rider_left() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.close(1);
    hall.pass(GRACE);
    hall.pass(Duration::from_secs(599));
    assert!(!hall.room.is_dead(hall.now));
    let back = hall.hello(2, resume(&ana, false), 1).unwrap();
    assert_eq!((back.is_host(), back.epoch), (true, 2));
    hall.message(2, ClientMessage::Leave);
    hall.pass(Duration::from_secs(600));
    assert!(hall.room.is_dead(hall.now));
    assert_eq!(hall.room.poll_timeout(), None);
}

#[test]
fn a_room_that_nobody_enters_dies_too() {
    let mut hall = RoomHarness::new();
    hall.pass(Duration::from_secs(600));
    assert!(hall.room.is_dead(hall.now));
}

#[test]
fn a_token_is_renewed_with_every_welcome_and_good_for_a_day_after() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    hall.wall += 86_399_000;
    let back = hall.hello(3, resume(&ben, true), 1).unwrap();
    hall.close(3);
    hall.wall += 1_000;
    assert_eq!(hall.hello(4, resume(&ben, true), 1), None);
    assert_eq!(code(&hall.last(4)), Some(ErrorCode::BadToken));
    assert!(hall.hello(5, resume(&back, true), 1).is_some());
}

#[test]
fn a_token_that_the_server_did_not_sign_or_that_is_anothers_is_refused() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let forged = ana.token.expose().replace("ours", "theirs");
    let note = format!("ours_barred_{}", ana.peer);
    let load = ana.token.expose().replace("_1_1_", "_1_2_");
    for text in [forged, note, load, "ours".into(), "guessed".into()] {
        let mut claim = resume(&ana, true).unwrap();
        claim.token = text.parse().unwrap();
        assert_eq!(hall.hello(2, Some(claim), 1), None, "{text}");
        assert_eq!(code(&hall.last(2)), Some(ErrorCode::BadToken));
    }
    assert_eq!(hall.room.summary().riders, 1);
}
