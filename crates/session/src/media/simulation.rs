//! Seeded simulation of media between 2 to 8 pages on virtual time.

use super::testing::{Camera, Microphone, Screen, World, peer};
use super::*;

const KINDS: [MediaKind; 3] = [Microphone, Camera, Screen];

fn below(world: &mut World, limit: usize) -> usize {
    (world.random.next() % limit as u64) as usize
}

/// Something that a rider, a browser or the network does.
fn happen(world: &mut World) {
    let riders = world.pages.len();
    let at = below(world, riders);
    let other = below(world, riders);
    let kind = KINDS[below(world, 3)];
    if !world.pages[at].is_member {
        return;
    }
    match below(world, 20) {
        0..=5 => world.go_live(at, kind),
        6 | 7 => world.turn_off(at, kind),
        8 => world.input(at, MediaInput::DeviceEnded(kind)),
        9 => world.input(at, MediaInput::SetMuted(other.is_multiple_of(2))),
        10 => world.input(at, MediaInput::PushToTalk(other.is_multiple_of(2))),
        11 => world.input(at, MediaInput::MuteEveryone),
        12 => world.input(at, MediaInput::Enlarge(Some(peer(other)))),
        13 => {
            let measured = MediaInput::Measured {
                available_bps: Some(50_000),
                page_fps: 60.0,
            };
            for _ in 0..5 {
                world.input(at, measured.clone());
                world.run(1_000);
            }
        }
        14 => world.reload(at),
        15 if at != other => world.set_broken(at, other, true),
        16 if at != other => world.set_broken(at, other, false),
        17 if at != other => world.block(at, other, true),
        18 if at != other => world.block(at, other, false),
        19 if below(world, 4) == 0 => world.leave(at),
        _ => {
            world.host = at;
            world.update_members();
        }
    }
}

fn run_seed(seed: u64) {
    let mut random = mesh::random::Random::new(seed);
    let riders = 2 + (random.next() % 7) as usize;
    let mut world = World::new(riders, seed);
    world.jitter = random.next() % 300;
    world.max_cameras = Some(1 + (random.next() % 6) as u8);
    world.update_members();
    for _ in 0..60 {
        happen(&mut world);
        let pause = below(&mut world, 2_000) as u64;
        world.run(pause);
    }
    // Everything works again, and repairs itself.
    for a in 0..riders {
        for b in a + 1..riders {
            world.set_broken(a, b, false);
            world.block(a, b, false);
        }
    }
    world.run(120_000);
    let present: Vec<_> = (0..riders)
        .filter(|at| world.pages[*at].is_member)
        .collect();
    check(&world, seed, &present);
    // Nothing is sent for ever.
    let before = (world.sent.len(), world.rtc.opened);
    world.run(600_000);
    assert_eq!((world.sent.len(), world.rtc.opened), before, "seed {seed}");
    check(&world, seed, &present);
    for at in present {
        world.leave(at);
        assert_eq!(world.pages[at].tracks, [false; 3], "seed {seed}");
        assert_eq!(world.rtc.count(at), 0, "seed {seed}");
    }
}

fn check(world: &World, seed: u64, present: &[usize]) {
    let live = |kind: MediaKind| {
        let live = present.iter().copied();
        let live = live.filter(move |at| world.pages[*at].tracks[kind as usize]);
        live.collect::<Vec<_>>()
    };
    let limit = usize::from(world.max_cameras.unwrap());
    assert!(live(Camera).len() <= limit, "seed {seed}");
    assert!(live(Screen).len() <= 1, "seed {seed}");
    for &at in present {
        let view = world.view(at);
        let tracks = [view.microphone, view.camera, view.screen];
        assert_eq!(tracks, world.pages[at].tracks, "seed {seed}, page {at}");
        let sharing = view.screen_of.clone().or(view.screen.then(|| peer(at)));
        let expected = live(Screen).first().map(|one| peer(*one));
        assert_eq!(sharing, expected, "seed {seed}, page {at}");
        for &other in present.iter().filter(|other| **other != at) {
            let shown = world.rider(at, other);
            let is_shown = |kind: MediaKind| {
                shown.is_some_and(|shown| match kind {
                    Microphone => shown.microphone,
                    Camera => shown.camera,
                    Screen => shown.screen,
                })
            };
            let quality = world.view(other).camera_quality;
            for kind in KINDS {
                let is_live = world.pages[other].tracks[kind as usize];
                let is_paused = kind == Camera && quality == CameraQuality::Off;
                let context = format!("seed {seed}: {kind:?} of {other} on {at}");
                assert_eq!(is_shown(kind), is_live && !is_paused, "{context}");
                let is_sent = world.sends(other, at, kind).is_some();
                assert_eq!(is_sent, is_live && !is_paused, "{context}");
            }
            if world.pages[other].tracks[Microphone as usize] {
                let is_muted = shown.is_some_and(|shown| shown.is_muted);
                let is_heard = world.is_heard(other, at);
                assert_ne!(is_heard, is_muted, "seed {seed}: {other} by {at}");
            }
        }
    }
    // Honest pages stay within all limits.
    for &at in present {
        let rejected = world.pages[at].media.rejected();
        assert!(rejected <= 2, "seed {seed}: {rejected} rejected by {at}");
    }
}

// Several tests, so that they run at the same time.

#[test]
fn all_pages_agree_and_everything_live_is_sent_to_everyone() {
    (0..150).for_each(run_seed);
}

#[test]
fn all_pages_of_further_seeds_agree() {
    (1_000..1_150).for_each(run_seed);
}
