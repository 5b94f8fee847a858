//! Fuzz target for the binary frames between riders: both envelopes of a relayed
//! frame, and the link frames inside.
//!
//! Checked for any input: decoding does not panic, no frame above its size limit
//! is accepted, and an accepted frame encodes to the same length and decodes to
//! the same value again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh::link_frame::LinkFrame;
use protocol::frame::{FromServer, MAX_FRAME, MAX_LINK_FRAME, ToServer};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = ToServer::decode(bytes) {
        assert!(bytes.len() <= MAX_FRAME);
        let encoded = frame.encode();
        assert_eq!(encoded.len(), bytes.len());
        assert_eq!(ToServer::decode(&encoded), Ok(frame.clone()));
        check_link_frame(frame.payload);
    }
    if let Ok(frame) = FromServer::decode(bytes) {
        assert!(bytes.len() <= MAX_FRAME);
        let encoded = frame.encode();
        assert_eq!(encoded.len(), bytes.len());
        assert_eq!(FromServer::decode(&encoded), Ok(frame.clone()));
        check_link_frame(frame.payload);
    }
    check_link_frame(bytes);
});

fn check_link_frame(bytes: &[u8]) {
    if let Ok(frame) = LinkFrame::decode(bytes) {
        assert!(bytes.len() <= MAX_LINK_FRAME);
        let encoded = frame.encode();
        assert_eq!(encoded.len(), bytes.len());
        assert_eq!(LinkFrame::decode(&encoded), Ok(frame));
    }
}
