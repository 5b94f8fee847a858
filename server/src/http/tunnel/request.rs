//! Requests of pages of a tunnel's site, for browsers without a shell page or service worker.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::tunnel::head::{Kind, ResponseHead};
use ::tunnel::identity::{AccessToken, TunnelCode};
use ::tunnel::multiplexer::ResetReason;
use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::{Notice, TunnelSite, cookie, fields, files, websocket};
use crate::error::RefusalReason;
use crate::limits::ClientAddress;
use crate::state::AppState;
use crate::tunnels::{Failure, RelayError, RelayStream, RelayWriter, Standing};

/// Field that says what a browser needs a response for
/// (<https://www.w3.org/TR/fetch-metadata/>).
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");

/// Answers a request at a tunnel's origin: with the shell page, or with what the peer answers.
pub async fn answer(
    State(site): State<TunnelSite>,
    Extension(code): Extension<TunnelCode>,
    client: ClientAddress,
    request: Request,
) -> Response {
    if is_navigation(request.method(), request.headers()) {
        return files::shell(&site, request.headers()).await;
    }
    let response = match relay(&site, &code, client.0, request).await {
        Ok(response) => response,
        Err(notice) => notice.into_response(),
    };
    let metrics = site.state.metrics.tunnels();
    metrics.count_request(response.status().as_u16());
    response
}

/// Returns `true` if a tab wants the response. Browsers that do not say what they want it for get
/// the shell page until they have the token.
fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let wants_page = || {
        let accepted = headers.get(header::ACCEPT).map(|it| it.as_bytes());
        let accepted = String::from_utf8_lossy(accepted.unwrap_or_default());
        accepted.contains("text/html") && !cookie::has_token(headers)
    };
    let is_tab = match headers.get(SEC_FETCH_DEST) {
        Some(destination) => destination == "document",
        None => wants_page(),
    };
    *method == Method::GET && is_tab
}

/// Checks that a request does not come from a page of another origin.
///
/// # Errors
/// [`Notice::ForeignOrigin`].
pub fn check_origin(
    site: &TunnelSite,
    code: &TunnelCode,
    headers: &HeaderMap,
) -> Result<(), Notice> {
    let is_own = match headers.get(SEC_FETCH_SITE) {
        Some(from) => from == "same-origin" || from == "none",
        // Forms of pages without referrers say `null`, but then browsers say the above, too.
        None => headers
            .get(header::ORIGIN)
            .is_none_or(|it| it.as_bytes() == site.origin(code).as_bytes()),
    };
    match is_own {
        true => Ok(()),
        false => Err(Notice::ForeignOrigin),
    }
}

async fn relay(
    site: &TunnelSite,
    code: &TunnelCode,
    client: IpAddr,
    request: Request,
) -> Result<Response, Notice> {
    let headers = request.headers();
    check_origin(site, code, headers)?;
    if headers.get(SERVICE_WORKER).is_some_and(|it| it == "script") {
        return Err(Notice::ServiceWorker);
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Notice::Method);
    }
    let token = token(&site.state, code, headers)?;
    if websocket::is_upgrade(&request) {
        return websocket::relay(&site.state, code, &token, client, request).await;
    }
    let (parts, body) = request.into_parts();
    let head = fields::request_head(&parts, Kind::Http);
    let has_body = !body.is_end_stream();
    let tunnels = &site.state.tunnels;
    let stream = tunnels.relay(code, &token, client, &head, has_body);
    let mut stream = stream.map_err(Notice::from)?;
    let upload = has_body.then(|| Upload::start(stream.writer(), body));
    let head = response_head(&site.state, &mut stream).await?;
    response(&site.state, head, stream, upload)
}

/// Token of the request's cookie, if it is that of the tunnel.
fn token(state: &AppState, code: &TunnelCode, headers: &HeaderMap) -> Result<AccessToken, Notice> {
    let (hash, missing) = match state.tunnels.standing(code) {
        Standing::Online(hash) => (hash, None),
        Standing::Offline(hash) => (hash, Some(Notice::Offline)),
        // Whether the token is right is not known.
        Standing::Unknown if cookie::has_token(headers) => return Err(Notice::Offline),
        Standing::Unknown => return Err(Notice::NoToken),
    };
    let token = cookie::token_with(headers, &hash).ok_or(Notice::NoToken)?;
    missing.map_or(Ok(token), Err)
}

/// Head of the response, if it comes in time. While the peer takes the body, time does not count.
pub(super) async fn response_head(
    state: &AppState,
    stream: &mut RelayStream,
) -> Result<ResponseHead, Notice> {
    let limit = state.config.tunnels.response_timeout();
    loop {
        if let Ok(head) = timeout(limit, stream.head()).await {
            return head.map_err(Notice::from);
        }
        let idle = stream.written_at().map(|at| at.elapsed());
        if idle.is_none_or(|it| it >= limit) {
            stream.cancel(ResetReason::TimedOut);
            return Err(Notice::TimedOut);
        }
    }
}

/// Response with the body that the peer sends.
pub(super) fn response(
    state: &AppState,
    head: ResponseHead,
    stream: RelayStream,
    upload: Option<Upload>,
) -> Result<Response, Notice> {
    let status = StatusCode::from_u16(head.status);
    let status = status.ok().filter(|it| !it.is_informational());
    let status = status.ok_or(Notice::BadAnswer)?;
    let idle = state.config.tunnels.idle_timeout();
    let body = ResponseBody {
        stream,
        idle,
        timer: Box::pin(sleep(idle)),
        has_ended: false,
        _upload: upload,
    };
    let mut response = Response::new(Body::from_stream(body));
    *response.status_mut() = status;
    *response.headers_mut() = fields::response_fields(&head);
    Ok(response)
}

/// Task that sends a request's body to the peer. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Upload(JoinHandle<()>);

impl Upload {
    fn start(writer: RelayWriter, body: Body) -> Self {
        Self(tokio::spawn(upload(writer, body)))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn upload(writer: RelayWriter, mut body: Body) {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        match frame {
            // Trailers are not passed on.
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data()
                    && writer.write(&bytes).await.is_err()
                {
                    return;
                }
            }
            Some(Err(_)) => return writer.cancel(),
            None => return writer.finish(),
        }
    }
}

/// Body of a response. An error in it breaks the browser's connection, so that nothing is taken
/// for complete that is not.
struct ResponseBody {
    stream: RelayStream,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    has_ended: bool,
    _upload: Option<Upload>,
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        match self.stream.poll_body(context) {
            Poll::Ready(next) => {
                let deadline = Instant::now() + self.idle;
                self.timer.as_mut().reset(deadline);
                self.has_ended = !matches!(next, Some(Ok(_)));
                Poll::Ready(next)
            }
            Poll::Pending if self.timer.as_mut().poll(context).is_ready() => {
                self.has_ended = true;
                self.stream.cancel(ResetReason::TimedOut);
                Poll::Ready(Some(Err(Failure::TimedOut)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl From<RelayError> for Notice {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Offline => Self::Offline,
            RelayError::TooManyVisitors => Self::Busy(RefusalReason::TunnelVisitors),
            RelayError::TooManyStreams => Self::Busy(RefusalReason::TunnelStreams),
            RelayError::BadHead => Self::BadRequest,
        }
    }
}

impl From<Failure> for Notice {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Forbidden => Self::NoToken,
            Failure::Busy => Self::Busy(RefusalReason::TunnelVisitors),
            Failure::Offline => Self::Offline,
            Failure::Unreachable => Self::Unreachable,
            Failure::TimedOut => Self::TimedOut,
            Failure::Refused | Failure::Broken => Self::BadAnswer,
        }
    }
}

#[cfg(test)]
mod tests {
    use ::tunnel::identity::AccessToken;
    use axum::http::HeaderValue;

    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (HeaderName::from_static(name), value)
        };
        fields.iter().map(field).collect()
    }

    #[test]
    fn only_tabs_get_the_shell_page() {
        let html = ("accept", "text/html,*/*;q=0.8");
        let token = cookie::set(&AccessToken::new([1; 20]), false);
        for (fields, is_tab) in [
            (headers(&[("sec-fetch-dest", "document"), html]), true),
            (
                headers(&[("sec-fetch-dest", "document"), ("cookie", &token)]),
                true,
            ),
            (headers(&[("sec-fetch-dest", "iframe"), html]), false),
            (headers(&[("sec-fetch-dest", "image")]), false),
            (headers(&[html]), true),
            (headers(&[html, ("cookie", &token)]), false),
            (headers(&[]), false),
        ] {
            assert_eq!(is_navigation(&Method::GET, &fields), is_tab, "{fields:?}");
            assert!(!is_navigation(&Method::POST, &fields));
        }
    }
}
