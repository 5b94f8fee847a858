//! Reading of workouts from FIT files (FIT SDK, profile messages `workout` and `workout_step`).
//!
//! Layout: this file decodes the messages, `steps` expands repeated steps and makes intervals.

mod steps;

use core::cell::Cell;
use std::io;

use embedded_io_adapters::std::FromStd;
use rustyfit::profile::typedef::MesgNum;
use rustyfit::proto::{Message, Value};
use rustyfit::{Decoder, DecoderEvent, StreamingIterator};

use super::error::FileError;
use super::remark::{RemarkKind, Remarks};
use crate::rider::Ftp;
use crate::workout::{Draft, MAX_INTERVALS};
use steps::Step;

/// Offset of the signature in the header.
const SIGNATURE_AT: usize = 8;
const SIGNATURE: &[u8] = b".FIT";

/// Numbers of the fields of `workout`.
mod workout_field {
    pub(super) const NAME: u8 = 8;
}

/// Numbers of the fields of `workout_step`.
mod step_field {
    pub(super) const NAME: u8 = 0;
    pub(super) const DURATION_TYPE: u8 = 1;
    pub(super) const DURATION_VALUE: u8 = 2;
    pub(super) const TARGET_TYPE: u8 = 3;
    pub(super) const TARGET_VALUE: u8 = 4;
    pub(super) const TARGET_LOW: u8 = 5;
    pub(super) const TARGET_HIGH: u8 = 6;
    pub(super) const INTENSITY: u8 = 7;
    pub(super) const NOTES: u8 = 8;
    pub(super) const SECOND_TARGET_TYPE: u8 = 19;
    pub(super) const SECOND_TARGET_VALUE: u8 = 20;
    pub(super) const SECOND_TARGET_LOW: u8 = 21;
    pub(super) const SECOND_TARGET_HIGH: u8 = 22;
}

/// Reports whether a file is a FIT file.
pub(super) fn is_fit(bytes: &[u8]) -> bool {
    bytes.get(SIGNATURE_AT..SIGNATURE_AT + SIGNATURE.len()) == Some(SIGNATURE)
}

/// Reads the workout of a file. Checksums are not compared: what can be read is used.
pub(super) fn read(bytes: &[u8], ftp: Ftp, remarks: &mut Remarks<'_>) -> Result<Draft, FileError> {
    let at = Cell::new(0);
    let mut decoder = Decoder::builder()
        .checksum(false)
        .expand_components(false)
        .build();
    let mut stream = decoder.stream(FromStd::new(Reader { bytes, at: &at }));
    let mut draft = Draft::default();
    let mut steps: Vec<Step> = Vec::new();
    let mut has_workout = false;
    while let Some(event) = stream.next() {
        match event {
            Ok(DecoderEvent::Message(message)) if message.num == MesgNum::WORKOUT => {
                has_workout = true;
                draft.name = text(message, workout_field::NAME);
            }
            Ok(DecoderEvent::Message(message)) if message.num == MesgNum::WORKOUT_STEP => {
                if steps.len() >= MAX_INTERVALS {
                    return Err(FileError::TooComplex);
                }
                steps.push(step(message, at.get()));
            }
            Ok(DecoderEvent::Crc(_)) => break,
            Ok(_) => {}
            Err(_) => {
                remarks.add(at.get(), RemarkKind::Damaged);
                break;
            }
        }
    }
    if !has_workout && steps.is_empty() {
        return Err(FileError::NotAWorkoutFit);
    }
    steps::read(&steps, ftp, &mut draft, remarks)?;
    Ok(draft)
}

fn step(message: &Message, at: usize) -> Step {
    let number = |field| number(message, field);
    Step {
        at,
        name: text(message, step_field::NAME),
        notes: text(message, step_field::NOTES),
        duration_type: number(step_field::DURATION_TYPE),
        duration: number(step_field::DURATION_VALUE),
        target: steps::StepTarget {
            kind: number(step_field::TARGET_TYPE),
            value: number(step_field::TARGET_VALUE),
            low: number(step_field::TARGET_LOW),
            high: number(step_field::TARGET_HIGH),
        },
        second_target: steps::StepTarget {
            kind: number(step_field::SECOND_TARGET_TYPE),
            value: number(step_field::SECOND_TARGET_VALUE),
            low: number(step_field::SECOND_TARGET_LOW),
            high: number(step_field::SECOND_TARGET_HIGH),
        },
        intensity: number(step_field::INTENSITY),
    }
}

/// Number of a field; `None` for a missing or invalid one.
fn number(message: &Message, field: u8) -> Option<u32> {
    match value(message, field)? {
        Value::Uint8(number) if *number != u8::MAX => Some((*number).into()),
        Value::Uint16(number) if *number != u16::MAX => Some((*number).into()),
        Value::Uint32(number) if *number != u32::MAX => Some(*number),
        _ => None,
    }
}

fn text(message: &Message, field: u8) -> String {
    match value(message, field) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::ArrayString(texts)) => texts.join(" ").trim().to_owned(),
        _ => String::new(),
    }
}

fn value(message: &Message, field: u8) -> Option<&Value> {
    let mut fields = message.fields.iter();
    fields.find(|one| one.num == field).map(|one| &one.value)
}

/// Reader that tells how much was read.
struct Reader<'a> {
    bytes: &'a [u8],
    at: &'a Cell<usize>,
}

impl io::Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.at.set(self.at.get() + count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
