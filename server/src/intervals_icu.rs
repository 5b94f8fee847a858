//! Calls of riders to intervals.icu, passed on unread: its API sends browsers no CORS
//! headers, so pages may not make them.
//!
//! - [`Call`]: the two calls that are passed on.
//! - [`Service`]: the other end.
//!
//! Contract: the rider's key, the query and both bodies are kept in memory only while
//! they are passed on, and never logged; errors hold nothing of them. Each call has a
//! connection of its own, so calls of two riders never share one, and nothing is sent
//! twice. Every call ends within a time limit, whichever side is slow.

mod call;

pub use call::Call;

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use http_body_util::{LengthLimitError, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::config::IntervalsIcuSettings;
use crate::error::ApiError;
use crate::limits::ConnectionPermit;
use crate::tls::{Roots, connector};

/// Maximum size of the head of an answer.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Name under which the server calls.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("gruppetto/", env!("CARGO_PKG_VERSION")));
/// Compressed answers would need a header that is not passed on.
const NOT_COMPRESSED: HeaderValue = HeaderValue::from_static("identity");

/// intervals.icu, as the settings describe it.
pub struct Service {
    host: String,
    port: u16,
    /// Value of the `Host` header.
    authority: HeaderValue,
    /// `None`: plain HTTP, within this machine.
    tls: Option<(TlsConnector, ServerName<'static>)>,
    connect_timeout: Duration,
    timeout: Duration,
    max_upload_bytes: usize,
    max_answer_bytes: usize,
}

/// Failure of a call, without anything of the call itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The upload exceeds its limit.
    #[error("the upload is too large")]
    UploadTooLarge,
    /// The service accepts no connection, or closes it without an answer.
    #[error("the service cannot be reached")]
    Unreachable,
    /// The time limit of the connection or of the call was exceeded.
    #[error("the service did not answer in time")]
    TimedOut,
    /// The answer redirects, is compressed, or exceeds its limit.
    #[error("the answer of the service is not passed on")]
    BadAnswer,
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::UploadTooLarge => Self::UploadTooLarge,
            CallError::Unreachable => Self::ServiceUnreachable,
            CallError::TimedOut => Self::ServiceTimeout,
            CallError::BadAnswer => Self::BadServiceAnswer,
        }
    }
}

impl Service {
    /// Service at the origin of the settings. With https, its certificate must lead to one
    /// of `roots`.
    pub fn new(settings: &IntervalsIcuSettings, roots: &Roots) -> Self {
        let origin = &settings.intervals_icu_url;
        let host = origin.host().to_owned();
        let tls = origin.is_https().then(|| {
            let name = ServerName::try_from(host.clone());
            let name = name.expect("the setting is parsed with this condition");
            (connector(roots), name)
        });
        Self {
            port: origin.port(),
            authority: HeaderValue::try_from(origin.authority())
                .expect("the authority of a URI is a header value"),
            host,
            tls,
            connect_timeout: settings.connect_timeout(),
            timeout: settings.timeout(),
            max_upload_bytes: settings.intervals_icu_max_upload_bytes as usize,
            max_answer_bytes: settings.intervals_icu_max_answer_bytes as usize,
        }
    }

    /// Passes a call on with the headers and the body of `request`, and returns the answer.
    /// Both bodies are streamed. `permit` is released when the call has ended, which is
    /// when the answer has been read, or at the time limit.
    ///
    /// # Errors
    /// [`CallError`]. Once the answer has begun, its body ends with an error instead.
    pub async fn call(
        &self,
        call: Call,
        request: Request,
        permit: ConnectionPermit,
    ) -> Result<Response, CallError> {
        let deadline = Instant::now() + self.timeout;
        let request = self.outgoing(call, request)?;
        let connecting = timeout(self.connect_timeout.min(self.timeout), self.connect());
        let stream = connecting.await.map_err(|_| CallError::TimedOut)?;
        let stream = stream.map_err(|_| CallError::Unreachable)?;
        let (mut sender, connection) = handshake(stream, deadline, permit).await?;
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(|error| match () {
            () if is_too_large(&error) => CallError::UploadTooLarge,
            () if Instant::now() >= deadline => CallError::TimedOut,
            () => CallError::Unreachable,
        })?;
        self.passed_back(answer, connection)
    }

    /// Request to the service: nothing but what the call needs.
    fn outgoing(&self, call: Call, request: Request) -> Result<Request, CallError> {
        let (head, body) = request.into_parts();
        let body = match *call.method() {
            Method::GET => Body::empty(),
            _ if body.size_hint().lower() > self.max_upload_bytes as u64 => {
                return Err(CallError::UploadTooLarge);
            }
            _ => Body::new(Limited::new(body, self.max_upload_bytes)),
        };
        let (method, target) = call.into_parts();
        let mut outgoing = Request::new(body);
        *outgoing.method_mut() = method;
        *outgoing.uri_mut() = target.into();
        let headers = outgoing.headers_mut();
        headers.insert(header::HOST, self.authority.clone());
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.insert(header::ACCEPT_ENCODING, NOT_COMPRESSED);
        for name in [header::ACCEPT, header::CONTENT_TYPE, header::AUTHORIZATION] {
            if let Some(value) = head.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        if let Some(key) = headers.get_mut(header::AUTHORIZATION) {
            key.set_sensitive(true);
        }
        Ok(outgoing)
    }

    /// Response to the rider: status, type and body of the answer.
    fn passed_back(
        &self,
        answer: Response<Incoming>,
        connection: JoinSet<()>,
    ) -> Result<Response, CallError> {
        let (head, body) = answer.into_parts();
        let status = head.status;
        let is_final = status.is_success() || status.is_client_error() || status.is_server_error();
        let is_compressed = head.headers.contains_key(header::CONTENT_ENCODING);
        let is_too_large = body.size_hint().lower() > self.max_answer_bytes as u64;
        if !is_final || is_compressed || is_too_large {
            return Err(CallError::BadAnswer);
        }
        let mut response = Response::new(Body::new(AnswerBody {
            body: Limited::new(body, self.max_answer_bytes),
            _connection: connection,
        }));
        *response.status_mut() = status;
        for name in [header::CONTENT_TYPE, header::RETRY_AFTER] {
            if let Some(value) = head.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        Ok(response)
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = self.connect_tcp().await?;
        Ok(match &self.tls {
            Some((tls, name)) => Box::new(tls.connect(name.clone(), stream).await?),
            None => Box::new(stream),
        })
    }

    /// Connects to the first address that accepts. Each gets an equal share of the time that is
    /// left, so that one that does not answer leaves some to the next.
    async fn connect_tcp(&self) -> io::Result<TcpStream> {
        let deadline = Instant::now() + self.connect_timeout;
        let addresses: Vec<_> = lookup_host((self.host.as_str(), self.port))
            .await?
            .collect();
        let mut failure = io::ErrorKind::NotFound.into();
        for (left, address) in (1..=addresses.len() as u32).rev().zip(addresses) {
            let share = deadline.saturating_duration_since(Instant::now()) / left;
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(failure)
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Service").field(&self.host).finish()
    }
}

/// Connection to the service, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Starts HTTP on a connection. A task drives it until it ends, `deadline` or the task is
/// dropped, and then releases `permit`.
async fn handshake(
    stream: Box<dyn Stream>,
    deadline: Instant,
    permit: ConnectionPermit,
) -> Result<(SendRequest<Body>, JoinSet<()>), CallError> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD_BYTES);
    let (sender, connection) = builder
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| CallError::Unreachable)?;
    let mut task = JoinSet::new();
    task.spawn(async move {
        // Errors reach the sender and the body of the answer.
        let _ = timeout_at(deadline, connection).await;
        drop(permit);
    });
    Ok((sender, task))
}

/// Returns `true` if the body of a request exceeded its limit.
fn is_too_large(error: &hyper::Error) -> bool {
    let first: Option<&(dyn Error + 'static)> = Some(error);
    std::iter::successors(first, |error| (*error).source()).any(|it| it.is::<LengthLimitError>())
}

/// Body of an answer. Dropping it closes the connection to the service.
struct AnswerBody {
    body: Limited<Incoming>,
    _connection: JoinSet<()>,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
