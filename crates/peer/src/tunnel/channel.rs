//! One channel of a visitor: its multiplexer, and the tasks that serve its requests.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use tunnel::{
    control::VERSION,
    multiplexer::{Event, Multiplexer, ProtocolError, Refusal},
};

use super::{access::Guesses, site::Site, stream::Shared};

/// State of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// The visitor has not shown its token.
    Awaited,
    /// The token was right.
    Accepted,
    /// The visitor was refused: the channel is closed when that is sent.
    Refused(Refusal),
}

/// Channel of a visitor. Dropping it ends its requests.
#[derive(Debug)]
pub(super) struct Channel {
    site: Rc<Site>,
    shared: Rc<Shared>,
    guesses: Rc<RefCell<Guesses>>,
    greeting: Greeting,
    /// Value and time of the last ping that was not answered.
    ping: Option<(u32, Instant)>,
    pings: u32,
    latency: Option<Duration>,
}

impl Channel {
    /// Channel that waits for the visitor's hello. `output` is notified when there may be something
    /// to send.
    pub(super) fn new(site: Rc<Site>, output: Rc<Notify>) -> Self {
        let multiplexer = Multiplexer::peer(site.channel_limits());
        let shared = Shared {
            multiplexer: RefCell::new(multiplexer),
            streams: RefCell::new(HashMap::new()),
            output,
        };
        Self {
            site,
            shared: Rc::new(shared),
            guesses: Rc::default(),
            greeting: Greeting::Awaited,
            ping: None,
            pings: 0,
            latency: None,
        }
    }

    /// Whether the visitor was accepted.
    pub(super) fn greeting(&self) -> Greeting {
        self.greeting
    }

    /// Handles a message of the visitor. Its hello is refused if there is no room.
    ///
    /// # Errors
    /// [`ProtocolError`]: the channel must be closed.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        message: &[u8],
        has_room: bool,
    ) -> Result<(), ProtocolError> {
        let received = self.shared.multiplexer.borrow_mut().receive(message);
        loop {
            let event = self.shared.multiplexer.borrow_mut().poll_event();
            let Some(event) = event else { break };
            self.handle(now, event, has_room);
        }
        self.shared.output.notify_one();
        received
    }

    fn handle(&mut self, now: Instant, event: Event, has_room: bool) {
        match event {
            Event::Hello { version, token } => {
                let greeting = if !self.site.token.matches(&token) {
                    Greeting::Refused(Refusal::Forbidden)
                } else if version != VERSION {
                    Greeting::Refused(Refusal::Version)
                } else if !has_room {
                    Greeting::Refused(Refusal::Busy)
                } else {
                    Greeting::Accepted
                };
                self.greeting = greeting;
                let mut multiplexer = self.shared.multiplexer.borrow_mut();
                match greeting {
                    Greeting::Refused(refusal) => multiplexer.refuse(refusal),
                    _ => multiplexer.accept(),
                }
            }
            Event::Opened { stream: id, head } => {
                let stream = self.shared.open(id);
                let guesses = Rc::clone(&self.guesses);
                let serve = Rc::clone(&self.site).serve(stream, head, guesses);
                let task = tokio::task::spawn_local(serve);
                self.shared.set_task(id, task.abort_handle());
            }
            Event::Data { stream, bytes } => self.shared.push(stream, bytes),
            Event::End { stream } => self.shared.end(stream),
            Event::Reset { stream, .. } => self.shared.reset(stream),
            Event::Writable { stream } => self.shared.writable(stream),
            Event::Pong(value) => {
                if let Some((_, at)) = self.ping.take_if(|(sent, _)| *sent == value) {
                    self.latency = Some(now.saturating_duration_since(at));
                }
            }
            // Events of the visitor's side.
            Event::Accepted | Event::Refused(_) | Event::Head { .. } => {}
        }
    }

    /// Next message to send. Called only while the channel can take one.
    pub(super) fn poll_message(&mut self) -> Option<Vec<u8>> {
        self.shared.multiplexer.borrow_mut().poll_message()
    }

    /// Measures the round-trip time.
    pub(super) fn ping(&mut self, now: Instant) {
        self.pings = self.pings.wrapping_add(1);
        self.ping = Some((self.pings, now));
        self.shared.multiplexer.borrow_mut().ping(self.pings);
        self.shared.output.notify_one();
    }

    /// Number of requests that are served.
    #[cfg(test)]
    pub(super) fn tasks(&self) -> usize {
        self.shared.streams.borrow().len()
    }

    /// Round-trip time that was measured since the last call.
    pub(super) fn take_latency(&mut self) -> Option<Duration> {
        self.latency.take()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.shared.abort();
    }
}
