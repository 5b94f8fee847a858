//! What waits in the data channels of a connection, and who has to wait for it.

use protocol::peer::DeliveryClass;

/// Telemetry waits behind nothing: better the next reading than an old one.
const TELEMETRY_MARK: u32 = 64 * 1024;
/// Control waits from the high mark on until its channel is down to the low one.
const HIGH_MARK: u32 = 1024 * 1024;
/// All channels together above this, telemetry is dropped and bulk waits.
const LOW_MARK: u32 = 256 * 1024;

/// The `bufferedAmountLowThreshold` for a channel in which so much waits, in bytes: at the low mark
/// control goes on; at a quarter of it all three channels together are below it.
pub fn low_watermark(buffered: u32) -> u32 {
    if buffered > LOW_MARK {
        LOW_MARK
    } else {
        LOW_MARK / 4
    }
}

/// What waits in each channel, as last told.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    bytes: [u32; 3],
    /// Control waits until its channel is down to the low mark.
    draining: bool,
}

impl Buffers {
    pub(super) fn told(&mut self, class: DeliveryClass, bytes: u32) {
        self.bytes[class as usize] = bytes;
        if class == DeliveryClass::Control {
            let mark = if self.draining { LOW_MARK } else { HIGH_MARK };
            self.draining = bytes > mark;
        }
    }

    /// Whether a class has to wait, or, as telemetry, is dropped. All channels
    /// share one way, so that what waits in one is in the others' way.
    pub(super) fn is_full(&self, class: DeliveryClass) -> bool {
        let all = self
            .bytes
            .iter()
            .fold(0, |sum: u32, one| sum.saturating_add(*one));
        match class {
            DeliveryClass::Control => self.draining,
            DeliveryClass::Telemetry => {
                self.bytes[class as usize] > TELEMETRY_MARK || all > LOW_MARK
            }
            DeliveryClass::Bulk => all > LOW_MARK,
        }
    }
}
