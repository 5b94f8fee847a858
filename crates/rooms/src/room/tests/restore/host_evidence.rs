//! Host tokens and elections against the claims of the riders who return first.

use super::*;
use protocol::peer::Token;
use untrusted_claims::with_false_term;

/// Resumes with a snapshot. Returns `true` if the room admits the page.
fn present(harness: &mut RoomHarness, page: &TestPage, socket: u64, room: RoomSnapshot) -> bool {
    let claim = resume(&page.welcome, true);
    let welcome = harness.hello_with_snapshot(socket, claim, Some(room), page.key);
    welcome.is_some()
}

fn hand_over(harness: &mut RoomHarness, pages: &mut [TestPage], from: usize, to: usize) {
    let socket = pages[from].socket;
    let to = pages[to].welcome.peer.clone();
    harness.message(socket, ClientMessage::Command(HostCommand::HandOver { to }));
    pages.iter_mut().for_each(|page| page.receive(harness));
}

fn host_of(page: &TestPage) -> &PeerId {
    &page.hosts.last().unwrap().peer
}

#[test]
fn a_host_token_outweighs_the_votes_of_many() {
    let (mut harness, mut pages) = ride_of(4);
    harness.restart_server();
    for page in &pages[1..] {
        let room = with_false_term(&pages[1], 2);
        assert!(present(&mut harness, page, page.socket + 100, room));
    }
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    assert_eq!(host_of(&pages[0]), &pages[0].welcome.peer);
    assert_eq!(pages[0].epoch(), 3, "above the epochs in the snapshots");
}

#[test]
fn a_hand_over_that_only_the_new_host_knows_is_not_undone() {
    let (mut harness, mut pages) = ride_of(4);
    harness.close(2);
    harness.close(3);
    hand_over(&mut harness, &mut pages, 0, 3);
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages[1..]);
    finish_restoring(&mut harness, &mut pages[1..]);
    let dora = pages[3].welcome.peer.clone();
    for socket in 102..=104 {
        assert_eq!(harness.announced_host(socket), Some((2, dora.clone())));
    }
}

#[test]
fn without_host_tokens_the_votes_count() {
    let (mut harness, mut pages) = ride_of(4);
    hand_over(&mut harness, &mut pages, 0, 1);
    for page in &mut pages {
        page.host_token = None;
    }
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages);
    assert_eq!(pages[0].welcome.host_token, None);
    finish_restoring(&mut harness, &mut pages);
    assert_eq!(host_of(&pages[0]), &pages[1].welcome.peer);
    assert_eq!(pages[0].epoch(), 2);
}

#[test]
fn a_former_host_that_returns_first_is_corrected_by_newer_tokens() {
    for late in [Duration::ZERO, Duration::from_secs(10)] {
        let (mut harness, mut pages) = ride_of(3);
        let before = pages[0].snapshot();
        hand_over(&mut harness, &mut pages, 0, 1);
        harness.restart_server();
        assert!(present(&mut harness, &pages[0], 101, before));
        harness.advance(late);
        // Ben has not come back yet; Cleo's page names him.
        assert!(pages[2].reconnect(&mut harness, 103));
        assert!(pages[1].reconnect(&mut harness, 102));
        finish_restoring(&mut harness, &mut pages[1..]);
        let ben = pages[1].welcome.peer.clone();
        assert_eq!(harness.announced_host(101).unwrap().1, ben, "{late:?}");
        assert_eq!(host_of(&pages[1]), &ben, "{late:?}");
        assert_eq!(host_of(&pages[2]), &ben, "{late:?}");
        harness.message(101, ClientMessage::Command(HostCommand::Reclaim));
        let refused = code(&harness.last_received(101));
        assert_eq!(refused, Some(ErrorCode::NotFirstHost), "{late:?}");
    }
}

#[test]
fn a_former_host_that_hands_over_at_once_is_corrected_all_the_same() {
    let (mut harness, mut pages) = ride_of(4);
    let before = [0, 2].map(|page: usize| pages[page].snapshot());
    hand_over(&mut harness, &mut pages, 0, 1);
    harness.restart_server();
    let [ana, cleo] = before;
    assert!(present(&mut harness, &pages[0], 101, ana));
    assert!(present(&mut harness, &pages[2], 103, cleo));
    harness.advance(WAIT);
    let to = pages[2].welcome.peer.clone();
    harness.message(101, ClientMessage::Command(HostCommand::HandOver { to }));
    let handed_over = harness.announced_host(103).unwrap();
    assert_eq!(handed_over.1, pages[2].welcome.peer);
    assert!(pages[1].reconnect(&mut harness, 102));
    pages[1].receive(&harness);
    assert_eq!(host_of(&pages[1]), &pages[1].welcome.peer);
    // The token of the hand-over in between is no news afterwards.
    let mut stale = pages[1].snapshot();
    let (epoch, peer) = handed_over;
    stale.host_token = Some(FakeSigner("ours").sign(&Statement::Host(HostClaims {
        epoch,
        peer,
        first_host: None,
    })));
    assert!(present(&mut harness, &pages[3], 104, stale));
    pages[1].receive(&harness);
    assert_eq!(host_of(&pages[1]), &pages[1].welcome.peer);
}

#[test]
fn a_lone_rider_that_returns_first_is_host_only_until_the_real_one_is_back() {
    let (mut harness, mut pages) = ride_of(3);
    harness.restart_server();
    // It lists no others, and shows no host token.
    let mut room = with_false_term(&pages[1], 40);
    room.members.clear();
    room.host_token = None;
    room.first_host = Some(pages[1].welcome.peer.clone());
    assert!(present(&mut harness, &pages[1], 102, room));
    harness.advance(WAIT);
    let (_, host) = harness.announced_host(102).unwrap();
    assert_eq!(host, pages[1].welcome.peer);
    let newcomer = harness.join(200);
    assert_eq!(newcomer.host_token, None, "the server is not sure of it");
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    assert_eq!(host_of(&pages[0]), &pages[0].welcome.peer);
    harness.message(102, ClientMessage::Command(HostCommand::Reclaim));
    let refused = code(&harness.last_received(102));
    assert_eq!(refused, Some(ErrorCode::NotFirstHost));
    assert!(harness.join(201).host_token.is_some());
}

#[test]
fn evidence_counts_for_as_long_as_the_ride_would_have_waited_for_its_riders() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    let mut room = pages[1].snapshot();
    room.host_token = None;
    room.hosts.clear();
    room.members.clear();
    assert!(present(&mut harness, &pages[1], 102, room));
    harness.advance(Duration::from_secs(700));
    let newcomer = harness.join(200);
    assert!(newcomer.host_token.is_some(), "it is sure by now");
    assert!(pages[0].reconnect(&mut harness, 101));
    pages[0].receive(&harness);
    assert_eq!(host_of(&pages[0]), &pages[1].welcome.peer);
}

#[test]
fn a_sole_rider_cannot_make_itself_first_host() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    let mut room = pages[1].snapshot();
    room.first_host = Some(pages[1].welcome.peer.clone());
    assert!(present(&mut harness, &pages[1], 102, room));
    harness.advance(WAIT);
    harness.message(102, ClientMessage::Command(HostCommand::Reclaim));
    let refused = code(&harness.last_received(102));
    assert_eq!(refused, Some(ErrorCode::NotFirstHost));
    assert!(pages[0].reconnect(&mut harness, 101));
    assert_eq!(host_of(&pages[0]), &pages[0].welcome.peer);
}

#[test]
fn a_forged_host_token_is_ignored() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    let ben = pages[1].welcome.peer.clone();
    let claims = HostClaims {
        epoch: 9,
        peer: ben.clone(),
        first_host: Some(ben.clone()),
    };
    let of_another_server = FakeSigner("theirs").sign(&Statement::Host(claims));
    let of_another_kind = [
        FakeSigner("ours").sign(&Statement::Ban(ben)),
        pages[1].welcome.token.clone(),
        "guessed".parse::<Token>().unwrap(),
    ];
    for (socket, token) in (110..).zip(of_another_kind.into_iter().chain([of_another_server])) {
        let mut room = pages[1].snapshot();
        room.host_token = Some(token);
        assert!(present(&mut harness, &pages[1], socket, room));
    }
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    assert_eq!(host_of(&pages[0]), &pages[0].welcome.peer);
    assert_eq!(pages[0].epoch(), 1);
}

#[test]
fn a_host_that_left_or_was_kicked_is_not_named_by_its_token() {
    for is_kicked in [false, true] {
        let (mut harness, mut pages) = ride_of(3);
        hand_over(&mut harness, &mut pages, 0, 1);
        // The pages of Ben and Cleo miss the end of Ben's term.
        match is_kicked {
            false => harness.message(2, ClientMessage::Leave),
            true => {
                let peer = pages[1].welcome.peer.clone();
                harness.standings.record(StandingChange::Banned(peer));
            }
        }
        harness.restart_server();
        assert!(pages[2].reconnect(&mut harness, 103));
        pages[1].reconnect(&mut harness, 102);
        finish_restoring(&mut harness, &mut pages[2..]);
        assert_ne!(host_of(&pages[2]), &pages[1].welcome.peer, "{is_kicked}");
    }
}

#[test]
fn the_right_host_is_named_after_two_restarts_in_a_row() {
    let (mut harness, mut pages) = ride_of(4);
    let before = pages[0].snapshot();
    hand_over(&mut harness, &mut pages, 0, 1);
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages[1..]);
    finish_restoring(&mut harness, &mut pages[1..]);
    hand_over(&mut harness, &mut pages[1..], 0, 1);
    harness.restart_server();
    // Ana's page has missed both hand-overs; Ben and Dora say that Ben is still host.
    assert!(present(&mut harness, &pages[0], 301, before));
    let mut room = with_false_term(&pages[1], 5);
    room.host_token = None;
    for page in [&pages[1], &pages[3]] {
        assert!(present(&mut harness, page, page.socket + 100, room.clone()));
    }
    assert!(pages[2].reconnect(&mut harness, 303));
    finish_restoring(&mut harness, &mut pages[2..3]);
    assert_eq!(host_of(&pages[2]), &pages[2].welcome.peer);
    // The next one follows at once, before anything new was decided.
    harness.restart_server();
    assert!(pages[2].reconnect(&mut harness, 403));
    finish_restoring(&mut harness, &mut pages[2..3]);
    assert_eq!(host_of(&pages[2]), &pages[2].welcome.peer);
}

/// Riders with real signing keys, as votes need them, who know each other.
fn ride_with_keys(riders: u64) -> (RoomHarness, Vec<(TestPage, BallotKey)>) {
    let mut harness = RoomHarness::new();
    let mut pages: Vec<_> = (1..=riders)
        .map(|socket| {
            let key = BallotKey::from_seed([socket as u8; 32]).unwrap();
            let welcome = harness.send_hello(socket, hello(&key, None, None)).unwrap();
            let page = TestPage::new(&harness, socket, 0, welcome);
            (page, key)
        })
        .collect();
    pages
        .iter_mut()
        .for_each(|(page, _)| page.receive(&harness));
    (harness, pages)
}

fn hello(key: &BallotKey, resume: Option<Resume>, room: Option<RoomSnapshot>) -> Hello {
    Hello {
        version: VERSION,
        keys: PublicKeys {
            sign: key.public(),
            agree: [0; 32],
        },
        role: protocol::peer::MemberRole::Rider,
        resume,
        snapshot: room.map(Box::new),
    }
}

/// Election of the second rider while the server was down.
fn elect_second(pages: &[(TestPage, BallotKey)], voters: &[usize]) -> Election {
    let (candidate, key) = &pages[1];
    let term = HostTerm {
        epoch: 2,
        peer: candidate.welcome.peer.clone(),
        sign_key: key.public(),
    };
    let vote = |voter: &usize| {
        let (page, key) = &pages[*voter];
        key.vote(page.welcome.number, &term)
    };
    let votes = voters.iter().map(vote).collect();
    Election { term, votes }
}

/// Resumes with an election and the term that it is for.
fn return_with(
    harness: &mut RoomHarness,
    (page, key): &(TestPage, BallotKey),
    election: &Election,
    lists_others: bool,
) {
    let mut room = page.snapshot();
    room.hosts.push(election.term.clone());
    room.elections.push(election.clone());
    if !lists_others {
        room.members.clear();
    }
    let hello = hello(key, resume(&page.welcome, true), Some(room));
    assert!(harness.send_hello(page.socket + 100, hello).is_some());
}

#[test]
fn an_election_while_the_server_was_down_outweighs_the_host_token() {
    let (mut harness, pages) = ride_with_keys(4);
    let election = elect_second(&pages, &[1, 2, 3]);
    harness.restart_server();
    for page in &pages[1..] {
        return_with(&mut harness, page, &election, true);
    }
    harness.advance(WAIT);
    let ben = pages[1].0.welcome.peer.clone();
    assert_eq!(harness.announced_host(103), Some((2, ben.clone())));
    // The host of before, who has missed the election, does not undo it.
    let (ana, key) = &pages[0];
    let again = hello(key, resume(&ana.welcome, true), Some(ana.snapshot()));
    let welcome = harness.send_hello(101, again).unwrap();
    assert_eq!(welcome.host, Some(ben.clone()));
    assert_eq!(harness.announced_host(103).unwrap().1, ben);
}

#[test]
fn an_election_is_not_valid_before_its_voters_are_back() {
    let (mut harness, pages) = ride_with_keys(4);
    let election = elect_second(&pages, &[1, 2, 3]);
    harness.restart_server();
    return_with(&mut harness, &pages[1], &election, true);
    return_with(&mut harness, &pages[0], &elect_second(&pages, &[1]), true);
    harness.advance(WAIT);
    let ana = pages[0].0.welcome.peer.clone();
    assert_eq!(harness.announced_host(101).unwrap().1, ana);
}

#[test]
fn two_riders_who_return_first_are_not_a_majority_of_those_who_follow() {
    let (mut harness, mut pages) = ride_with_keys(5);
    let election = elect_second(&pages, &[1, 2]);
    harness.restart_server();
    for page in &pages[1..3] {
        return_with(&mut harness, page, &election, false);
    }
    harness.advance(WAIT);
    let ben = pages[1].0.welcome.peer.clone();
    assert_eq!(harness.announced_host(103).unwrap().1, ben);
    for (page, key) in [&pages[0], &pages[3]] {
        let hello = hello(key, resume(&page.welcome, true), Some(page.snapshot()));
        assert!(harness.send_hello(page.socket + 100, hello).is_some());
    }
    let ana = pages.remove(0).0.welcome.peer;
    assert_eq!(harness.announced_host(103).unwrap().1, ana);
}

#[test]
fn two_riders_cannot_elect_a_host_before_the_others_are_back() {
    let (mut harness, pages) = ride_with_keys(5);
    harness.restart_server();
    // They show the host token first, so that the absent host is named, and elect afterwards.
    for (page, key) in &pages[1..3] {
        let mut room = page.snapshot();
        room.members
            .retain(|member| member.peer == pages[0].0.welcome.peer);
        let hello = hello(key, resume(&page.welcome, true), Some(room));
        assert!(harness.send_hello(page.socket + 100, hello).is_some());
    }
    harness.advance(WAIT);
    let ana = pages[0].0.welcome.peer.clone();
    assert_eq!(harness.announced_host(103).unwrap().1, ana);
    let election = elect_second(&pages, &[1, 2]);
    let (page, key) = &pages[1];
    let mut room = page.snapshot();
    room.elections.push(election);
    let elected = hello(key, resume(&page.welcome, true), Some(room));
    assert!(harness.send_hello(112, elected).is_some());
    let ben = page.welcome.peer.clone();
    assert_eq!(harness.announced_host(103), Some((2, ben)));
    for (page, key) in [&pages[0], &pages[3]] {
        let hello = hello(key, resume(&page.welcome, true), Some(page.snapshot()));
        assert!(harness.send_hello(page.socket + 100, hello).is_some());
    }
    assert_eq!(harness.announced_host(103).unwrap().1, ana);
}
