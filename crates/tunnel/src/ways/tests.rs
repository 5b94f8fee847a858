use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Visitor with simulated channels. All moments are on virtual time.
struct Visitor {
    ways: Ways,
    now: Moment,
    /// Round-trip time by channel; `None` does not answer.
    answers: [Option<Duration>; 2],
    /// Answers on their way.
    pongs: Vec<(Moment, Channel, Moment)>,
    /// Outputs other than pings.
    outputs: Vec<(Moment, Output)>,
    pings: Vec<(Moment, Channel)>,
}

impl Visitor {
    fn new() -> Self {
        Self {
            ways: Ways::new(true),
            now: Moment::ZERO,
            answers: [Some(ms(20)), Some(ms(60))],
            pongs: Vec::new(),
            outputs: Vec::new(),
            pings: Vec::new(),
        }
    }

    /// Visitor whose direct channel has opened after 300 ms.
    fn direct() -> Self {
        let mut visitor = Self::new();
        visitor.handle(Input::Opened(Channel::Relayed));
        visitor.wait(ms(300));
        visitor.handle(Input::Opened(Channel::Direct));
        visitor.outputs.clear();
        visitor
    }

    fn handle(&mut self, input: Input) {
        self.ways.handle(self.now, input);
        while let Some(output) = self.ways.poll_output() {
            match output {
                Output::Ping(channel) => {
                    self.pings.push((self.now, channel));
                    if let Some(time) = self.answers[channel.index()] {
                        self.pongs.push((self.now + time, channel, self.now));
                    }
                }
                output => self.outputs.push((self.now, output)),
            }
        }
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let timeout = self.ways.poll_timeout(self.now);
            let pong = self.pongs.iter().map(|(due, ..)| *due).min();
            let Some(next) = timeout
                .into_iter()
                .chain(pong)
                .min()
                .filter(|next| *next <= end)
            else {
                self.now = end;
                return;
            };
            assert!(timeout.is_none_or(|timeout| timeout > self.now || pong == Some(next)));
            self.now = self.now.max(next);
            match self.pongs.iter().position(|(due, ..)| *due <= self.now) {
                Some(at) => {
                    let (_, channel, sent) = self.pongs.remove(at);
                    if self.answers[channel.index()].is_some() {
                        self.handle(Input::Pong { channel, sent });
                    }
                }
                None => self.handle(Input::Timeout),
            }
        }
    }

    fn cut_direct(&mut self) {
        self.answers[Channel::Direct.index()] = None;
    }

    fn outputs(&mut self) -> Vec<Output> {
        self.outputs.drain(..).map(|(_, output)| output).collect()
    }

    /// Moment of an output.
    fn moment_of(&self, output: Output) -> Option<Moment> {
        let found = self.outputs.iter().find(|(_, other)| *other == output);
        found.map(|(moment, _)| *moment)
    }

    fn pings_of(&self, channel: Channel, since: Moment) -> usize {
        let pings = self.pings.iter();
        pings
            .filter(|(moment, other)| *moment > since && *other == channel)
            .count()
    }
}

#[test]
fn requests_take_the_relay_until_the_direct_channel_is_open() {
    let mut visitor = Visitor::new();
    assert_eq!(visitor.ways.way(), Way::Offline);
    visitor.handle(Input::Opened(Channel::Relayed));
    let outputs = [Output::Use(Way::Relayed), Output::ConnectDirect];
    assert_eq!(visitor.outputs(), outputs);
    visitor.wait(ms(300));
    visitor.handle(Input::Opened(Channel::Direct));
    assert_eq!(visitor.outputs(), [Output::Use(Way::Direct)]);
}

#[test]
fn a_visitor_without_webrtc_stays_on_the_relay() {
    let mut visitor = Visitor::new();
    visitor.ways = Ways::new(false);
    visitor.handle(Input::Opened(Channel::Relayed));
    visitor.wait(Duration::from_secs(600));
    assert_eq!(visitor.outputs(), [Output::Use(Way::Relayed)]);
}

#[test]
fn a_busy_channel_is_pinged_twice_a_second_and_an_idle_one_each_five_seconds() {
    let mut visitor = Visitor::direct();
    visitor.wait(Duration::from_secs(10));
    let start = visitor.now;
    visitor.wait(Duration::from_secs(50));
    assert_eq!(visitor.pings_of(Channel::Direct, start), 10);
    assert_eq!(visitor.pings_of(Channel::Relayed, start), 10);
    visitor.handle(Input::Requests(1));
    let start = visitor.now;
    visitor.wait(Duration::from_secs(50));
    assert_eq!(visitor.pings_of(Channel::Direct, start), 100);
    assert_eq!(visitor.pings_of(Channel::Relayed, start), 10);
}

#[test]
fn moving_bytes_make_a_channel_busy_but_answers_to_pings_do_not() {
    for (bytes, at_least, at_most) in [(1000, 90, 110), (9, 8, 12)] {
        let mut visitor = Visitor::direct();
        let channel = Channel::Direct;
        for _ in 0..50 {
            visitor.handle(Input::Received { channel, bytes });
            visitor.wait(Duration::from_secs(1));
        }
        let pings = visitor.pings_of(channel, Moment::ZERO);
        assert!((at_least..=at_most).contains(&pings), "{pings}");
    }
}

#[test]
fn requests_move_to_the_relay_within_two_seconds_after_the_direct_channel_broke() {
    for offset in 0..50 {
        let mut visitor = Visitor::direct();
        visitor.handle(Input::Requests(1));
        visitor.wait(ms(2000 + offset * 10));
        let cut = visitor.now;
        visitor.cut_direct();
        visitor.wait(Duration::from_secs(5));
        let moved = visitor.moment_of(Output::Use(Way::Relayed)).unwrap();
        let closed = visitor.moment_of(Output::CloseDirect);
        assert!(moved - cut < Duration::from_secs(2), "{:?}", moved - cut);
        assert_eq!(closed, Some(moved));
    }
}

#[test]
fn a_request_finds_out_within_two_seconds_that_an_idle_channel_broke() {
    for offset in 0..50 {
        let mut visitor = Visitor::direct();
        visitor.wait(Duration::from_secs(10));
        visitor.cut_direct();
        visitor.wait(ms(offset * 100));
        let request = visitor.now;
        visitor.handle(Input::Requests(1));
        visitor.wait(Duration::from_secs(5));
        let moved = visitor.moment_of(Output::Use(Way::Relayed)).unwrap();
        assert!(moved - request < Duration::from_secs(2));
    }
}

#[test]
fn a_channel_that_delivers_bytes_is_not_silent() {
    let mut visitor = Visitor::direct();
    visitor.handle(Input::Requests(1));
    visitor.cut_direct();
    let channel = Channel::Direct;
    for _ in 0..60 {
        visitor.handle(Input::Received {
            channel,
            bytes: 1000,
        });
        visitor.wait(Duration::from_secs(1));
    }
    assert_eq!(visitor.outputs(), []);
}

#[test]
fn a_slow_upload_is_not_silent_while_it_goes_on() {
    let mut visitor = Visitor::direct();
    visitor.handle(Input::Requests(1));
    visitor.cut_direct();
    let channel = Channel::Direct;
    for second in 0..8 {
        let bytes = 1_000_000 - second * 100_000;
        visitor.handle(Input::Buffered { channel, bytes });
        visitor.wait(Duration::from_secs(1));
    }
    assert_eq!(visitor.outputs(), []);
    visitor.wait(Duration::from_secs(1));
    assert_eq!(visitor.ways.way(), Way::Relayed);
}

#[test]
fn small_messages_that_a_dead_channel_swallows_are_no_sign_of_life() {
    let mut visitor = Visitor::direct();
    visitor.handle(Input::Requests(1));
    visitor.cut_direct();
    let channel = Channel::Direct;
    for _ in 0..20 {
        for bytes in [1000, 0] {
            visitor.handle(Input::Buffered { channel, bytes });
        }
        visitor.handle(Input::Sent {
            channel,
            bytes: 1000,
        });
        visitor.wait(ms(100));
    }
    assert_eq!(visitor.ways.way(), Way::Relayed);
}

#[test]
fn requests_go_back_to_the_direct_channel_when_it_opens_again() {
    let mut visitor = Visitor::direct();
    visitor.handle(Input::Closed(Channel::Direct));
    assert_eq!(visitor.outputs(), [Output::Use(Way::Relayed)]);
    visitor.wait(Duration::from_secs(1));
    assert_eq!(visitor.outputs(), [Output::ConnectDirect]);
    visitor.handle(Input::Opened(Channel::Direct));
    assert_eq!(visitor.outputs(), [Output::Use(Way::Direct)]);
}

#[test]
fn attempts_follow_after_growing_delays() {
    let mut visitor = Visitor::new();
    visitor.handle(Input::Opened(Channel::Relayed));
    for delay in [1, 2, 5, 10, 30, 30] {
        visitor.handle(Input::Closed(Channel::Direct));
        visitor.outputs.clear();
        visitor.wait(Duration::from_secs(delay) - ms(1));
        assert_eq!(visitor.outputs(), []);
        visitor.wait(ms(1));
        assert_eq!(visitor.outputs(), [Output::ConnectDirect]);
    }
}

#[test]
fn an_attempt_that_takes_too_long_is_given_up() {
    let mut visitor = Visitor::new();
    visitor.handle(Input::Opened(Channel::Relayed));
    visitor.outputs.clear();
    visitor.wait(Duration::from_secs(16));
    let outputs = [Output::CloseDirect, Output::ConnectDirect];
    assert_eq!(visitor.outputs(), outputs);
}

#[test]
fn delays_begin_again_after_a_channel_that_has_worked() {
    for (open, delay) in [(10, 2), (40, 1)] {
        let mut visitor = Visitor::new();
        visitor.handle(Input::Opened(Channel::Relayed));
        visitor.handle(Input::Closed(Channel::Direct));
        visitor.wait(Duration::from_secs(1));
        visitor.handle(Input::Opened(Channel::Direct));
        visitor.wait(Duration::from_secs(open));
        visitor.handle(Input::Closed(Channel::Direct));
        visitor.outputs.clear();
        let closed = visitor.now;
        visitor.wait(Duration::from_secs(5));
        let connected = visitor.moment_of(Output::ConnectDirect).unwrap();
        assert_eq!((connected - closed).as_secs(), delay);
    }
}

#[test]
fn a_direct_channel_goes_on_without_the_server() {
    let mut visitor = Visitor::direct();
    visitor.handle(Input::Closed(Channel::Relayed));
    visitor.wait(Duration::from_secs(60));
    assert_eq!(visitor.outputs(), []);
    assert_eq!(visitor.ways.way(), Way::Direct);
    visitor.handle(Input::Closed(Channel::Direct));
    visitor.wait(Duration::from_secs(60));
    // Signals need the server.
    assert_eq!(visitor.outputs(), [Output::Use(Way::Offline)]);
    visitor.handle(Input::Opened(Channel::Relayed));
    let outputs = [Output::Use(Way::Relayed), Output::ConnectDirect];
    assert_eq!(visitor.outputs(), outputs);
}

#[test]
fn a_peer_that_has_come_back_gets_a_new_attempt() {
    let mut visitor = Visitor::new();
    visitor.handle(Input::Opened(Channel::Relayed));
    visitor.handle(Input::Closed(Channel::Relayed));
    visitor.outputs.clear();
    visitor.handle(Input::Opened(Channel::Relayed));
    let outputs = [
        Output::CloseDirect,
        Output::Use(Way::Relayed),
        Output::ConnectDirect,
    ];
    assert_eq!(visitor.outputs(), outputs);
}

#[test]
fn an_attempt_that_was_given_up_cannot_open_a_channel() {
    let mut visitor = Visitor::direct();
    visitor.handle(Input::Closed(Channel::Direct));
    visitor.handle(Input::Opened(Channel::Direct));
    assert_eq!(visitor.ways.way(), Way::Relayed);
}

#[test]
fn latency_is_smoothed() {
    let mut visitor = Visitor::direct();
    visitor.handle(Input::Requests(1));
    visitor.wait(Duration::from_secs(10));
    assert_eq!(visitor.ways.latency(Channel::Direct), Some(ms(20)));
    assert_eq!(visitor.ways.latency(Channel::Relayed), Some(ms(60)));
    visitor.answers[0] = Some(ms(100));
    visitor.wait(ms(600));
    let latency = visitor.ways.latency(Channel::Direct).unwrap();
    assert!((ms(25)..ms(40)).contains(&latency), "{latency:?}");
    visitor.wait(Duration::from_secs(30));
    let latency = visitor.ways.latency(Channel::Direct).unwrap();
    assert!(latency > ms(95), "{latency:?}");
}

#[test]
fn forged_moments_of_pings_are_ignored() {
    let mut visitor = Visitor::direct();
    for sent in [Moment::ZERO, Moment::ZERO + Duration::from_secs(900)] {
        let channel = Channel::Direct;
        visitor.handle(Input::Pong { channel, sent });
    }
    assert_eq!(visitor.ways.latency(Channel::Direct), None);
}

#[test]
fn counters_tell_attempts_fallbacks_and_bytes() {
    let mut visitor = Visitor::direct();
    let channel = Channel::Direct;
    let bytes = 100;
    visitor.handle(Input::Received { channel, bytes });
    visitor.handle(Input::Sent { channel, bytes });
    visitor.handle(Input::Closed(Channel::Direct));
    visitor.wait(ms(1000));
    visitor.handle(Input::Closed(Channel::Direct));
    visitor.wait(ms(2000));
    visitor.wait(ms(500));
    visitor.handle(Input::Opened(Channel::Direct));
    let counters = visitor.ways.counters();
    assert_eq!((counters.attempts, counters.successes), (3, 2));
    assert_eq!((counters.failures, counters.fallbacks), (1, 1));
    assert_eq!(counters.connection_time(), Some(ms(400)));
    assert_eq!(counters.bytes(Channel::Direct), 200);
    assert_eq!(counters.bytes(Channel::Relayed), 0);
}
