//! Fuzz target for texts of the browser's storage and of addresses: the link and the stored identity
//! of a bridge, and the remembered devices.
//!
//! The input is a fragment of an address, a line break, and a stored text. Checked for any input:
//! nothing panics, a session of a bridge has a bounded number of outputs, and remembered devices are
//! read as they were written.

#![no_main]

use clock::{Duration, Moment, Now, WallTime};
use libfuzzer_sys::fuzz_target;
use ride::recording::fit::SubSport;
use session::{Input, Session, SessionConfig, bridge::BridgeSession, storage::StoredDevices};

/// Largest number of outputs of one input.
const MAX_OUTPUTS: usize = 16;

fuzz_target!(|text: &str| {
    let (fragment, stored) = text.split_once('\n').unwrap_or((text, ""));
    let devices = StoredDevices::from_text(stored);
    // Control characters are not written.
    let text = devices.to_text();
    assert_eq!(StoredDevices::from_text(&text).to_text(), text);
    let config = SessionConfig {
        origin: "https://gruppetto.example".to_owned(),
        p2p_available: true,
        entropy: Some([7; 32]),
        sub_sport: SubSport::IndoorCycling,
        utc_offset: 0,
        devices,
    };
    let mut now = Now {
        moment: Moment::ZERO,
        wall: WallTime::from_unix_ms(1_790_000_000_000),
    };
    let mut session = BridgeSession::new(config, now, fragment, stored);
    for _ in 0..3 {
        assert!(core::iter::from_fn(|| session.poll_output()).count() <= MAX_OUTPUTS);
        now.moment = now.moment + Duration::from_secs(1);
        session.handle(now, Input::Timeout);
    }
});
