//! Voice, cameras and screen sharing in whole sessions: over the mesh, the relay, reloads, other tabs,
//! and a server that is gone.

use protocol::peer::LinkState;
use rooms::room::RoomSettings;
use session::{
    Intent,
    media::{
        MediaInput,
        MediaKind::{Camera, Microphone, Screen},
        MediaNotice, MediaState,
    },
    view::Stage,
};

use crate::harness::{ANA, BEN, CEM, World, long_ride, ms, secs};

/// Riders whose pages have loaded media.
fn talking(world: World, riders: usize) -> World {
    let mut world = world;
    for at in 0..riders {
        world.load_exchange(at);
    }
    world.run(secs(1));
    world
}

fn group(seed: u64, riders: usize) -> World {
    talking(World::group(seed, riders), riders)
}

fn rejected(world: &World) -> Vec<u64> {
    let refused = world.tabs.iter().filter_map(|tab| tab.session());
    refused
        .map(|session| session.view().network.ignored)
        .collect()
}

#[test]
fn riders_hear_and_see_each_other_in_the_lobby() {
    let mut world = group(1, 3);
    world.go_live(ANA, Microphone);
    world.go_live(BEN, Camera);
    world.run(secs(2));
    for at in [BEN, CEM] {
        assert!(world.is_heard(ANA, at));
        assert_eq!(world.media_state(at, "Ana"), Some(MediaState::Connected));
    }
    assert!(world.reaches(BEN, ANA, Camera) && world.reaches(BEN, CEM, Camera));
    assert!(world.rider_media(CEM, "Ben").unwrap().camera);
    assert_eq!(rejected(&world), [0; 3]);
}

#[test]
fn a_program_without_media_is_shown_as_not_reachable_and_keeps_its_direct_link() {
    let mut world = talking(World::group(7, 3), 2);
    world.load_exchange_without_media(CEM);
    world.run(secs(2));
    world.go_live(ANA, Microphone);
    world.run(secs(2));
    assert!(world.is_heard(ANA, BEN));
    assert_eq!(world.media_state(ANA, "Cem"), Some(MediaState::Unreachable));
    assert_eq!(world.link(ANA, "Cem"), LinkState::Direct);
    assert_eq!(rejected(&world), [0; 3]);
}

#[test]
fn voices_go_on_while_the_ride_starts_and_end_with_the_ride() {
    let mut world = group(2, 2);
    world.go_live(ANA, Microphone);
    world.go_live(BEN, Microphone);
    world.go_live(BEN, Screen);
    world.run(secs(1));
    world.start(long_ride());
    world.run(secs(2));
    assert!(world.is_heard(ANA, BEN) && world.reaches(BEN, ANA, Screen));
    world.intend(ANA, Intent::End);
    world.run_until("the summary", |world| *world.stage(BEN) == Stage::Ended);
    for at in [ANA, BEN] {
        assert_eq!(world.page_media(at).tracks, [false; 3]);
        assert!(!world.page_media(at).view.is_available);
    }
    world.run(secs(30));
    assert_eq!([ANA, BEN].map(|at| world.media_connections(at)), [0; 2]);
}

#[test]
fn the_host_mutes_everyone_and_the_next_host_does() {
    let mut world = group(3, 3);
    for at in [ANA, BEN, CEM] {
        world.go_live(at, Microphone);
    }
    world.run(secs(1));
    world.media(ANA, MediaInput::MuteEveryone);
    world.run(secs(1));
    assert!(world.is_heard(ANA, BEN));
    assert!(!world.is_heard(BEN, ANA) && !world.is_heard(CEM, ANA));
    assert_eq!(world.page_media(CEM).notices, [MediaNotice::MutedByHost]);
    world.media(CEM, MediaInput::SetMuted(false));
    world.intend(ANA, Intent::Leave);
    world.run(secs(2));
    assert!(world.is_heard(CEM, BEN) && world.page_media(BEN).view.is_host);
    world.media(BEN, MediaInput::MuteEveryone);
    world.run(secs(1));
    assert!(!world.is_heard(CEM, BEN));
    world.media(BEN, MediaInput::AskToUnmute(world.peer(CEM)));
    world.run(secs(1));
    assert!(world.page_media(CEM).view.asks_to_unmute);
    world.media(CEM, MediaInput::AnswerUnmute(true));
    assert!(world.is_heard(CEM, BEN));
}

#[test]
fn a_reload_switches_everything_off_and_hears_the_others_again() {
    let mut world = group(4, 3);
    for at in [ANA, BEN, CEM] {
        world.go_live(at, Microphone);
    }
    world.go_live(BEN, Camera);
    world.run(secs(1));
    world.reload(BEN);
    world.load_exchange(BEN);
    world.run(secs(4));
    assert!(world.is_heard(ANA, BEN) && world.is_heard(CEM, BEN));
    assert!(world.is_heard(ANA, CEM));
    for at in [ANA, CEM] {
        let ben = world.rider_media(at, "Ben").unwrap();
        assert!(!ben.microphone && !ben.camera);
    }
    world.go_live(BEN, Microphone);
    world.run(secs(1));
    assert!(world.is_heard(BEN, ANA) && world.is_heard(BEN, CEM));
}

#[test]
fn leaving_switches_every_device_off() {
    let mut world = group(5, 2);
    for kind in [Microphone, Camera, Screen] {
        world.go_live(BEN, kind);
    }
    world.run(secs(1));
    world.intend(BEN, Intent::Leave);
    assert_eq!(world.page_media(BEN).tracks, [false; 3]);
    assert_eq!(world.page_media(BEN).stops.len(), 3);
    world.run(secs(1));
    assert!(world.page_media(ANA).view.riders.is_empty());
    assert_eq!(world.media_connections(ANA), 0);
    // A chooser that was still open.
    world.go_live(BEN, Camera);
    assert_eq!(world.page_media(BEN).tracks, [false; 3]);
}

#[test]
fn voices_are_switched_on_after_the_server_is_lost() {
    let mut world = group(6, 3);
    world.go_live(ANA, Microphone);
    world.run(secs(1));
    world.kill_server();
    world.run(secs(5));
    assert!(world.is_heard(ANA, BEN));
    world.go_live(CEM, Microphone);
    world.run(secs(2));
    assert!(world.is_heard(CEM, ANA) && world.is_heard(CEM, BEN));
}

#[test]
fn a_rider_on_the_relay_is_heard_where_media_find_a_path() {
    let mut world = group(7, 2);
    world.block(ANA, BEN, true);
    world.run(secs(5));
    world.go_live(ANA, Microphone);
    world.run(secs(2));
    assert!(world.is_heard(ANA, BEN));
}

#[test]
fn a_rider_without_a_path_for_media_is_not_reachable_for_voice() {
    let mut world = group(8, 3);
    world.block(ANA, BEN, true);
    world.block_media(ANA, BEN, true);
    world.run(secs(5));
    world.go_live(ANA, Microphone);
    world.run(secs(120));
    let unreachable = Some(MediaState::Unreachable);
    assert_eq!(world.media_state(ANA, "Ben"), unreachable);
    assert_eq!(world.media_state(BEN, "Ana"), unreachable);
    assert!(world.is_heard(ANA, CEM));
    assert_eq!(rejected(&world), [0; 3]);
}

#[test]
fn a_server_without_direct_links_has_no_voices() {
    let settings = RoomSettings {
        p2p: false,
        ..RoomSettings::default()
    };
    let mut world = World::with_settings(9, settings);
    for _ in 0..2 {
        let at = world.join_next();
        world.load_exchange(at);
    }
    world.run(secs(3));
    world.go_live(ANA, Microphone);
    world.run(secs(1));
    let unreachable = Some(MediaState::Unreachable);
    assert_eq!(world.media_state(ANA, "Ben"), unreachable);
    assert_eq!(world.media_state(BEN, "Ana"), unreachable);
}

#[test]
fn a_browser_without_webrtc_has_no_media() {
    let mut world = World::new(10);
    for (name, has_webrtc) in [("Ana", true), ("Ben", false)] {
        let at = world.add_browser();
        world.tabs[at].has_webrtc = has_webrtc;
        world.open(at);
        world.enter(at, name, 200);
        world.load_exchange(at);
    }
    world.run(secs(3));
    world.go_live(ANA, Microphone);
    world.run(secs(1));
    assert_eq!(world.media_state(ANA, "Ben"), Some(MediaState::Unreachable));
    assert!(world.page_media(ANA).view.is_available);
    assert!(!world.page_media(BEN).view.is_available);
    world.go_live(BEN, Camera);
    assert_eq!(world.page_media(BEN).tracks, [false; 3]);
}

#[test]
fn the_server_sets_the_number_of_cameras() {
    let settings = RoomSettings {
        max_cameras: Some(1),
        ..RoomSettings::default()
    };
    let mut world = World::with_settings(11, settings);
    world.gather(3);
    let mut world = talking(world, 3);
    world.go_live(BEN, Camera);
    world.run(secs(1));
    world.go_live(CEM, Camera);
    let notice = MediaNotice::TooManyCameras { max: 1 };
    assert_eq!(world.page_media(CEM).notices, [notice]);
    assert_eq!(world.page_media(CEM).tracks, [false; 3]);
    world.intend(BEN, Intent::Leave);
    world.run(secs(1));
    world.go_live(CEM, Camera);
    world.run(secs(1));
    assert!(world.reaches(CEM, ANA, Camera));
}

#[test]
fn two_cameras_that_go_live_at_once_leave_one() {
    let settings = RoomSettings {
        max_cameras: Some(1),
        ..RoomSettings::default()
    };
    let mut world = World::with_settings(12, settings);
    world.gather(3);
    let mut world = talking(world, 3);
    world.go_live(CEM, Camera);
    world.run(ms(5));
    world.go_live(BEN, Camera);
    world.run(secs(2));
    let live = [ANA, BEN, CEM].map(|at| world.page_media(at).tracks[Camera as usize]);
    assert_eq!(live.iter().filter(|live| **live).count(), 1, "{live:?}");
    let shown = ["Ben", "Cem"].map(|name| {
        let rider = world.rider_media(ANA, name);
        rider.is_some_and(|rider| rider.camera)
    });
    assert_eq!(shown, [live[BEN], live[CEM]]);
}

#[test]
fn a_tab_that_takes_over_switches_the_other_one_off_and_may_be_taken_back() {
    let mut world = group(13, 2);
    world.go_live(ANA, Microphone);
    world.run(secs(1));
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::ResumeAs(0));
    world.load_exchange(second);
    world.run(secs(4));
    assert_eq!(*world.stage(ANA), Stage::TakenOver);
    assert_eq!(world.page_media(ANA).tracks, [false; 3]);
    assert!(!world.page_media(second).view.microphone);
    world.go_live(second, Microphone);
    world.run(secs(2));
    assert!(world.is_heard(second, BEN));
    world.intend(ANA, Intent::TakeOver);
    world.run(secs(4));
    assert_eq!(world.page_media(second).tracks, [false; 3]);
    world.go_live(ANA, Microphone);
    world.run(secs(2));
    assert!(world.is_heard(ANA, BEN));
}

#[test]
fn a_page_that_loads_media_late_hears_those_who_are_live() {
    let mut world = World::group(14, 2);
    world.load_exchange(ANA);
    world.go_live(ANA, Microphone);
    world.run(secs(20));
    assert_eq!(world.media_state(ANA, "Ben"), Some(MediaState::Unreachable));
    world.load_exchange(BEN);
    world.run(secs(2));
    assert!(world.is_heard(ANA, BEN));
}

#[test]
fn a_rider_who_was_offline_is_heard_again() {
    let mut world = group(15, 3);
    for at in [ANA, BEN, CEM] {
        world.go_live(at, Microphone);
    }
    world.run(secs(1));
    world.go_offline(BEN);
    world.block_media(ANA, BEN, true);
    world.block_media(BEN, CEM, true);
    world.run(secs(10));
    assert!(!world.is_heard(ANA, BEN) && world.is_heard(ANA, CEM));
    world.go_online(BEN);
    world.block_media(ANA, BEN, false);
    world.block_media(BEN, CEM, false);
    world.run(secs(20));
    for (from, to) in [(ANA, BEN), (BEN, ANA), (CEM, BEN), (BEN, CEM)] {
        assert!(world.is_heard(from, to), "{from} to {to}");
    }
}
