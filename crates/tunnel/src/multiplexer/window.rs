//! Windows of flow control, of a stream and of the channel.

/// Bytes that the other side may send before the reader here takes some.
#[derive(Debug)]
pub(super) struct ReceiveWindow {
    size: u32,
    /// Received, and no credit given back yet.
    held: u32,
    /// Part of `held` that its reader has taken.
    taken: u32,
}

impl ReceiveWindow {
    pub(super) fn new(size: u32) -> Self {
        Self {
            size,
            held: 0,
            taken: 0,
        }
    }

    /// Counts received bytes; `false` if they exceed the window.
    pub(super) fn receive(&mut self, bytes: u32) -> bool {
        let held = self.held.saturating_add(bytes);
        let fits = held <= self.size;
        if fits {
            self.held = held;
        }
        fits
    }

    /// Counts bytes that the reader has taken.
    pub(super) fn take(&mut self, bytes: u32) {
        self.taken = self.taken.saturating_add(bytes).min(self.held);
    }

    /// Half of the window is used, so the other side may be waiting for any credit.
    pub(super) fn is_scarce(&self) -> bool {
        self.held >= self.size / 2
    }

    /// Credit to give back: all that was taken when it is a quarter of the window, or at once.
    pub(super) fn credit(&mut self, at_once: bool) -> Option<u32> {
        let is_due = self.taken > 0 && (at_once || self.taken >= self.size / 4);
        is_due.then(|| {
            self.held -= self.taken;
            core::mem::take(&mut self.taken)
        })
    }

    /// Bytes received for which no credit was given back, and those of them that are taken.
    #[cfg(test)]
    pub(super) fn held(&self) -> (u32, u32) {
        (self.held, self.taken)
    }
}

/// Bytes sent for which the other side has not given credit back.
#[derive(Debug, Default)]
pub(super) struct SendWindow {
    used: u32,
}

impl SendWindow {
    pub(super) fn used(&self) -> u32 {
        self.used
    }

    /// Bytes that may be sent in a window of this size.
    pub(super) fn free(&self, size: u32) -> u32 {
        size.saturating_sub(self.used)
    }

    pub(super) fn send(&mut self, bytes: u32) {
        self.used = self.used.saturating_add(bytes);
    }

    /// Takes credit; `false` if it is more than was sent.
    pub(super) fn credit(&mut self, bytes: u32) -> bool {
        let used = self.used.checked_sub(bytes);
        self.used = used.unwrap_or(0);
        used.is_some()
    }
}
