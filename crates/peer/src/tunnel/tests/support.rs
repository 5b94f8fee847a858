//! A visitor with a channel in memory, and sites.

use std::{
    collections::HashMap,
    future::Future,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use axum::Router;
use tokio::{net::TcpListener, sync::Notify, task::LocalSet, time::timeout};
use tunnel::{
    head::{Kind, RequestHead, ResponseHead},
    identity::AccessToken,
    multiplexer::{Event, Limits, Multiplexer, ProtocolError, Refusal, ResetReason, StreamId},
};

use crate::tunnel::{
    access::Access,
    channel::Channel,
    site::{Site, TunnelLimits},
};

/// Timeout of everything that a test awaits. It is only reached when a test fails.
const TIMEOUT: Duration = Duration::from_secs(60);
pub const ORIGIN: &str = "https://abcdefghij234567.tunnel.example";

/// What has come back on a stream.
#[derive(Debug, Default)]
pub struct Answer {
    pub head: Option<ResponseHead>,
    pub body: Vec<u8>,
    pub has_ended: bool,
    pub reset: Option<ResetReason>,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |head| head.status)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let fields = &self.head.as_ref()?.fields;
        let (_, value) = fields.iter().find(|(other, _)| other == name)?;
        std::str::from_utf8(value).ok()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn is_over(&self) -> bool {
        self.has_ended || self.reset.is_some()
    }
}

/// Body that is sent, as far as it was accepted.
struct Upload {
    bytes: Vec<u8>,
    sent: usize,
}

/// Visitor with its channel.
pub struct Visitor {
    pub multiplexer: Multiplexer,
    pub channel: Channel,
    output: Rc<Notify>,
    pub answers: HashMap<StreamId, Answer>,
    uploads: HashMap<StreamId, Upload>,
    pub refused: Option<Refusal>,
    pub error: Option<ProtocolError>,
    /// Bodies are read while this is set.
    pub reads: bool,
    /// Bytes that came and were not read.
    pub unread: Vec<(StreamId, usize)>,
}

pub fn token() -> AccessToken {
    AccessToken::new([7; 20])
}

/// The site at an address, as a channel serves it.
pub fn site(address: SocketAddr, access: Access, limits: TunnelLimits) -> Rc<Site> {
    let url = format!("http://{address}").parse().unwrap();
    let site = Site::new(url, token(), access, limits);
    site.set_origin(ORIGIN);
    Rc::new(site)
}

impl Visitor {
    /// Visitor of a site without restrictions.
    pub fn of(address: SocketAddr) -> Self {
        Self::new(
            site(address, Access::default(), TunnelLimits::default()),
            &token(),
        )
    }

    pub fn new(site: Rc<Site>, token: &AccessToken) -> Self {
        let output = Rc::new(Notify::new());
        Self {
            multiplexer: Multiplexer::visitor(Limits::default(), token),
            channel: Channel::new(site, Rc::clone(&output)),
            output,
            answers: HashMap::new(),
            uploads: HashMap::new(),
            refused: None,
            error: None,
            reads: true,
            unread: Vec::new(),
        }
    }

    /// Opens a request without a body.
    pub fn get(&mut self, target: &str) -> StreamId {
        self.open("GET", target, &[], None)
    }

    pub fn open(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> StreamId {
        let head = head(Kind::Http, method, target, fields);
        self.open_head(&head, body)
    }

    pub fn open_head(&mut self, head: &RequestHead, body: Option<&[u8]>) -> StreamId {
        let head = head.encode().unwrap();
        let stream = self.multiplexer.open(&head, body.is_some()).unwrap();
        self.answers.insert(stream, Answer::default());
        if let Some(body) = body {
            self.upload(stream, body.to_vec());
        }
        stream
    }

    /// Sends a body, and ends it.
    pub fn upload(&mut self, stream: StreamId, bytes: Vec<u8>) {
        self.uploads.insert(stream, Upload { bytes, sent: 0 });
    }

    /// Bytes of a body that were accepted.
    pub fn uploaded(&self, stream: StreamId) -> usize {
        let upload = self.uploads.get(&stream);
        upload.map_or(usize::MAX, |upload| upload.sent)
    }

    /// Reads everything that was kept back, and what follows.
    pub fn read_all(&mut self) {
        self.reads = true;
        for (stream, bytes) in std::mem::take(&mut self.unread) {
            self.multiplexer.consumed(stream, bytes);
        }
    }

    /// Passes messages on until a condition is true.
    pub async fn until(&mut self, what: &str, is_true: impl Fn(&Self) -> bool) {
        let output = Rc::clone(&self.output);
        let run = async {
            loop {
                self.exchange();
                if is_true(self) {
                    return;
                }
                output.notified().await;
            }
        };
        if timeout(TIMEOUT, run).await.is_err() {
            panic!("not within {TIMEOUT:?}: {what}; {:?}", self.answers);
        }
    }

    /// Waits for the end of a request, and returns the answer.
    pub async fn answer(&mut self, stream: StreamId) -> &Answer {
        self.until("the answer is complete", |it| it.answers[&stream].is_over())
            .await;
        &self.answers[&stream]
    }

    /// Waits for the beginning of an answer.
    pub async fn head(&mut self, stream: StreamId) {
        self.until("the answer has begun", |it| {
            it.answers[&stream].status() != 0
        })
        .await;
    }

    /// Passes on all messages that there are.
    pub fn exchange(&mut self) {
        let now = Instant::now();
        loop {
            self.write();
            let mut is_idle = true;
            while let Some(message) = self.multiplexer.poll_message() {
                is_idle = false;
                if let Err(error) = self.channel.receive(now, &message, true) {
                    self.error = Some(error);
                }
            }
            while let Some(message) = self.channel.poll_message() {
                is_idle = false;
                self.multiplexer.receive(&message).unwrap();
                while let Some(event) = self.multiplexer.poll_event() {
                    self.handle(event);
                }
            }
            if is_idle {
                return;
            }
        }
    }

    fn write(&mut self) {
        let multiplexer = &mut self.multiplexer;
        self.uploads.retain(|stream, upload| {
            upload.sent += multiplexer.write(*stream, &upload.bytes[upload.sent..]);
            let is_sent = upload.sent == upload.bytes.len();
            if is_sent {
                multiplexer.finish(*stream);
            }
            !is_sent
        });
    }

    fn handle(&mut self, event: Event) {
        let stream = match &event {
            Event::Refused(refusal) => return self.refused = Some(*refusal),
            Event::Head { stream, .. }
            | Event::Data { stream, .. }
            | Event::End { stream }
            | Event::Reset { stream, .. } => *stream,
            _ => return,
        };
        let answer = self.answers.entry(stream).or_default();
        match event {
            Event::Head { head, .. } => answer.head = Some(ResponseHead::decode(&head).unwrap()),
            Event::Data { bytes, .. } => {
                answer.body.extend(&bytes);
                match self.reads {
                    true => self.multiplexer.consumed(stream, bytes.len()),
                    false => self.unread.push((stream, bytes.len())),
                }
            }
            Event::Reset { reason, .. } => answer.reset = Some(reason),
            _ => answer.has_ended = true,
        }
    }
}

pub fn head(kind: Kind, method: &str, target: &str, fields: &[(&str, &str)]) -> RequestHead {
    let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    RequestHead {
        kind,
        method: method.to_owned(),
        target: target.to_owned(),
        fields: fields.iter().map(field).collect(),
    }
}

/// Serves a site.
pub async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Address at which nothing listens.
pub async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Runs a test on one thread.
pub fn local(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test);
}

/// Bytes without a pattern that repeats soon.
pub fn noise(length: usize) -> Vec<u8> {
    let mut bits = 1_u32;
    let bytes = (0..length).map(|_| {
        bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (bits >> 24) as u8
    });
    bytes.collect()
}
