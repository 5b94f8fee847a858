use super::*;

const NOW: Moment = Moment::from_origin(Duration::from_secs(1));

fn connection(polite: bool) -> Connection {
    Connection::new(1, 1, polite, NOW)
}

fn offer(sdp: &str) -> Signal {
    Signal::Offer {
        attempt: 1,
        sdp: sdp.into(),
    }
}

fn candidates(all: &[&str]) -> Signal {
    let candidates = all.iter().map(|one| (*one).to_owned()).collect();
    Signal::Candidates {
        attempt: 1,
        candidates,
    }
}

fn commands(effects: Vec<Effect>) -> Vec<RtcCommand> {
    let command = |effect| match effect {
        Effect::Rtc { command, .. } => Some(command),
        _ => None,
    };
    effects.into_iter().filter_map(command).collect()
}

fn described(kind: SdpKind) -> RtcEvent {
    RtcEvent::LocalDescription {
        kind,
        sdp: "mine".into(),
    }
}

#[test]
fn the_impolite_side_ignores_an_offer_that_meets_its_own_and_its_candidates() {
    let mut impolite = connection(false);
    impolite.offer(false);
    assert!(impolite.signal(offer("theirs")).is_empty());
    assert!(
        impolite
            .signal(candidates(&["of the ignored offer"]))
            .is_empty()
    );
    let sent = impolite.driver(NOW, described(SdpKind::Offer));
    assert!(matches!(sent[..], [Effect::Signal(Signal::Offer { .. })]));
    let answer = Signal::Answer {
        attempt: 1,
        sdp: "answer".into(),
    };
    assert_eq!(impolite.signal(answer).len(), 1);
    assert_eq!(impolite.signal(candidates(&["of the answer"])).len(), 1);
}

#[test]
fn the_polite_side_gives_its_own_offer_up() {
    let mut polite = connection(true);
    polite.offer(false);
    let done = commands(polite.signal(offer("theirs")));
    let remote = RtcCommand::SetRemote {
        kind: SdpKind::Offer,
        sdp: "theirs".into(),
    };
    assert_eq!(done, [remote]);
    assert!(polite.driver(NOW, described(SdpKind::Offer)).is_empty());
    let sent = polite.driver(NOW, described(SdpKind::Answer));
    assert!(matches!(sent[..], [Effect::Signal(Signal::Answer { .. })]));
}

#[test]
fn candidates_that_come_before_the_description_wait_for_it() {
    let mut answering = connection(false);
    assert!(answering.signal(candidates(&["early"])).is_empty());
    let done = commands(answering.signal(offer("theirs")));
    assert_eq!(done[1], RtcCommand::AddCandidate("early".into()));
}

#[test]
fn own_candidates_go_out_in_batches_after_the_description() {
    let mut offering = connection(false);
    offering.offer(false);
    offering.driver(NOW, RtcEvent::Candidate("one".into()));
    let late = NOW + Duration::from_millis(60);
    assert!(offering.tick(late, true).is_empty());
    offering.driver(late, RtcEvent::Candidate("two".into()));
    let sent = offering.driver(late, described(SdpKind::Offer));
    assert_eq!(sent[1], Effect::Signal(candidates(&["one", "two"])));
}

#[test]
fn an_answer_nobody_asked_for_is_dropped() {
    let mut idle = connection(true);
    let answer = Signal::Answer {
        attempt: 1,
        sdp: "surprise".into(),
    };
    assert!(idle.signal(answer).is_empty());
}

#[test]
fn silence_takes_the_trust_away_and_a_second_of_sound_brings_it_back() {
    let mut live = connection(false);
    for class in DeliveryClass::ALL {
        live.driver(NOW, RtcEvent::Opened(class));
    }
    assert!(!live.carries(NOW), "nothing was heard yet");
    live.hear(NOW);
    live.peer_hears(true);
    assert!(live.carries(NOW));
    let later = NOW + SILENT;
    assert!(!live.carries(later));
    assert!(live.hear(later), "the silence ends");
    assert!(!live.carries(later));
    live.hear(later + STEADY);
    assert!(live.carries(later + STEADY));
}

#[test]
fn three_seconds_of_silence_bring_one_restart_and_ten_the_end() {
    let mut live = connection(false);
    live.hear(NOW);
    assert!(live.tick(NOW + RESTART / 2, true).is_empty());
    let done = commands(live.tick(NOW + RESTART, true));
    assert_eq!(done, [RtcCommand::CreateOffer { ice_restart: true }]);
    assert!(live.tick(NOW + 2 * RESTART, true).is_empty());
    assert!(!live.is_lost(NOW + 3 * RESTART));
    assert!(live.is_lost(NOW + LOST));
}
