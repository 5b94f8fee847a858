//! Big-endian reading and writing, shared by the relay envelope and by link frames.

use super::FrameError;
use crate::peer::DeliveryClass;

/// Reader of big-endian values from the front of a slice. Each method fails with
/// [`FrameError::Short`] when the slice ends too early.
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reader over a whole slice.
    pub fn new(left: &'a [u8]) -> Self {
        Self { left }
    }

    /// Next byte.
    pub fn u8(&mut self) -> Result<u8, FrameError> {
        self.array().map(|[byte]| byte)
    }

    /// Next four bytes.
    pub fn u32(&mut self) -> Result<u32, FrameError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Next eight bytes.
    pub fn i64(&mut self) -> Result<i64, FrameError> {
        self.array().map(i64::from_be_bytes)
    }

    /// Next byte as a delivery class.
    pub fn class(&mut self) -> Result<DeliveryClass, FrameError> {
        let byte = self.u8()?;
        DeliveryClass::from_byte(byte).ok_or(FrameError::Unknown(byte))
    }

    /// Next `count` bytes, borrowed.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(FrameError::Short)?;
        self.left = left;
        Ok(taken)
    }

    /// Everything that was not read yet.
    pub fn rest(self) -> &'a [u8] {
        self.left
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<(), FrameError> {
        if self.left.is_empty() {
            Ok(())
        } else {
            Err(FrameError::Trailing)
        }
    }

    /// Next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (taken, left) = self.left.split_first_chunk().ok_or(FrameError::Short)?;
        self.left = left;
        Ok(*taken)
    }
}

/// Appends four big-endian bytes.
pub fn put_u32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend(value.to_be_bytes());
}

/// Appends eight big-endian bytes.
pub fn put_i64(bytes: &mut Vec<u8>, value: i64) {
    bytes.extend(value.to_be_bytes());
}
