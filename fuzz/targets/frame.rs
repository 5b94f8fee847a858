//! The bytes between riders: both envelopes of a relayed frame, and the link
//! frames inside.
//!
//! Whatever comes, reading it does not panic; nothing over its bound is read;
//! what is read writes as many bytes as it came in, and reads back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh::link_frame::{LinkFrame};
use protocol::frame::{FromServer, MAX_FRAME, MAX_LINK_FRAME, ToServer};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = ToServer::decode(bytes) {
        assert!(bytes.len() <= MAX_FRAME);
        let written = frame.encode();
        assert_eq!(written.len(), bytes.len());
        assert_eq!(ToServer::decode(&written), Ok(frame.clone()));
        link_frame(frame.payload);
    }
    if let Ok(frame) = FromServer::decode(bytes) {
        assert!(bytes.len() <= MAX_FRAME);
        let written = frame.encode();
        assert_eq!(written.len(), bytes.len());
        assert_eq!(FromServer::decode(&written), Ok(frame.clone()));
        link_frame(frame.payload);
    }
    link_frame(bytes);
});

fn link_frame(bytes: &[u8]) {
    if let Ok(frame) = LinkFrame::decode(bytes) {
        assert!(bytes.len() <= MAX_LINK_FRAME);
        let written = frame.encode();
        assert_eq!(written.len(), bytes.len());
        assert_eq!(LinkFrame::decode(&written), Ok(frame));
    }
}
