use clock::{Duration, GroupTime};
use mesh::media::MediaEvent;
use protocol::signaling::Signal;
use ride::media::{MediaMessage, MediaStatus, Microphone as MicrophoneState, PictureSize};

use super::testing::{Camera, Microphone, Screen, World, peer};
use super::*;

const ANA: usize = 0;
const BEN: usize = 1;
const CEM: usize = 2;

fn status(camera: Option<i64>, screen: Option<i64>) -> MediaMessage {
    MediaMessage::Status(MediaStatus {
        microphone: MicrophoneState::Off,
        camera: camera.map(GroupTime),
        screen: screen.map(GroupTime),
        can_connect: true,
        is_camera_paused: false,
    })
}

fn measured(available_bps: u32) -> MediaInput {
    MediaInput::Measured {
        available_bps: Some(available_bps),
        page_fps: 60.0,
    }
}

fn level(of: Option<usize>, level: f32) -> MediaInput {
    MediaInput::Levels(vec![(of.map(peer), level)])
}

#[test]
fn a_live_microphone_is_heard_by_all_within_a_second() {
    let mut world = World::new(3, 1);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    for other in [BEN, CEM] {
        assert!(world.is_heard(ANA, other));
        let shown = world.rider(other, ANA).unwrap();
        assert!(shown.microphone && !shown.is_muted);
        assert_eq!(shown.state, MediaState::Connected);
        assert!(!world.is_heard(other, ANA));
    }
    assert_eq!(
        world.sends(ANA, BEN, Microphone),
        Some(Encoding {
            height: 0,
            fps: 0,
            max_bps: 32_000
        })
    );
    // Those who send nothing to each other have no connection.
    assert!(!world.rtc.is_connected(BEN, CEM));
    assert_eq!(world.rider(BEN, CEM), None);
    assert_eq!(world.rejected(), [0; 3]);
}

#[test]
fn nothing_is_sent_while_no_device_is_live() {
    let mut world = World::new(4, 2);
    let before = world.sent.len();
    world.run(600_000);
    assert_eq!((world.sent.len(), world.rtc.opened), (before, 0));
    assert!(world.view(ANA).is_available && world.view(ANA).riders.is_empty());
}

#[test]
fn a_connection_is_closed_some_time_after_the_last_device_and_made_anew() {
    let mut world = World::new(2, 3);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    world.turn_off(ANA, Microphone);
    world.run(5_000);
    assert_eq!(world.pages[ANA].stops, [Microphone]);
    assert_eq!(world.sends(ANA, BEN, Microphone), None);
    assert_eq!(world.rider(BEN, ANA), None);
    assert!(world.rtc.is_connected(ANA, BEN));
    world.run(30_000);
    assert_eq!((world.rtc.count(ANA), world.rtc.count(BEN)), (0, 0));
    world.go_live(BEN, Camera);
    world.run(2_000);
    assert!(world.sends(BEN, ANA, Camera).is_some());
}

#[test]
fn another_device_of_the_same_kind_is_sent_again_over_the_same_connection() {
    let mut world = World::new(2, 4);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    world.input(ANA, MediaInput::SetMuted(true));
    let opened = world.rtc.opened;
    world.take_outputs(ANA);
    world.go_live(ANA, Microphone);
    let outputs = world.take_outputs(ANA);
    assert!(
        outputs.contains(&MediaOutput::Audible(false)),
        "{outputs:?}"
    );
    assert!(
        outputs.iter().any(|output| matches!(
            output,
            MediaOutput::Send {
                kind: Microphone,
                encoding: Some(_),
                ..
            }
        )),
        "{outputs:?}"
    );
    world.run(5_000);
    assert_eq!(
        (world.rtc.opened, world.pages[ANA].stops.len()),
        (opened, 0)
    );
}

#[test]
fn a_muted_microphone_is_audible_only_while_the_key_is_held() {
    let mut world = World::new(2, 5);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    world.input(ANA, MediaInput::SetMuted(true));
    world.run(1_000);
    assert!(world.view(ANA).is_muted && !world.is_heard(ANA, BEN));
    assert!(world.rider(BEN, ANA).unwrap().is_muted);
    world.input(ANA, MediaInput::PushToTalk(true));
    world.run(1_000);
    assert!(world.view(ANA).is_muted && world.is_heard(ANA, BEN));
    assert!(!world.rider(BEN, ANA).unwrap().is_muted);
    world.input(ANA, MediaInput::PushToTalk(false));
    world.run(1_000);
    assert!(!world.is_heard(ANA, BEN) && world.rider(BEN, ANA).unwrap().is_muted);
    world.input(ANA, MediaInput::SetMuted(false));
    assert!(world.is_heard(ANA, BEN));
}

#[test]
fn keys_without_a_live_microphone_do_nothing() {
    let mut world = World::new(2, 6);
    world.input(ANA, MediaInput::PushToTalk(true));
    world.input(ANA, MediaInput::SetMuted(true));
    world.input(ANA, MediaInput::AnswerUnmute(true));
    assert_eq!(world.pages[ANA].audible, None);
    world.go_live(ANA, Microphone);
    assert!(!world.view(ANA).is_muted);
    assert_eq!(world.pages[ANA].audible, Some(true));
}

#[test]
fn many_changes_in_a_short_time_are_reported_together() {
    let mut world = World::new(2, 7);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    let before = world.sent.len();
    for count in 0..100 {
        world.input(ANA, MediaInput::SetMuted(count % 2 == 0));
        world.run(10);
    }
    world.run(1_000);
    let sent = world.sent.len() - before;
    assert!((3..=5).contains(&sent), "{sent}");
    assert!(!world.rider(BEN, ANA).unwrap().is_muted);
    assert_eq!(world.rejected(), [0; 2]);
}

#[test]
fn the_host_mutes_everyone_else_and_each_may_unmute() {
    let mut world = World::new(3, 8);
    for rider in [ANA, BEN, CEM] {
        world.go_live(rider, Microphone);
    }
    world.input(CEM, MediaInput::SetMuted(true));
    world.run(1_000);
    world.input(BEN, MediaInput::PushToTalk(true));
    world.input(ANA, MediaInput::MuteEveryone);
    world.run(1_000);
    assert!(world.is_heard(ANA, BEN) && !world.view(ANA).is_muted);
    assert!(!world.is_heard(BEN, ANA) && world.view(BEN).is_muted);
    assert_eq!(world.pages[BEN].notices, [MediaNotice::MutedByHost]);
    // Cem was muted before.
    assert_eq!(world.pages[CEM].notices, []);
    world.input(BEN, MediaInput::SetMuted(false));
    assert!(world.is_heard(BEN, ANA));
}

#[test]
fn only_the_host_mutes_and_asks() {
    let mut world = World::new(3, 9);
    for rider in [ANA, BEN, CEM] {
        world.go_live(rider, Microphone);
    }
    world.run(1_000);
    let before = world.sent.len();
    world.input(BEN, MediaInput::MuteEveryone);
    world.input(BEN, MediaInput::AskToUnmute(peer(CEM)));
    assert_eq!(world.sent.len(), before);
    world.input(CEM, MediaInput::SetMuted(true));
    world.inject(BEN, ANA, &MediaMessage::MuteEveryone);
    world.inject(BEN, CEM, &MediaMessage::AskToUnmute);
    assert!(!world.view(ANA).is_muted && !world.view(CEM).asks_to_unmute);
    assert_eq!(world.rejected(), [1, 0, 1]);
    world.host = BEN;
    world.update_members();
    assert!(world.view(BEN).is_host && !world.view(ANA).is_host);
    world.input(BEN, MediaInput::MuteEveryone);
    world.run(100);
    assert!(world.view(ANA).is_muted);
}

#[test]
fn a_request_to_unmute_unmutes_nobody_and_goes_after_a_minute() {
    let mut world = World::new(2, 10);
    world.go_live(BEN, Microphone);
    world.input(BEN, MediaInput::SetMuted(true));
    world.run(1_000);
    for (answer, is_muted) in [(None, true), (Some(false), true), (Some(true), false)] {
        world.input(ANA, MediaInput::AskToUnmute(peer(BEN)));
        world.run(2_000);
        assert!(world.view(BEN).asks_to_unmute && world.view(BEN).is_muted);
        match answer {
            Some(answer) => world.input(BEN, MediaInput::AnswerUnmute(answer)),
            None => world.run(61_000),
        }
        assert!(!world.view(BEN).asks_to_unmute);
        assert_eq!(world.view(BEN).is_muted, is_muted);
    }
    // There is nothing to ask for.
    world.input(ANA, MediaInput::AskToUnmute(peer(BEN)));
    world.run(1_000);
    assert!(!world.view(BEN).asks_to_unmute);
}

#[test]
fn a_request_to_unmute_goes_with_its_reason() {
    let undo: [fn(&mut World); 3] = [
        |world| world.input(BEN, MediaInput::SetMuted(false)),
        |world| world.turn_off(BEN, Microphone),
        |world| {
            world.host = CEM;
            world.update_members();
        },
    ];
    for (seed, undo) in undo.into_iter().enumerate() {
        let mut world = World::new(3, seed as u64);
        world.go_live(BEN, Microphone);
        world.input(BEN, MediaInput::SetMuted(true));
        world.input(ANA, MediaInput::AskToUnmute(peer(BEN)));
        world.run(100);
        assert!(world.view(BEN).asks_to_unmute);
        undo(&mut world);
        assert!(!world.view(BEN).asks_to_unmute);
    }
}

#[test]
fn a_rider_speaks_from_the_second_loud_reading_until_a_pause() {
    let mut world = World::new(2, 11);
    world.go_live(BEN, Microphone);
    world.run(1_000);
    let is_speaking = |world: &World| world.rider(ANA, BEN).unwrap().is_speaking;
    // A click, and a fan.
    for volume in [0.5, 0.01, 0.3, f32::NAN, 0.019] {
        world.input(ANA, level(Some(BEN), volume));
        assert!(!is_speaking(&world));
    }
    for _ in 0..2 {
        world.input(ANA, level(Some(BEN), 0.03));
        world.run(100);
    }
    assert!(is_speaking(&world));
    for _ in 0..4 {
        world.input(ANA, level(Some(BEN), 0.0));
        world.run(100);
    }
    assert!(is_speaking(&world));
    // Also if there is no further reading.
    world.run(200);
    assert!(!is_speaking(&world));
}

#[test]
fn a_muted_rider_never_speaks() {
    let mut world = World::new(2, 12);
    world.go_live(ANA, Microphone);
    world.go_live(BEN, Microphone);
    world.run(1_000);
    for _ in 0..2 {
        world.input(ANA, level(None, 0.5));
        world.input(ANA, level(Some(BEN), 0.5));
    }
    assert!(world.view(ANA).is_speaking && world.rider(ANA, BEN).unwrap().is_speaking);
    world.input(ANA, MediaInput::SetMuted(true));
    world.input(BEN, MediaInput::SetMuted(true));
    world.run(100);
    for _ in 0..3 {
        assert!(!world.view(ANA).is_speaking && !world.rider(ANA, BEN).unwrap().is_speaking);
        world.input(ANA, level(None, 0.5));
        world.input(ANA, level(Some(BEN), 0.5));
    }
}

#[test]
fn a_tone_lowers_voices_for_its_duration() {
    let mut world = World::new(3, 13);
    world.go_live(BEN, Microphone);
    world.go_live(CEM, Microphone);
    world.run(1_000);
    world.input(
        ANA,
        MediaInput::SetVolume {
            peer: peer(CEM),
            percent: 50,
        },
    );
    assert_eq!(world.volume(ANA, BEN).to_bits(), 1f32.to_bits());
    assert_eq!(world.volume(ANA, CEM).to_bits(), 0.5f32.to_bits());
    let tone = Duration::from_millis(400);
    world.input(ANA, MediaInput::TonePlayed(tone));
    world.run(500);
    assert_eq!(world.volume(ANA, BEN).to_bits(), 0.25f32.to_bits());
    assert_eq!(world.volume(ANA, CEM).to_bits(), 0.125f32.to_bits());
    world.run(100);
    assert_eq!(world.volume(ANA, BEN).to_bits(), 1f32.to_bits());
    world.input(ANA, MediaInput::TonePlayed(Duration::MAX));
    world.run(11_000);
    assert_eq!(world.volume(ANA, BEN).to_bits(), 1f32.to_bits());
}

#[test]
fn a_hidden_rider_is_not_heard() {
    let mut world = World::new(2, 15);
    world.go_live(BEN, Microphone);
    world.run(1_000);
    assert!(world.is_heard(BEN, ANA));
    world.hide(ANA, &[BEN]);
    assert!(!world.is_heard(BEN, ANA));
    assert!(world.rider(ANA, BEN).unwrap().is_hidden);
    // Not even after a reload.
    world.reload(BEN);
    world.go_live(BEN, Microphone);
    world.run(5_000);
    assert!(!world.is_heard(BEN, ANA));
    world.hide(ANA, &[]);
    assert!(world.is_heard(BEN, ANA));
}

#[test]
fn a_page_that_sends_sound_while_it_says_that_it_is_muted_is_not_heard() {
    let mut world = World::new(2, 16);
    world.go_live(BEN, Microphone);
    world.run(1_000);
    let muted = MediaMessage::Status(MediaStatus {
        microphone: MicrophoneState::Muted,
        can_connect: true,
        ..MediaStatus::default()
    });
    world.inject(BEN, ANA, &muted);
    // The last syllable is heard.
    world.run(900);
    assert!(world.is_heard(BEN, ANA));
    world.run(200);
    assert!(!world.is_heard(BEN, ANA));
    let off = MediaMessage::Status(MediaStatus {
        can_connect: true,
        ..MediaStatus::default()
    });
    world.inject(BEN, ANA, &off);
    world.run(100);
    assert!(!world.is_heard(BEN, ANA));
}

#[test]
fn talking_with_the_key_twice_is_heard_from_the_first_syllable_on() {
    let mut world = World::new(2, 17);
    world.go_live(BEN, Microphone);
    world.input(BEN, MediaInput::SetMuted(true));
    world.run(3_000);
    assert!(!world.is_heard(BEN, ANA));
    world.input(BEN, MediaInput::PushToTalk(true));
    world.run(500);
    assert!(world.is_heard(BEN, ANA));
    world.input(BEN, MediaInput::PushToTalk(false));
    world.run(400);
    world.input(BEN, MediaInput::PushToTalk(true));
    assert!(
        world.is_heard(BEN, ANA),
        "at once, before the status arrives"
    );
}

#[test]
fn a_volume_is_kept_while_its_rider_reloads() {
    let mut world = World::new(2, 14);
    world.go_live(BEN, Microphone);
    let quiet = MediaInput::SetVolume {
        peer: peer(BEN),
        percent: 0,
    };
    world.input(ANA, quiet);
    world.run(1_000);
    assert_eq!(world.volume(ANA, BEN).to_bits(), 0f32.to_bits());
    world.reload(BEN);
    world.go_live(BEN, Microphone);
    world.run(3_000);
    assert_eq!(world.rider(ANA, BEN).unwrap().volume, 0);
    assert_eq!(world.volume(ANA, BEN).to_bits(), 0f32.to_bits());
    let louder = MediaInput::SetVolume {
        peer: peer(BEN),
        percent: 255,
    };
    world.input(ANA, louder);
    assert_eq!(world.rider(ANA, BEN).unwrap().volume, 100);
}

#[test]
fn a_camera_is_small_and_larger_for_a_rider_who_enlarges_it() {
    let mut world = World::new(3, 15);
    world.go_live(ANA, Camera);
    world.run(1_000);
    let size = |world: &World, to| {
        let encoding = world.sends(ANA, to, Camera).unwrap();
        (encoding.height, encoding.fps, encoding.max_bps)
    };
    assert_eq!(size(&world, BEN), (240, 15, 150_000));
    world.input(BEN, MediaInput::Enlarge(Some(peer(ANA))));
    world.run(500);
    assert_eq!(world.view(BEN).enlarged, Some(peer(ANA)));
    assert_eq!(size(&world, BEN), (480, 15, 500_000));
    assert_eq!(size(&world, CEM), (240, 15, 150_000));
    world.input(BEN, MediaInput::Enlarge(None));
    world.run(500);
    assert_eq!(size(&world, BEN), (240, 15, 150_000));
    world.input(CEM, MediaInput::Enlarge(Some(peer(ANA))));
    world.turn_off(ANA, Camera);
    world.run(500);
    assert_eq!(world.view(CEM).enlarged, None);
}

#[test]
fn a_rider_without_a_camera_cannot_be_enlarged() {
    let mut world = World::new(2, 16);
    for other in [peer(BEN), peer(7)] {
        world.input(ANA, MediaInput::Enlarge(Some(other)));
        assert_eq!(world.view(ANA).enlarged, None);
    }
}

#[test]
fn a_seventh_camera_is_refused() {
    let mut world = World::new(7, 17);
    for rider in 0..6 {
        world.go_live(rider, Camera);
    }
    world.run(2_000);
    world.go_live(6, Camera);
    assert_eq!(world.pages[6].stops, [Camera]);
    assert_eq!(
        world.pages[6].notices,
        [MediaNotice::TooManyCameras { max: 6 }]
    );
    world.turn_off(2, Camera);
    world.run(1_000);
    world.go_live(6, Camera);
    world.run(1_000);
    for rider in 0..7 {
        assert_eq!(world.cameras(rider), [0, 1, 3, 4, 5, 6]);
    }
}

#[test]
fn of_cameras_that_go_live_at_once_all_pages_show_the_same() {
    let mut world = World::new(5, 18);
    world.max_cameras = Some(2);
    world.update_members();
    for rider in 0..5 {
        world.go_live(rider, Camera);
    }
    world.run(2_000);
    // By the clocks of the pages, which are up to 20 ms apart.
    for rider in 0..5 {
        assert_eq!(world.cameras(rider), [0, 3]);
    }
    for loser in [1, 2, 4] {
        assert_eq!(world.pages[loser].stops, [Camera]);
        assert_eq!(
            world.pages[loser].notices,
            [MediaNotice::TooManyCameras { max: 2 }]
        );
    }
}

#[test]
fn a_server_may_allow_no_camera() {
    let mut world = World::new(2, 19);
    world.max_cameras = Some(0);
    world.update_members();
    world.go_live(ANA, Camera);
    assert_eq!(world.pages[ANA].stops, [Camera]);
    assert_eq!(
        world.pages[ANA].notices,
        [MediaNotice::TooManyCameras { max: 0 }]
    );
    world.inject(BEN, ANA, &status(Some(1), None));
    assert!(world.cameras(ANA).is_empty());
}

#[test]
fn one_screen_is_shared_at_a_time() {
    let mut world = World::new(3, 20);
    world.go_live(ANA, Screen);
    world.run(1_000);
    assert_eq!(world.view(BEN).screen_of, Some(peer(ANA)));
    assert_eq!(
        world.sends(ANA, BEN, Screen),
        Some(Encoding {
            height: 720,
            fps: 5,
            max_bps: 1_000_000
        })
    );
    world.go_live(BEN, Screen);
    assert_eq!(world.pages[BEN].stops, [Screen]);
    assert_eq!(world.pages[BEN].notices, [MediaNotice::ScreenTaken]);
    world.turn_off(ANA, Screen);
    world.run(1_000);
    assert_eq!(world.view(BEN).screen_of, None);
    // Two at once.
    world.go_live(CEM, Screen);
    world.go_live(BEN, Screen);
    world.run(1_000);
    assert_eq!(world.view(ANA).screen_of, Some(peer(BEN)));
    assert_eq!(world.view(CEM).screen_of, Some(peer(BEN)));
    assert_eq!(world.pages[CEM].notices, [MediaNotice::ScreenLost]);
    assert_eq!(world.pages[CEM].stops, [Screen]);
}

#[test]
fn a_camera_that_is_live_before_group_time_is_known_is_shown_later() {
    let mut world = World::new(2, 21);
    world.reload(ANA);
    world.pages[ANA].knows_time = false;
    let seed = world.random.next();
    world.pages[ANA].media = Media::new(seed);
    world.reload(ANA);
    world.go_live(ANA, Camera);
    world.run(2_000);
    assert!(world.view(ANA).camera);
    assert_eq!(world.cameras(BEN), [] as [usize; 0]);
    world.pages[ANA].knows_time = true;
    world.input(ANA, MediaInput::Levels(Vec::new()));
    world.run(1_000);
    assert_eq!(world.cameras(BEN), [ANA]);
}

#[test]
fn the_camera_steps_down_and_goes_off_before_voice_suffers() {
    let mut world = World::new(2, 22);
    world.go_live(ANA, Microphone);
    world.go_live(ANA, Camera);
    world.run(1_000);
    let mut seen = vec![world.sends(ANA, BEN, Camera)];
    for _ in 0..20 {
        world.input(ANA, measured(40_000));
        world.run(1_000);
        let sent = world.sends(ANA, BEN, Camera);
        if seen.last() != Some(&sent) {
            seen.push(sent);
        }
        assert!(world.is_heard(ANA, BEN));
    }
    let heights = seen.iter().map(|sent| sent.map(|one| one.height));
    let expected = [Some(240), Some(180), Some(120), None];
    assert_eq!(heights.collect::<Vec<_>>(), expected);
    assert_eq!(world.view(ANA).camera_quality, CameraQuality::Off);
    // It keeps its place, and no frozen picture is shown.
    assert!(world.view(ANA).camera && !world.rider(BEN, ANA).unwrap().camera);
    for _ in 0..60 {
        world.input(ANA, measured(5_000_000));
        world.run(1_000);
    }
    assert_eq!(world.view(ANA).camera_quality, CameraQuality::Full);
    assert!(world.rider(BEN, ANA).unwrap().camera);
}

#[test]
fn a_device_that_ends_by_itself_is_stopped_once_and_the_rider_is_told() {
    let mut world = World::new(2, 23);
    world.go_live(ANA, Camera);
    world.run(1_000);
    for _ in 0..2 {
        world.input(ANA, MediaInput::DeviceEnded(Camera));
    }
    world.turn_off(ANA, Camera);
    world.run(1_000);
    assert_eq!(world.pages[ANA].stops, [Camera]);
    assert_eq!(world.pages[ANA].notices, [MediaNotice::DeviceEnded(Camera)]);
    assert_eq!(world.cameras(BEN), [] as [usize; 0]);
}

#[test]
fn leaving_stops_every_device_and_closes_every_connection() {
    let mut world = World::new(3, 24);
    for kind in MediaKind::ALL {
        world.go_live(ANA, kind);
    }
    world.go_live(BEN, Microphone);
    world.run(1_000);
    let sent = world.sent.len();
    world.leave(ANA);
    assert_eq!(world.pages[ANA].stops, MediaKind::ALL);
    assert_eq!(world.rtc.count(ANA), 0);
    assert_eq!(world.sent.len(), sent);
    assert!(!world.view(ANA).is_available && world.view(ANA).riders.is_empty());
    world.run(1_000);
    assert_eq!(
        (world.rider(BEN, ANA), world.view(BEN).screen_of.as_ref()),
        (None, None)
    );
    assert_eq!((world.rtc.count(BEN), world.rtc.count(CEM)), (1, 1));
    // A chooser that was still open.
    world.go_live(ANA, Camera);
    assert_eq!(world.pages[ANA].stops.len(), 4);
    assert_eq!(world.pages[ANA].media.poll_timeout(), None);
}

#[test]
fn the_end_of_the_ride_stops_every_device() {
    let mut world = World::new(2, 25);
    for rider in [ANA, BEN] {
        world.go_live(rider, Microphone);
        world.go_live(rider, Camera);
    }
    world.run(1_000);
    world.is_over = true;
    world.update_members();
    for rider in [ANA, BEN] {
        assert_eq!(world.pages[rider].stops, [Microphone, Camera]);
        assert!(!world.view(rider).is_available);
        world.go_live(rider, Microphone);
        assert_eq!(world.pages[rider].stops.len(), 3);
        assert_eq!(world.pages[rider].notices, []);
    }
    world.run(30_000);
    assert_eq!((world.rtc.count(ANA), world.rtc.count(BEN)), (0, 0));
    assert_eq!(world.rejected(), [0; 2]);
}

#[test]
fn a_reload_begins_with_everything_off_and_hears_the_others_again() {
    let mut world = World::new(3, 26);
    for rider in [ANA, BEN, CEM] {
        world.go_live(rider, Microphone);
    }
    world.go_live(BEN, Camera);
    world.run(1_000);
    world.reload(BEN);
    assert_eq!(
        world.rider(ANA, BEN).map(|rider| rider.microphone),
        Some(false)
    );
    assert!(world.cameras(ANA).is_empty());
    world.run(3_000);
    assert!(!world.view(BEN).microphone);
    assert!(world.is_heard(ANA, BEN) && world.is_heard(CEM, BEN));
    world.go_live(BEN, Microphone);
    world.run(1_000);
    assert!(world.is_heard(BEN, ANA) && world.is_heard(BEN, CEM));
    assert_eq!(world.rejected(), [0; 3]);
}

#[test]
fn events_of_a_connection_to_a_former_page_load_are_ignored() {
    let mut world = World::new(2, 27);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    let first = |world: &World| {
        let connection = world.pages[ANA].media.peers[0].connection.as_ref().unwrap();
        connection.base + connection.media.connection().unwrap()
    };
    let old = first(&world);
    world.reload(BEN);
    world.run(3_000);
    assert!(world.is_heard(ANA, BEN) && first(&world) > old);
    world.input(
        ANA,
        MediaInput::Connection {
            peer: peer(BEN),
            connection: old,
            event: MediaEvent::Failed,
        },
    );
    assert_eq!(world.rider(ANA, BEN).unwrap().state, MediaState::Connected);
}

#[test]
fn a_rider_who_joins_later_hears_and_sees_those_who_are_live() {
    let mut world = World::new(2, 28);
    world.go_live(ANA, Microphone);
    world.go_live(BEN, Camera);
    world.run(1_000);
    let cem = world.add();
    world.update_members();
    world.run(1_000);
    assert!(world.is_heard(ANA, cem));
    assert_eq!(world.cameras(cem), [BEN]);
    assert!(world.sends(BEN, cem, Camera).is_some());
}

#[test]
fn a_page_that_loads_this_part_later_is_told() {
    let mut world = World::new(2, 29);
    let cem = world.add();
    world.pages[cem].has_media = false;
    world.go_live(ANA, Microphone);
    world.update_members();
    world.run(11_000);
    assert_eq!(
        world.rider(ANA, cem).unwrap().state,
        MediaState::Unreachable
    );
    // What has arrived before is lost.
    world.load_media(cem);
    world.run(1_000);
    assert!(world.is_heard(ANA, cem));
}

#[test]
fn a_rider_who_is_reachable_again_is_told_again() {
    let mut world = World::new(2, 42);
    let reports = |world: &World| {
        let sent = world.sent.iter();
        let reports = sent.filter(|one| matches!(one, (ANA, BEN, MediaMessage::Status(_))));
        reports.count()
    };
    let before = reports(&world);
    world.set_broken(ANA, BEN, true);
    world.run(1_000);
    assert_eq!(reports(&world), before);
    world.set_broken(ANA, BEN, false);
    world.run(1_000);
    assert_eq!(reports(&world), before + 1);
}

#[test]
fn a_rider_is_told_what_is_live_before_the_first_signal() {
    let mut world = World::new(2, 43);
    // The next report would be some time later.
    world.set_broken(ANA, BEN, true);
    world.set_broken(ANA, BEN, false);
    let before = world.sent.len();
    world.go_live(ANA, Camera);
    world.run(200);
    let sent = world.sent[before..].iter();
    let mut sent = sent.filter(|(from, ..)| *from == ANA);
    assert!(matches!(
        sent.next(),
        Some((_, _, MediaMessage::Status(status))) if status.camera.is_some()
    ));
    assert!(matches!(sent.next(), Some((_, _, MediaMessage::Signal(_)))));
    world.run(1_000);
    assert!(world.sends(ANA, BEN, Camera).is_some());
    assert_eq!(world.rejected(), [0; 2]);
}

#[test]
fn media_go_on_while_a_link_is_broken_and_end_after_half_a_minute() {
    let mut world = World::new(2, 30);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    world.set_broken(ANA, BEN, true);
    world.run(20_000);
    assert!(world.is_heard(ANA, BEN));
    world.run(11_000);
    assert!(!world.is_heard(ANA, BEN) && world.rtc.is_connected(ANA, BEN));
    world.run(30_000);
    assert!(!world.rtc.is_connected(ANA, BEN));
    assert_eq!(world.rider(BEN, ANA), None);
    world.input(ANA, MediaInput::SetMuted(true));
    world.set_broken(ANA, BEN, false);
    world.run(3_000);
    assert!(world.rider(BEN, ANA).unwrap().is_muted);
    world.input(ANA, MediaInput::SetMuted(false));
    world.run(500);
    assert!(world.is_heard(ANA, BEN));
}

#[test]
fn a_path_that_breaks_is_repaired() {
    let mut world = World::new(2, 31);
    world.go_live(ANA, Microphone);
    world.run(1_000);
    world.block(ANA, BEN, true);
    world.run(3_000);
    assert_eq!(world.rider(BEN, ANA).unwrap().state, MediaState::Connecting);
    world.block(ANA, BEN, false);
    world.run(15_000);
    assert!(world.is_heard(ANA, BEN));
}

#[test]
fn a_rider_without_a_path_is_not_reachable_for_voice() {
    let mut world = World::new(3, 32);
    world.block(ANA, BEN, true);
    world.go_live(ANA, Microphone);
    world.run(180_000);
    assert_eq!(
        world.rider(ANA, BEN).unwrap().state,
        MediaState::Unreachable
    );
    assert_eq!(
        world.rider(BEN, ANA).unwrap().state,
        MediaState::Unreachable
    );
    assert!(world.is_heard(ANA, CEM));
    world.block(ANA, BEN, false);
    world.run(90_000);
    assert!(world.is_heard(ANA, BEN));
    assert_eq!(world.rejected(), [0; 3]);
}

#[test]
fn a_rider_whose_link_is_relayed_is_soon_not_reachable_for_voice() {
    let mut world = World::new(2, 34);
    world.is_relayed = true;
    world.update_members();
    world.block(ANA, BEN, true);
    world.go_live(ANA, Microphone);
    world.run(5_000);
    let state = |world: &World| world.rider(ANA, BEN).unwrap().state;
    assert_eq!(state(&world), MediaState::Connecting);
    world.run(5_000);
    assert_eq!(state(&world), MediaState::Unreachable);
    // It is tried all the same.
    world.block(ANA, BEN, false);
    world.run(90_000);
    assert_eq!(state(&world), MediaState::Connected);
    assert!(world.is_heard(ANA, BEN));
}

#[test]
fn a_server_that_allows_no_direct_links_makes_all_unreachable() {
    let mut world = World::new(2, 33);
    world.allows_direct_links = false;
    world.update_members();
    world.go_live(ANA, Microphone);
    world.run(5_000);
    assert!(world.view(ANA).is_available);
    assert_eq!(
        world.rider(ANA, BEN).unwrap().state,
        MediaState::Unreachable
    );
    assert_eq!(
        world.rider(BEN, ANA).unwrap().state,
        MediaState::Unreachable
    );
    assert_eq!(world.rtc.opened, 0);
}

#[test]
fn a_browser_without_webrtc_has_no_media_and_is_not_reachable() {
    let mut world = World::new(2, 34);
    world.pages[BEN].has_webrtc = false;
    world.reload(BEN);
    world.go_live(ANA, Microphone);
    world.run(5_000);
    assert_eq!(
        world.rider(ANA, BEN).unwrap().state,
        MediaState::Unreachable
    );
    assert!(!world.view(BEN).is_available);
    world.go_live(BEN, Microphone);
    assert_eq!(world.pages[BEN].stops, [Microphone]);
    assert_eq!(world.rtc.opened, 0);
}

#[test]
fn spectators_take_no_part() {
    let mut world = World::new(2, 35);
    let cem = world.add();
    world.pages[cem].is_rider = false;
    world.update_members();
    world.go_live(ANA, Microphone);
    world.run(1_000);
    assert_eq!(world.rider(ANA, cem), None);
    assert!(world.sent.iter().all(|(_, to, _)| *to != cem));
    world.inject(cem, ANA, &status(Some(1), Some(1)));
    assert_eq!(world.view(ANA).screen_of, None);
    assert_eq!(
        world.pages[ANA].media.rejected(),
        1 + u64::from(
            world
                .sent
                .iter()
                .any(|(from, to, _)| (*from, *to) == (cem, ANA))
        )
    );
}

// Riders who mean harm.

#[test]
fn a_rider_cannot_make_a_page_show_more_cameras_than_allowed() {
    let mut world = World::new(8, 36);
    for other in 1..8 {
        world.inject(other, ANA, &status(Some(i64::from(other as i32)), None));
    }
    assert_eq!(world.cameras(ANA), [1, 2, 3, 4, 5, 6]);
    // The page says that it needs no picture of the last one.
    world.run(1_000);
    let none = MediaMessage::Picture(PictureSize::None);
    assert!(world.sent.contains(&(ANA, 7, none)));
    // One rider takes one place, with the earliest time that there is.
    let mut world = World::new(8, 36);
    for other in 1..7 {
        world.go_live(other, Camera);
    }
    world.run(1_000);
    for at in 0..7 {
        world.inject(7, at, &status(Some(i64::MIN), None));
    }
    world.run(1_000);
    assert_eq!(world.cameras(ANA).len(), 6);
    assert_eq!(
        world
            .pages
            .iter()
            .map(|page| page.stops.len())
            .sum::<usize>(),
        1
    );
}

#[test]
fn a_flood_of_reports_is_limited() {
    let mut world = World::new(2, 37);
    let (before, shows) = (world.sent.len(), world.pages[ANA].shows);
    for count in 0..2_000 {
        world.inject(BEN, ANA, &status(Some(count), None));
        let size = [PictureSize::Enlarged, PictureSize::None][count as usize % 2];
        world.inject(BEN, ANA, &MediaMessage::Picture(size));
        world.run(1);
    }
    assert!(world.pages[ANA].shows - shows < 40);
    assert!(
        world.sent.len() - before < 40,
        "{}",
        world.sent.len() - before
    );
    assert!(world.pages[ANA].media.rejected() > 3_900);
}

#[test]
fn requests_for_pictures_do_not_change_parameters_often() {
    let mut world = World::new(2, 38);
    world.go_live(ANA, Camera);
    world.run(1_000);
    world.take_outputs(ANA);
    for count in 0..2_000 {
        let size = [PictureSize::Enlarged, PictureSize::Normal][count as usize % 2];
        world.inject(BEN, ANA, &MediaMessage::Picture(size));
        world.run(1);
    }
    assert!(world.take_outputs(ANA).len() < 40);
}

#[test]
fn a_flood_of_signals_is_limited_and_opens_few_connections() {
    let mut world = World::new(2, 39);
    let offer = |attempt| {
        let sdp = "v=0".to_owned();
        MediaMessage::Signal(Signal::Offer { attempt, sdp })
    };
    // No rider sends anything, so no connection is made.
    for attempt in 0..1_000 {
        world.inject(BEN, ANA, &offer(attempt));
        world.run(5);
    }
    assert_eq!(
        (world.rtc.opened, world.pages[ANA].media.rejected()),
        (0, 1_000)
    );
    world.inject(BEN, ANA, &status(Some(1), None));
    for attempt in 0..5_000 {
        world.inject(BEN, ANA, &offer(attempt));
        world.run(2);
    }
    assert!(world.rtc.opened < 40, "{}", world.rtc.opened);
    assert!(world.pages[ANA].media.rejected() > 5_900);
    assert!(world.rtc.count(ANA) <= 1);
}

#[test]
fn a_host_who_floods_is_limited() {
    let mut world = World::new(2, 40);
    world.go_live(BEN, Microphone);
    world.run(1_000);
    for _ in 0..1_000 {
        world.input(BEN, MediaInput::SetMuted(false));
        world.inject(ANA, BEN, &MediaMessage::MuteEveryone);
        world.inject(ANA, BEN, &MediaMessage::AskToUnmute);
        world.run(1);
    }
    assert!(world.pages[BEN].notices.len() < 10);
    // An honest page sends no more than that.
    let before = world.sent.len();
    for _ in 0..100 {
        world.input(ANA, MediaInput::MuteEveryone);
    }
    assert_eq!(world.sent.len() - before, 3);
}

#[test]
fn bytes_that_are_no_message_and_messages_of_strangers_change_nothing() {
    let mut world = World::new(2, 41);
    let shows = world.pages[ANA].shows;
    let too_large = Signal::Offer {
        attempt: 1,
        sdp: "x".repeat(100_000),
    };
    for bytes in [
        &[0x83, 1, 0x18, 24][..],
        &[0x83, 1, 0x18, 31, 0x80],
        &[],
        &MediaMessage::Signal(too_large).encode(),
    ] {
        world.inject_bytes(BEN, ANA, bytes);
    }
    world.inject(7, ANA, &status(Some(1), Some(1)));
    world.inject(ANA, ANA, &status(Some(1), Some(1)));
    assert_eq!(world.pages[ANA].media.rejected(), 6);
    assert_eq!(world.pages[ANA].shows, shows);
}
