use std::sync::Arc;

use protocol::code::SessionCode;
use protocol::signaling::{ClientMessage, ErrorCode, Hello, ServerMessage, close};
use rooms::room::SocketId;

use super::Hub;
use super::outbox::Outbox;
use super::ride::Ride;
use crate::metrics::{Reason, ReportedLinks};

/// One socket's place in a ride, from its first moment to its last: dropping
/// it is the socket's end. What it says goes in here, what it is to be told
/// comes out of [`Seat::outbox`].
#[derive(Debug)]
pub struct Seat {
    hub: Hub,
    code: SessionCode,
    /// Known from hello on.
    ride: Option<Arc<Ride>>,
    socket: SocketId,
    outbox: Arc<Outbox>,
    links: ReportedLinks,
}

impl Seat {
    pub(super) fn new(hub: Hub, code: SessionCode, socket: SocketId, outbox: Arc<Outbox>) -> Self {
        let links = hub.0.metrics.new_links();
        Self {
            hub,
            code,
            ride: None,
            socket,
            outbox,
            links,
        }
    }

    /// What waits to be sent to this socket.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The code of the ride.
    pub fn code(&self) -> &str {
        self.code.as_str()
    }

    /// The ride's name in the log.
    pub fn ride_log_name(&self) -> String {
        self.hub.log_name(self.code.as_str())
    }

    /// Whether it is known which ride it is.
    pub fn has_ride(&self) -> bool {
        self.ride.is_some()
    }

    /// Whether it is a rider of this ride who comes back, by a good token.
    pub fn is_known_to(&self, hello: &Hello) -> bool {
        let resume = hello.resume.as_ref();
        resume.is_some_and(|resume| self.hub.is_rider(&self.code, &resume.token))
    }

    /// Finds out which ride it is, before the first [`Seat::join`].
    ///
    /// # Errors
    /// When there is none, and none can be opened.
    pub fn find_ride(&mut self, hello: &Hello) -> Result<(), ErrorCode> {
        let ride = self.hub.ride_for(&self.code, hello.resume.as_ref())?;
        ride.seat(self.socket, self.outbox.clone());
        self.ride = Some(ride);
        Ok(())
    }

    /// The socket said hello.
    pub fn join(&self, hello: Hello) {
        if let Some(ride) = &self.ride {
            ride.join(&self.hub, self.socket, hello);
        }
    }

    /// The socket said something else.
    pub fn message(&mut self, message: ClientMessage) {
        if let (ClientMessage::Report(report), Some(_)) = (&message, &self.ride) {
            self.links.record(report);
        }
        match &self.ride {
            Some(ride) => ride.message(&self.hub, self.socket, message),
            None => self.refuse(ErrorCode::NotInRide, close::POLICY),
        }
    }

    /// The socket sent a frame to be relayed.
    pub fn relay(&self, bytes: Vec<u8>) {
        match &self.ride {
            Some(ride) => ride.relay(&self.hub, self.socket, bytes),
            None => self.refuse(ErrorCode::NotInRide, close::POLICY),
        }
    }

    /// Counts that the socket is not wanted, says why, and ends it.
    pub fn refuse(&self, error: ErrorCode, code: u16) {
        self.count_refusal(error.into());
        self.end(error, code);
    }

    /// Says why the socket is not wanted, and ends it.
    pub fn end(&self, error: ErrorCode, code: u16) {
        self.say(error);
        self.outbox.close(code, "refused");
    }

    /// Says that something is refused.
    pub fn say(&self, error: ErrorCode) {
        self.log_refusal(error.into());
        self.outbox.send(&ServerMessage::error(error));
    }

    /// Counts something that the socket is refused.
    pub fn count_refusal(&self, reason: Reason) {
        self.hub.0.metrics.refused(reason);
    }

    /// The log's line of something that the socket is refused.
    pub fn log_refusal(&self, reason: Reason) {
        let (ride, socket) = (self.ride_log_name(), self.socket.0);
        tracing::info!(ride, socket, reason = reason.name(), "refused");
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(ride) = &self.ride {
            ride.closed(&self.hub, self.socket);
        }
    }
}
