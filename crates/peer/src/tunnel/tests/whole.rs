//! The program with a real server, a browser without a shell page, and a page with one.

use std::{net::SocketAddr, path::Path, rc::Rc, time::Duration, time::Instant};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response},
    routing::{any, post},
};
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mesh::{
    link::SdpKind,
    node::{RtcCommand, RtcEvent},
};
use protocol::{
    peer::DeliveryClass,
    signaling::{DirectLinkSettings, Signal},
};
use server::{
    config::Config,
    listen_for_tunnels,
    router::{build_handler, build_tunnel_handler},
    serve_tunnels,
    state::AppState,
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::{Notify, mpsc},
    task::{JoinHandle, spawn_local},
    time::{sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use tunnel::{
    control::{self, ToVisitor, VisitorMessage},
    head::Kind,
    multiplexer::{Event, Limits, Multiplexer, StreamId},
};

use super::support::{head, local, noise, serve};
use crate::{
    rtc::{ChannelSet, Connections, Packet},
    tunnel::{Access, Metrics, Report, Secrets, Tunnel, TunnelError, TunnelLimits, run},
};

const TIMEOUT: Duration = Duration::from_secs(60);

/// Server with a thread of its own, so that it can be killed.
struct Server {
    app: SocketAddr,
    tunnels: SocketAddr,
    runtime: Option<Runtime>,
}

impl Server {
    async fn start() -> Self {
        let config = Config::parse_from([
            "gruppetto",
            "--secret",
            "a secret for tests alone",
            "--secret-file",
            "/dev/null/secret",
            "--tunnel-addr",
            "127.0.0.1:0",
        ]);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let started = runtime.spawn(async move {
            let state = AppState::new(config).expect("a state");
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let app = listener.local_addr().expect("an address");
            let handler = build_handler(state.clone(), Router::new());
            let stop = std::future::pending();
            tokio::spawn(server::run(listener, handler, state.clone(), stop));
            let listener = listen_for_tunnels(&state).await.expect("a port");
            let tunnels = listener.local_addr().expect("an address");
            let handler = build_tunnel_handler(state.clone(), Path::new("/dev/null"));
            tokio::spawn(serve_tunnels(listener, handler, state));
            (app, tunnels)
        });
        let (app, tunnels) = started.await.unwrap();
        Self {
            app,
            tunnels,
            runtime: Some(runtime),
        }
    }

    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Tunnel that runs in a task.
struct Running {
    task: JoinHandle<Result<Metrics, TunnelError>>,
    stop: Rc<Notify>,
    secrets: Secrets,
    /// Origin without its scheme.
    host: String,
}

impl Running {
    async fn start(server: &Server) -> Self {
        let echo = |body: Bytes| async move { body };
        let router = Router::new()
            .route("/page", any(|| async { "page" }))
            .route("/large", any(|| async { noise(3 * 1024 * 1024) }))
            .route("/echo", post(echo));
        let site = serve(router).await;
        let secrets = Secrets::random().unwrap();
        let tunnel = Tunnel {
            to: format!("http://{site}").parse().unwrap(),
            url: format!("http://{}", server.app).parse().unwrap(),
            name: "Route videos".to_owned(),
            secrets: secrets.clone(),
            access: Access::default(),
            limits: TunnelLimits::default(),
        };
        let (post, mut reports) = mpsc::unbounded_channel();
        let stop = Rc::new(Notify::new());
        let stopped = Rc::clone(&stop);
        let task = spawn_local(run(
            tunnel,
            move |report| {
                let _ = post.send(report);
            },
            async move { stopped.notified().await },
        ));
        let report = timeout(TIMEOUT, reports.recv()).await.unwrap();
        let Some(Report::Address(address)) = report else {
            panic!("no address: {report:?}");
        };
        let (origin, token) = address.split_once("/#").unwrap();
        assert_eq!(token, secrets.token.expose());
        let host = origin.strip_prefix("http://").unwrap().to_owned();
        assert!(host.starts_with(secrets.key.code().as_str()));
        Self {
            task,
            stop,
            secrets,
            host,
        }
    }

    async fn end(self) -> Metrics {
        self.stop.notify_one();
        timeout(TIMEOUT, self.task).await.unwrap().unwrap().unwrap()
    }

    /// Sends a request as a browser without a shell page does.
    async fn request(
        &self,
        server: &Server,
        method: &str,
        path: &str,
        cookie: &str,
        body: Vec<u8>,
    ) -> Response<Bytes> {
        let stream = TcpStream::connect(server.tunnels).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("origin", format!("http://{}", self.host))
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-dest", "empty")
            .header("cookie", cookie)
            .body(Body::from(body))
            .unwrap();
        let response = timeout(TIMEOUT, sender.send_request(request)).await;
        let (head, body) = response.unwrap().unwrap().into_parts();
        let body = timeout(TIMEOUT, body.collect()).await.unwrap().unwrap();
        Response::from_parts(head, body.to_bytes())
    }
}

/// Page with the shell: a socket to the server, and a direct channel.
struct Page {
    socket: Option<WebSocketStream<TcpStream>>,
    browser: Connections<u32>,
    packets: mpsc::Receiver<Packet>,
    relayed: Multiplexer,
    direct: Multiplexer,
    is_open: bool,
    is_ready: bool,
    done: Vec<(StreamId, Vec<u8>)>,
    bodies: Vec<(StreamId, Vec<u8>)>,
}

impl Page {
    async fn open(server: &Server, running: &Running) -> Self {
        let stream = TcpStream::connect(server.tunnels).await.unwrap();
        let url = format!("ws://{}/.gruppetto/socket", running.host);
        let mut request = url.into_client_request().unwrap();
        let origin = format!("http://{}", running.host);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let (socket, _) = client_async(request, stream).await.unwrap();
        let (browser, packets) = Connections::new(ChannelSet::Tunnel);
        let token = &running.secrets.token;
        Self {
            socket: Some(socket),
            browser,
            packets,
            relayed: Multiplexer::visitor(Limits::default(), token),
            direct: Multiplexer::visitor(Limits::default(), token),
            is_open: false,
            is_ready: false,
            done: Vec::new(),
            bodies: Vec::new(),
        }
    }

    /// Loads a page over the direct channel.
    async fn load(&mut self, path: &str) -> Vec<u8> {
        let head = head(Kind::Http, "GET", path, &[]).encode().unwrap();
        let stream = self.direct.open(&head, false).unwrap();
        let load = async {
            loop {
                if let Some(at) = self.done.iter().position(|(it, _)| *it == stream) {
                    return self.done.swap_remove(at).1;
                }
                self.step().await;
            }
        };
        timeout(TIMEOUT, load).await.expect("in time")
    }

    async fn step(&mut self) {
        while let Some((attempt, event)) = self.browser.poll_event() {
            self.handle(attempt, event).await;
        }
        while self.is_open
            && let Some(bytes) = self.direct.poll_message()
        {
            let class = DeliveryClass::Control;
            let send = RtcCommand::Send { class, bytes };
            self.browser.command(Instant::now(), &1, send);
        }
        while self.is_ready
            && let Some(frame) = self.relayed.poll_message()
        {
            self.send(Message::binary(frame)).await;
        }
        let at = self.browser.timeout();
        let at = at.unwrap_or_else(|| Instant::now() + Duration::from_secs(1));
        let socket = &mut self.socket;
        let message = async {
            match socket {
                Some(socket) => socket.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = message => match message {
                Some(Ok(Message::Text(text))) => self.receive(control::parse(&text).unwrap()),
                Some(Ok(Message::Binary(frame))) => self.relayed.receive(&frame).unwrap(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.socket = None,
            },
            Some(packet) = self.packets.recv() => self.browser.receive(Instant::now(), &packet),
            () = sleep_until(at.into()) => self.browser.handle_timeout(Instant::now()),
        }
    }

    async fn send(&mut self, message: Message) {
        if let Some(socket) = &mut self.socket {
            let _ = socket.send(message).await;
        }
    }

    fn receive(&mut self, message: ToVisitor) {
        let now = Instant::now();
        let command = match message {
            ToVisitor::Ready { name, .. } => {
                assert_eq!(name, "Route videos");
                self.is_ready = true;
                let open = RtcCommand::Open {
                    ice_servers: Vec::new(),
                    direct: DirectLinkSettings::default(),
                };
                self.browser.command(now, &1, open);
                RtcCommand::CreateOffer { ice_restart: false }
            }
            ToVisitor::Signal {
                signal: Signal::Answer { sdp, .. },
            } => {
                let kind = SdpKind::Answer;
                RtcCommand::SetRemote { kind, sdp }
            }
            ToVisitor::Signal {
                signal: Signal::Candidates { mut candidates, .. },
            } => RtcCommand::AddCandidate(candidates.remove(0)),
            _ => return,
        };
        self.browser.command(now, &1, command);
    }

    async fn handle(&mut self, attempt: u32, event: RtcEvent) {
        let signal = match event {
            RtcEvent::LocalDescription { sdp, .. } => Signal::Offer { attempt, sdp },
            RtcEvent::Candidate(json) => Signal::Candidates {
                attempt,
                candidates: vec![json],
            },
            RtcEvent::Opened(_) => {
                self.is_open = true;
                return;
            }
            RtcEvent::Frame { bytes, .. } => return self.receive_direct(&bytes),
            RtcEvent::Failed => panic!("the connection failed"),
            _ => return,
        };
        let text = control::to_text(&VisitorMessage::Signal { signal });
        self.send(Message::text(text)).await;
    }

    fn receive_direct(&mut self, frame: &[u8]) {
        self.direct.receive(frame).unwrap();
        while let Some(event) = self.direct.poll_event() {
            match event {
                Event::Head { stream, .. } => self.bodies.push((stream, Vec::new())),
                Event::Data { stream, bytes } => {
                    self.direct.consumed(stream, bytes.len());
                    let body = self.bodies.iter_mut().find(|(it, _)| *it == stream);
                    body.unwrap().1.extend(bytes);
                }
                Event::End { stream } => {
                    let at = self.bodies.iter().position(|(it, _)| *it == stream);
                    self.done.push(self.bodies.swap_remove(at.unwrap()));
                }
                Event::Reset { reason, .. } => panic!("{reason:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn a_browser_without_a_shell_page_is_relayed() {
    local(async {
        let server = Server::start().await;
        let running = Running::start(&server).await;
        let token = running.secrets.token.expose().as_bytes().to_vec();
        let session = "/.gruppetto/session";
        let wrong = "a".repeat(token.len()).into_bytes();
        let refused = running.request(&server, "POST", session, "", wrong).await;
        assert_eq!(refused.status(), 403);
        let answer = running.request(&server, "POST", session, "", token).await;
        assert_eq!(answer.status(), 204);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = running.request(&server, "GET", "/page", &cookie, Vec::new()).await;
        assert_eq!((page.status().as_u16(), &page.body()[..]), (200, &b"page"[..]));
        let content = noise(1024 * 1024);
        let echo = running
            .request(&server, "POST", "/echo", &cookie, content.clone())
            .await;
        assert!(echo.body() == &content);
        let large = running.request(&server, "GET", "/large", &cookie, Vec::new()).await;
        assert!(large.body() == &noise(3 * 1024 * 1024));
        let metrics = running.end().await;
        assert!(metrics.relayed.sent > 4 * 1024 * 1024);
        assert!(metrics.relayed.received > 1024 * 1024);
        assert_eq!((metrics.attempts, metrics.direct.sent), (0, 0));
    });
}

#[test]
fn a_shell_page_loads_directly_also_when_the_server_is_killed() {
    local(async {
        let mut server = Server::start().await;
        let running = Running::start(&server).await;
        let mut page = Page::open(&server, &running).await;
        assert_eq!(page.load("/page").await, b"page");
        server.kill();
        assert!(page.load("/large").await == noise(3 * 1024 * 1024));
        let metrics = running.end().await;
        assert_eq!((metrics.visitors, metrics.attempts, metrics.successes), (1, 1, 1));
        assert!(metrics.direct.sent > 3 * 1024 * 1024);
        assert!(metrics.relayed.sent < 1_000, "{metrics:?}");
    });
}
