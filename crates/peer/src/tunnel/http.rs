//! Requests of HTTP, passed on to the site over a connection for each.

use std::{
    cell::Cell,
    convert::Infallible,
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

/// Body of a request, read from its stream.
struct RequestBody {
    stream: Rc<Stream>,
    /// Instant at which bytes were last read.
    moved: Rc<Cell<Instant>>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = ready!(self.stream.poll_read(context));
        self.moved.set(Instant::now());
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_read()
    }

    fn size_hint(&self) -> SizeHint {
        match self.stream.is_read() {
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
    let moved = Rc::new(Cell::new(Instant::now()));
    let body = RequestBody {
        stream: Rc::clone(stream),
        moved: Rc::clone(&moved),
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
    moved.set(Instant::now());
    let response = tokio::select! {
        response = sender.send_request(request) => response.map_err(|_| ResetReason::Broken)?,
        () = silence(&moved, site.limits.head_timeout) => return Err(ResetReason::TimedOut),
    };
    pass_back(site, stream, response, is_head).await
}

fn request(
    site: &Site,
    head: RequestHead,
    body: RequestBody,
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
    if body.is_end_stream() && fields.remove(CONTENT_LENGTH).is_some_and(|it| it != "0") {
        return Err(refused);
    }
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
