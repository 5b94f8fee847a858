use crate::trainer::{FieldReader, MAX_SPEED, Reading, SensorError};

/// Indoor Bike Data 0x2AD2. Trainers send some of the fields only.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IndoorBikeData {
    /// Instantaneous speed in 0.01 km/h.
    pub speed: Option<u16>,
    /// Cadence in rpm, in steps of 0.5.
    pub cadence: Option<f32>,
    /// Distance in m since the connection.
    pub distance: Option<u32>,
    /// Resistance level, without a unit, different for each trainer.
    pub resistance: Option<i16>,
    /// Power in W; may be negative.
    pub power: Option<i16>,
    /// Heart rate in beats per minute; 0 without a paired sensor.
    pub heart_rate: Option<u8>,
}

impl IndoorBikeData {
    /// Readings to show and record: negative power counts as 0 W, a heart rate of 0 as no reading.
    /// Trainers compute the speed from their flywheel, for a wheel and a gear of their own.
    pub fn reading(&self) -> Reading {
        Reading {
            power: self.power.map(|power| u16::try_from(power).unwrap_or(0)),
            // The cast saturates.
            cadence: self.cadence.map(|cadence| cadence.round() as u8),
            heart_rate: self.heart_rate.filter(|beats| *beats > 0),
            speed: self.speed.and_then(millimetres_per_second),
        }
    }
}

/// Speed in mm/s of one in 0.01 km/h, which is 25/9 mm/s; `None` above [`MAX_SPEED`].
fn millimetres_per_second(speed: u16) -> Option<u16> {
    let speed = u16::try_from((u32::from(speed) * 25 + 4) / 9).ok();
    speed.filter(|speed| *speed <= MAX_SPEED)
}

/// Reads Indoor Bike Data 0x2AD2. The flags announce the fields that follow; bit 0 is set when the
/// speed is *missing*. Some devices announce more fields than they send: those before the end of
/// the bytes are used, the others are missing.
///
/// # Errors
/// [`SensorError::Truncated`] if the bytes end within the flags.
pub fn parse_indoor_bike_data(bytes: &[u8]) -> Result<IndoorBikeData, SensorError> {
    let mut fields = FieldReader(bytes);
    let flags = fields.u16()?;
    let mut data = IndoorBikeData::default();
    // The fields that were read before the bytes ended are valid.
    let _ = read_fields(flags, fields, &mut data);
    Ok(data)
}

/// Reads the fields in their order, up to the heart rate, until the bytes end.
fn read_fields(
    flags: u16,
    mut fields: FieldReader<'_>,
    data: &mut IndoorBikeData,
) -> Result<(), SensorError> {
    let has = |bit: u8| flags & 1 << bit != 0;
    if !has(0) {
        data.speed = Some(fields.u16()?);
    }
    if has(1) {
        fields.u16()?;
    }
    if has(2) {
        data.cadence = Some(f32::from(fields.u16()?) * 0.5);
    }
    if has(3) {
        fields.u16()?;
    }
    if has(4) {
        data.distance = Some(fields.u24()?);
    }
    if has(5) {
        data.resistance = Some(fields.i16()?);
    }
    if has(6) {
        data.power = Some(fields.i16()?);
    }
    if has(7) {
        fields.i16()?;
    }
    if has(8) {
        fields.take::<5>()?;
    }
    if has(9) {
        data.heart_rate = Some(fields.u8()?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
