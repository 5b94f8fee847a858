use std::{collections::VecDeque, time::Duration};

use clock::Moment;

use super::congestion_window::CongestionWindow;
use crate::link_frame::{Body, SEGMENT_HEADER};
use protocol::{frame::MAX_LINK_FRAME, peer::DeliveryClass};

/// Largest message, in bytes.
pub(super) const MAX_MESSAGE: usize = 2 * 1024 * 1024;
/// Largest number of bytes that wait for acknowledgement.
const MAX_QUEUED: usize = 4 * 1024 * 1024;
/// Largest payload of a segment, in bytes.
pub(super) const MAX_SEGMENT: usize = MAX_LINK_FRAME - SEGMENT_HEADER;
/// Longest time after which an unacknowledged segment is sent again.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(4);

/// Sending half of a reliable stream: messages in segments, kept until they are acknowledged.
///
/// It holds at most [`MAX_QUEUED`] bytes and refuses messages beyond that.
#[derive(Debug)]
pub(super) struct SendStream {
    class: DeliveryClass,
    window: usize,
    congestion: Option<CongestionWindow>,
    segments: VecDeque<Segment>,
    queued: usize,
    next_seq: u32,
}

#[derive(Debug)]
struct Segment {
    seq: u32,
    more: bool,
    payload: Vec<u8>,
    sent_at: Option<Moment>,
    attempts: u32,
}

impl SendStream {
    /// Stream with at most `window` segments in flight.
    pub(super) fn new(class: DeliveryClass, window: usize) -> Self {
        Self {
            class,
            window,
            congestion: None,
            segments: VecDeque::new(),
            queued: 0,
            next_seq: 1,
        }
    }

    /// Stream with at most `window` segments in flight, and fewer where they would queue.
    pub(super) fn with_congestion_window(class: DeliveryClass, window: usize) -> Self {
        Self {
            congestion: Some(CongestionWindow::new(window)),
            ..Self::new(class, window)
        }
    }

    /// Queues a message. Returns false when the message or the queue is too large.
    pub(super) fn push(&mut self, message: &[u8]) -> bool {
        if message.len() > MAX_MESSAGE || self.queued + message.len() > MAX_QUEUED {
            return false;
        }
        let mut rest = message;
        loop {
            let (piece, left) = rest.split_at(rest.len().min(MAX_SEGMENT));
            self.push_segment(piece, !left.is_empty());
            rest = left;
            if rest.is_empty() {
                return true;
            }
        }
    }

    /// The other side received all segments up to this one.
    pub(super) fn acknowledge(&mut self, now: Moment, cumulative: u32) {
        let arrived = |front: &Segment| front.seq <= cumulative && front.sent_at.is_some();
        while self.segments.front().is_some_and(arrived) {
            if let Some(segment) = self.segments.pop_front() {
                self.queued -= segment.payload.len();
                // After a second attempt it is not known which one was acknowledged.
                let sent_at = segment.sent_at.filter(|_| segment.attempts == 1);
                if let Some((congestion, sent_at)) = self.congestion.as_mut().zip(sent_at) {
                    congestion.acknowledged(now.since(sent_at));
                }
            }
        }
    }

    /// Sends everything in flight again: the path changed, and it may be lost.
    pub(super) fn send_again(&mut self) {
        let in_window = self.segments.iter_mut().take(self.window);
        for segment in in_window.filter(|segment| segment.sent_at.is_some()) {
            segment.sent_at = None;
            segment.attempts = 1;
        }
        // The new path has a capacity of its own.
        if self.congestion.is_some() {
            self.congestion = Some(CongestionWindow::new(self.window));
        }
    }

    /// Next segment to send, if one is due. `ack_timeout` is the time within which an
    /// acknowledgement is expected.
    pub(super) fn next_due(&mut self, now: Moment, ack_timeout: Duration) -> Option<Body> {
        let (class, in_flight) = (self.class, self.max_in_flight());
        let mut window = self.segments.iter_mut().take(in_flight);
        let segment = window.find(|segment| segment.due_at(ack_timeout) <= now)?;
        let is_repeated = segment.attempts > 0;
        let body = segment.send(now, class);
        if let Some(congestion) = self.congestion.as_mut().filter(|_| is_repeated) {
            congestion.lost();
        }
        Some(body)
    }

    pub(super) fn timeout(&self, ack_timeout: Duration) -> Option<Moment> {
        let window = self.segments.iter().take(self.max_in_flight());
        window.map(|segment| segment.due_at(ack_timeout)).min()
    }

    fn max_in_flight(&self) -> usize {
        let congestion = self.congestion.as_ref();
        congestion.map_or(self.window, CongestionWindow::size)
    }

    fn push_segment(&mut self, payload: &[u8], more: bool) {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.wrapping_add(1);
        self.queued += payload.len();
        self.segments.push_back(Segment {
            seq,
            more,
            payload: payload.to_vec(),
            sent_at: None,
            attempts: 0,
        });
    }
}

impl Segment {
    fn due_at(&self, ack_timeout: Duration) -> Moment {
        let Some(sent_at) = self.sent_at else {
            return Moment::ZERO;
        };
        let doublings = self.attempts.saturating_sub(1).min(8);
        sent_at + (ack_timeout * (1 << doublings)).min(MAX_RETRY_DELAY)
    }

    fn send(&mut self, now: Moment, class: DeliveryClass) -> Body {
        self.sent_at = Some(now);
        self.attempts = self.attempts.saturating_add(1);
        Body::Segment {
            class,
            seq: self.seq,
            more: self.more,
            payload: self.payload.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(300);
    const LATER: Moment = Moment::from_origin(TIMEOUT);

    fn all_due(stream: &mut SendStream, now: Moment) -> Vec<Body> {
        std::iter::from_fn(|| stream.next_due(now, TIMEOUT)).collect()
    }

    #[test]
    fn no_segment_is_larger_than_a_link_frame() {
        let mut stream = SendStream::new(DeliveryClass::Bulk, 100);
        assert!(stream.push(&vec![1; 100 * 1024]));
        let segments = all_due(&mut stream, Moment::ZERO);
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
    fn a_message_or_a_queue_that_is_too_large_is_refused() {
        let mut stream = SendStream::new(DeliveryClass::Control, 8);
        assert!(!stream.push(&vec![0; MAX_MESSAGE + 1]));
        assert!(stream.push(&vec![0; MAX_MESSAGE]));
        assert!(stream.push(&vec![0; MAX_MESSAGE]));
        assert!(!stream.push(&[0]));
    }

    #[test]
    fn a_window_is_sent_once_and_again_after_the_timeout() {
        let mut stream = SendStream::new(DeliveryClass::Bulk, 8);
        assert!(stream.push(&vec![0; 20 * MAX_SEGMENT]));
        assert_eq!(all_due(&mut stream, Moment::ZERO).len(), 8);
        assert_eq!(all_due(&mut stream, Moment::ZERO + TIMEOUT / 2).len(), 0);
        assert_eq!(stream.timeout(TIMEOUT), Some(LATER));
        assert_eq!(all_due(&mut stream, LATER).len(), 8);
        assert_eq!(stream.timeout(TIMEOUT), Some(LATER + 2 * TIMEOUT));
        stream.acknowledge(LATER, 3);
        assert_eq!(all_due(&mut stream, LATER).len(), 3);
    }

    #[test]
    fn a_lying_receiver_cannot_acknowledge_segments_that_were_not_sent() {
        let mut stream = SendStream::new(DeliveryClass::Control, 1);
        assert!(stream.push(b"a") && stream.push(b"b"));
        stream.acknowledge(LATER, u32::MAX);
        assert_eq!(all_due(&mut stream, Moment::ZERO).len(), 1);
        stream.acknowledge(LATER, u32::MAX);
        assert_eq!(all_due(&mut stream, Moment::ZERO).len(), 1);
    }
}
