use super::FrameError;
use crate::peer::Class;

/// Reads big-endian values off the front of a slice.
pub(super) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(left: &'a [u8]) -> Self {
        Self { left }
    }

    pub(super) fn u8(&mut self) -> Result<u8, FrameError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, FrameError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, FrameError> {
        self.array().map(i64::from_be_bytes)
    }

    pub(super) fn class(&mut self) -> Result<Class, FrameError> {
        let byte = self.u8()?;
        Class::from_byte(byte).ok_or(FrameError::Unknown(byte))
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(FrameError::Short)?;
        self.left = left;
        Ok(taken)
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.left
    }

    pub(super) fn finish(self) -> Result<(), FrameError> {
        if self.left.is_empty() {
            Ok(())
        } else {
            Err(FrameError::Trailing)
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (taken, left) = self.left.split_first_chunk().ok_or(FrameError::Short)?;
        self.left = left;
        Ok(*taken)
    }
}

pub(super) fn put_u32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend(value.to_be_bytes());
}

pub(super) fn put_i64(bytes: &mut Vec<u8>, value: i64) {
    bytes.extend(value.to_be_bytes());
}
