//! Devices whose readings are notified, and that take a load by a plain write or not at all: power
//! meters, heart rate straps, cadence sensors, and trainers without the Fitness Machine Service.

use std::collections::VecDeque;

use clock::Moment;

use super::{
    Capabilities, ControlProblem, DeviceProfile, ProfileEvent, ProfileInput, ProfileOutput,
    ProfileSpec, Reading, Uuid,
    load_writer::{Effects, LoadWriter},
    measurements::Measurements,
};

/// Decoder of the notifications of one kind of sensor.
pub(super) trait Decoder {
    /// Readings of a notification; `None` for bytes that cannot be read, and for other
    /// characteristics.
    fn decode(&mut self, now: Moment, characteristic: Uuid, bytes: &[u8]) -> Option<Decoded>;
}

/// Content of a notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decoded {
    /// Values that it carries.
    pub(super) reading: Reading,
    /// True if it says that there is no heart rate.
    pub(super) has_no_heart_rate: bool,
}

/// Profile of such a device.
pub struct NotifyingProfile {
    spec: &'static ProfileSpec,
    decoder: Box<dyn Decoder>,
    measurements: Measurements,
    /// Characteristic that takes loads, of a device that takes them.
    control: Option<(Uuid, LoadWriter)>,
    outputs: VecDeque<ProfileOutput>,
}

impl NotifyingProfile {
    /// Profile of a device that only measures.
    pub(super) fn measuring(spec: &'static ProfileSpec, decoder: impl Decoder + 'static) -> Self {
        Self {
            spec,
            decoder: Box::new(decoder),
            measurements: Measurements::default(),
            control: None,
            outputs: VecDeque::new(),
        }
    }

    /// Profile of a device that takes loads by writes to a characteristic.
    pub(super) fn controlled(
        spec: &'static ProfileSpec,
        decoder: impl Decoder + 'static,
        characteristic: Uuid,
        writer: LoadWriter,
    ) -> Self {
        Self {
            control: Some((characteristic, writer)),
            ..Self::measuring(spec, decoder)
        }
    }

    fn control(&mut self, run: impl FnOnce(&mut LoadWriter) -> Effects) {
        let Some((characteristic, writer)) = &mut self.control else {
            return;
        };
        let characteristic = *characteristic;
        let (write, event) = run(writer);
        let write = write.map(|bytes| ProfileOutput::Write {
            characteristic,
            bytes,
        });
        let event = event.map(ProfileOutput::Event);
        self.outputs.extend(write.into_iter().chain(event));
    }

    fn release(&mut self, now: Moment) {
        if let Some((characteristic, writer)) = &mut self.control {
            let characteristic = *characteristic;
            let writes = writer.release(now).into_iter();
            self.outputs
                .extend(writes.map(|bytes| ProfileOutput::Write {
                    characteristic,
                    bytes,
                }));
        }
    }

    fn emit(&mut self, event: ProfileEvent) {
        self.outputs.push_back(ProfileOutput::Event(event));
    }
}

impl DeviceProfile for NotifyingProfile {
    fn spec(&self) -> &'static ProfileSpec {
        self.spec
    }

    fn handle(&mut self, now: Moment, input: ProfileInput) {
        match input {
            ProfileInput::Connected { .. } => {
                self.measurements.connected(now);
                if self.control.is_some() {
                    self.emit(ProfileEvent::Capable(Capabilities::ALL));
                } else {
                    self.emit(ProfileEvent::Uncontrolled(ControlProblem::MeasuresOnly));
                }
                self.control(|writer| writer.connected(now));
            }
            ProfileInput::Value {
                characteristic,
                bytes,
            } => {
                if let Some(decoded) = self.decoder.decode(now, characteristic, &bytes) {
                    let (reading, none) = (decoded.reading, decoded.has_no_heart_rate);
                    let outputs = self.measurements.update(now, reading, none);
                    self.outputs.extend(outputs);
                }
            }
            ProfileInput::Written { ok, .. } => self.control(|writer| writer.written(now, ok)),
            ProfileInput::Disconnected => {
                if let Some((_, writer)) = &mut self.control {
                    writer.disconnected();
                }
                self.outputs.extend(self.measurements.disconnected());
            }
            ProfileInput::SetLoad(load) => self.control(|writer| (writer.set(now, load), None)),
            ProfileInput::Release => self.release(now),
            ProfileInput::Timeout => {
                self.outputs.extend(self.measurements.expire(now));
                if self.measurements.falls_silent(now) {
                    self.emit(ProfileEvent::Silent);
                }
                self.control(|writer| writer.handle_timeout(now));
            }
        }
    }

    fn poll_output(&mut self) -> Option<ProfileOutput> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let control = self.control.as_ref();
        let timeouts = [
            self.measurements.poll_timeout(),
            control.and_then(|(_, writer)| writer.poll_timeout()),
        ];
        timeouts.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
