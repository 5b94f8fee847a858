//! One rider's link to one other: two carriers, one stream a class.

mod rtc;

pub use rtc::{RtcCommand, RtcEvent, SdpKind};
