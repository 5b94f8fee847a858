//! Stand-in for intervals.icu on the loopback address.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::TestServer;

/// Service that records what it receives, and gives the same answer to everything.
pub struct StandIn {
    pub address: SocketAddr,
    received: UnboundedReceiver<Received>,
}

/// Request that the stand-in received.
#[derive(Debug)]
pub struct Received {
    /// Method and address, as in `GET /api?a=b`.
    pub line: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl StandIn {
    pub async fn start<H: Handler<T, ()>, T: 'static>(answer: H) -> Self {
        let (record, received) = unbounded_channel();
        let service = Router::new()
            .fallback(answer)
            .layer(from_fn_with_state(record, record_request));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { address, received }
    }

    /// Server that passes calls on to the stand-in.
    pub async fn server(&self, flags: &[&str]) -> TestServer {
        passing_on_to(&format!("http://{}", self.address), flags).await
    }

    /// Next request. Waits for it.
    pub async fn next(&mut self) -> Received {
        self.received.recv().await.expect("a request")
    }

    /// Asserts that every request has been seen.
    pub fn received_nothing(&mut self) {
        if let Ok(received) = self.received.try_recv() {
            panic!("received {received:?}");
        }
    }
}

/// Server that passes calls on to `url`.
pub async fn passing_on_to(url: &str, flags: &[&str]) -> TestServer {
    let own = ["--intervals-icu=pass-through", "--intervals-icu-url", url];
    TestServer::start(&[&own, flags].concat()).await
}

async fn record_request(
    State(record): State<UnboundedSender<Received>>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Parts {
        method,
        uri,
        headers,
        ..
    } = head.clone();
    // Fails if the sender gives up.
    if let Ok(body) = to_bytes(body, usize::MAX).await {
        // The test may have ended.
        let _ = record.send(Received {
            line: format!("{method} {uri}"),
            headers,
            body,
        });
    }
    next.run(Request::from_parts(head, Body::empty())).await
}
