use super::*;

const NOW: Moment = Moment::from_origin(Duration::from_secs(1));

fn negotiation(is_polite: bool) -> Negotiation {
    Negotiation::new(1, is_polite)
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

#[test]
fn the_impolite_side_ignores_an_offer_that_crosses_its_own_and_its_candidates() {
    let mut impolite = negotiation(false);
    impolite.offer_requested();
    assert!(impolite.handle_signal(offer("peer")).is_empty());
    let of_ignored_offer = candidates(&["of the ignored offer"]);
    assert!(impolite.handle_signal(of_ignored_offer).is_empty());
    let sent = impolite.send_description(NOW, SdpKind::Offer, "own".into());
    assert!(matches!(
        sent[..],
        [NegotiationOutput::Signal(Signal::Offer { .. })]
    ));
    assert_eq!(impolite.handle_signal(answer("answer")).len(), 1);
    let of_answer = candidates(&["of the answer"]);
    assert_eq!(impolite.handle_signal(of_answer).len(), 1);
}

#[test]
fn the_polite_side_withdraws_its_own_offer() {
    let mut polite = negotiation(true);
    polite.offer_requested();
    let remote = NegotiationOutput::SetRemote {
        kind: SdpKind::Offer,
        sdp: "peer".into(),
    };
    assert_eq!(polite.handle_signal(offer("peer")), [remote]);
    let withdrawn = polite.send_description(NOW, SdpKind::Offer, "own".into());
    assert!(withdrawn.is_empty());
    let sent = polite.send_description(NOW, SdpKind::Answer, "own".into());
    assert!(matches!(
        sent[..],
        [NegotiationOutput::Signal(Signal::Answer { .. })]
    ));
}

#[test]
fn candidates_that_arrive_before_the_description_wait_for_it() {
    let mut answering = negotiation(false);
    assert!(answering.handle_signal(candidates(&["early"])).is_empty());
    let outputs = answering.handle_signal(offer("peer"));
    let candidate = NegotiationOutput::AddCandidate("early".into());
    assert_eq!(outputs[1], candidate);
}

#[test]
fn the_number_of_early_candidates_is_bounded() {
    let mut answering = negotiation(false);
    for _ in 0..100 {
        answering.handle_signal(candidates(&["early"; MAX_CANDIDATES]));
    }
    let outputs = answering.handle_signal(offer("peer"));
    assert_eq!(outputs.len(), 1 + MAX_WAITING_CANDIDATES);
}

#[test]
fn own_candidates_are_sent_in_batches_after_the_description() {
    let mut offering = negotiation(false);
    offering.offer_requested();
    offering.add_local_candidate(NOW, "one".into());
    let later = NOW + Duration::from_millis(60);
    assert!(offering.send_due_candidates(later).is_empty());
    offering.add_local_candidate(later, "two".into());
    let sent = offering.send_description(later, SdpKind::Offer, "own".into());
    let batch = NegotiationOutput::Signal(candidates(&["one", "two"]));
    assert_eq!(sent[1], batch);
}

#[test]
fn an_answer_without_an_offer_is_dropped() {
    let mut idle = negotiation(true);
    assert!(idle.handle_signal(answer("unexpected")).is_empty());
}
