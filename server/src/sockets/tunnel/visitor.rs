//! `/.gruppetto/socket` on a tunnel's origin: the shell page.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::tunnel::control::parse;
use ::tunnel::identity::TunnelCode;
use axum::body::Bytes;
use axum::response::Response;
use protocol::signaling::close;

use super::pipe::{End, Handler, Pipe, count};
use crate::error::RefusalReason;
use crate::hub::outbox::Outbox;
use crate::sockets::SocketUpgrade;
use crate::state::AppState;
use crate::tunnels::Visitor;

/// Close code "try again later" (IANA registry of RFC 6455).
const TRY_AGAIN_LATER: u16 = 1013;

/// Answers the upgrade of a page of a tunnel's origin, whose origin was checked.
pub fn upgrade(ws: SocketUpgrade, state: AppState, client: IpAddr, code: TunnelCode) -> Response {
    super::upgrade(ws, state, client, move |pipe| serve(pipe, client, code))
}

async fn serve(pipe: Pipe, client: IpAddr, code: TunnelCode) {
    match pipe.state.tunnels.visit(&code, client) {
        Ok(visitor) => {
            let timeout = pipe.state.config.hello_timeout();
            pipe.serve(Page { visitor, timeout }, None).await;
        }
        Err(_) => {
            count(&pipe.state, RefusalReason::TunnelVisitors);
            pipe.reject(None, TRY_AGAIN_LATER, "too many visitors")
                .await;
        }
    }
}

/// Shell page.
struct Page {
    visitor: Visitor,
    /// Time within which it must begin its channel.
    timeout: Duration,
}

impl Handler for Page {
    /// An exchange of offer, answer and candidates is some KiB.
    const TEXT_RATE: u32 = 64 * 1024;

    fn outbox(&self) -> &Arc<Outbox> {
        self.visitor.outbox()
    }

    fn text(&self, text: &str) -> Result<(), End> {
        let message = parse(text);
        let message = message.ok_or(End::Close(close::POLICY, "not the protocol".into()))?;
        self.visitor.message(message);
        Ok(())
    }

    async fn frame(&self, frame: Bytes) -> Duration {
        self.visitor.frame(&frame).await
    }

    fn check(&self) -> Result<(), End> {
        match self.visitor.waiting() {
            Some(time) if time > self.timeout => Err(End::Close(close::POLICY, "no hello".into())),
            _ => Ok(()),
        }
    }
}
