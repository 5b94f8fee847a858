//! Choice between the direct and the relayed channel. Times are milliseconds of the page's
//! monotonic clock.

use js_sys::Array;
use tunnel::ways::{self, Channel, Input, Output, Recovery};
use wasm_bindgen::prelude::*;

use clock::{Duration, Moment};

/// Which way the requests of this page take; see [`tunnel::ways`]. The owner calls `pollOutput`
/// and `pollTimeout` after each other call.
#[wasm_bindgen]
pub struct Ways(ways::Ways);

#[wasm_bindgen]
impl Ways {
    /// Page without a channel. `has_direct` is false where there is no WebRTC.
    #[wasm_bindgen(constructor)]
    pub fn new(has_direct: bool) -> Self {
        Self(ways::Ways::new(has_direct))
    }

    /// The peer has accepted a channel.
    pub fn opened(&mut self, now: f64, is_direct: bool) {
        self.handle(now, Input::Opened(channel(is_direct)));
    }

    /// A channel has closed, or the attempt of a direct connection has failed.
    pub fn closed(&mut self, now: f64, is_direct: bool) {
        self.handle(now, Input::Closed(channel(is_direct)));
    }

    /// A ping has been answered that was sent at this time.
    pub fn pong(&mut self, now: f64, is_direct: bool, sent: f64) {
        let (channel, sent) = (channel(is_direct), moment(sent));
        self.handle(now, Input::Pong { channel, sent });
    }

    /// A message has come.
    pub fn received(&mut self, now: f64, is_direct: bool, bytes: usize) {
        let channel = channel(is_direct);
        self.handle(now, Input::Received { channel, bytes });
    }

    /// A message has been given to a channel.
    pub fn sent(&mut self, now: f64, is_direct: bool, bytes: usize) {
        let channel = channel(is_direct);
        self.handle(now, Input::Sent { channel, bytes });
    }

    /// Number of bytes that wait in a channel.
    pub fn buffered(&mut self, now: f64, is_direct: bool, bytes: usize) {
        let channel = channel(is_direct);
        self.handle(now, Input::Buffered { channel, bytes });
    }

    /// Number of open requests, WebSockets included.
    pub fn requests(&mut self, now: f64, number: usize) {
        self.handle(now, Input::Requests(number));
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: f64) {
        self.handle(now, Input::Timeout);
    }

    /// Next output, `undefined` if there is none: `["ping", isDirect]`, `["use", way]`,
    /// `["connect"]` or `["close"]`, the last two of the direct connection.
    #[wasm_bindgen(js_name = pollOutput)]
    pub fn poll_output(&mut self) -> Option<Array> {
        Some(match self.0.poll_output()? {
            Output::Ping(channel) => {
                Array::of2(&"ping".into(), &(channel == Channel::Direct).into())
            }
            Output::Use(way) => Array::of2(&"use".into(), &way.name().into()),
            Output::ConnectDirect => Array::of1(&"connect".into()),
            Output::CloseDirect => Array::of1(&"close".into()),
        })
    }

    /// Next time at which `timeout` is due.
    #[wasm_bindgen(js_name = pollTimeout)]
    pub fn poll_timeout(&self, now: f64) -> Option<f64> {
        let due = self.0.poll_timeout(moment(now))?;
        Some(milliseconds(due.since_origin()))
    }

    /// `direct`, `relayed` or `offline`.
    #[wasm_bindgen(getter)]
    pub fn way(&self) -> String {
        self.0.way().name().to_owned()
    }

    /// Smoothed round-trip time of the way in use.
    #[wasm_bindgen(getter)]
    pub fn latency(&self) -> Option<f64> {
        let channel = self.0.way().channel()?;
        self.0.latency(channel).map(milliseconds)
    }

    /// Attempts, successes, average connection time (`NaN` without a success), fallbacks, and bytes
    /// on the direct and on the relayed channel.
    #[wasm_bindgen(getter)]
    pub fn counters(&self) -> Vec<f64> {
        let counters = self.0.counters();
        let time = counters.connection_time();
        vec![
            counters.attempts.into(),
            counters.successes.into(),
            time.map_or(f64::NAN, milliseconds),
            counters.fallbacks.into(),
            counters.bytes(Channel::Direct) as f64,
            counters.bytes(Channel::Relayed) as f64,
        ]
    }
}

impl Ways {
    fn handle(&mut self, now: f64, input: Input) {
        self.0.handle(moment(now), input);
    }
}

/// Tells whether a request whose way has failed is sent again on another one.
#[wasm_bindgen(js_name = canRetry)]
pub fn can_retry(method: &str, has_response: bool, has_whole_body: bool) -> bool {
    Recovery::of(method, has_response, has_whole_body) == Recovery::Retry
}

fn channel(is_direct: bool) -> Channel {
    match is_direct {
        true => Channel::Direct,
        false => Channel::Relayed,
    }
}

/// The nearest microsecond; 0 for what is not a time.
fn moment(time: f64) -> Moment {
    Moment::from_origin(Duration::from_micros((time * 1000.0).round() as u64))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_page_keep_their_microseconds() {
        assert_eq!(milliseconds(moment(1234.567).since_origin()), 1234.567);
        assert_eq!(moment(f64::NAN), Moment::ZERO);
    }

    #[test]
    fn a_page_is_relayed_and_then_direct() {
        let mut ways = Ways::new(true);
        assert_eq!(ways.way(), "offline");
        ways.opened(10.0, false);
        assert_eq!(ways.way(), "relayed");
        ways.opened(310.5, true);
        assert_eq!(ways.way(), "direct");
        ways.received(400.0, true, 1000);
        assert_eq!(ways.counters()[..5], [1.0, 1.0, 300.5, 0.0, 1000.0]);
        assert_eq!(ways.latency(), None);
        ways.pong(430.0, true, 400.0);
        assert_eq!(ways.latency(), Some(30.0));
        ways.closed(500.0, true);
        assert_eq!(ways.way(), "relayed");
    }
}
