use std::sync::Arc;

use mesh::code::SessionCode;
use mesh::room::SocketId;
use mesh::signaling::{ClientMessage, ErrorCode, Hello, ServerMessage, close};

use super::Hub;
use super::outbox::Outbox;
use super::ride::Ride;

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
}

impl Seat {
    pub(super) fn new(hub: Hub, code: SessionCode, socket: SocketId, outbox: Arc<Outbox>) -> Self {
        Self {
            hub,
            code,
            ride: None,
            socket,
            outbox,
        }
    }

    /// What waits to be sent to this socket.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The ride's name in the log.
    pub fn ride_log_name(&self) -> String {
        self.hub.log_name(self.code.as_str())
    }

    /// The socket said hello.
    pub fn join(&mut self, hello: Hello) {
        if self.ride.is_none() {
            match self.hub.ride_for(&self.code, hello.resume.as_ref()) {
                Ok(ride) => {
                    ride.seat(self.socket, self.outbox.clone());
                    self.ride = Some(ride);
                }
                Err(error) => return self.refuse(error, close::REFUSED),
            }
        }
        if let Some(ride) = &self.ride {
            ride.join(&self.hub, self.socket, hello);
        }
    }

    /// The socket said something else.
    pub fn message(&self, message: ClientMessage) {
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

    /// Says why the socket is not wanted, and ends it.
    pub fn refuse(&self, error: ErrorCode, code: u16) {
        tracing::info!(ride = self.ride_log_name(), code = ?error, "refused");
        self.outbox.send(&ServerMessage::error(error));
        self.outbox.close(code, "refused");
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(ride) = &self.ride {
            ride.closed(&self.hub, self.socket);
        }
    }
}
