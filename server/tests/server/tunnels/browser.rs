//! Browser at a tunnel's origin.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, http};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Timeout of everything that a test awaits. It is only reached when a test fails.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Browser without a service worker.
#[derive(Clone)]
pub struct Browser {
    address: SocketAddr,
    pub host: String,
    pub cookie: Option<String>,
}

impl Browser {
    pub fn new(address: SocketAddr, host: String) -> Self {
        Self {
            address,
            host,
            cookie: None,
        }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Request of a page, as the browser sends it.
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header("sec-fetch-site", "same-origin");
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Incoming> {
        self.try_send(request).await.expect("a response")
    }

    pub async fn try_send(&self, request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        let stream = TcpStream::connect(self.address).await.expect("connects");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let sent = timeout(TIMEOUT, sender.send_request(request));
        sent.await.expect("in time")
    }

    /// Resource that a page loads.
    pub async fn get(&self, path: &str) -> Response<Incoming> {
        let request = self.request("GET", path).header("sec-fetch-dest", "empty");
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    /// Page in a tab.
    pub async fn open(&self, path: &str) -> Response<Incoming> {
        let request = self
            .request("GET", path)
            .header("sec-fetch-dest", "document");
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    /// Exchanges a token for the cookie.
    pub async fn session(&mut self, token: &str) -> Response<Incoming> {
        let request = self
            .request("POST", "/.gruppetto/session")
            .header("origin", self.origin());
        let body = Body::from(token.to_owned());
        let response = self.send(request.body(body).expect("a request")).await;
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("text").split(';').next();
            self.cookie = cookie.map(str::to_owned);
        }
        response
    }

    /// Opens a WebSocket of a page of `origin`.
    pub async fn socket(
        &self,
        path: &str,
        origin: &str,
        protocols: Option<&str>,
    ) -> Result<(WebSocketStream<TcpStream>, http::Response<Option<Vec<u8>>>), tungstenite::Error>
    {
        let url = format!("ws://{}{path}", self.host);
        let mut request = url.into_client_request().expect("a request");
        let fields = [
            ("origin", Some(origin)),
            ("cookie", self.cookie.as_deref()),
            ("sec-websocket-protocol", protocols),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                let value = value.parse().expect("a value");
                request.headers_mut().insert(name, value);
            }
        }
        let stream = TcpStream::connect(self.address).await.expect("connects");
        timeout(TIMEOUT, client_async(request, stream))
            .await
            .expect("in time")
    }
}

/// Next bytes of a response; `None` at its end.
pub async fn next_bytes(response: &mut Response<Incoming>) -> Option<hyper::Result<Bytes>> {
    let frame = timeout(TIMEOUT, response.body_mut().frame());
    let frame = frame.await.expect("in time")?;
    Some(frame.map(|it| it.into_data().expect("no trailers")))
}

/// Whole body of a response as text.
pub async fn text(response: Response<Incoming>) -> String {
    let body = timeout(TIMEOUT, response.into_body().collect()).await;
    let body = body.expect("in time").expect("a whole body").to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}
