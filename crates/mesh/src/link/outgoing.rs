//! What a link sends, reliably and in turn, and when.

use clock::Moment;

use std::time::Duration;

use super::{
    Budget, Carrier, Effect, Link, RtcCommand,
    stream::{Inbox, Outbox},
};
use crate::link_frame::{Body, LinkFrame};
use protocol::peer::DeliveryClass;

/// So many segments are on their way at most.
const CONTROL_WINDOW: usize = 32;
const BULK_WINDOW: usize = 16;
const WAIT: Duration = Duration::from_millis(300);
const WAIT_LIMIT: Duration = Duration::from_secs(3);

/// What is sent and received reliably, of one class.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) class: DeliveryClass,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    pub(super) ack_at: Option<Moment>,
    /// When the relay takes more of it.
    pub(super) allowed_at: Option<Moment>,
}

impl Stream {
    pub(super) fn new(class: DeliveryClass) -> Self {
        let outbox = match class {
            DeliveryClass::Bulk => Outbox::paced(class, BULK_WINDOW),
            DeliveryClass::Control | DeliveryClass::Telemetry => Outbox::new(class, CONTROL_WINDOW),
        };
        Self {
            class,
            outbox,
            inbox: Inbox::default(),
            ack_at: None,
            allowed_at: None,
        }
    }
}

impl Link {
    /// Sends what is due and may be sent.
    pub(super) fn pump(&mut self, now: Moment, budget: &mut Budget) {
        let Some(carrier) = self.carrier else {
            return;
        };
        let wait = self.ack_wait();
        for index in 0..self.streams.len() {
            let class = self.streams[index].class;
            let stream = &mut self.streams[index];
            if stream.ack_at.is_some_and(|at| at <= now) {
                stream.ack_at = None;
                let cumulative = stream.inbox.cumulative();
                self.transmit(
                    carrier,
                    DeliveryClass::Control,
                    Body::Ack { class, cumulative },
                );
            }
            self.streams[index].allowed_at = None;
            while !self.is_blocked(carrier, class) {
                if carrier == Carrier::Relay && !budget.allows(class) {
                    self.streams[index].allowed_at = Some(budget.allows_at(class));
                    break;
                }
                let Some(body) = self.streams[index].outbox.due(now, wait) else {
                    break;
                };
                let bytes = self.transmit(carrier, class, body);
                if carrier == Carrier::Relay {
                    budget.spend(bytes);
                }
            }
        }
    }

    /// Says how many bytes that were.
    pub(super) fn transmit(&mut self, carrier: Carrier, class: DeliveryClass, body: Body) -> usize {
        let frame = LinkFrame {
            to: self.them.incarnation,
            body,
        }
        .encode();
        let bytes = frame.len();
        let effect = match (carrier, &self.connection) {
            (Carrier::Relay, _) => Effect::Relay { class, frame },
            (Carrier::Direct, Some(connection)) => connection.tell(RtcCommand::Send {
                class,
                bytes: frame,
            }),
            (Carrier::Direct, None) => return 0,
        };
        self.effects.push_back(effect);
        bytes
    }

    pub(super) fn is_blocked(&self, carrier: Carrier, class: DeliveryClass) -> bool {
        let full = self
            .connection
            .as_ref()
            .is_some_and(|one| one.is_full(class));
        carrier == Carrier::Direct && full
    }

    /// How long an acknowledgement may take.
    pub(super) fn ack_wait(&self) -> Duration {
        let trip = self.clock.round_trip().unwrap_or(WAIT);
        (3 * trip).clamp(WAIT, WAIT_LIMIT)
    }

    pub(super) fn stream_timeout(&self, stream: &Stream) -> Option<Moment> {
        let carrier = self.carrier?;
        let open = !self.is_blocked(carrier, stream.class);
        let send = stream.outbox.timeout(self.ack_wait()).filter(|_| open);
        let send = send.map(|at| stream.allowed_at.map_or(at, |allowed| at.max(allowed)));
        send.into_iter().chain(stream.ack_at).min()
    }
}
