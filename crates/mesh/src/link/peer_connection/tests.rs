use super::*;

const NOW: Moment = Moment::from_origin(Duration::from_secs(1));

fn connection(is_polite: bool) -> PeerConnection {
    PeerConnection::new(1, 1, is_polite, NOW)
}

fn commands(outputs: Vec<LinkOutput>) -> Vec<RtcCommand> {
    let command = |output| match output {
        LinkOutput::Rtc { command, .. } => Some(command),
        _ => None,
    };
    outputs.into_iter().filter_map(command).collect()
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
