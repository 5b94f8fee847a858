//! Peers that send what no honest page sends.

use clock::{Duration, Moment};
use mesh::media::{
    MediaCommand, MediaConnection, MediaConnectionOutput, MediaConnectionState, MediaEvent, SdpKind,
};
use proptest::{collection::vec, prelude::*};
use protocol::signaling::Signal;

use crate::network::ms;

const START: Moment = Moment::from_origin(Duration::from_secs(100));

fn wanted(is_polite: bool) -> MediaConnection {
    let mut connection = MediaConnection::new(START, is_polite, 1);
    connection.set_reachable(START, true);
    connection.set_wanted(START, true);
    connection
}

/// Connection that has made its first offer and has its description.
fn offering() -> MediaConnection {
    let mut connection = wanted(false);
    connection.handle_timeout(START);
    let id = connection.connection().unwrap();
    let event = MediaEvent::LocalDescription {
        kind: SdpKind::Offer,
        sdp: "own".into(),
    };
    connection.handle_event(START, id, event);
    drain(&mut connection);
    connection
}

fn offer(attempt: u32) -> Signal {
    let sdp = "offer".into();
    Signal::Offer { attempt, sdp }
}

fn answer(attempt: u32) -> Signal {
    let sdp = "answer".into();
    Signal::Answer { attempt, sdp }
}

fn candidates(attempt: u32, count: usize) -> Signal {
    let candidates = vec!["candidate".to_owned(); count];
    Signal::Candidates {
        attempt,
        candidates,
    }
}

fn drain(connection: &mut MediaConnection) -> Vec<MediaConnectionOutput> {
    std::iter::from_fn(|| connection.poll_output()).collect()
}

fn opened(outputs: &[MediaConnectionOutput]) -> usize {
    let is_open = |output: &&MediaConnectionOutput| {
        let command = match output {
            MediaConnectionOutput::Command { command, .. } => command,
            MediaConnectionOutput::Signal(_) => return false,
        };
        matches!(command, MediaCommand::Open { .. })
    };
    outputs.iter().filter(is_open).count()
}

#[test]
fn six_offers_are_accepted_at_once_and_one_more_every_five_seconds() {
    for is_polite in [false, true] {
        let mut connection = wanted(is_polite);
        for step in 1..=10_000 {
            let now = START + ms(10) * step;
            connection.handle_timeout(now);
            connection.receive(now, offer(step));
        }
        // 100 s; one of them may be an own attempt.
        let opened = opened(&drain(&mut connection));
        assert!((25..=27).contains(&opened), "{opened}");
        assert_eq!(connection.rejected(), 10_000 - 25);
    }
}

#[test]
fn offers_without_end_on_one_connection_are_limited_too() {
    let mut connection = wanted(true);
    for step in 0..10_000 {
        connection.receive(START + ms(10) * step, offer(1));
    }
    assert_eq!(drain(&mut connection).len(), 1 + 25);
}

#[test]
fn offers_do_not_keep_a_connection_that_never_connects() {
    let mut connection = wanted(true);
    for step in 0..20 {
        let now = START + Duration::from_secs(step);
        connection.handle_timeout(now);
        connection.receive(now, offer(1));
    }
    let closes = drain(&mut connection).into_iter().filter(|output| {
        matches!(
            output,
            MediaConnectionOutput::Command {
                command: MediaCommand::Close,
                ..
            }
        )
    });
    assert_eq!(closes.count(), 1);
}

#[test]
fn a_jump_to_the_largest_attempt_number_does_not_prevent_further_attempts() {
    for attempt in [u32::MAX, u32::MAX - 1, 1 << 31, (1 << 31) - 1] {
        let mut connection = wanted(true);
        let way = [attempt / 3, attempt / 3 * 2, attempt];
        for (step, attempt) in (0..).zip(way) {
            connection.receive(START + ms(step), offer(attempt));
        }
        let id = connection.connection().unwrap();
        drain(&mut connection);
        connection.handle_event(START, id, MediaEvent::Failed);
        let later = START + Duration::from_secs(10);
        connection.handle_timeout(later);
        let id = connection.connection().expect("another attempt");
        let event = MediaEvent::LocalDescription {
            kind: SdpKind::Offer,
            sdp: "own".into(),
        };
        connection.handle_event(later, id, event);
        let next = attempt.wrapping_add(1);
        let is_next = |output: &MediaConnectionOutput| matches!(output, MediaConnectionOutput::Signal(Signal::Offer { attempt, .. }) if *attempt == next);
        assert!(drain(&mut connection).iter().any(is_next), "{attempt}");
        // An honest page takes it for a newer one.
        let mut honest = wanted(true);
        for attempt in way.into_iter().chain([next]) {
            honest.receive(START, offer(attempt));
        }
        assert_eq!(opened(&drain(&mut honest)), 4, "{attempt}");
    }
}

#[test]
fn answers_without_an_offer_are_ignored() {
    let mut connection = wanted(true);
    connection.receive(START, answer(1));
    connection.receive(START, offer(1));
    drain(&mut connection);
    (0..1_000).for_each(|_| connection.receive(START, answer(1)));
    assert!(drain(&mut connection).is_empty());
}

#[test]
fn an_offer_is_answered_once() {
    let mut connection = offering();
    (0..1_000).for_each(|_| connection.receive(START, answer(1)));
    assert_eq!(drain(&mut connection).len(), 1);
}

#[test]
fn signals_of_other_attempts_are_ignored() {
    let mut connection = offering();
    for attempt in [0, 2, 7, u32::MAX] {
        connection.receive(START, answer(attempt));
        connection.receive(START, candidates(attempt, 64));
    }
    connection.receive(START, offer(0));
    assert!(drain(&mut connection).is_empty());
    assert_eq!(connection.rejected(), 0);
}

#[test]
fn the_number_of_candidates_after_a_description_is_limited() {
    let mut connection = offering();
    connection.receive(START, answer(1));
    (0..1_000).for_each(|_| connection.receive(START, candidates(1, 60)));
    assert_eq!(drain(&mut connection).len(), 1 + 240);
    assert_eq!(connection.rejected(), 1_000 - 4);
}

#[test]
fn candidates_before_the_description_are_limited() {
    let mut connection = offering();
    (0..1_000).for_each(|_| connection.receive(START, candidates(1, 64)));
    connection.receive(START, answer(1));
    assert_eq!(drain(&mut connection).len(), 1 + 256);
    assert_eq!(connection.rejected(), 1_000 - 4);
}

#[test]
fn signals_that_are_too_large_are_rejected() {
    let large = |len| "x".repeat(len);
    let candidates = |candidates| Signal::Candidates {
        attempt: 1,
        candidates,
    };
    let sections = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
    let signals = [
        Signal::Offer {
            attempt: 2,
            sdp: large(32 * 1024 + 1),
        },
        Signal::Offer {
            attempt: 2,
            sdp: String::new(),
        },
        Signal::Offer {
            attempt: 2,
            sdp: format!("v=0\r\n{}", sections.repeat(4)),
        },
        Signal::Answer {
            attempt: 1,
            sdp: large(32 * 1024 + 1),
        },
        candidates(vec![large(2_049)]),
        candidates(vec![large(1); 65]),
    ];
    let mut connection = offering();
    for (count, signal) in (1..).zip(signals) {
        connection.receive(START, signal);
        assert_eq!(connection.rejected(), count);
    }
    assert!(drain(&mut connection).is_empty());
    let largest = Signal::Offer {
        attempt: 2,
        sdp: large(32 * 1024),
    };
    connection.receive(START, largest);
    assert_eq!(opened(&drain(&mut connection)), 1);
}

#[test]
fn own_offers_are_limited_however_often_the_peer_comes_and_goes() {
    let mut connection = wanted(false);
    let mut opened_in_all = 0;
    for step in 0..10_000 {
        let now = START + ms(10) * step;
        connection.set_reachable(now, step % 2 == 0);
        connection.handle_timeout(now);
        opened_in_all += opened(&drain(&mut connection));
    }
    assert!(
        (10..=4 + 100 / 6).contains(&opened_in_all),
        "{opened_in_all}"
    );
}

#[test]
fn a_connection_that_only_the_peer_wants_is_closed_after_twenty_seconds() {
    let mut connection = MediaConnection::new(START, true, 1);
    connection.set_reachable(START, true);
    let later = START + Duration::from_secs(300);
    connection.receive(later, offer(1));
    let id = connection.connection().unwrap();
    let event = MediaEvent::LocalDescription {
        kind: SdpKind::Answer,
        sdp: "own".into(),
    };
    connection.handle_event(later, id, event);
    connection.handle_event(later, id, MediaEvent::Connected);
    connection.handle_timeout(later + ms(19_999));
    assert_eq!(connection.state(), MediaConnectionState::Connected);
    connection.handle_timeout(later + ms(20_000));
    assert_eq!(connection.state(), MediaConnectionState::Closed);
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn a_peer_whose_descriptions_are_nonsense_becomes_unreachable() {
    let mut connection = wanted(false);
    let mut now = START;
    let mut opened_in_all = 0;
    while now < START + Duration::from_secs(600) {
        connection.handle_timeout(now);
        connection.receive(now, answer(opened_in_all));
        connection.receive(now, offer(opened_in_all));
        opened_in_all += u32::try_from(opened(&drain(&mut connection))).unwrap();
        if let Some(id) = connection.connection() {
            connection.handle_event(now, id, MediaEvent::Failed);
        }
        now += ms(500);
    }
    assert_eq!(connection.state(), MediaConnectionState::Unreachable);
    assert!(
        opened_in_all <= 4 + 600 / 6 + 6 + 600 / 5,
        "{opened_in_all}"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Receive(Signal),
    Event(MediaEvent),
    Wanted(bool),
    Reachable(bool),
    Pause(u64),
}

fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![0..6u32, any::<u32>()]
}

fn steps() -> impl Strategy<Value = Step> {
    let kinds = prop_oneof![Just(SdpKind::Offer), Just(SdpKind::Answer)];
    let described = kinds.prop_map(|kind| MediaEvent::LocalDescription {
        kind,
        sdp: "own".into(),
    });
    let events = prop_oneof![
        described,
        Just(MediaEvent::Candidate("own".into())),
        Just(MediaEvent::Connected),
        Just(MediaEvent::Disconnected),
        Just(MediaEvent::Failed),
    ];
    prop_oneof![
        attempts().prop_map(|attempt| Step::Receive(offer(attempt))),
        attempts().prop_map(|attempt| Step::Receive(answer(attempt))),
        (attempts(), 0..70usize)
            .prop_map(|(attempt, count)| Step::Receive(candidates(attempt, count))),
        events.prop_map(Step::Event),
        any::<bool>().prop_map(Step::Wanted),
        any::<bool>().prop_map(Step::Reachable),
        (0..40_000u64).prop_map(Step::Pause),
    ]
}

proptest! {
    #[test]
    fn any_signals_and_events_leave_one_connection_at_a_time_and_no_busy_loop(
        is_polite: bool,
        seed: u64,
        steps in vec(steps(), 0..120),
    ) {
        let mut connection = MediaConnection::new(START, is_polite, seed);
        let (mut now, mut open) = (START, None);
        for step in steps {
            match step {
                Step::Receive(signal) => connection.receive(now, signal),
                Step::Event(event) => {
                    connection.handle_event(now, open.unwrap_or_default(), event);
                }
                Step::Wanted(is_wanted) => connection.set_wanted(now, is_wanted),
                Step::Reachable(is_reachable) => connection.set_reachable(now, is_reachable),
                Step::Pause(pause) => now += ms(pause),
            }
            connection.handle_timeout(now);
            prop_assert!(connection.poll_timeout().is_none_or(|at| at > now));
            for output in drain(&mut connection) {
                let MediaConnectionOutput::Command { connection: id, command } = output else {
                    continue;
                };
                match command {
                    MediaCommand::Open { .. } => prop_assert!(open.replace(id).is_none()),
                    MediaCommand::Close => prop_assert_eq!(open.take(), Some(id)),
                    _ => prop_assert_eq!(open, Some(id)),
                }
            }
            prop_assert_eq!(connection.connection(), open);
        }
    }
}
