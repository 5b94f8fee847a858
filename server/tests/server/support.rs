//! Test server, test client of the app's dialect, and a minimal HTTP client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use protocol::frame::{FromServer, ToServer};
use protocol::peer::{DeliveryClass, Incarnation, PeerNumber, PublicKeys};
use protocol::signaling::{
    ClientMessage, Hello, Resume, RoomSnapshot, ServerMessage, VERSION, Welcome,
};
use serde_json::Value;
use server::config::Config;
use server::router::build_handler;
use server::state::AppState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Timeout of everything that a test awaits. It is only reached when a test fails.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Secret of servers that are started without one.
const SECRET: &str = "a secret for tests alone";

/// Server on a free port of the loopback address.
pub struct TestServer {
    pub address: SocketAddr,
    pub state: AppState,
    stop: Option<oneshot::Sender<()>>,
    pub ended: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server with the given flags, a secret, and no pages.
    pub async fn start(flags: &[&str]) -> Self {
        Self::with_pages(flags, Router::new()).await
    }

    pub async fn with_pages(flags: &[&str], pages: Router) -> Self {
        let secret = ["--secret", SECRET];
        let own = flags.iter().any(|flag| flag.starts_with("--secret"));
        let secret = if own { &[][..] } else { &secret[..] };
        // No file can be there: the server remembers endings and bans in memory.
        let no_file = ["--secret-file", "/dev/null/secret"];
        let own = flags.contains(&"--secret-file");
        let no_file = if own { &[][..] } else { &no_file[..] };
        let metrics = ["--metrics", "on"];
        let own = flags.contains(&"--metrics");
        let metrics = if own { &[][..] } else { &metrics[..] };
        let base = ["gruppetto"].iter().chain(secret).chain(no_file);
        let base = base.chain(metrics);
        let config = Config::parse_from(base.chain(flags));
        let state = AppState::new(config).expect("a state");
        let handler = build_handler(state.clone(), pages);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let running = state.clone();
        let ended = tokio::spawn(async move {
            server::run(listener, handler, running, shutdown).await;
        });
        Self {
            address,
            state,
            stop: Some(stop),
            ended,
        }
    }

    /// Aborts the server without a shutdown. Its rides are lost.
    pub fn kill(self) {
        self.ended.abort();
    }

    pub fn begin_shutdown(&mut self) {
        let _ = self.stop.take().expect("the first time").send(());
    }

    /// Starts a ride and returns its code.
    pub async fn ride(&self) -> String {
        let answer = self.post("/api/rides", &[]).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["code"].as_str().expect("a code").to_owned()
    }

    pub async fn get(&self, path: &str) -> HttpResponse {
        self.request("GET", path, &[]).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)]) -> HttpResponse {
        self.request("POST", path, headers).await
    }

    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> HttpResponse {
        request_at(self.address, method, path, headers).await
    }

    /// Sends the head of a request as it is, and reads until the server closes.
    pub async fn raw_request(&self, head: &str) -> HttpResponse {
        raw_request_at(self.address, head).await
    }

    /// Opens a socket without sending hello.
    pub async fn socket(&self, code: &str) -> Rider {
        self.socket_from(code, None).await.expect("an upgrade")
    }

    pub async fn socket_from(&self, code: &str, origin: Option<&str>) -> Result<Rider, Error> {
        let socket = self.open(&format!("/ws/{code}"), origin).await?;
        Ok(Rider { socket })
    }

    /// Opens a socket of any dialect.
    pub async fn raw_client(&self, path: &str) -> Rider {
        let socket = self.open(path, None).await.expect("an upgrade");
        Rider { socket }
    }

    pub async fn open(
        &self,
        path: &str,
        origin: Option<&str>,
    ) -> Result<WebSocketStream<TcpStream>, Error> {
        self.open_with(path, origin.map(|origin| ("origin", origin)))
            .await
    }

    /// Opens a socket of the app through a proxy, which names the address of its client.
    pub async fn socket_behind_proxy(&self, code: &str, client: &str) -> Rider {
        let header = Some(("x-forwarded-for", client));
        let socket = self.open_with(&format!("/ws/{code}"), header).await;
        Rider {
            socket: socket.expect("an upgrade"),
        }
    }

    async fn open_with(
        &self,
        path: &str,
        header: Option<(&'static str, &str)>,
    ) -> Result<WebSocketStream<TcpStream>, Error> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request()?;
        if let Some((name, value)) = header {
            let value = value.parse().expect("a header");
            request.headers_mut().insert(name, value);
        }
        let stream = TcpStream::connect(self.address).await?;
        Ok(client_async(request, stream).await?.0)
    }

    /// Joins as a new rider.
    pub async fn join(&self, code: &str) -> (Rider, Welcome) {
        self.join_as(code, None).await
    }

    pub async fn join_as(&self, code: &str, resume: Option<Resume>) -> (Rider, Welcome) {
        let mut rider = self.socket(code).await;
        rider.hello(resume).await;
        match rider.message().await {
            ServerMessage::Welcome(welcome) => (rider, *welcome),
            other => panic!("expected a welcome: {other:?}"),
        }
    }

    /// Joins with a resume token and a snapshot of the room.
    pub async fn join_with_snapshot(
        &self,
        code: &str,
        resume: Resume,
        restore: RoomSnapshot,
    ) -> (Rider, Welcome) {
        let mut rider = self.socket(code).await;
        rider.hello_with_snapshot(Some(resume), Some(restore)).await;
        match rider.message().await {
            ServerMessage::Welcome(welcome) => (rider, *welcome),
            other => panic!("expected a welcome: {other:?}"),
        }
    }

    /// Opens a WebSocket whose frames are written by hand.
    pub async fn raw_upgrade(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).await.expect("sends");
        let mut answer = [0; 1_024];
        let length = timeout(TIMEOUT, stream.read(&mut answer)).await;
        let length = length.expect("in time").expect("an answer");
        assert!(answer[..length].starts_with(b"HTTP/1.1 101"));
        stream
    }

    pub async fn health(&self) -> Value {
        self.get("/health").await.json()
    }
}

/// Sends a request to a server at `address`.
pub async fn request_at(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> HttpResponse {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    raw_request_at(address, &format!("{head}\r\n")).await
}

async fn raw_request_at(address: SocketAddr, head: &str) -> HttpResponse {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(head.as_bytes()).await.expect("sends");
    let mut bytes = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut bytes))
        .await
        .expect("in time")
        .expect("a response");
    HttpResponse::parse(&bytes)
}

/// Client end of a socket.
pub struct Rider {
    pub socket: WebSocketStream<TcpStream>,
}

impl Rider {
    pub async fn hello(&mut self, resume: Option<Resume>) {
        self.hello_with_snapshot(resume, None).await;
    }

    pub async fn hello_with_snapshot(
        &mut self,
        resume: Option<Resume>,
        restore: Option<RoomSnapshot>,
    ) {
        let keys = PublicKeys {
            sign: [1; 32],
            agree: [2; 32],
        };
        self.send(&ClientMessage::Hello(Hello {
            version: VERSION,
            keys,
            resume,
            role: protocol::peer::MemberRole::Rider,
            snapshot: restore.map(Box::new),
        }))
        .await;
    }

    pub async fn send(&mut self, message: &ClientMessage) {
        self.send_raw(Message::text(message.to_json())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.expect("sends");
    }

    pub async fn relay(&mut self, class: DeliveryClass, targets: &[PeerNumber], payload: &[u8]) {
        let frame = ToServer {
            class,
            sealed: false,
            targets: targets.to_vec(),
            payload,
        }
        .encode();
        self.send_raw(Message::binary(frame)).await;
    }

    /// Next message other than pings and pongs; `None` after the end.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match timeout(TIMEOUT, self.socket.next()).await.expect("in time") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Next message of the app's dialect.
    pub async fn message(&mut self) -> ServerMessage {
        match self.next().await {
            Some(Message::Text(text)) => ServerMessage::parse(&text).expect("a message"),
            other => panic!("expected a text message: {other:?}"),
        }
    }

    /// First message that `is_expected` accepts. Earlier messages are skipped.
    pub async fn wait_for(
        &mut self,
        is_expected: impl Fn(&ServerMessage) -> bool,
    ) -> ServerMessage {
        loop {
            let message = self.message().await;
            if is_expected(&message) {
                return message;
            }
        }
    }

    /// Next relayed frame: sender, incarnation and payload.
    pub async fn frame(&mut self) -> (PeerNumber, Incarnation, Vec<u8>) {
        match self.next().await {
            Some(Message::Binary(bytes)) => {
                let frame = FromServer::decode(&bytes).expect("a frame");
                (frame.from, frame.incarnation, frame.payload.to_vec())
            }
            other => panic!("expected a frame: {other:?}"),
        }
    }

    /// Remaining messages and the close frame.
    pub async fn read_until_close(&mut self) -> (Vec<Message>, CloseFrame) {
        let mut received = Vec::new();
        loop {
            match self.next().await {
                Some(Message::Close(Some(frame))) => return (received, frame),
                Some(message) => received.push(message),
                None => panic!("ended without a close frame, after {received:?}"),
            }
        }
    }

    pub async fn close_code(&mut self) -> u16 {
        self.read_until_close().await.1.code.into()
    }
}

/// HTTP response.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl HttpResponse {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("a status line");
        let mut headers = HashMap::<String, String>::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            // A repeated header is a list (RFC 9110, section 5.3).
            headers
                .entry(name.to_ascii_lowercase())
                .and_modify(|known| *known += &format!(", {value}"))
                .or_insert_with(|| value.to_owned());
        }
        Self {
            status: status.parse().expect("a status"),
            headers,
            body: body.to_owned(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}
