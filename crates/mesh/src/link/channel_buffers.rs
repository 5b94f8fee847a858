use protocol::peer::DeliveryClass;

/// Buffered bytes above which telemetry is dropped: a newer payload follows soon.
const TELEMETRY_LIMIT: u32 = 64 * 1024;
/// Buffered bytes above which control waits until its channel is down to [`LOW_WATERMARK`].
const HIGH_WATERMARK: u32 = 1024 * 1024;
/// Buffered bytes of all channels together above which telemetry is dropped and bulk waits.
const LOW_WATERMARK: u32 = 256 * 1024;

/// `bufferedAmountLowThreshold` for a channel with a number of buffered bytes.
///
/// At the low watermark control continues; at a quarter of it all three channels together are below
/// it.
pub fn low_watermark(buffered: u32) -> u32 {
    if buffered > LOW_WATERMARK {
        LOW_WATERMARK
    } else {
        LOW_WATERMARK / 4
    }
}

/// Bytes buffered in each data channel, as last reported by the driver.
#[derive(Debug, Default)]
pub(super) struct ChannelBuffers {
    bytes: [u32; 3],
    /// True if control waits until its channel is down to the low watermark.
    is_draining: bool,
}

impl ChannelBuffers {
    pub(super) fn update(&mut self, class: DeliveryClass, bytes: u32) {
        self.bytes[class as usize] = bytes;
        if class == DeliveryClass::Control {
            let watermark = if self.is_draining {
                LOW_WATERMARK
            } else {
                HIGH_WATERMARK
            };
            self.is_draining = bytes > watermark;
        }
    }

    /// Returns true if frames of a class have to wait or, for telemetry, are dropped. All channels
    /// share one SCTP association, so bytes in one delay the others.
    pub(super) fn is_full(&self, class: DeliveryClass) -> bool {
        let bytes = self.bytes.iter();
        let total = bytes.fold(0, |sum: u32, bytes| sum.saturating_add(*bytes));
        match class {
            DeliveryClass::Control => self.is_draining,
            DeliveryClass::Telemetry => {
                self.bytes[class as usize] > TELEMETRY_LIMIT || total > LOW_WATERMARK
            }
            DeliveryClass::Bulk => total > LOW_WATERMARK,
        }
    }
}
