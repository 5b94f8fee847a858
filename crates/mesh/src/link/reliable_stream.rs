use std::time::Duration;

use clock::Moment;

use super::{receive_stream::ReceiveStream, send_stream::SendStream};
use crate::link_frame::Body;
use protocol::peer::DeliveryClass;

/// Largest numbers of segments in flight.
const CONTROL_WINDOW: usize = 32;
const BULK_WINDOW: usize = 16;
/// Time for which an acknowledgement waits for further segments, to acknowledge them together.
const ACK_DELAY: Duration = Duration::from_millis(20);

/// Reliable, ordered stream of one delivery class over any path: every message arrives exactly once
/// and in order.
#[derive(Debug)]
pub(super) struct ReliableStream {
    class: DeliveryClass,
    send: SendStream,
    receive: ReceiveStream,
    ack_due_at: Option<Moment>,
    /// Moment from which the relay takes more of this stream, while its token bucket is empty.
    pub(super) relay_allows_at: Option<Moment>,
}

impl ReliableStream {
    pub(super) fn control() -> Self {
        let class = DeliveryClass::Control;
        Self::new(class, SendStream::new(class, CONTROL_WINDOW))
    }

    pub(super) fn bulk() -> Self {
        let class = DeliveryClass::Bulk;
        Self::new(
            class,
            SendStream::with_congestion_window(class, BULK_WINDOW),
        )
    }

    fn new(class: DeliveryClass, send: SendStream) -> Self {
        Self {
            class,
            send,
            receive: ReceiveStream::default(),
            ack_due_at: None,
            relay_allows_at: None,
        }
    }

    pub(super) fn class(&self) -> DeliveryClass {
        self.class
    }

    /// Queues a message. Returns false when the message or the queue is too large.
    pub(super) fn push(&mut self, message: &[u8]) -> bool {
        self.send.push(message)
    }

    /// Takes in a segment and returns the messages that it completes.
    pub(super) fn accept(
        &mut self,
        now: Moment,
        seq: u32,
        more: bool,
        payload: Vec<u8>,
    ) -> Vec<Vec<u8>> {
        self.ack_due_at.get_or_insert(now + ACK_DELAY);
        self.receive.accept(seq, more, payload)
    }

    /// The other side received all segments up to this one.
    pub(super) fn acknowledge(&mut self, now: Moment, cumulative: u32) {
        self.send.acknowledge(now, cumulative);
    }

    /// Sequence number up to which all segments have arrived here.
    pub(super) fn cumulative(&self) -> u32 {
        self.receive.cumulative()
    }

    /// Sends everything in flight again, after a change of path.
    pub(super) fn send_again(&mut self) {
        self.send.send_again();
    }

    /// Acknowledgement to send, if one is due.
    pub(super) fn take_due_ack(&mut self, now: Moment) -> Option<Body> {
        self.ack_due_at.take_if(|at| *at <= now)?;
        Some(Body::Ack {
            class: self.class,
            cumulative: self.receive.cumulative(),
        })
    }

    /// Segment to send, if one is due.
    pub(super) fn next_due(&mut self, now: Moment, ack_timeout: Duration) -> Option<Body> {
        self.send.next_due(now, ack_timeout)
    }

    /// Moment at which something is due, while the path takes frames of the class (`is_open`).
    pub(super) fn timeout(&self, is_open: bool, ack_timeout: Duration) -> Option<Moment> {
        let segment = self.send.timeout(ack_timeout).filter(|_| is_open);
        let allowed = |at: Moment| self.relay_allows_at.map_or(at, |allowed| at.max(allowed));
        segment
            .map(allowed)
            .into_iter()
            .chain(self.ack_due_at)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const TIMEOUT: Duration = Duration::from_millis(300);

    fn deliver(stream: &mut ReceiveStream, body: Body) -> Vec<Vec<u8>> {
        let Body::Segment {
            seq, more, payload, ..
        } = body
        else {
            panic!("a send stream sends segments");
        };
        stream.accept(seq, more, payload)
    }

    /// Sends over a path that loses a third of the frames, duplicates some and reorders the rest.
    fn over_a_bad_path(messages: &[Vec<u8>], seed: u64) -> Vec<Vec<u8>> {
        let mut random = Random::new(seed);
        let mut send = SendStream::new(DeliveryClass::Control, 32);
        let mut receive = ReceiveStream::default();
        assert!(messages.iter().all(|message| send.push(message)));
        let mut received = Vec::new();
        let mut path: Vec<Body> = Vec::new();
        for round in 0..400 {
            let now = Moment::ZERO + Duration::from_millis(100) * round;
            path.extend(std::iter::from_fn(|| send.next_due(now, TIMEOUT)));
            for _ in 0..path.len() {
                let pick = (random.next() % path.len() as u64) as usize;
                match random.next() % 6 {
                    0 | 1 => drop(path.swap_remove(pick)),
                    2 => received.extend(deliver(&mut receive, path[pick].clone())),
                    _ => received.extend(deliver(&mut receive, path.swap_remove(pick))),
                }
                if path.is_empty() {
                    break;
                }
            }
            if !random.next().is_multiple_of(3) {
                send.acknowledge(Moment::from_origin(TIMEOUT), receive.cumulative());
            }
        }
        assert_eq!(send.timeout(TIMEOUT), None, "everything is acknowledged");
        received
    }

    #[test]
    fn messages_arrive_exactly_once_and_in_order_over_a_bad_path() {
        let message = |index: usize| vec![index as u8; [0, 1, 900, 100 * 1024][index % 4]];
        let messages: Vec<_> = (0..24).map(message).collect();
        for seed in 0..20 {
            assert!(over_a_bad_path(&messages, seed) == messages, "seed {seed}");
        }
    }
}
