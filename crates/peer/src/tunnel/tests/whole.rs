//! The program with a real server, a browser without a shell page, and a page with one.

use std::{net::SocketAddr, path::Path, rc::Rc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response},
    routing::{any, post},
};
use clap::Parser;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
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
    time::timeout,
};

use super::{
    page::Page,
    support::{local, noise, serve},
};
use crate::tunnel::{Access, Metrics, Report, Secrets, Tunnel, TunnelError, TunnelLimits, run};

const TIMEOUT: Duration = Duration::from_secs(150);

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
        let page = running
            .request(&server, "GET", "/page", &cookie, Vec::new())
            .await;
        assert_eq!(
            (page.status().as_u16(), &page.body()[..]),
            (200, &b"page"[..])
        );
        let content = noise(1024 * 1024);
        let echo = running
            .request(&server, "POST", "/echo", &cookie, content.clone())
            .await;
        assert!(echo.body() == &content);
        let large = running
            .request(&server, "GET", "/large", &cookie, Vec::new())
            .await;
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
        let mut page = Page::open(server.tunnels, &running.host, &running.secrets.token).await;
        assert_eq!(page.load("/page").await, b"page");
        server.kill();
        assert!(page.load("/large").await == noise(3 * 1024 * 1024));
        let metrics = running.end().await;
        assert_eq!(
            (metrics.visitors, metrics.attempts, metrics.successes),
            (1, 1, 1)
        );
        assert!(metrics.direct.sent > 3 * 1024 * 1024);
        assert!(metrics.relayed.sent < 1_000, "{metrics:?}");
    });
}
