//! Fuzz target for the bytes of Bluetooth devices.
//!
//! The input is a sequence of values, each with its length first. All profiles are given all of them
//! for each of their characteristics, the first one before the connection as ranges and features
//! are, while loads of all kinds are set, time passes, and the connection breaks now and then.
//!
//! Checked for any input: nothing panics, and a value leads to a bounded number of outputs.

#![no_main]

use clock::{Duration, Moment};
use libfuzzer_sys::fuzz_target;
use ride::trainer::{
    DeviceKind, DeviceProfile, Load, ProfileInput, battery, profiles,
};

/// Largest number of outputs of one input.
const MAX_OUTPUTS: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let _ = battery::parse_level(bytes);
    for kind in DeviceKind::ALL {
        for mut profile in profiles(kind) {
            run(profile.as_mut(), bytes);
        }
    }
});

fn run(profile: &mut dyn DeviceProfile, bytes: &[u8]) {
    let mut now = Moment::ZERO + Duration::from_secs(1);
    let mut is_connected = false;
    let mut rest = bytes;
    let mut watts = 0_u16;
    while let Some((length, following)) = rest.split_first() {
        let (notification, after) = following.split_at(following.len().min(usize::from(*length)));
        rest = after;
        for characteristic in profile.spec().characteristics {
            let value = ProfileInput::Value {
                characteristic: characteristic.uuid,
                bytes: notification.to_vec(),
            };
            give(profile, now, value);
            if !is_connected {
                continue;
            }
            let ok = length % 2 == 0;
            let characteristic = characteristic.uuid;
            give(profile, now, ProfileInput::Written { characteristic, ok });
        }
        watts = watts.wrapping_add(u16::from(*length) * 7);
        if *length == u8::MAX && is_connected {
            give(profile, now, ProfileInput::Disconnected);
            is_connected = false;
        }
        if !is_connected {
            let missing = Vec::new();
            give(profile, now, ProfileInput::Connected { missing });
            is_connected = true;
        }
        let load = match length % 3 {
            0 => Load::Slope((watts % 2_000) as i16),
            1 => Load::Resistance((watts % 101) as u8),
            _ => Load::Power(watts),
        };
        give(profile, now, ProfileInput::SetLoad(load));
        for _ in 0..4 {
            let Some(due) = profile.poll_timeout() else { break };
            now = now.max(due);
            give(profile, now, ProfileInput::Timeout);
        }
        now += Duration::from_millis(u64::from(*length) * 20);
    }
    give(profile, now, ProfileInput::Release);
    give(profile, now, ProfileInput::Disconnected);
}

fn give(profile: &mut dyn DeviceProfile, now: Moment, input: ProfileInput) {
    profile.handle(now, input);
    let outputs = core::iter::from_fn(|| profile.poll_output());
    assert!(outputs.count() <= MAX_OUTPUTS);
}
