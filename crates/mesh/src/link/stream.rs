//! One reliable, ordered stream, whatever carries it: every message comes
//! exactly once and in order.
//!
//! Law: both halves are bounded. The outbox holds at most [`MAX_QUEUED`] bytes
//! and refuses what goes beyond; the inbox holds segments of one window and one
//! message of at most [`MAX_MESSAGE`].

use clock::Moment;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::pace::Pace;
use crate::link_frame::{Body, SEGMENT_HEADER};
use protocol::{frame::MAX_LINK_FRAME, peer::DeliveryClass};

/// The largest message, in bytes.
pub(crate) const MAX_MESSAGE: usize = 2 * 1024 * 1024;
/// The most bytes that wait to be acknowledged.
pub(crate) const MAX_QUEUED: usize = 4 * 1024 * 1024;

const SEGMENT: usize = MAX_LINK_FRAME - SEGMENT_HEADER;
const AHEAD: u32 = 64;
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// What is to be sent, until it is acknowledged.
#[derive(Debug)]
pub(super) struct Outbox {
    class: DeliveryClass,
    window: usize,
    pace: Option<Pace>,
    segments: VecDeque<Segment>,
    queued: usize,
    next_seq: u32,
}

#[derive(Debug)]
struct Segment {
    seq: u32,
    more: bool,
    payload: Vec<u8>,
    sent: Option<Moment>,
    tries: u32,
}

impl Outbox {
    /// A stream with at most `window` segments on their way.
    pub(super) fn new(class: DeliveryClass, window: usize) -> Self {
        let segments = VecDeque::new();
        Self {
            class,
            window,
            pace: None,
            segments,
            queued: 0,
            next_seq: 1,
        }
    }

    /// The same, of which fewer are on their way where they would queue.
    pub(super) fn paced(class: DeliveryClass, window: usize) -> Self {
        let pace = Some(Pace::new(window));
        Self {
            pace,
            ..Self::new(class, window)
        }
    }

    /// Queues a message, unless it is too large or the queue too full.
    pub(super) fn push(&mut self, message: &[u8]) -> bool {
        if message.len() > MAX_MESSAGE || self.queued + message.len() > MAX_QUEUED {
            return false;
        }
        let mut rest = message;
        loop {
            let (piece, left) = rest.split_at(rest.len().min(SEGMENT));
            self.push_segment(piece, !left.is_empty());
            rest = left;
            if rest.is_empty() {
                return true;
            }
        }
    }

    /// The other side has everything up to here.
    pub(super) fn acknowledge(&mut self, now: Moment, cumulative: u32) {
        let came = |front: &Segment| front.seq <= cumulative && front.sent.is_some();
        while self.segments.front().is_some_and(came) {
            if let Some(segment) = self.segments.pop_front() {
                self.queued -= segment.payload.len();
                let sent = segment.sent.filter(|_| segment.tries == 1);
                if let Some((pace, sent)) = self.pace.as_mut().zip(sent) {
                    pace.acknowledged(now.since(sent));
                }
            }
        }
    }

    /// The carrier changed: what is on its way may be lost.
    pub(super) fn send_again(&mut self) {
        let sent = self.segments.iter_mut().take(self.window);
        for segment in sent.filter(|segment| segment.sent.is_some()) {
            segment.sent = None;
            segment.tries = 1;
        }
        // Another way has another pace.
        if self.pace.is_some() {
            self.pace = Some(Pace::new(self.window));
        }
    }

    /// What to send next; `wait` is how long an acknowledgement may take.
    pub(super) fn due(&mut self, now: Moment, wait: Duration) -> Option<Body> {
        let class = self.class;
        let open = self.open();
        let mut window = self.segments.iter_mut().take(open);
        let segment = window.find(|segment| segment.due_at(wait) <= now)?;
        let again = segment.tries > 0;
        let body = segment.send(now, class);
        if let Some(pace) = self.pace.as_mut().filter(|_| again) {
            pace.lost();
        }
        Some(body)
    }

    /// How many segments may be on their way.
    fn open(&self) -> usize {
        self.pace.as_ref().map_or(self.window, Pace::window)
    }

    pub(super) fn timeout(&self, wait: Duration) -> Option<Moment> {
        let window = self.segments.iter().take(self.open());
        window.map(|segment| segment.due_at(wait)).min()
    }

    fn push_segment(&mut self, payload: &[u8], more: bool) {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.wrapping_add(1);
        self.queued += payload.len();
        let payload = payload.to_vec();
        self.segments.push_back(Segment {
            seq,
            more,
            payload,
            sent: None,
            tries: 0,
        });
    }
}

impl Segment {
    fn due_at(&self, wait: Duration) -> Moment {
        let Some(sent) = self.sent else {
            return Moment::ZERO;
        };
        let doublings = self.tries.saturating_sub(1).min(8);
        sent + (wait * (1 << doublings)).min(LONGEST_WAIT)
    }

    fn send(&mut self, now: Moment, class: DeliveryClass) -> Body {
        self.sent = Some(now);
        self.tries = self.tries.saturating_add(1);
        let payload = self.payload.clone();
        Body::Segment {
            class,
            seq: self.seq,
            more: self.more,
            payload,
        }
    }
}

/// What has come, until it can be handed on.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    cumulative: u32,
    waiting: BTreeMap<u32, (bool, Vec<u8>)>,
    message: Vec<u8>,
    too_large: bool,
}

impl Inbox {
    /// All segments up to this one have come.
    pub(super) fn cumulative(&self) -> u32 {
        self.cumulative
    }

    /// Takes a segment in, returns the messages that are whole now.
    pub(super) fn accept(&mut self, seq: u32, more: bool, payload: Vec<u8>) -> Vec<Vec<u8>> {
        let ahead = seq.saturating_sub(self.cumulative);
        if (1..=AHEAD).contains(&ahead) {
            self.waiting.entry(seq).or_insert((more, payload));
        }
        let mut whole = Vec::new();
        while let Some((more, piece)) = self.waiting.remove(&(self.cumulative.wrapping_add(1))) {
            self.cumulative = self.cumulative.wrapping_add(1);
            whole.extend(self.append(more, &piece));
        }
        whole
    }

    fn append(&mut self, more: bool, piece: &[u8]) -> Option<Vec<u8>> {
        self.too_large |= self.message.len() + piece.len() > MAX_MESSAGE;
        if self.too_large {
            self.message.clear();
        } else {
            self.message.extend(piece);
        }
        if more {
            return None;
        }
        let message = std::mem::take(&mut self.message);
        let whole = !std::mem::take(&mut self.too_large);
        whole.then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const WAIT: Duration = Duration::from_millis(300);
    const LATER: Moment = Moment::from_origin(WAIT);

    fn all_due(outbox: &mut Outbox, now: Moment) -> Vec<Body> {
        std::iter::from_fn(|| outbox.due(now, WAIT)).collect()
    }

    fn deliver(inbox: &mut Inbox, body: Body) -> Vec<Vec<u8>> {
        let Body::Segment {
            seq, more, payload, ..
        } = body
        else {
            panic!("an outbox sends segments");
        };
        inbox.accept(seq, more, payload)
    }

    /// Sends over a line that loses a third, doubles some and mixes the rest.
    fn over_a_bad_line(messages: &[Vec<u8>], seed: u64) -> Vec<Vec<u8>> {
        let mut random = Random::new(seed);
        let mut outbox = Outbox::new(DeliveryClass::Control, 32);
        let mut inbox = Inbox::default();
        assert!(messages.iter().all(|message| outbox.push(message)));
        let mut got = Vec::new();
        let mut line: Vec<Body> = Vec::new();
        for round in 0..400 {
            line.extend(all_due(
                &mut outbox,
                Moment::from_origin(Duration::from_millis(100) * round),
            ));
            for _ in 0..line.len() {
                let pick = (random.next() % line.len() as u64) as usize;
                match random.next() % 6 {
                    0 | 1 => drop(line.swap_remove(pick)),
                    2 => got.extend(deliver(&mut inbox, line[pick].clone())),
                    _ => got.extend(deliver(&mut inbox, line.swap_remove(pick))),
                }
                if line.is_empty() {
                    break;
                }
            }
            if !random.next().is_multiple_of(3) {
                outbox.acknowledge(LATER, inbox.cumulative());
            }
        }
        assert_eq!(outbox.timeout(WAIT), None, "everything is acknowledged");
        got
    }

    #[test]
    fn messages_come_exactly_once_and_in_order_over_a_bad_line() {
        let message = |index: usize| vec![index as u8; [0, 1, 900, 100 * 1024][index % 4]];
        let messages: Vec<_> = (0..24).map(message).collect();
        for seed in 0..20 {
            assert!(over_a_bad_line(&messages, seed) == messages, "seed {seed}");
        }
    }

    #[test]
    fn no_segment_is_larger_than_a_link_frame() {
        let mut outbox = Outbox::new(DeliveryClass::Bulk, 100);
        assert!(outbox.push(&vec![1; 100 * 1024]));
        let segments = all_due(&mut outbox, Moment::ZERO);
        assert_eq!(segments.len(), 7);
        for body in segments {
            let frame = crate::link_frame::LinkFrame {
                to: Default::default(),
                body,
            };
            assert!(frame.encode().len() <= MAX_LINK_FRAME);
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let mut outbox = Outbox::new(DeliveryClass::Control, 8);
        assert!(!outbox.push(&vec![0; MAX_MESSAGE + 1]));
        assert!(outbox.push(&vec![0; MAX_MESSAGE]));
        assert!(outbox.push(&vec![0; MAX_MESSAGE]));
        assert!(!outbox.push(&[0]));
    }

    #[test]
    fn a_window_is_sent_once_and_again_after_its_wait() {
        let mut outbox = Outbox::new(DeliveryClass::Bulk, 8);
        assert!(outbox.push(&vec![0; 20 * SEGMENT]));
        assert_eq!(all_due(&mut outbox, Moment::ZERO).len(), 8);
        assert_eq!(all_due(&mut outbox, Moment::ZERO + WAIT / 2).len(), 0);
        assert_eq!(outbox.timeout(WAIT), Some(LATER));
        assert_eq!(all_due(&mut outbox, LATER).len(), 8);
        assert_eq!(outbox.timeout(WAIT), Some(LATER + 2 * WAIT));
        outbox.acknowledge(LATER, 3);
        assert_eq!(all_due(&mut outbox, LATER).len(), 3);
    }

    #[test]
    fn a_lying_sender_fills_no_memory() {
        let mut inbox = Inbox::default();
        for seq in [0, 500, u32::MAX] {
            assert!(inbox.accept(seq, true, vec![0; 1_000]).is_empty());
        }
        assert!(inbox.waiting.is_empty());
        for seq in 1..=300 {
            assert!(inbox.accept(seq, true, vec![0; SEGMENT]).is_empty());
            assert!(inbox.message.len() <= MAX_MESSAGE);
        }
        assert!(
            inbox.accept(301, false, vec![1]).is_empty(),
            "the giant is skipped"
        );
        assert_eq!(inbox.accept(302, false, vec![2]), [vec![2]]);
    }

    #[test]
    fn a_lying_receiver_acknowledges_nothing_unsent() {
        let mut outbox = Outbox::new(DeliveryClass::Control, 1);
        assert!(outbox.push(b"a") && outbox.push(b"b"));
        outbox.acknowledge(LATER, u32::MAX);
        assert_eq!(all_due(&mut outbox, Moment::ZERO).len(), 1);
        outbox.acknowledge(LATER, u32::MAX);
        assert_eq!(all_due(&mut outbox, Moment::ZERO).len(), 1);
    }
}
