//! Requests of HTTP, passed on to the site over a connection for each.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    client::conn::http1,
    header::{CONNECTION, CONTENT_LENGTH, HeaderValue},
};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tunnel::{
    head::{Kind, RequestHead, ResponseHead},
    multiplexer::ResetReason,
};

use super::{
    fields,
    site::{Site, skip_rest},
    stream::Stream,
};

/// Progress of a request's body.
struct Progress {
    /// Instant at which bytes were last read.
    moved: Cell<Instant>,
    /// True if the body does not have the length that its head states.
    is_malformed: Cell<bool>,
}

/// Body of a request, read from its stream.
struct RequestBody {
    stream: Rc<Stream>,
    progress: Rc<Progress>,
    /// Bytes that must follow, if the head states it.
    missing: Option<u64>,
}

/// The body does not have the length that its head states.
#[derive(Debug, Error)]
#[error("the body does not have its length")]
struct LengthError;

impl Body for RequestBody {
    type Data = Bytes;
    type Error = LengthError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, LengthError>>> {
        let bytes = ready!(self.stream.poll_read(context));
        self.progress.moved.set(Instant::now());
        let length = bytes.as_ref().map_or(0, Vec::len) as u64;
        let missing = self.missing.map(|missing| missing.checked_sub(length));
        let is_malformed = match missing {
            Some(Some(missing)) => {
                self.missing = Some(missing);
                bytes.is_none() && missing > 0
            }
            Some(None) => true,
            None => false,
        };
        if is_malformed {
            self.progress.is_malformed.set(true);
            return Poll::Ready(Some(Err(LengthError)));
        }
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_read() && self.missing.is_none_or(|missing| missing == 0)
    }

    fn size_hint(&self) -> SizeHint {
        match self.is_end_stream() {
            true => SizeHint::with_exact(0),
            false => SizeHint::default(),
        }
    }
}

/// Task that ends with its owner.
struct Background(JoinHandle<()>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Passes a request on and its response back.
pub(super) async fn serve(site: &Site, stream: Rc<Stream>, head: RequestHead) {
    if let Err(reason) = exchange(site, &stream, head).await {
        return stream.reset(reason);
    }
    stream.finish();
    skip_rest(&stream).await;
}

async fn exchange(site: &Site, stream: &Rc<Stream>, head: RequestHead) -> Result<(), ResetReason> {
    let progress = Rc::new(Progress {
        moved: Cell::new(Instant::now()),
        is_malformed: Cell::new(false),
    });
    let body = RequestBody {
        stream: Rc::clone(stream),
        progress: Rc::clone(&progress),
        missing: None,
    };
    let is_head = head.method == "HEAD";
    let request = request(site, head, body)?;
    let _permit = site.permit(Kind::Http).await?;
    let io = TokioIo::new(site.connect().await?);
    let (mut sender, connection) = http1::handshake(io)
        .await
        .map_err(|_| ResetReason::Broken)?;
    let _connection = Background(tokio::task::spawn_local(async move {
        // An error ends the response, too.
        let _ = connection.await;
    }));
    progress.moved.set(Instant::now());
    let response = tokio::select! {
        response = sender.send_request(request) => response.map_err(|_| {
            match progress.is_malformed.get() {
                true => ResetReason::Refused,
                false => ResetReason::Broken,
            }
        })?,
        () = silence(&progress.moved, site.limits.head_timeout) => {
            return Err(ResetReason::TimedOut);
        }
    };
    pass_back(site, stream, response, is_head).await
}

fn request(
    site: &Site,
    head: RequestHead,
    mut body: RequestBody,
) -> Result<Request<RequestBody>, ResetReason> {
    let refused = ResetReason::Refused;
    let method = Method::from_bytes(head.method.as_bytes()).map_err(|_| refused)?;
    let target: Uri = head.target.parse().map_err(|_| refused)?;
    // Only the path of the site, never another server.
    if target.scheme().is_some() || target.authority().is_some() {
        return Err(refused);
    }
    let mut fields = fields::of_request(&head.fields, &site.origins(), site.passes_authorization())
        .map_err(|_| refused)?;
    let length = fields.get(CONTENT_LENGTH);
    let length = length.map(|it| it.to_str().unwrap_or_default().parse::<u64>());
    let length = length.transpose().map_err(|_| refused)?;
    if body.is_end_stream() {
        if length.is_some_and(|length| length > 0) {
            return Err(refused);
        }
        // RFC 9110, section 8.6: methods that usually have a body say that there is none.
        if matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            fields.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    }
    body.missing = length;
    fields.insert(CONNECTION, HeaderValue::from_static("close"));
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target;
    *request.headers_mut() = fields;
    Ok(request)
}

/// Waits until no byte of the request has moved for a time.
async fn silence(moved: &Cell<Instant>, limit: Duration) {
    loop {
        let end = moved.get() + limit;
        if end <= Instant::now() {
            return;
        }
        sleep_until(end).await;
    }
}

async fn pass_back(
    site: &Site,
    stream: &Stream,
    response: Response<Incoming>,
    is_head: bool,
) -> Result<(), ResetReason> {
    let status = response.status();
    if status.is_informational() {
        // A switch of protocols that was not asked for.
        return Err(ResetReason::Broken);
    }
    // RFC 9110, section 6.4.1.
    let has_no_body =
        is_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let head = ResponseHead {
        status: status.as_u16(),
        fields: fields::of_response(response.headers(), &site.origins()),
    };
    let mut body = response.into_body();
    let has_body = !has_no_body && !body.is_end_stream();
    stream
        .respond(&head, has_body)
        .map_err(|_| ResetReason::Refused)?;
    if !has_body {
        return Ok(());
    }
    let idle = site.limits.idle_timeout;
    let timed_out = |_| ResetReason::TimedOut;
    while let Some(frame) = timeout(idle, body.frame()).await.map_err(timed_out)? {
        let frame = frame.map_err(|_| ResetReason::Broken)?;
        // Trailers are not passed on.
        if let Ok(bytes) = frame.into_data() {
            timeout(idle, stream.write(&bytes))
                .await
                .map_err(timed_out)?;
        }
    }
    Ok(())
}
