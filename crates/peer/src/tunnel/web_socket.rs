//! WebSockets of a page, passed on to the site.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::{
    Request,
    header::{self, HeaderValue},
};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message as WsMessage,
        handshake::client::generate_key,
        protocol::{CloseFrame, WebSocketConfig},
    },
};
use tunnel::{
    head::{Kind, RequestHead, ResponseHead},
    messages::{self, Decoder, Message},
    multiplexer::ResetReason,
};

use super::{
    fields,
    site::{Site, skip_rest},
    stream::Stream,
};
use crate::server;

/// Time for the answer to a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connection to the site.
type Socket = WebSocketStream<Box<dyn server::Stream>>;

/// Passes a WebSocket on, from its handshake to its close.
pub(super) async fn serve(site: &Site, stream: &Stream, head: RequestHead) {
    match exchange(site, stream, head).await {
        Ok(()) => {
            stream.finish();
            skip_rest(stream).await;
        }
        Err(reason) => stream.reset(reason),
    }
}

async fn exchange(site: &Site, stream: &Stream, head: RequestHead) -> Result<(), ResetReason> {
    let request = request(site, &head)?;
    let _permit = site.permit(Kind::WebSocket).await?;
    let io = site.connect().await?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(messages::MAX_MESSAGE))
        .max_frame_size(Some(messages::MAX_MESSAGE));
    let handshake = client_async_with_config(request, io, Some(limits));
    let handshake = timeout(site.limits.head_timeout, handshake).await;
    match handshake.map_err(|_| ResetReason::TimedOut)? {
        Ok((socket, response)) => {
            respond(site, stream, &response, true)?;
            pass_on(site, stream, socket).await
        }
        // The site's answer is no WebSocket.
        Err(tungstenite::Error::Http(mut response)) => {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            let body = response.body_mut().take().unwrap_or_default();
            respond(site, stream, &response, !body.is_empty())?;
            stream.write(&body).await;
            Ok(())
        }
        Err(_) => Err(ResetReason::Broken),
    }
}

/// Handshake of RFC 6455, section 4.1, without extensions.
fn request(site: &Site, head: &RequestHead) -> Result<Request<()>, ResetReason> {
    let refused = ResetReason::Refused;
    let origins = site.origins();
    let mut fields = fields::of_request(&head.fields, &origins, site.passes_authorization())
        .map_err(|_| refused)?;
    fields.remove(header::CONTENT_LENGTH);
    let key = HeaderValue::from_str(&generate_key()).map_err(|_| refused)?;
    fields.insert(header::SEC_WEBSOCKET_KEY, key);
    for (name, value) in [
        (header::CONNECTION, "Upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_VERSION, "13"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    let server = site.url.server();
    let scheme = if server.has_tls() { "wss" } else { "ws" };
    let url = format!("{scheme}://{}{}", server.host_field(), head.target);
    let mut request = Request::new(());
    *request.uri_mut() = url.parse().map_err(|_| refused)?;
    *request.headers_mut() = fields;
    Ok(request)
}

fn respond(
    site: &Site,
    stream: &Stream,
    response: &hyper::Response<Option<Vec<u8>>>,
    has_body: bool,
) -> Result<(), ResetReason> {
    let head = ResponseHead {
        status: response.status().as_u16(),
        fields: fields::of_response(response.headers(), &site.origins()),
    };
    stream
        .respond(&head, has_body)
        .map_err(|_| ResetReason::Refused)
}

/// Passes messages on in both directions, until both sides have closed.
async fn pass_on(site: &Site, stream: &Stream, socket: Socket) -> Result<(), ResetReason> {
    let idle = site.limits.idle_timeout;
    let (mut sink, mut messages) = socket.split();
    let to_site = async {
        let mut decoder = Decoder::default();
        loop {
            while let Some(message) = decoder.next().map_err(|_| ResetReason::Refused)? {
                let is_close = matches!(message, Message::Close(..));
                let sent = timeout(idle, sink.send(to_web_socket(message))).await;
                sent.map_err(|_| ResetReason::TimedOut)?
                    .map_err(|_| ResetReason::Broken)?;
                if is_close {
                    return Ok(());
                }
            }
            match timeout(idle, stream.read()).await {
                Ok(Some(bytes)) => decoder.push(&bytes),
                // The page has gone without a close.
                Ok(None) => return Err(ResetReason::Cancelled),
                Err(_) => return Err(ResetReason::TimedOut),
            }
        }
    };
    let to_visitor = async {
        loop {
            let next = timeout(idle, messages.next()).await;
            let message = match next.map_err(|_| ResetReason::TimedOut)? {
                Some(Ok(WsMessage::Text(text))) => Message::Text(text.to_string()),
                Some(Ok(WsMessage::Binary(bytes))) => Message::Binary(bytes.to_vec()),
                Some(Ok(WsMessage::Close(frame))) => close(frame),
                // Pings are answered by the library.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(ResetReason::Broken),
            };
            let is_close = matches!(message, Message::Close(..));
            let bytes = messages::encode(&message);
            let written = timeout(idle, stream.write(&bytes)).await;
            written.map_err(|_| ResetReason::TimedOut)?;
            if is_close {
                // Sends the library's answer.
                let _ = timeout(CLOSE_TIMEOUT, messages.next()).await;
                return Ok(());
            }
        }
    };
    tokio::pin!(to_site, to_visitor);
    tokio::select! {
        ended = &mut to_site => {
            ended?;
            // The site answers the close, unless it is broken.
            let answered = timeout(CLOSE_TIMEOUT, to_visitor).await;
            answered.unwrap_or(Ok(()))
        }
        ended = &mut to_visitor => ended,
    }
}

fn close(frame: Option<CloseFrame>) -> Message {
    match frame {
        Some(frame) => Message::Close(Some(frame.code.into()), frame.reason.to_string()),
        None => Message::Close(None, String::new()),
    }
}

fn to_web_socket(message: Message) -> WsMessage {
    match message {
        Message::Text(text) => WsMessage::text(text),
        Message::Binary(bytes) => WsMessage::binary(bytes),
        Message::Close(code, reason) => WsMessage::Close(code.map(|code| CloseFrame {
            code: code.into(),
            reason: reason.into(),
        })),
    }
}
