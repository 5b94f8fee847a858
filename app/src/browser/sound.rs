//! Tones, with Web Audio.
//!
//! Browsers play nothing before the first tap or key on a page, and some only after a call within
//! one: [`unlock`] is to be called in each.

use std::{cell::RefCell, rc::Rc, time::Duration};

use wasm_bindgen::JsValue;
use web_sys::{AudioContext, OscillatorType};

/// A tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Short and lower.
    Short,
    /// Long and higher.
    Long,
    /// Very long and low.
    Alarm,
    /// Short and low.
    Message,
}

impl Tone {
    /// Frequency in Hz, and length in seconds.
    const fn shape(self) -> (f32, f64) {
        match self {
            Self::Short => (880.0, 0.12),
            Self::Long => (1_320.0, 0.45),
            Self::Alarm => (392.0, 1.2),
            Self::Message => (587.0, 0.16),
        }
    }
}

/// Time in seconds in which a tone swells and fades, so that it does not click.
const FADE: f64 = 0.02;
/// Amplitude of the loudest tone.
const FULL: f32 = 0.5;

thread_local! {
    static CONTEXT: RefCell<Option<AudioContext>> = const { RefCell::new(None) };
    static ON_TONE: RefCell<Option<OnTone>> = const { RefCell::new(None) };
}

type OnTone = Rc<dyn Fn(Duration)>;

/// Calls `handle` with the length of each tone that is played, instead of the function before.
pub fn on_tone(handle: Option<OnTone>) {
    ON_TONE.set(handle);
}

/// Makes later tones audible. Does nothing where it did so before.
pub fn unlock() {
    CONTEXT.with_borrow_mut(|context| {
        if context.is_none() {
            *context = AudioContext::new().ok();
        }
        if let Some(context) = context {
            // Fails only for a closed context.
            let _ = context.resume();
        }
    });
}

/// Plays a tone at a volume in percent. A browser without Web Audio stays silent.
pub fn play(tone: Tone, volume: u8) {
    unlock();
    CONTEXT.with_borrow(|context| {
        if let Some(context) = context {
            // A tone that cannot be played is not worth a message during a ride.
            let _ = sound(context, tone, f32::from(volume) / 100.0 * FULL);
        }
    });
    let on_tone = ON_TONE.with_borrow(Clone::clone);
    if let Some(on_tone) = on_tone {
        on_tone(Duration::from_secs_f64(tone.shape().1));
    }
}

fn sound(context: &AudioContext, tone: Tone, amplitude: f32) -> Result<(), JsValue> {
    let (frequency, length) = tone.shape();
    let (oscillator, gain) = (context.create_oscillator()?, context.create_gain()?);
    oscillator.set_type(OscillatorType::Triangle);
    oscillator.frequency().set_value(frequency);
    let now = context.current_time();
    let level = gain.gain();
    level.set_value_at_time(0.0, now)?;
    level.linear_ramp_to_value_at_time(amplitude, now + FADE)?;
    level.set_value_at_time(amplitude, now + length - FADE)?;
    level.linear_ramp_to_value_at_time(0.0, now + length)?;
    oscillator.connect_with_audio_node(&gain)?;
    gain.connect_with_audio_node(&context.destination())?;
    oscillator.start()?;
    oscillator.stop_with_when(now + length)
}
