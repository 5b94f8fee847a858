use super::*;

const NOW: Moment = Moment::from_origin(Duration::from_secs(1));

fn connection(is_polite: bool) -> PeerConnection {
    PeerConnection::new(1, 1, is_polite, NOW)
}

fn offer(sdp: &str) -> Signal {
    Signal::Offer {
        attempt: 1,
        sdp: sdp.into(),
    }
}

fn answer(sdp: &str) -> Signal {
    Signal::Answer {
        attempt: 1,
        sdp: sdp.into(),
    }
}

fn candidates(candidates: &[&str]) -> Signal {
    Signal::Candidates {
        attempt: 1,
        candidates: candidates.iter().map(ToString::to_string).collect(),
    }
}

fn commands(outputs: Vec<LinkOutput>) -> Vec<RtcCommand> {
    let command = |output| match output {
        LinkOutput::Rtc { command, .. } => Some(command),
        _ => None,
    };
    outputs.into_iter().filter_map(command).collect()
}

fn local_description(kind: SdpKind) -> RtcEvent {
    RtcEvent::LocalDescription {
        kind,
        sdp: "own".into(),
    }
}

#[test]
fn the_impolite_side_ignores_an_offer_that_crosses_its_own_and_its_candidates() {
    let mut impolite = connection(false);
    impolite.create_offer(false);
    assert!(impolite.handle_signal(offer("peer")).is_empty());
    let of_ignored_offer = candidates(&["of the ignored offer"]);
    assert!(impolite.handle_signal(of_ignored_offer).is_empty());
    let sent = impolite.handle_event(NOW, local_description(SdpKind::Offer));
    assert!(matches!(
        sent[..],
        [LinkOutput::Signal(Signal::Offer { .. })]
    ));
    assert_eq!(impolite.handle_signal(answer("answer")).len(), 1);
    let of_answer = candidates(&["of the answer"]);
    assert_eq!(impolite.handle_signal(of_answer).len(), 1);
}

#[test]
fn the_polite_side_withdraws_its_own_offer() {
    let mut polite = connection(true);
    polite.create_offer(false);
    let commands = commands(polite.handle_signal(offer("peer")));
    let remote = RtcCommand::SetRemote {
        kind: SdpKind::Offer,
        sdp: "peer".into(),
    };
    assert_eq!(commands, [remote]);
    let withdrawn = polite.handle_event(NOW, local_description(SdpKind::Offer));
    assert!(withdrawn.is_empty());
    let sent = polite.handle_event(NOW, local_description(SdpKind::Answer));
    assert!(matches!(
        sent[..],
        [LinkOutput::Signal(Signal::Answer { .. })]
    ));
}

#[test]
fn candidates_that_arrive_before_the_description_wait_for_it() {
    let mut answering = connection(false);
    assert!(answering.handle_signal(candidates(&["early"])).is_empty());
    let commands = commands(answering.handle_signal(offer("peer")));
    assert_eq!(commands[1], RtcCommand::AddCandidate("early".into()));
}

#[test]
fn own_candidates_are_sent_in_batches_after_the_description() {
    let mut offering = connection(false);
    offering.create_offer(false);
    offering.handle_event(NOW, RtcEvent::Candidate("one".into()));
    let later = NOW + Duration::from_millis(60);
    assert!(offering.tick(later, true).is_empty());
    offering.handle_event(later, RtcEvent::Candidate("two".into()));
    let sent = offering.handle_event(later, local_description(SdpKind::Offer));
    assert_eq!(sent[1], LinkOutput::Signal(candidates(&["one", "two"])));
}

#[test]
fn an_answer_without_an_offer_is_dropped() {
    let mut idle = connection(true);
    assert!(idle.handle_signal(answer("unexpected")).is_empty());
}

#[test]
fn a_silent_connection_is_not_direct_until_frames_have_arrived_for_a_second() {
    let mut connection = connection(false);
    for class in DeliveryClass::ALL {
        connection.handle_event(NOW, RtcEvent::Opened(class));
    }
    assert!(!connection.is_direct(NOW), "no frame has arrived yet");
    connection.frame_received(NOW);
    connection.set_peer_receives(true);
    assert!(connection.is_direct(NOW));
    let later = NOW + SILENCE_TIMEOUT;
    assert!(!connection.is_direct(later));
    assert!(connection.frame_received(later), "the silence ends");
    assert!(!connection.is_direct(later));
    connection.frame_received(later + RECOVERY);
    assert!(connection.is_direct(later + RECOVERY));
}

#[test]
fn three_seconds_of_silence_cause_one_ice_restart_and_ten_the_end() {
    let mut connection = connection(false);
    connection.frame_received(NOW);
    assert!(connection.tick(NOW + RESTART_TIMEOUT / 2, true).is_empty());
    let commands = commands(connection.tick(NOW + RESTART_TIMEOUT, true));
    assert_eq!(commands, [RtcCommand::CreateOffer { ice_restart: true }]);
    assert!(connection.tick(NOW + 2 * RESTART_TIMEOUT, true).is_empty());
    assert!(!connection.is_lost(NOW + 3 * RESTART_TIMEOUT));
    assert!(connection.is_lost(NOW + LOSS_TIMEOUT));
}
