//! Building of FIT messages field by field. The generated message types of `rustyfit` have every
//! field of the profile, which would make the file formats several times larger for the browser.

use rustyfit::profile::typedef::{FitBaseType, MesgNum};
use rustyfit::proto::{DeveloperField, Field, Message, Value};

/// Largest size of a text in bytes. FIT allows 255 with the final zero.
const MAX_TEXT_BYTES: usize = 120;
/// Number of the timestamp in every message that has one.
const TIMESTAMP: u8 = 253;

/// Message under construction. A value of `None` is left out, which FIT reads as unknown.
pub(super) struct MessageBuilder(Message);

impl MessageBuilder {
    pub(super) fn new(num: MesgNum) -> Self {
        Self(Message {
            num,
            ..Message::default()
        })
    }

    /// Message with a timestamp in seconds of FIT.
    pub(super) fn at(num: MesgNum, timestamp: u32) -> Self {
        Self::new(num).uint32(TIMESTAMP, timestamp)
    }

    pub(super) fn enumeration(self, num: u8, value: u8) -> Self {
        self.field(num, FitBaseType::ENUM, Value::Uint8(value))
    }

    pub(super) fn uint8(self, num: u8, value: impl Into<Option<u8>>) -> Self {
        // The highest number stands for an invalid value.
        self.optional(num, FitBaseType::UINT8, value.into(), |value| {
            Value::Uint8(value.min(u8::MAX - 1))
        })
    }

    pub(super) fn uint16(self, num: u8, value: impl Into<Option<u16>>) -> Self {
        self.optional(num, FitBaseType::UINT16, value.into(), |value| {
            Value::Uint16(value.min(u16::MAX - 1))
        })
    }

    pub(super) fn uint32(self, num: u8, value: impl Into<Option<u32>>) -> Self {
        self.optional(num, FitBaseType::UINT32, value.into(), |value| {
            Value::Uint32(value.min(u32::MAX - 1))
        })
    }

    /// Number of which zero stands for an invalid value.
    pub(super) fn uint32z(self, num: u8, value: u32) -> Self {
        self.field(num, FitBaseType::UINT32Z, Value::Uint32(value.max(1)))
    }

    pub(super) fn bytes(self, num: u8, value: &[u8]) -> Self {
        self.field(num, FitBaseType::BYTE, Value::ArrayUint8(value.into()))
    }

    /// Text, cut to [`MAX_TEXT_BYTES`]; nothing if it is empty.
    pub(super) fn text(self, num: u8, value: &str) -> Self {
        let mut end = value.len().min(MAX_TEXT_BYTES);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let value = Some(&value[..end]).filter(|value| !value.is_empty());
        self.optional(num, FitBaseType::STRING, value, |value| {
            Value::String(value.into())
        })
    }

    /// Value of a field that this file describes itself.
    pub(super) fn developer_field(mut self, num: u8, value: Option<u16>) -> Self {
        if let Some(value) = value {
            self.0.developer_fields.push(DeveloperField {
                num,
                developer_data_index: 0,
                value: Value::Uint16(value.min(u16::MAX - 1)),
            });
        }
        self
    }

    pub(super) fn build(self) -> Message {
        self.0
    }

    fn optional<T>(
        self,
        num: u8,
        base_type: FitBaseType,
        value: Option<T>,
        wrap: impl FnOnce(T) -> Value,
    ) -> Self {
        match value {
            Some(value) => self.field(num, base_type, wrap(value)),
            None => self,
        }
    }

    fn field(mut self, num: u8, base_type: FitBaseType, value: Value) -> Self {
        self.0.fields.push(Field {
            num,
            base_type,
            value,
            is_expanded: false,
        });
        self
    }
}
