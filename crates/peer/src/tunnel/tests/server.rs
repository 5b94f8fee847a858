//! The socket to the server, with a server that the test plays.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    routing::any,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
    task::{JoinHandle, spawn_local},
    time::timeout,
};
use tunnel::{
    control::{self, PeerMessage, RefusedReason, ToPeer},
    head::Kind,
    multiplexer::{Event, Limits, Multiplexer},
};

use super::support::{head, local, noise, serve};
use crate::tunnel::{Access, Metrics, Report, Secrets, Tunnel, TunnelError, TunnelLimits, run};

const TIMEOUT: Duration = Duration::from_secs(30);
const ORIGIN: &str = "http://abcdefghij234567.localhost:3002";

/// Server whose sockets the test answers.
struct TestServer {
    address: SocketAddr,
    sockets: mpsc::UnboundedReceiver<WebSocket>,
}

/// Tunnel that runs in a task.
struct Running {
    task: JoinHandle<Result<Metrics, TunnelError>>,
    reports: mpsc::UnboundedReceiver<Report>,
    stop: Rc<Notify>,
    secrets: Secrets,
}

impl TestServer {
    async fn start() -> Self {
        let (post, sockets) = mpsc::unbounded_channel();
        let take = move |upgrade: WebSocketUpgrade| async move {
            upgrade.on_upgrade(move |socket| async move {
                let _ = post.send(socket);
                // The test answers; the connection goes with the socket.
            })
        };
        let address = serve(Router::new().route("/api/tunnel", any(take))).await;
        Self { address, sockets }
    }

    /// Next socket, which has said what it serves.
    async fn accept(&mut self) -> Peer {
        let socket = timeout(TIMEOUT, self.sockets.recv()).await.unwrap();
        let mut peer = Peer(socket.unwrap());
        let Received::Control(PeerMessage::Open {
            key, token_hash, ..
        }) = peer.receive().await
        else {
            panic!("the first message opens the tunnel");
        };
        let code = key.code();
        assert_ne!(token_hash, Secrets::random().unwrap().token.hash());
        let origin = ORIGIN.to_owned();
        let ice_servers = Vec::new();
        peer.send(&ToPeer::Opened {
            code,
            origin,
            ice_servers,
        })
        .await;
        peer
    }
}

/// Socket of a peer, as the server has it.
struct Peer(WebSocket);

#[derive(Debug)]
enum Received {
    Control(PeerMessage),
    Frame(u32, Vec<u8>),
    Closed,
}

impl Peer {
    async fn receive(&mut self) -> Received {
        loop {
            let message = timeout(TIMEOUT, self.0.recv()).await.unwrap();
            match message {
                Some(Ok(Message::Text(text))) => {
                    return Received::Control(control::parse(&text).unwrap());
                }
                Some(Ok(Message::Binary(bytes))) => {
                    let (visitor, frame) = control::split_visitor(&bytes).unwrap();
                    return Received::Frame(visitor, frame.to_vec());
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Received::Closed,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn send(&mut self, message: &ToPeer) {
        let text = control::to_text(message);
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// Loads a page as a visitor, and returns its body.
    async fn load(&mut self, visitor: u32, secrets: &Secrets, target: &str) -> Vec<u8> {
        self.send(&ToPeer::Visitor { visitor }).await;
        let mut multiplexer = Multiplexer::visitor(Limits::default(), &secrets.token);
        let head = head(Kind::Http, "GET", target, &[]).encode().unwrap();
        multiplexer.open(&head, false).unwrap();
        let mut body = Vec::new();
        loop {
            while let Some(frame) = multiplexer.poll_message() {
                let bytes = control::with_visitor(visitor, &frame);
                self.0.send(Message::binary(bytes)).await.unwrap();
            }
            let Received::Frame(to, frame) = self.receive().await else {
                continue;
            };
            assert_eq!(to, visitor);
            multiplexer.receive(&frame).unwrap();
            while let Some(event) = multiplexer.poll_event() {
                match event {
                    Event::Data { stream, bytes } => {
                        multiplexer.consumed(stream, bytes.len());
                        body.extend(bytes);
                    }
                    Event::End { .. } => return body,
                    Event::Reset { reason, .. } => panic!("{reason:?}"),
                    _ => {}
                }
            }
        }
    }
}

impl Running {
    async fn start(server: SocketAddr) -> Self {
        let page = || async { "page" };
        let large = || async { noise(8 * 1024 * 1024) };
        let router = Router::new()
            .route("/", any(page))
            .route("/large", any(large));
        let site = serve(router).await;
        let secrets = Secrets::random().unwrap();
        let tunnel = Tunnel {
            to: format!("http://{site}").parse().unwrap(),
            url: format!("http://{server}/ride/brave-otter-0042")
                .parse()
                .unwrap(),
            name: "Route videos".to_owned(),
            secrets: secrets.clone(),
            access: Access::default(),
            limits: TunnelLimits::default(),
        };
        let (post, reports) = mpsc::unbounded_channel();
        let stop = Rc::new(Notify::new());
        let stopped = Rc::clone(&stop);
        let task = spawn_local(run(
            tunnel,
            move |report| {
                let _ = post.send(report);
            },
            async move { stopped.notified().await },
        ));
        Self {
            task,
            reports,
            stop,
            secrets,
        }
    }

    async fn report(&mut self) -> Report {
        let report = timeout(TIMEOUT, self.reports.recv()).await.unwrap();
        report.unwrap()
    }

    fn address(&self) -> Report {
        Report::Address(format!("{ORIGIN}/#{}", self.secrets.token.expose()))
    }

    async fn end(self) -> Result<Metrics, TunnelError> {
        timeout(TIMEOUT, self.task).await.unwrap().unwrap()
    }
}

#[test]
fn the_address_is_reported_and_pages_are_relayed() {
    local(async {
        let mut server = TestServer::start().await;
        let mut running = Running::start(server.address).await;
        let mut peer = server.accept().await;
        assert_eq!(running.report().await, running.address());
        assert_eq!(peer.load(1, &running.secrets, "/").await, b"page");
        let large = peer.load(2, &running.secrets, "/large").await;
        assert_eq!(large, noise(8 * 1024 * 1024));
        running.stop.notify_one();
        let metrics = running.end().await.unwrap();
        assert_eq!(metrics.visitors, 2);
        assert!(metrics.relayed.sent > 8 * 1024 * 1024);
        loop {
            if matches!(peer.receive().await, Received::Closed) {
                return;
            }
        }
    });
}

#[test]
fn a_lost_socket_is_opened_again_under_the_same_address() {
    local(async {
        let mut server = TestServer::start().await;
        let mut running = Running::start(server.address).await;
        let peer = server.accept().await;
        assert_eq!(running.report().await, running.address());
        drop(peer);
        let mut peer = server.accept().await;
        assert!(matches!(running.report().await, Report::Note(text) if text.contains("lost")));
        assert!(matches!(running.report().await, Report::Note(text) if text.contains("again")));
        assert_eq!(peer.load(1, &running.secrets, "/").await, b"page");
    });
}

#[test]
fn a_server_that_comes_late_is_found() {
    local(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut running = Running::start(address).await;
        // A program that is no server of tunnels.
        let (stream, _) = listener.accept().await.unwrap();
        drop(stream);
        let note = running.report().await;
        assert!(matches!(note, Report::Note(text) if text.contains("cannot be reached")));
        let (post, mut sockets) = mpsc::unbounded_channel();
        let take = move |upgrade: WebSocketUpgrade| async move {
            upgrade.on_upgrade(move |socket| async move {
                let _ = post.send(socket);
            })
        };
        let router = Router::new().route("/api/tunnel", any(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        assert!(timeout(TIMEOUT, sockets.recv()).await.unwrap().is_some());
        running.stop.notify_one();
        assert_eq!(running.end().await, Ok(Metrics::default()));
    });
}

#[test]
fn a_refusal_ends_the_program_unless_another_attempt_may_succeed() {
    local(async {
        for (reason, is_final) in [
            (RefusedReason::Disabled, true),
            (RefusedReason::Replaced, true),
            (RefusedReason::Version, true),
            (RefusedReason::Full, false),
        ] {
            let mut server = TestServer::start().await;
            let running = Running::start(server.address).await;
            let mut peer = server.accept().await;
            let message = "Because of\u{7} a test.".to_owned();
            peer.send(&ToPeer::Refused { reason, message }).await;
            drop(peer);
            if !is_final {
                server.accept().await;
                continue;
            }
            let sentence = running.end().await.unwrap_err().to_string();
            assert!(!sentence.contains('\u{7}'), "{sentence}");
        }
    });
}

#[test]
fn messages_that_make_no_sense_change_nothing() {
    local(async {
        let mut server = TestServer::start().await;
        let running = Running::start(server.address).await;
        let mut peer = server.accept().await;
        for text in ["", "nonsense", "{}", r#"{"type":"unknown"}"#] {
            peer.0.send(Message::text(text)).await.unwrap();
        }
        for bytes in [&[][..], &[1, 2, 3], &[0, 0, 0, 9, 255]] {
            peer.0.send(Message::binary(bytes.to_vec())).await.unwrap();
        }
        peer.send(&ToPeer::Gone { visitor: 77 }).await;
        peer.send(&ToPeer::Pong).await;
        assert_eq!(peer.load(1, &running.secrets, "/").await, b"page");
    });
}

#[test]
fn secrets_are_not_in_debug_output() {
    let secrets = Secrets::random().unwrap();
    let shown = format!("{secrets:?}");
    assert!(!shown.contains(secrets.key.expose()) && !shown.contains(secrets.token.expose()));
}
