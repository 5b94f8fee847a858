use std::time::Duration;

use str0m::channel::ChannelConfig;

use super::*;

/// Time that packets take.
const DELAY: Duration = Duration::from_millis(5);

/// Two connections on a network without loss, in virtual time.
struct Pair {
    now: Instant,
    ends: [Connection; 2],
    /// Signals and packets are passed on while set.
    is_connected: bool,
    frames: [Vec<(DeliveryClass, Vec<u8>)>; 2],
    opened: [Vec<DeliveryClass>; 2],
    closed: [bool; 2],
    failed: [bool; 2],
    /// Descriptions that wait, if they are not passed on by themselves.
    held: Option<[Vec<(SdpKind, String)>; 2]>,
}

fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end as u8 + 1], 5_000))
}

impl Pair {
    fn new() -> Self {
        Self::with(ChannelSet::Rider)
    }

    fn with(channel_set: ChannelSet) -> Self {
        let now = Instant::now();
        let end = |at| {
            let host = Candidate::host(address(at), "udp").unwrap();
            Connection::new(now, channel_set, std::iter::once(host))
        };
        Self {
            now,
            ends: [end(0), end(1)],
            is_connected: true,
            frames: Default::default(),
            opened: Default::default(),
            closed: [false; 2],
            failed: [false; 2],
            held: None,
        }
    }

    /// A pair whose channels are open.
    fn connected() -> Self {
        let mut pair = Self::new();
        pair.offer(0, false);
        pair.run(Duration::from_secs(5));
        pair.assert_open();
        pair
    }

    fn offer(&mut self, at: usize, ice_restart: bool) {
        let offer = RtcCommand::CreateOffer { ice_restart };
        self.ends[at].command(self.now, offer);
        self.take_events();
    }

    fn set_remote(&mut self, at: usize, kind: SdpKind, sdp: String) {
        self.ends[at].command(self.now, RtcCommand::SetRemote { kind, sdp });
        self.take_events();
    }

    fn send(&mut self, at: usize, class: DeliveryClass, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.ends[at].command(self.now, RtcCommand::Send { class, bytes });
        self.take_events();
    }

    fn take_events(&mut self) {
        for at in 0..2 {
            while let Some(event) = self.ends[at].poll_event() {
                match event {
                    RtcEvent::LocalDescription { kind, sdp } => match &mut self.held {
                        Some(held) => held[at].push((kind, sdp)),
                        None => self.set_remote(1 - at, kind, sdp),
                    },
                    RtcEvent::Candidate(json) => {
                        let add = RtcCommand::AddCandidate(json);
                        self.ends[1 - at].command(self.now, add);
                    }
                    RtcEvent::Opened(class) => self.opened[at].push(class),
                    RtcEvent::Closed(_) => self.closed[at] = true,
                    RtcEvent::Frame { class, bytes } => self.frames[at].push((class, bytes)),
                    RtcEvent::Buffered { .. } => {}
                    RtcEvent::Failed => self.failed[at] = true,
                }
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.take_events();
            let mut packets = Vec::new();
            for (at, connection) in self.ends.iter_mut().enumerate() {
                while let Some(sent) = connection.poll_packet() {
                    packets.push((at, sent));
                }
            }
            if !packets.is_empty() {
                self.now += DELAY;
            } else {
                let next = self.ends.iter().map(Connection::timeout).min().unwrap();
                // At least a millisecond, since a timeout may be in the past.
                self.now = next.max(self.now + Duration::from_millis(1)).min(end);
            }
            for (from, sent) in packets {
                let bytes = sent.contents.to_vec();
                let packet = Packet {
                    destination: sent.destination,
                    source: sent.source,
                    bytes,
                };
                let to = 1 - from;
                let is_here = sent.destination == address(to) && self.is_connected;
                if is_here && self.ends[to].accepts(self.now, &packet) {
                    self.ends[to].receive(self.now, &packet);
                }
            }
            for connection in &mut self.ends {
                if connection.timeout() <= self.now {
                    connection.handle_timeout(self.now);
                }
            }
            if self.now >= end {
                return self.take_events();
            }
        }
    }

    fn assert_open(&self) {
        for at in 0..2 {
            let mut opened = self.opened[at].clone();
            opened.sort_by_key(|class| *class as usize);
            assert_eq!(opened, DeliveryClass::ALL, "end {at}");
            assert!(!self.failed[at], "end {at}");
        }
    }

    /// Sends a frame of each class in each direction, and checks that all arrive.
    fn assert_carries_frames(&mut self) {
        self.frames = Default::default();
        for at in 0..2 {
            for class in DeliveryClass::ALL {
                self.send(at, class, &[at as u8, class as u8]);
            }
        }
        self.run(Duration::from_secs(2));
        for at in 0..2 {
            let mut frames = self.frames[at].clone();
            frames.sort();
            let expected = DeliveryClass::ALL.map(|class| (class, vec![1 - at as u8, class as u8]));
            assert_eq!(frames, expected, "end {at}");
        }
    }
}

#[test]
fn frames_of_all_channels_arrive() {
    let mut pair = Pair::connected();
    pair.assert_carries_frames();
}

#[test]
fn a_tunnel_has_one_channel_and_carries_frames_of_its_size() {
    let mut pair = Pair::with(ChannelSet::Tunnel);
    pair.offer(0, false);
    pair.run(Duration::from_secs(5));
    assert_eq!(
        pair.opened,
        [[DeliveryClass::Control], [DeliveryClass::Control]]
    );
    let frame = vec![7; tunnel::multiplexer::MAX_FRAME];
    pair.send(1, DeliveryClass::Control, &frame);
    pair.send(1, DeliveryClass::Bulk, b"no such channel");
    pair.run(Duration::from_secs(5));
    assert_eq!(pair.frames[0], [(DeliveryClass::Control, frame)]);
    assert_eq!(pair.failed, [false; 2]);
}

#[test]
fn the_polite_side_withdraws_its_offer_when_offers_collide() {
    let mut pair = Pair::new();
    pair.held = Some(Default::default());
    pair.offer(0, false);
    pair.offer(1, false);
    let [_, mut offers] = pair.held.take().unwrap();
    let (kind, sdp) = offers.pop().unwrap();
    pair.set_remote(0, kind, sdp);
    pair.run(Duration::from_secs(5));
    pair.assert_open();
    pair.assert_carries_frames();
}

#[test]
fn a_restart_of_ice_keeps_the_channels() {
    let mut pair = Pair::connected();
    for at in [0, 1] {
        pair.offer(at, true);
        pair.run(Duration::from_secs(5));
        assert_eq!(pair.failed, [false; 2]);
        assert_eq!(pair.closed, [false; 2]);
        pair.assert_carries_frames();
    }
}

#[test]
fn restarts_of_ice_that_collide_keep_the_channels() {
    let mut pair = Pair::connected();
    pair.held = Some(Default::default());
    pair.offer(0, true);
    pair.offer(1, true);
    let [_, mut offers] = pair.held.take().unwrap();
    let (kind, sdp) = offers.pop().unwrap();
    pair.set_remote(0, kind, sdp);
    pair.run(Duration::from_secs(5));
    pair.assert_carries_frames();
}

#[test]
fn an_offer_that_was_lost_is_made_again() {
    let mut pair = Pair::new();
    pair.held = Some(Default::default());
    pair.offer(0, false);
    pair.held = None;
    pair.offer(0, true);
    pair.run(Duration::from_secs(5));
    pair.assert_open();
    pair.assert_carries_frames();
}

#[test]
fn the_other_side_notices_a_close() {
    let mut pair = Pair::connected();
    let now = pair.now;
    pair.ends[0].close(now);
    pair.run(Duration::from_secs(2));
    assert!(pair.closed[1] || pair.failed[1]);
}

#[test]
fn many_bytes_are_reported_as_buffered() {
    let mut pair = Pair::connected();
    let frame = vec![0; 16 * 1024];
    let mut largest = 0;
    for _ in 0..40 {
        let bytes = frame.clone();
        let class = DeliveryClass::Bulk;
        pair.ends[0].command(pair.now, RtcCommand::Send { class, bytes });
        while let Some(event) = pair.ends[0].poll_event() {
            if let RtcEvent::Buffered { bytes, .. } = event {
                largest = largest.max(bytes);
            }
        }
    }
    assert!(largest > low_watermark(0), "{largest}");
    pair.run(Duration::from_secs(20));
    assert_eq!(pair.frames[1].len(), 40);
}

#[test]
fn a_description_of_anything_else_fails_the_connection() {
    for sdp in ["", "nonsense", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"] {
        let mut pair = Pair::new();
        pair.set_remote(0, SdpKind::Offer, sdp.to_owned());
        assert!(pair.failed[0], "{sdp}");
        // Whatever comes afterwards changes nothing.
        pair.offer(0, true);
        pair.send(0, DeliveryClass::Control, b"x");
        pair.run(Duration::from_secs(1));
    }
}

#[test]
fn an_answer_without_an_offer_fails_the_connection() {
    let mut pair = Pair::new();
    pair.held = Some(Default::default());
    pair.offer(1, false);
    let [_, mut offers] = pair.held.take().unwrap();
    let (_, sdp) = offers.pop().unwrap();
    pair.set_remote(0, SdpKind::Answer, sdp);
    assert!(pair.failed[0]);
}

#[test]
fn candidates_beyond_a_number_are_ignored() {
    let mut pair = Pair::new();
    for number in 0..4_000_u32 {
        let candidate = format!(
            "candidate:1 1 udp 1 198.51.100.{} {} typ host",
            number % 200 + 1,
            number + 1_000
        );
        let json = serde_json::json!({ "candidate": candidate }).to_string();
        pair.ends[0].command(pair.now, RtcCommand::AddCandidate(json));
    }
    assert_eq!(pair.ends[0].remote_candidates, MAX_REMOTE_CANDIDATES);
    pair.offer(0, false);
    pair.run(Duration::from_secs(30));
    pair.assert_open();
}

#[test]
fn a_few_channels_of_the_other_side_are_ignored_and_many_fail_the_connection() {
    let mut pair = Pair::connected();
    let open = |pair: &mut Pair| {
        let mut api = pair.ends[1].rtc.direct_api();
        let id = api.create_data_channel(ChannelConfig::default());
        let now = pair.now;
        pair.ends[1].handle_timeout(now);
        pair.run(Duration::from_secs(1));
        if let Some(mut channel) = pair.ends[1].rtc.channel(id) {
            assert!(channel.write(true, b"foreign").unwrap());
        }
        pair.run(Duration::from_secs(1));
    };
    for _ in 0..MAX_FOREIGN_CHANNELS {
        open(&mut pair);
    }
    assert_eq!(pair.frames[0], []);
    assert!(!pair.failed[0]);
    pair.assert_carries_frames();
    open(&mut pair);
    assert!(pair.failed[0]);
}

#[test]
fn messages_that_are_text_or_too_large_are_ignored() {
    let mut pair = Pair::connected();
    let id = pair.ends[1].channels[0];
    for (is_binary, size) in [(false, 10), (true, MAX_MESSAGE + 1)] {
        let mut channel = pair.ends[1].rtc.channel(id).unwrap();
        assert!(channel.write(is_binary, &vec![b'x'; size]).unwrap());
        pair.ends[1].poll();
        pair.run(Duration::from_secs(2));
        assert_eq!(pair.frames[0], []);
    }
    pair.assert_carries_frames();
}

#[test]
fn packets_of_strangers_are_not_accepted() {
    let mut pair = Pair::connected();
    let mut bits = 1_u32;
    for length in 0..300 {
        let bytes = (0..length).map(|_| {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (bits >> 24) as u8
        });
        let packet = Packet {
            destination: address(0),
            source: "203.0.113.66:666".parse().unwrap(),
            bytes: bytes.collect(),
        };
        assert!(!pair.ends[0].accepts(pair.now, &packet));
    }
    pair.assert_carries_frames();
}
