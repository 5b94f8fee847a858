//! Handling of received frames.

use super::{
    Event, Multiplexer, ProtocolError, ResetReason, State, StreamId,
    frame::Frame,
    stream::{Direction, Stream},
};

type Handled = Result<(), ProtocolError>;

impl Multiplexer {
    /// Handles a message of the other side.
    ///
    /// # Errors
    /// [`ProtocolError`], again for each message after it. The multiplexer is of no use then.
    pub fn receive(&mut self, message: &[u8]) -> Result<(), ProtocolError> {
        let handled = match self.state {
            State::Failed(error) => return Err(error),
            State::Refused => return Ok(()),
            _ => Frame::decode(message).and_then(|frame| self.handle(frame)),
        };
        if let Err(error) = handled {
            *self = Self::new(self.is_peer, self.own);
            self.state = State::Failed(error);
        }
        handled
    }

    fn handle(&mut self, frame: Frame<'_>) -> Handled {
        if self.state != State::Established {
            return self.handle_greeting(frame);
        }
        match frame {
            Frame::Open {
                stream,
                has_body,
                head,
            } if self.is_peer => self.handle_open(stream, head, has_body),
            Frame::Head {
                stream,
                has_body,
                head,
            } if !self.is_peer => self.handle_head(stream, head, has_body),
            Frame::Data { stream, bytes } => self.handle_data(stream, bytes),
            Frame::End { stream } => self.handle_end(stream),
            Frame::Reset { stream, reason } => self.handle_reset(stream, reason),
            Frame::Credit { stream: 0, bytes } => {
                let error = ProtocolError("more credit than bytes of the channel");
                self.sent.credit(bytes).then_some(()).ok_or(error)
            }
            Frame::Credit { stream, bytes } => match self.find(stream)? {
                Some(state) if state.is_open => state.receive_credit(bytes),
                _ => Ok(()),
            },
            Frame::Ping(value) => {
                self.outbox.pong(value);
                Ok(())
            }
            Frame::Pong(value) => {
                if self.outbox.take_unanswered(value) {
                    self.events.push_back(Event::Pong(value));
                }
                Ok(())
            }
            _ => Err(ProtocolError("frame of the wrong side or out of order")),
        }
    }

    fn handle_greeting(&mut self, frame: Frame<'_>) -> Handled {
        match frame {
            Frame::Hello {
                version,
                token,
                limits,
            } if self.is_peer && self.state == State::Silent => {
                self.remote = limits;
                self.state = State::Greeting;
                self.events.push_back(Event::Hello { version, token });
            }
            Frame::Accepted(limits) if !self.is_peer => {
                self.remote = limits;
                self.state = State::Established;
                self.events.push_back(Event::Accepted);
            }
            Frame::Refused(refusal) if !self.is_peer => {
                *self = Self::new(self.is_peer, self.own);
                self.state = State::Refused;
                self.events.push_back(Event::Refused(refusal));
            }
            _ => return Err(ProtocolError("frame before the channel is accepted")),
        }
        Ok(())
    }

    /// Stream of a frame; `None` if it has ended.
    fn find(&mut self, stream: StreamId) -> Result<Option<&mut Stream>, ProtocolError> {
        if stream > self.last {
            return Err(ProtocolError("frame of a stream that was never opened"));
        }
        let state = self.streams.get_mut(&stream);
        let is_unsent = state
            .as_ref()
            .is_some_and(|state| !self.is_peer && state.own_head.is_some());
        match is_unsent {
            true => Err(ProtocolError("frame of a stream that was never opened")),
            false => Ok(state),
        }
    }

    fn handle_open(&mut self, stream: StreamId, head: &[u8], has_body: bool) -> Handled {
        if stream <= self.last {
            return Err(ProtocolError("stream opened twice or out of order"));
        }
        if self.counted_streams() >= self.own.max_streams {
            return Err(ProtocolError("too many streams"));
        }
        self.last = stream;
        self.open += 1;
        let state = Stream::opened_there(self.own.stream_window, head.to_vec(), has_body);
        self.streams.insert(stream, state);
        self.queue_events(stream);
        Ok(())
    }

    fn handle_head(&mut self, stream: StreamId, head: &[u8], has_body: bool) -> Handled {
        let Some(state) = self.find(stream)? else {
            return self.handle_end_of_reset(stream, has_body);
        };
        if state.incoming != Direction::Idle {
            return Err(ProtocolError("second head of a stream"));
        }
        state.receive_head(head.to_vec(), has_body);
        self.queue_events(stream);
        self.settle(stream);
        Ok(())
    }

    fn handle_data(&mut self, stream: StreamId, bytes: &[u8]) -> Handled {
        let length = bytes.len() as u32;
        if !self.received.receive(length) {
            return Err(ProtocolError("more bytes than the channel's window"));
        }
        match self.find(stream)? {
            None => self.received.take(length),
            Some(state) if state.incoming == Direction::Open => {
                state.receive_data(bytes)?;
                self.queue_events(stream);
            }
            Some(_) => return Err(ProtocolError("bytes before the head or after the end")),
        }
        Ok(())
    }

    fn handle_end(&mut self, stream: StreamId) -> Handled {
        match self.find(stream)? {
            None => return self.handle_end_of_reset(stream, false),
            Some(state) if state.incoming == Direction::Open => state.receive_end(),
            Some(_) => return Err(ProtocolError("end before the head or after the end")),
        }
        self.queue_events(stream);
        self.settle(stream);
        Ok(())
    }

    /// The other side has ended a stream that is reset here. If the own end was sent, it has ended
    /// for the other side, which need not hear of the reset.
    fn handle_end_of_reset(&mut self, stream: StreamId, goes_on: bool) -> Handled {
        let resets = &mut self.outbox.resets;
        let has_ended = resets.get(&stream).is_some_and(|(_, own_ended)| *own_ended);
        if has_ended && !goes_on {
            resets.remove(&stream);
        }
        Ok(())
    }

    fn handle_reset(&mut self, stream: StreamId, reason: ResetReason) -> Handled {
        self.outbox.resets.remove(&stream);
        let Some(state) = self.find(stream)? else {
            return Ok(());
        };
        if !state.is_open {
            return Ok(());
        }
        if state.is_unannounced() {
            self.remove(stream);
            return Ok(());
        }
        let had_head = state.own_head.is_some();
        let unread = state.receive_reset(reason);
        if had_head {
            self.outbox.heads.retain(|other| *other != stream);
        }
        self.received.take(unread);
        self.queue_events(stream);
        self.settle(stream);
        Ok(())
    }
}
