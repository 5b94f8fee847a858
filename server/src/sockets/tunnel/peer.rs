//! `/api/tunnel`: the program beside a web site.

use std::sync::Arc;
use std::time::Duration;

use ::tunnel::control::{RefusedReason, ToPeer, parse, to_text};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use protocol::signaling::close;

use super::pipe::{End, Handler, Pipe, count};
use crate::error::{ApiError, RefusalReason};
use crate::hub::outbox::Outbox;
use crate::limits::ClientAddress;
use crate::sockets::SocketUpgrade;
use crate::state::AppState;
use crate::tunnels::PeerSession;

/// Answers the upgrade at `/api/tunnel`. Pages have nothing to do here: browsers send the origin of
/// theirs, programs none.
pub async fn upgrade(
    State(state): State<AppState>,
    client: ClientAddress,
    headers: HeaderMap,
    ws: SocketUpgrade,
) -> Response {
    if headers.contains_key(header::ORIGIN) {
        return ApiError::ForeignOrigin.into_response();
    }
    super::upgrade(ws, state, client.0, move |pipe| serve(pipe, client))
}

async fn serve(mut pipe: Pipe, client: ClientAddress) {
    let Some(text) = pipe.first_text().await else {
        count(&pipe.state, RefusalReason::NoHello);
        return refuse(pipe, RefusedReason::Timeout).await;
    };
    let session = match parse(&text) {
        Some(open) => pipe.state.tunnels.connect(open, client.0),
        None => Err(RefusedReason::Malformed),
    };
    // It contains the key.
    drop(text);
    match session {
        Ok((session, frames)) => pipe.serve(session, Some(frames)).await,
        Err(reason) => {
            count(&pipe.state, label(reason));
            refuse(pipe, reason).await;
        }
    }
}

async fn refuse(pipe: Pipe, reason: RefusedReason) {
    let message = match reason {
        RefusedReason::Disabled => "This server has no tunnels.",
        RefusedReason::Full => "The server has too many tunnels. Try again later.",
        RefusedReason::Version => "This program and the server have different versions.",
        RefusedReason::Malformed => "The server does not understand this program.",
        RefusedReason::Replaced => "A newer program with the same key has replaced this one.",
        RefusedReason::Timeout => "The first message did not come in time.",
    };
    let message = message.to_owned();
    let text = to_text(&ToPeer::Refused { reason, message });
    pipe.reject(Some(text), close::REFUSED, "refused").await;
}

fn label(reason: RefusedReason) -> RefusalReason {
    match reason {
        RefusedReason::Disabled | RefusedReason::Replaced => RefusalReason::Forbidden,
        RefusedReason::Full => RefusalReason::Tunnels,
        RefusedReason::Version => RefusalReason::UnsupportedVersion,
        RefusedReason::Malformed => RefusalReason::BadMessage,
        RefusedReason::Timeout => RefusalReason::NoHello,
    }
}

impl Handler for PeerSession {
    /// Signals for all visitors of a tunnel.
    const TEXT_RATE: u32 = 1024 * 1024;

    fn outbox(&self) -> &Arc<Outbox> {
        self.outbox()
    }

    fn text(&self, text: &str) -> Result<(), End> {
        let is_taken = parse(text).is_some_and(|message| self.message(message));
        match is_taken {
            true => Ok(()),
            false => Err(End::Close(close::POLICY, "not the protocol".into())),
        }
    }

    async fn frame(&self, frame: Bytes) -> Duration {
        PeerSession::frame(self, &frame)
    }
}
