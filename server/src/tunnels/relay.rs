use std::collections::HashMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use ::tunnel::head::RequestHead;
use ::tunnel::identity::{AccessToken, TunnelCode};
use ::tunnel::multiplexer::{Event, Limits, Multiplexer, OpenError, Refusal, StreamId};
use tokio::sync::Notify;

use super::Tunnels;
use super::stream::{Failure, RelayStream, StreamState};
use super::tunnel::Tunnel;
use super::visitor::{TooManyVisitors, Visitor};
use crate::hub::outbox::{Outbox, Outgoing};
use crate::limits::client_network;
use crate::metrics::tunnels::VisitorKind;
use crate::sync::lock;

/// Bytes of a response that wait for a slow browser. The channel's window is as much for each
/// stream, so that browsers which take nothing, such as those with a film that is paused, do not
/// hold up others.
const STREAM_WINDOW: u32 = 128 * 1024;
/// Interval after which a channel without streams is closed, if none was opened within it.
const UNUSED_INTERVAL: Duration = Duration::from_secs(30);

/// Channel of the server to a tunnel's peer, for the browsers of one address.
#[derive(Debug)]
pub struct RelayChannel {
    /// Number of the peer's socket.
    link: u64,
    pub(super) state: Mutex<ChannelState>,
    /// Wakes the task that sends.
    sender: Notify,
}

/// Multiplexer with the streams that are being served.
#[derive(Debug)]
pub(super) struct ChannelState {
    pub(super) multiplexer: Multiplexer,
    pub(super) streams: HashMap<StreamId, StreamState>,
    /// Cause of the channel's end.
    pub(super) end: Option<Failure>,
    /// A stream was opened since the last look.
    is_used: bool,
}

/// Reason why a request was not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayError {
    /// The peer is not connected.
    Offline,
    /// The tunnel has its maximum number of visitors.
    TooManyVisitors,
    /// Too many requests of this address are open.
    TooManyStreams,
    /// The head is malformed or too large.
    BadHead,
}

impl Tunnels {
    /// Passes the head of a request on to a tunnel, on behalf of a browser whose address is
    /// `client` and who has the tunnel's token.
    ///
    /// # Errors
    /// [`RelayError`], and the peer has seen nothing.
    pub fn relay(
        &self,
        code: &TunnelCode,
        token: &AccessToken,
        client: IpAddr,
        head: &RequestHead,
        has_body: bool,
    ) -> Result<RelayStream, RelayError> {
        let tunnel = lock(&self.0.all).get(code).cloned();
        let tunnel = tunnel.ok_or(RelayError::Offline)?;
        let head = head.encode().map_err(|_| RelayError::BadHead)?;
        // A channel may end after it was found; then another is opened.
        for _ in 0..2 {
            let channel = self.relay_channel(&tunnel, token, client)?;
            match channel.open(&head, has_body) {
                Ok(stream) => return Ok(stream),
                Err(OpenError::TooManyStreams) => return Err(RelayError::TooManyStreams),
                Err(OpenError::HeadTooLarge) => return Err(RelayError::BadHead),
                Err(OpenError::Closed) => {}
            }
        }
        Err(RelayError::Offline)
    }

    /// Channel for an address, opened if there is none to the connected peer.
    fn relay_channel(
        &self,
        tunnel: &Arc<Tunnel>,
        token: &AccessToken,
        client: IpAddr,
    ) -> Result<Arc<RelayChannel>, RelayError> {
        let mut relays = lock(&tunnel.relays);
        let link = tunnel.link().ok_or(RelayError::Offline)?;
        let network = client_network(client);
        let known = relays.get(&network).and_then(Weak::upgrade);
        if let Some(channel) = known.filter(|it| it.link == link && !it.has_ended()) {
            return Ok(channel);
        }
        relays.retain(|_, it| it.strong_count() > 0);
        let visitor = self.add_visitor(tunnel, client, VisitorKind::Server);
        let visitor = visitor.map_err(|TooManyVisitors| RelayError::TooManyVisitors)?;
        let max_streams = self.settings().tunnel_max_streams;
        let limits = Limits {
            max_streams,
            stream_window: STREAM_WINDOW,
            channel_window: STREAM_WINDOW * max_streams,
        };
        let channel = Arc::new(RelayChannel {
            link,
            state: Mutex::new(ChannelState {
                multiplexer: Multiplexer::visitor(limits, token),
                streams: HashMap::new(),
                end: None,
                is_used: true,
            }),
            sender: Notify::new(),
        });
        relays.insert(network, Arc::downgrade(&channel));
        tokio::spawn(drive(channel.clone(), visitor));
        Ok(channel)
    }
}

impl RelayChannel {
    fn open(self: &Arc<Self>, head: &[u8], has_body: bool) -> Result<RelayStream, OpenError> {
        let mut state = lock(&self.state);
        if state.end.is_some() {
            return Err(OpenError::Closed);
        }
        let id = state.multiplexer.open(head, has_body)?;
        state.streams.insert(id, StreamState::new());
        state.is_used = true;
        drop(state);
        self.wake();
        Ok(RelayStream::new(self.clone(), id))
    }

    /// Wakes the task that sends, after the multiplexer was given something to send.
    pub(super) fn wake(&self) {
        self.sender.notify_one();
    }

    fn has_ended(&self) -> bool {
        lock(&self.state).end.is_some()
    }

    /// Handles a frame of the peer. Returns `false` if the channel has ended.
    fn receive(&self, frame: &[u8]) -> bool {
        let mut state = lock(&self.state);
        let result = state.multiplexer.receive(frame);
        state.handle_events();
        if let Err(error) = result {
            tracing::debug!(%error, "the peer of a tunnel is closed");
            state.end(Failure::Broken);
        }
        let has_ended = state.end.is_some();
        drop(state);
        self.wake();
        !has_ended
    }

    fn next_frame(&self) -> Option<Vec<u8>> {
        let mut state = lock(&self.state);
        let frame = state.multiplexer.poll_message();
        // A frame that goes makes room for more of its body.
        state.handle_events();
        frame
    }

    /// Returns `true` if no stream is open, and none was opened since the last call.
    fn is_unused(&self) -> bool {
        let mut state = lock(&self.state);
        let is_used = std::mem::take(&mut state.is_used) || !state.streams.is_empty();
        !is_used
    }
}

impl ChannelState {
    fn handle_events(&mut self) {
        while let Some(event) = self.multiplexer.poll_event() {
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Refused(Refusal::Forbidden) => self.end(Failure::Forbidden),
            Event::Refused(Refusal::Busy) => self.end(Failure::Busy),
            Event::Refused(Refusal::Version) => self.end(Failure::Broken),
            Event::Head { stream, head } => self.with(stream, |it| it.set_head(head)),
            Event::Data { stream, bytes } => self.with(stream, |it| it.push(bytes)),
            Event::End { stream } => self.with(stream, StreamState::set_end),
            Event::Reset { stream, reason } => self.with(stream, |it| it.fail(reason.into())),
            Event::Writable { stream } => self.with(stream, StreamState::set_writable),
            // Not of a visitor's side, or of no interest.
            Event::Accepted | Event::Pong(_) | Event::Hello { .. } | Event::Opened { .. } => {}
        }
    }

    fn with(&mut self, id: StreamId, then: impl FnOnce(&mut StreamState)) {
        if let Some(stream) = self.streams.get_mut(&id) {
            then(stream);
        }
    }

    fn end(&mut self, failure: Failure) {
        self.end.get_or_insert(failure);
        for stream in self.streams.values_mut() {
            stream.fail(failure);
        }
    }
}

/// Serves a channel until its end.
async fn drive(channel: Arc<RelayChannel>, visitor: Visitor) {
    let failure = tokio::select! {
        failure = receive(&channel, visitor.outbox()) => failure,
        () = send(&channel, &visitor) => Failure::Offline,
        () = unused(&channel) => Failure::Offline,
    };
    lock(&channel.state).end(failure);
}

/// Handles what the peer sends. Resolves when the channel has ended.
async fn receive(channel: &RelayChannel, outbox: &Outbox) -> Failure {
    loop {
        match poll_fn(|context| next(outbox, context)).await {
            Outgoing::Frame(_, frame) if channel.receive(&frame) => {}
            Outgoing::Frame(..) => return Failure::Broken,
            Outgoing::Close { .. } => return Failure::Offline,
            Outgoing::Text(_) | Outgoing::Ping => {}
        }
    }
}

fn next(outbox: &Outbox, context: &mut Context<'_>) -> Poll<Outgoing> {
    outbox.register_reader(context.waker());
    match outbox.try_next() {
        Some(queued) => Poll::Ready(queued.item),
        None => Poll::Pending,
    }
}

/// Sends frames to the peer, as fast as its socket and the relay limit allow.
async fn send(channel: &RelayChannel, visitor: &Visitor) {
    loop {
        match channel.next_frame() {
            Some(frame) => {
                let wait = visitor.frame(&frame).await;
                tokio::time::sleep(wait).await;
            }
            None => channel.sender.notified().await,
        }
    }
}

/// Resolves when no stream is open, and none was opened for a while.
async fn unused(channel: &RelayChannel) {
    loop {
        tokio::time::sleep(UNUSED_INTERVAL).await;
        if channel.is_unused() {
            return;
        }
    }
}
