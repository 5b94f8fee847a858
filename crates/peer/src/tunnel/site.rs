//! The local web site, as it is shown to visitors.

use std::{
    cell::RefCell,
    io::ErrorKind,
    rc::Rc,
    time::{Duration, Instant},
};

use clock::Moment;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tunnel::{
    head::{Kind, RequestHead, ResponseHead},
    identity::AccessToken,
    multiplexer::{Limits, ResetReason},
};

use super::{
    access::{Access, Denial, Guesses},
    addresses::SiteUrl,
    fields::Origins,
    http,
    stream::Stream,
    web_socket,
};
use crate::server;

/// Connections to the site at a time.
const MAX_CONNECTIONS: usize = 512;
/// WebSockets at a time: each may keep one message of 16 MiB in each direction.
const MAX_WEB_SOCKETS: usize = 64;
/// Time for the rest of a request whose response is complete.
const REST_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits of a tunnel.
#[derive(Clone, Copy, Debug)]
pub struct TunnelLimits {
    /// Visitors at a time.
    pub max_visitors: usize,
    /// Requests of one channel at a time.
    pub max_streams: u32,
    /// Largest head of a request in bytes.
    pub max_header: usize,
    /// Time within which the site must begin its response, from the last byte of the request.
    pub head_timeout: Duration,
    /// Time after which a request ends on which nothing moves.
    pub idle_timeout: Duration,
}

impl Default for TunnelLimits {
    fn default() -> Self {
        Self {
            max_visitors: 32,
            max_streams: 128,
            max_header: tunnel::head::MAX_HEAD,
            head_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(600),
        }
    }
}

/// The site with everything that serving it needs. All channels share it.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) url: SiteUrl,
    pub(super) token: AccessToken,
    pub(super) limits: TunnelLimits,
    access: Access,
    /// Origin of the tunnel, which the server assigns.
    origin: RefCell<String>,
    connections: Semaphore,
    web_sockets: Semaphore,
    started: Instant,
}

impl Site {
    pub(super) fn new(
        url: SiteUrl,
        token: AccessToken,
        access: Access,
        limits: TunnelLimits,
    ) -> Self {
        Self {
            url,
            token,
            limits,
            access,
            origin: RefCell::new(String::new()),
            connections: Semaphore::new(MAX_CONNECTIONS),
            web_sockets: Semaphore::new(MAX_WEB_SOCKETS),
            started: Instant::now(),
        }
    }

    /// Sets the origin of the tunnel.
    pub(super) fn set_origin(&self, origin: &str) {
        origin.clone_into(&mut self.origin.borrow_mut());
    }

    /// Both addresses of the site.
    pub(super) fn origins(&self) -> Origins {
        Origins {
            site: self.url.clone(),
            tunnel: self.origin.borrow().clone(),
        }
    }

    /// True if the site gets the field `Authorization`.
    pub(super) fn passes_authorization(&self) -> bool {
        !self.access.takes_authorization()
    }

    /// Limits of the multiplexer of a channel.
    pub(super) fn channel_limits(&self) -> Limits {
        Limits {
            max_streams: self.limits.max_streams,
            ..Limits::default()
        }
    }

    /// Serves one stream to its end.
    pub(super) async fn serve(
        self: Rc<Self>,
        stream: Stream,
        head: Vec<u8>,
        guesses: Rc<RefCell<Guesses>>,
    ) {
        if head.len() > self.limits.max_header {
            return answer(&stream, 431, &[], "The head of this request is too large.").await;
        }
        let Ok(head) = RequestHead::decode(&head) else {
            return stream.reset(ResetReason::Refused);
        };
        let now = Moment::from_origin(self.started.elapsed());
        let checked = self.access.check(now, &mut guesses.borrow_mut(), &head);
        if let Err(denial) = checked {
            return self.deny(&stream, denial).await;
        }
        match head.kind {
            Kind::Http => http::serve(&self, Rc::new(stream), head).await,
            Kind::WebSocket => web_socket::serve(&self, &stream, head).await,
        }
    }

    async fn deny(&self, stream: &Stream, denial: Denial) {
        match denial {
            Denial::Method => {
                let allowed = match self.access.is_read_only {
                    true => "GET, HEAD",
                    false => "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
                };
                let text = "This page can be read only.";
                answer(stream, 405, &[("allow", allowed)], text).await;
            }
            Denial::Credentials => {
                let challenge = "Basic realm=\"Shared page\", charset=\"UTF-8\"";
                let fields = [("www-authenticate", challenge)];
                answer(
                    stream,
                    401,
                    &fields,
                    "This page needs a name and a password.",
                )
                .await;
            }
            Denial::TooManyGuesses => {
                let text = "Too many wrong passwords. Try again in a minute.";
                answer(stream, 429, &[("retry-after", "60")], text).await;
            }
        }
    }

    /// Waits until another connection is allowed.
    ///
    /// # Errors
    /// The reason for the visitor, if that takes too long.
    pub(super) async fn permit(&self, kind: Kind) -> Result<SemaphorePermit<'_>, ResetReason> {
        let permits = match kind {
            Kind::Http => &self.connections,
            Kind::WebSocket => &self.web_sockets,
        };
        let permit = timeout(self.limits.head_timeout, permits.acquire()).await;
        let permit = permit.map_err(|_| ResetReason::TimedOut)?;
        permit.map_err(|_| ResetReason::Broken)
    }

    /// Connects to the site.
    ///
    /// # Errors
    /// The reason for the visitor, which does not name the site's address.
    pub(super) async fn connect(&self) -> Result<Box<dyn server::Stream>, ResetReason> {
        let connected = self.url.server().connect().await;
        connected.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => ResetReason::TimedOut,
            _ => ResetReason::Unreachable,
        })
    }
}

/// Answers a request without the site.
async fn answer(stream: &Stream, status: u16, fields: &[(&str, &str)], text: &str) {
    let text = format!("{text}\n");
    let length = text.len().to_string();
    let own = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", length.as_str()),
        ("cache-control", "no-store"),
    ];
    let fields = own.iter().chain(fields);
    let fields = fields.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let head = ResponseHead {
        status,
        fields: fields.collect(),
    };
    if stream.respond(&head, true).is_err() {
        return stream.reset(ResetReason::Refused);
    }
    stream.write(text.as_bytes()).await;
    stream.finish();
    skip_rest(stream).await;
}

/// Reads the rest of a request whose response is complete, for a while: a reset that overtakes the
/// response would cut it short.
pub(super) async fn skip_rest(stream: &Stream) {
    let _ = timeout(REST_TIMEOUT, async {
        while stream.read().await.is_some() {}
    })
    .await;
}
