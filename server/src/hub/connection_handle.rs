use std::net::IpAddr;
use std::sync::Arc;

use protocol::code::SessionCode;
use protocol::signaling::{ClientMessage, ErrorCode, Hello, ServerMessage, close};
use rooms::ClientKey;
use rooms::room::SocketId;

use super::Hub;
use super::outbox::Outbox;
use super::ride::Ride;
use crate::error::RefusalReason;
use crate::metrics::ReportedLinks;

/// One socket of the app's dialect: its messages go in here, the answers come out
/// of [`ConnectionHandle::outbox`]. Dropping it tells the ride that the socket is
/// closed.
#[derive(Debug)]
pub struct ConnectionHandle {
    hub: Hub,
    code: SessionCode,
    /// `None` until the hello.
    ride: Option<Arc<Ride>>,
    socket: SocketId,
    client: ClientKey,
    outbox: Arc<Outbox>,
    links: ReportedLinks,
}

impl ConnectionHandle {
    pub(super) fn new(hub: Hub, code: SessionCode, client: IpAddr) -> Self {
        let context = &hub.0.context;
        Self {
            code,
            ride: None,
            socket: context.next_socket(),
            client: context.client_key(client),
            outbox: context.new_outbox(client),
            links: context.metrics.new_links(),
            hub,
        }
    }

    /// Messages to be sent on this socket.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Session code in the socket's address.
    pub fn code(&self) -> &str {
        self.code.as_str()
    }

    /// Returns `true` after [`ConnectionHandle::find_ride`] has succeeded.
    pub fn has_ride(&self) -> bool {
        self.ride.is_some()
    }

    /// Returns `true` if the hello carries a valid resume token of this ride.
    pub fn is_returning(&self, hello: &Hello) -> bool {
        let resume = hello.resume.as_ref();
        resume.is_some_and(|resume| self.hub.is_rider_token(&self.code, &resume.token))
    }

    /// Finds or restores the ride, before the first [`ConnectionHandle::join`].
    ///
    /// # Errors
    /// [`ErrorCode::NoSuchRide`], or [`ErrorCode::TooManyRides`] if the ride
    /// cannot be restored now.
    pub fn find_ride(&mut self, hello: &Hello) -> Result<(), ErrorCode> {
        let ride = self
            .hub
            .find_or_restore(&self.code, hello.resume.as_ref())?;
        ride.register(self.socket, self.client, self.outbox.clone());
        self.ride = Some(ride);
        Ok(())
    }

    /// Handles the socket's hello.
    pub fn join(&self, hello: Hello) {
        if let Some(ride) = &self.ride {
            ride.join(self.socket, hello);
        }
    }

    /// Handles any other message of the socket.
    pub fn message(&mut self, message: ClientMessage) {
        if let (ClientMessage::Report(report), Some(_)) = (&message, &self.ride) {
            self.links.record(report);
        }
        match &self.ride {
            Some(ride) => ride.message(self.socket, message),
            None => self.refuse(ErrorCode::NotInRide, close::POLICY),
        }
    }

    /// Handles a frame to be relayed.
    pub fn relay(&self, bytes: Vec<u8>) {
        match &self.ride {
            Some(ride) => ride.relay(self.socket, bytes),
            None => self.refuse(ErrorCode::NotInRide, close::POLICY),
        }
    }

    /// Counts a refusal, then sends the error and closes the socket.
    pub fn refuse(&self, error: ErrorCode, close_code: u16) {
        self.count_refusal(error.into());
        self.close(error, close_code);
    }

    /// Sends an error and closes the socket.
    pub fn close(&self, error: ErrorCode, close_code: u16) {
        self.send_error(error);
        self.outbox.close(close_code, "refused");
    }

    /// Logs and sends an error.
    pub fn send_error(&self, error: ErrorCode) {
        self.log_refusal(error.into());
        self.outbox.send(&ServerMessage::error(error));
    }

    /// Counts a refusal.
    pub fn count_refusal(&self, reason: RefusalReason) {
        self.hub.0.context.metrics.count_refusal(reason);
    }

    /// Logs a refusal.
    pub fn log_refusal(&self, reason: RefusalReason) {
        let ride = self.hub.0.context.log_name(self.code.as_str());
        let (socket, reason) = (self.socket.0, reason.name());
        tracing::info!(ride, socket, reason, "refused");
    }
}

impl Drop for ConnectionHandle {
    fn drop(&mut self) {
        if let Some(ride) = &self.ride {
            ride.closed(self.socket);
        }
    }
}
