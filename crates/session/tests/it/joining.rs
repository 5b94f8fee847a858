//! Joining a ride, and the screens on the way.

use ride::rider::Ftp;
use rooms::room::RoomSettings;
use session::{
    Input, Intent, Opening, RideSession, SessionConfig,
    storage::StoredProfile,
    view::{JoinError, Notice, ServerConnection, Stage},
};

use crate::harness::{ANA, BEN, CEM, CODE, World, ms, secs};

fn small_ride() -> World {
    let max_riders = 2;
    World::with_settings(
        1,
        RoomSettings {
            max_riders,
            ..RoomSettings::default()
        },
    )
}

fn cannot_join(error: JoinError) -> Stage {
    Stage::CannotJoin(error)
}

#[test]
fn the_first_rider_is_host_and_the_others_see_it() {
    let world = World::group(1, 3);
    assert!(world.view(ANA).is_host);
    assert!(!world.view(BEN).is_host);
    assert_eq!([BEN, CEM].map(|at| world.host(at)), ["Ana", "Ana"]);
}

#[test]
fn all_riders_are_listed_in_the_order_of_their_arrival() {
    let world = World::group(2, 3);
    for at in [ANA, BEN, CEM] {
        assert_eq!(world.listed(at), ["Ana", "Ben", "Cem"]);
        let numbers = world.view(at).riders.iter().map(|row| row.number);
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(*world.stage(at), Stage::Lobby);
    }
}

#[test]
fn the_invitation_leads_to_the_ride_on_the_page_s_own_server() {
    let world = World::group(3, 1);
    let invitation = "https://gruppetto.example/ride/brave-otter-4821";
    assert_eq!(world.view(ANA).invitation, invitation);
}

#[test]
fn the_invitation_has_the_public_address_that_the_server_names() {
    let mut world = World::new(4);
    world.server.invitation = Some("https://ride.example/ride/brave-otter-4821".to_owned());
    world.join_next();
    let invitation = "https://ride.example/ride/brave-otter-4821";
    assert_eq!(world.view(ANA).invitation, invitation);
}

#[test]
fn the_lobby_is_shown_with_the_answer_of_the_server() {
    // At any time between two updates of the view.
    for offset in 0..25 {
        let mut world = World::group(offset, 1);
        let at = world.add_browser();
        world.open(at);
        world.run(ms(10 * offset));
        let join = Intent::Join("Ben".parse().unwrap(), Ftp::new(200).unwrap());
        world.intend(at, join);
        world.run_until("the server's answer", |world| {
            world.view(at).connection == ServerConnection::Online
        });
        assert_eq!(*world.stage(at), Stage::Lobby, "offset {offset}");
        assert_eq!(world.own_row(at).name, "Ben");
    }
}

#[test]
fn a_code_without_a_ride_is_refused() {
    let mut world = World::new(5);
    let at = world.add_browser();
    world.open_address(at, "brave-otter-0042");
    assert_eq!(*world.stage(at), cannot_join(JoinError::NoSuchRide));
}

#[test]
fn an_address_without_a_code_is_refused_without_asking_the_server() {
    let mut world = World::new(6);
    world.kill_server();
    let at = world.add_browser();
    world.open_address(at, "nonsense");
    assert_eq!(*world.stage(at), cannot_join(JoinError::NotACode));
}

#[test]
fn a_code_may_be_typed_in_capitals_and_with_spaces() {
    let mut world = World::new(7);
    let at = world.add_browser();
    world.open_address(at, "  BRAVE OTTER 4821 ");
    assert_eq!(*world.stage(at), Stage::EnterName);
    let code = world.view(at).code.as_ref().unwrap();
    assert_eq!(code.to_string(), CODE);
}

#[test]
fn a_full_ride_is_refused_before_the_name_is_asked_for() {
    let mut world = small_ride();
    world.gather(2);
    let at = world.add_browser();
    world.open(at);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Full));
    assert_eq!(world.listed(ANA).len(), 2);
}

#[test]
fn a_full_ride_can_be_tried_again_once_a_rider_has_left() {
    let mut world = small_ride();
    world.gather(2);
    let at = world.add_browser();
    world.open(at);
    world.intend(BEN, Intent::Leave);
    world.run(ms(100));
    world.intend(at, Intent::Retry);
    assert_eq!(*world.stage(at), Stage::LookingUp);
    world.run(ms(100));
    world.enter(at, "Cem", 320);
    assert_eq!(*world.stage(at), Stage::Lobby);
}

#[test]
fn a_ride_that_fills_up_while_the_name_is_typed_is_refused() {
    let mut world = small_ride();
    world.join_next();
    let late = world.add_browser();
    world.open(late);
    world.join_next();
    world.enter(late, "Cem", 320);
    assert_eq!(*world.stage(late), cannot_join(JoinError::Full));
    world.run(secs(1));
    assert_eq!(world.listed(ANA).len(), 2);
}

#[test]
fn a_locked_ride_is_refused_before_the_name_is_asked_for() {
    let mut world = World::group(8, 2);
    world.intend(ANA, Intent::Lock(true));
    world.run(ms(100));
    let at = world.add_browser();
    world.open(at);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Locked));
}

#[test]
fn a_ride_that_is_locked_while_the_name_is_typed_is_refused() {
    let mut world = World::group(9, 1);
    let at = world.add_browser();
    world.open(at);
    world.intend(ANA, Intent::Lock(true));
    world.run(ms(100));
    world.enter(at, "Ben", 250);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Locked));
}

#[test]
fn a_server_that_cannot_be_reached_can_be_tried_again() {
    let mut world = World::new(10);
    let at = world.add_browser();
    world.tabs[at].is_online = false;
    world.open(at);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Unreachable));
    world.tabs[at].is_online = true;
    world.intend(at, Intent::Retry);
    world.run(ms(100));
    assert_eq!(*world.stage(at), Stage::EnterName);
}

#[test]
fn a_new_rider_gives_up_after_five_seconds_without_a_server() {
    let mut world = World::group(11, 1);
    let at = world.add_browser();
    world.open(at);
    world.kill_server();
    let sent = world.now;
    world.enter(at, "Ben", 250);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Unreachable));
    let waited = world.now - sent;
    assert!(waited >= secs(5) && waited < secs(10), "{waited:?}");
    let sockets = world.tabs[at].sockets_opened;
    world.run(secs(30));
    assert_eq!(world.tabs[at].sockets_opened, sockets, "no more attempts");
}

#[test]
fn a_new_rider_waits_for_a_server_that_is_being_restarted() {
    let mut world = World::group(12, 1);
    let at = world.add_browser();
    world.open(at);
    world.kill_server();
    let form = session::Intent::Join("Ben".parse().unwrap(), ride::rider::Ftp::default());
    world.intend(at, form);
    world.run(secs(1));
    assert_eq!(*world.stage(at), Stage::Joining);
    world.start_server();
    world.run_until("the lobby", |world| *world.stage(at) == Stage::Lobby);
    world.run_until("both", |world| world.listed(ANA) == ["Ana", "Ben"]);
}

#[test]
fn a_page_of_another_version_than_the_server_is_refused() {
    let mut world = World::group(13, 1);
    let at = world.add_browser();
    world.open(at);
    world.server.is_outdated = true;
    world.enter(at, "Ben", 250);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Outdated));
}

#[test]
fn an_error_of_the_look_up_is_shown() {
    for error in [
        JoinError::TooManyRides,
        JoinError::Outdated,
        JoinError::Other,
    ] {
        let mut world = World::new(14);
        world.server.look_up_error = Some(error);
        let at = world.add_browser();
        world.open(at);
        assert_eq!(*world.stage(at), cannot_join(error));
    }
}

#[test]
fn a_ride_whose_last_rider_left_long_ago_is_over() {
    let mut world = World::group(15, 1);
    world.intend(ANA, Intent::Leave);
    world.run(secs(601));
    let at = world.add_browser();
    world.open(at);
    assert_eq!(*world.stage(at), cannot_join(JoinError::NoSuchRide));
}

#[test]
fn name_and_ftp_are_stored_for_the_next_ride() {
    let world = World::group(16, 2);
    let stored = StoredProfile {
        name: "Ben".to_owned(),
        ftp: 250,
    };
    assert_eq!(world.storage(BEN).profile, Some(stored));
    assert_eq!(world.view(BEN).ftp, 250);
    assert_eq!(world.row(ANA, "Ben").ftp, Some(250));
}

#[test]
fn a_rider_who_entered_a_name_on_the_home_page_is_not_asked_again() {
    let mut world = World::group(17, 1);
    let at = world.add_browser();
    world.storage_mut(at).profile = Some(StoredProfile {
        name: "Ben".to_owned(),
        ftp: 260,
    });
    world.tabs[at].storage.joining = true;
    world.open(at);
    world.run(ms(200));
    assert_eq!(*world.stage(at), Stage::Lobby);
    assert!(
        !world.tabs[at]
            .stages
            .iter()
            .any(|(_, stage)| *stage == Stage::EnterName)
    );
    assert_eq!(world.own_row(at).ftp, Some(260));
    assert!(!world.tabs[at].storage.joining, "used once");
}

#[test]
fn a_rider_who_typed_a_code_without_a_name_is_asked_for_it() {
    let mut world = World::group(18, 1);
    let at = world.add_browser();
    world.storage_mut(at).profile = Some(StoredProfile {
        name: String::new(),
        ftp: 260,
    });
    world.tabs[at].storage.joining = true;
    world.open(at);
    assert_eq!(*world.stage(at), Stage::EnterName);
}

#[test]
fn a_rider_who_entered_a_name_on_the_home_page_can_find_the_ride_full() {
    let mut world = small_ride();
    world.gather(2);
    let at = world.add_browser();
    world.storage_mut(at).profile = Some(StoredProfile {
        name: "Cem".to_owned(),
        ftp: 320,
    });
    world.tabs[at].storage.joining = true;
    world.open(at);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Full));
}

#[test]
fn a_browser_that_was_banned_is_not_asked_for_a_name() {
    let mut world = World::group(19, 1);
    let at = world.add_browser();
    world.storage_mut(at).banned = true;
    world.open(at);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Kicked));
}

#[test]
fn a_browser_that_is_banned_while_the_name_is_typed_cannot_join() {
    let mut world = World::group(20, 1);
    let at = world.add_browser();
    world.open(at);
    world.feed(at, Input::Banned);
    world.enter(at, "Ben", 250);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Kicked));
    world.run(secs(1));
    assert_eq!(world.listed(ANA), ["Ana"]);
}

#[test]
fn a_newcomer_is_announced_to_the_others_and_they_are_not_announced_to_the_newcomer() {
    let mut world = World::group(21, 2);
    let cem = world.join_next();
    world.run(secs(4));
    for at in [ANA, BEN] {
        assert_eq!(world.notices(at), [Notice::Joined("Cem".to_owned())]);
    }
    assert_eq!(world.notices(cem), []);
}

#[test]
fn the_whole_way_into_the_lobby_shows_each_screen_once() {
    let mut world = World::new(22);
    let at = world.join_next();
    let stages = world.tabs[at].stages.iter().map(|(_, stage)| stage.clone());
    let stages: Vec<_> = stages.collect();
    let expected = [
        Stage::LookingUp,
        Stage::EnterName,
        Stage::Joining,
        Stage::Lobby,
    ];
    assert_eq!(stages, expected);
}

#[test]
fn a_browser_without_random_numbers_cannot_join() {
    let config = SessionConfig {
        origin: "https://gruppetto.example".to_owned(),
        p2p_available: true,
        entropy: None,
        sub_sport: ride::recording::fit::SubSport::default(),
        utc_offset: 0,
        devices: Default::default(),
    };
    let opening = Opening::Group {
        address: CODE.to_owned(),
        reloaded: false,
    };
    let mut session = RideSession::new(config, session::Now::default(), opening);
    let join = Intent::Join("Ana".parse().unwrap(), ride::rider::Ftp::default());
    session.handle(session::Now::default(), Input::Intent(join));
    assert_eq!(session.view().stage, cannot_join(JoinError::Other));
}

#[test]
fn a_banned_browser_is_told_so_also_where_the_ride_is_full() {
    let mut world = small_ride();
    world.gather(2);
    let at = world.add_browser();
    world.storage_mut(at).banned = true;
    world.open(at);
    assert_eq!(*world.stage(at), cannot_join(JoinError::Kicked));
}

#[test]
fn a_second_attempt_to_join_waits_for_the_server_as_long_as_the_first() {
    let mut world = World::group(23, 1);
    let at = world.add_browser();
    world.open(at);
    for _ in 0..2 {
        world.kill_server();
        let sent = world.now;
        world.enter(at, "Ben", 250);
        assert_eq!(*world.stage(at), cannot_join(JoinError::Unreachable));
        assert!(world.now - sent >= secs(5));
        world.start_server();
        world.run(secs(10));
        world.intend(at, Intent::Retry);
        world.run(ms(100));
        assert_eq!(*world.stage(at), Stage::EnterName);
    }
}
