//! Members that are not riders.

use super::{test_page::TestPage, *};
use protocol::{
    election::{BallotKey, Election},
    peer::{LinkState, MemberRole},
    signaling::{LinkReport, Report, RoomSnapshot},
};

const WAIT: Duration = Duration::from_secs(3);
const OTHER_ROLES: [MemberRole; 4] = [
    MemberRole::Spectator,
    MemberRole::Coach,
    MemberRole::Companion,
    MemberRole::Bridge,
];
use MemberRole::{Coach, Rider, Spectator};

fn role_of(harness: &RoomHarness, peer: &PeerId) -> Option<MemberRole> {
    let member = harness.room.members.find(peer);
    member.map(|(_, member)| member.role)
}

#[test]
fn welcome_and_announcement_name_the_role() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let coach = harness.join_as(Coach, 2);
    assert_eq!((coach.role, coach.members[0].role), (Coach, Rider));
    let announced = harness.last_received(1);
    assert!(matches!(announced, ServerMessage::Joined { member } if member.role == Coach));
    let spectator = harness.join_as(Spectator, 3);
    assert_eq!(spectator.members[1].role, Coach);
}

#[test]
fn a_ride_has_no_host_until_its_first_rider_joins() {
    for role in OTHER_ROLES {
        let mut harness = RoomHarness::new();
        let first = harness.join_as(role, 1);
        assert_eq!((first.host, first.first_host, first.epoch), (None, None, 0));
        assert_eq!(harness.room.summary().riders, 0);
        let ana = harness.join(2);
        assert_eq!((ana.is_host(), ana.epoch), (true, 1));
        assert_eq!(harness.announced_host(1), Some((1, ana.peer)));
    }
}

#[test]
fn a_ride_whose_last_rider_left_has_no_host_until_another_one_joins() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    harness.join_as(Spectator, 2);
    harness.message(1, ClientMessage::Leave);
    assert_eq!(harness.announced_host(2), None);
    assert_eq!(harness.join_as(Coach, 3).host, None);
    let ben = harness.join(4);
    assert_eq!((ben.is_host(), ben.epoch), (true, 2));
    assert_eq!(harness.announced_host(2), Some((2, ben.peer)));
}

#[test]
fn an_absent_host_is_succeeded_by_a_rider_only() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    OTHER_ROLES
        .into_iter()
        .zip(2..)
        .for_each(|(role, socket)| drop(harness.join_as(role, socket)));
    harness.close(1);
    harness.advance(GRACE - Duration::from_secs(1));
    assert_eq!(harness.announced_host(2), None);
    let ben = harness.join(9);
    assert_eq!(harness.announced_host(2), Some((2, ben.peer)));
}

#[test]
fn a_direct_link_of_a_spectator_does_not_keep_an_absent_host() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.join_as(Spectator, 3);
    let links = vec![LinkReport {
        peer: ana.peer,
        state: LinkState::Direct,
        connect_ms: None,
        round_trip_ms: None,
    }];
    let report = Report {
        links,
        ..Report::default()
    };
    harness.message(3, ClientMessage::Report(report));
    harness.close(1);
    harness.advance(HOST_GRACE);
    assert_eq!(harness.announced_host(2), Some((2, ben.peer)));
}

#[test]
fn the_host_role_cannot_be_handed_over_to_a_spectator() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let to = harness.join_as(Spectator, 2).peer;
    harness.message(1, ClientMessage::Command(HostCommand::HandOver { to }));
    let refused = code(&harness.last_received(1));
    assert_eq!(refused, Some(ErrorCode::NoSuchRider));
    assert_eq!(harness.room.terms.epoch(), 1);
}

#[test]
fn host_commands_of_members_that_are_not_riders_are_refused() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    for (role, socket) in OTHER_ROLES.into_iter().zip(2..) {
        harness.join_as(role, socket);
        let (peer, to, reason) = (ana.peer.clone(), ana.peer.clone(), String::new());
        for command in [
            HostCommand::Kick { peer, reason },
            HostCommand::Lock,
            HostCommand::Unlock,
            HostCommand::HandOver { to },
            HostCommand::End,
            HostCommand::Reclaim,
        ] {
            harness.message(socket, ClientMessage::Command(command));
            let refused = code(&harness.last_received(socket));
            assert_eq!(refused, Some(ErrorCode::NotHost));
        }
    }
    assert!(!harness.room.summary().locked && harness.closed.is_empty());
}

#[test]
fn a_kicked_spectator_cannot_return() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let spectator = harness.join_as(Spectator, 2);
    let (peer, reason) = (spectator.peer.clone(), String::new());
    let kick = HostCommand::Kick { peer, reason };
    harness.message(1, ClientMessage::Command(kick));
    assert_eq!(harness.closed, [(SocketId(2), close::KICKED)]);
    assert_eq!(harness.hello(3, resume(&spectator, true), 1), None);
}

#[test]
fn other_members_take_no_place_of_a_rider() {
    let mut harness = RoomHarness::with(RoomSettings {
        max_riders: 2,
        ..RoomSettings::default()
    });
    (1..=5).for_each(|socket| drop(harness.join_as(Spectator, socket)));
    assert_eq!(harness.room.summary().riders, 0);
    assert!(!harness.room.summary().full);
    harness.join(6);
    harness.join(7);
    assert!(harness.room.summary().full);
    assert_eq!(harness.room.summary().riders, 2);
    assert_eq!(harness.hello(8, None, 1), None);
    assert_eq!(code(&harness.last_received(8)), Some(ErrorCode::RideFull));
    harness.join_as(Coach, 9);
}

#[test]
fn other_members_are_bounded_together() {
    let mut harness = RoomHarness::with(RoomSettings {
        max_other_members: 2,
        ..RoomSettings::default()
    });
    let spectator = harness.join_as(Spectator, 1);
    harness.join_as(Coach, 2);
    for (role, socket) in OTHER_ROLES.into_iter().zip(3..) {
        assert_eq!(harness.hello_as(role, socket, None, None, 1), None);
        let refused = code(&harness.last_received(socket));
        assert_eq!(refused, Some(ErrorCode::RideFull));
    }
    harness.join(9);
    harness.close(1);
    harness.advance(GRACE);
    harness.join_as(Spectator, 10);
    assert_eq!(harness.hello(11, resume(&spectator, true), 1), None);
    assert_eq!(code(&harness.last_received(11)), Some(ErrorCode::RideFull));
}

#[test]
fn a_member_resumes_with_its_own_role_whatever_its_hello_says() {
    for (role, claimed) in [(Spectator, Rider), (Rider, Coach), (Coach, Spectator)] {
        let mut harness = RoomHarness::new();
        harness.join(1);
        let member = harness.join_as(role, 2);
        let hello = |harness: &mut RoomHarness, socket, same_page| {
            let resume = resume(&member, same_page);
            let welcome = harness.hello_as(claimed, socket, resume, None, 1).unwrap();
            assert_eq!(welcome.role, role);
            assert_eq!(role_of(harness, &member.peer), Some(role));
        };
        hello(&mut harness, 3, true);
        hello(&mut harness, 4, false);
        harness.close(4);
        harness.advance(GRACE);
        hello(&mut harness, 5, true);
        harness.restart_server();
        hello(&mut harness, 6, true);
        harness.advance(WAIT);
        assert_eq!(harness.room.terms.host().is_some(), role == Rider);
    }
}

/// Two riders on the sockets 1 and 2 and three spectators on the sockets 3 to 5.
fn ride_with_spectators() -> (RoomHarness, Vec<TestPage>) {
    let mut harness = RoomHarness::new();
    let roles = [Rider, Rider, Spectator, Spectator, Spectator];
    let pages = roles.into_iter().zip(1..);
    let mut pages: Vec<_> = pages
        .map(|(role, socket)| TestPage::join_as(role, &mut harness, socket).unwrap())
        .collect();
    pages.iter_mut().for_each(|page| page.receive(&harness));
    (harness, pages)
}

/// Snapshot of a page, with a further term of another host and the ride locked.
fn with_other_host(page: &TestPage, host: &TestPage) -> RoomSnapshot {
    let mut snapshot = page.snapshot();
    snapshot.locked = true;
    snapshot.hosts.push(HostTerm {
        epoch: page.epoch() + 1,
        peer: host.welcome.peer.clone(),
        sign_key: [host.key; 32],
    });
    snapshot
}

#[test]
fn spectators_have_no_vote_on_the_host_of_a_restored_room() {
    for host in [1, 2] {
        let (mut harness, mut pages) = ride_with_spectators();
        harness.restart_server();
        for page in &pages[2..] {
            let snapshot = Some(with_other_host(page, &pages[host]));
            let resume = resume(&page.welcome, true);
            let socket = page.socket + 100;
            let welcome = harness.hello_with_snapshot(socket, resume, snapshot, page.key);
            assert!(welcome.is_some());
        }
        assert!(pages[0].reconnect(&mut harness, 101));
        harness.advance(WAIT);
        pages[0].receive(&harness);
        let announced = harness.announced_host(101).map(|(_, peer)| peer);
        assert_eq!(announced, Some(pages[0].welcome.peer.clone()));
        assert!(pages[0].epoch() > 2, "above the epoch in the snapshots");
        assert!(!harness.room.summary().locked);
    }
}

#[test]
fn no_other_term_gets_the_epoch_of_one_that_a_spectator_knows() {
    let (mut harness, mut pages) = ride_with_spectators();
    harness.restart_server();
    // The host returns without a snapshot and with another key, so that its vote is for a term of
    // the same epoch as the known one.
    let host = resume(&pages[0].welcome, true);
    assert!(harness.hello(101, host, 9).is_some());
    assert!(pages[2].reconnect(&mut harness, 103));
    harness.advance(WAIT);
    pages[2].receive(&harness);
    let announced = harness.announced_host(103);
    assert_eq!(announced, Some((2, pages[0].welcome.peer.clone())));
}

#[test]
fn a_restored_room_waits_for_its_riders_while_only_spectators_have_returned() {
    let (mut harness, mut pages) = ride_with_spectators();
    harness.restart_server();
    for page in &mut pages[2..] {
        let socket = page.socket + 100;
        assert!(page.reconnect(&mut harness, socket));
    }
    harness.advance(4 * WAIT);
    assert!(harness.room.restoration.is_collecting());
    // The second rider alone knows the host by its snapshot.
    assert!(pages[1].reconnect(&mut harness, 102));
    harness.advance(WAIT);
    let ana = pages[0].welcome.peer.clone();
    assert_eq!(harness.announced_host(103), Some((1, ana)));
    assert_eq!(harness.room.summary().riders, 2);
}

#[test]
fn new_riders_are_admitted_to_a_restored_room_with_spectators_only() {
    let (mut harness, pages) = ride_with_spectators();
    harness.restart_server();
    let spectator = resume(&pages[2].welcome, true);
    assert!(harness.hello(103, spectator, 3).is_some());
    assert_eq!(harness.hello(200, None, 1), None);
    harness.advance(WAIT);
    let welcome = harness.received(200);
    assert!(matches!(&welcome[..], [ServerMessage::Welcome(welcome)] if welcome.is_host()));
}

#[test]
fn riders_and_others_that_wait_for_a_restored_room_are_bounded_separately() {
    let mut harness = RoomHarness::with(RoomSettings {
        max_riders: 2,
        max_other_members: 1,
        ..RoomSettings::default()
    });
    harness.restart_server();
    let hellos = [Spectator, Spectator, Rider, Rider, Rider];
    for (role, socket) in hellos.into_iter().zip(1..) {
        assert_eq!(harness.hello_as(role, socket, None, None, 1), None);
    }
    for socket in [2, 5] {
        let refused = code(&harness.last_received(socket));
        assert_eq!(refused, Some(ErrorCode::RideFull));
    }
    harness.advance(WAIT);
    for socket in [1, 3, 4] {
        let received = harness.received(socket);
        assert!(matches!(received[0], ServerMessage::Welcome(_)));
    }
}

#[test]
fn a_token_outweighs_the_role_that_a_snapshot_lists() {
    let (mut harness, mut pages) = ride_with_spectators();
    let spectator = pages[2].welcome.peer.clone();
    let rider = pages[0].welcome.peer.clone();
    harness.restart_server();
    let mut snapshot = pages[1].snapshot();
    for member in &mut snapshot.members {
        member.role = match member.role {
            Rider => Spectator,
            _ => Rider,
        };
    }
    snapshot.hosts[0].peer = spectator.clone();
    let claim = resume(&pages[1].welcome, true);
    let welcome = harness.hello_with_snapshot(102, claim, Some(snapshot), 2);
    assert!(welcome.is_some());
    harness.advance(WAIT);
    // The snapshot alone made the spectator host.
    assert_eq!(harness.announced_host(102).unwrap().1, spectator);
    assert!(pages[2].reconnect(&mut harness, 103));
    assert_eq!(role_of(&harness, &spectator), Some(Spectator));
    let announced = harness.announced_host(102).map(|(_, peer)| peer);
    assert_ne!(announced, Some(spectator));
    assert!(pages[0].reconnect(&mut harness, 101));
    assert_eq!(role_of(&harness, &rider), Some(Rider));
}

#[test]
fn a_rider_listed_as_a_spectator_gets_a_place_only_if_there_is_one() {
    let mut harness = RoomHarness::with(RoomSettings {
        max_riders: 2,
        ..RoomSettings::default()
    });
    let mut pages: Vec<_> = (1..=2)
        .map(|socket| TestPage::join(&mut harness, socket).unwrap())
        .collect();
    pages.iter_mut().for_each(|page| page.receive(&harness));
    harness.restart_server();
    let mut snapshot = pages[0].snapshot();
    snapshot.members[0].role = Spectator;
    let ghost = Member {
        number: PeerNumber(9),
        peer: "ghost".parse().unwrap(),
        role: Rider,
        ..snapshot.members[0].clone()
    };
    snapshot.members.push(ghost);
    let claim = resume(&pages[0].welcome, true);
    let welcome = harness.hello_with_snapshot(101, claim, Some(snapshot), 1);
    assert!(welcome.is_some());
    assert_eq!(harness.room.summary().riders, 2);
    assert!(pages[1].reconnect(&mut harness, 102));
    assert_eq!(harness.room.summary().riders, 2);
    assert_eq!(role_of(&harness, &"ghost".parse().unwrap()), None);
}

/// Page with a real signing key, as votes need it.
fn join_with_key(harness: &mut RoomHarness, role: MemberRole, socket: u64) -> (Welcome, BallotKey) {
    let key = BallotKey::from_seed([socket as u8; 32]).unwrap();
    let hello = Hello {
        version: VERSION,
        keys: PublicKeys {
            sign: key.public(),
            agree: [0; 32],
        },
        role,
        resume: None,
        snapshot: None,
    };
    (harness.send_hello(socket, hello).unwrap(), key)
}

/// Presents an election for a candidate by some voters, on a new socket of one of the members.
/// Returns the epoch and the host that the first member knows then.
fn present_election(
    harness: &mut RoomHarness,
    members: &[(Welcome, BallotKey)],
    candidate: usize,
    voters: &[usize],
    presenter: usize,
) -> Option<(u32, PeerId)> {
    let term = HostTerm {
        epoch: 5,
        peer: members[candidate].0.peer.clone(),
        sign_key: members[candidate].1.public(),
    };
    let vote = |voter: &usize| {
        let (welcome, key) = &members[*voter];
        key.vote(welcome.number, &term)
    };
    let votes = voters.iter().map(vote).collect();
    let snapshot = RoomSnapshot {
        elections: vec![Election { term, votes }],
        ..RoomSnapshot::default()
    };
    let (welcome, key) = &members[presenter];
    let hello = Hello {
        version: VERSION,
        keys: PublicKeys {
            sign: key.public(),
            agree: [0; 32],
        },
        role: welcome.role,
        resume: resume(welcome, true),
        snapshot: Some(Box::new(snapshot)),
    };
    harness.send_hello(100, hello);
    harness.announced_host(1)
}

#[test]
fn a_majority_in_an_election_is_one_of_the_riders() {
    let members = |harness: &mut RoomHarness| -> Vec<_> {
        let roles = [Rider, Rider, Rider, Spectator, Spectator, Spectator];
        let members = roles.into_iter().zip(1..);
        members
            .map(|(role, socket)| join_with_key(harness, role, socket))
            .collect()
    };
    // Two of three riders are enough, although there are six members.
    for presenter in [1, 3] {
        let mut harness = RoomHarness::new();
        let members = members(&mut harness);
        let host = present_election(&mut harness, &members, 1, &[1, 2], presenter);
        assert_eq!(host, Some((5, members[1].0.peer.clone())));
    }
    // Votes of spectators and votes for a spectator are not valid.
    for (candidate, voters) in [(1, &[1, 3, 4, 5][..]), (3, &[1, 2][..])] {
        let mut harness = RoomHarness::new();
        let members = members(&mut harness);
        let host = present_election(&mut harness, &members, candidate, voters, 1);
        assert_eq!(host, Some((6, members[0].0.peer.clone())));
    }
}
