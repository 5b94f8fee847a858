use super::*;
use proptest::{collection::vec, prelude::*};

#[test]
fn an_envelope_is_encoded_as_documented() {
    let frame = ToServer {
        class: DeliveryClass::Telemetry,
        sealed: true,
        targets: vec![PeerNumber(2), PeerNumber(0x0102_0304)],
        payload: b"hi",
    };
    let bytes = [1, 1, 1, 2, 0, 0, 0, 2, 1, 2, 3, 4, b'h', b'i'];
    assert_eq!(frame.encode(), bytes);
    assert_eq!(ToServer::decode(&bytes), Ok(frame));
}

#[test]
fn an_envelope_from_the_server_holds_sender_and_incarnation() {
    let frame = FromServer {
        class: DeliveryClass::Control,
        sealed: false,
        from: PeerNumber(7),
        incarnation: Incarnation(2),
        payload: b"x",
    };
    let bytes = [1, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2, b'x'];
    assert_eq!(frame.encode(), bytes);
    assert_eq!(FromServer::decode(&bytes), Ok(frame));
}

#[test]
fn malformed_envelopes_are_refused() {
    assert_eq!(ToServer::decode(&[]), Err(FrameError::Short));
    assert_eq!(ToServer::decode(&[2, 0, 0, 0]), Err(FrameError::Version(2)));
    assert_eq!(ToServer::decode(&[1, 3, 0, 0]), Err(FrameError::Unknown(3)));
    assert_eq!(ToServer::decode(&[1, 0, 0, 9, 0]), Err(FrameError::Short));
    assert_eq!(FromServer::decode(&[1, 0, 0, 0, 0]), Err(FrameError::Short));
    let large = vec![1; MAX_FRAME + 1];
    assert_eq!(
        ToServer::decode(&large),
        Err(FrameError::TooLarge(MAX_FRAME + 1))
    );
}

proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = ToServer::decode(&bytes);
        let _ = FromServer::decode(&bytes);
    }
}
