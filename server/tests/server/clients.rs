//! Test client of the third-party dialects, which exchange JSON messages.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::TestServer;

/// Timeout of everything that a test awaits. It is only reached when a test fails.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Client end of a socket.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    /// Number of pings received.
    pub pings: u32,
}

impl TestServer {
    /// Opens a socket without an `Origin` header.
    pub async fn client(&self, path: &str) -> Client {
        self.client_from(path, None).await.expect("an upgrade")
    }

    pub async fn client_from(&self, path: &str, origin: Option<&str>) -> Result<Client, Error> {
        let socket = self.open(path, origin).await?;
        Ok(Client { socket, pings: 0 })
    }
}

impl Client {
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sends");
    }

    /// Drops the connection without a close frame.
    pub fn drop_connection(self) {}

    /// Closes the socket with a closing handshake, as a page does.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// Next text message, unparsed. Pings are answered meanwhile.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("expected a text message: {other:?}"),
        }
    }

    pub async fn receive(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("JSON")
    }

    /// Asserts that nothing is received for a while. Pings are answered meanwhile.
    pub async fn receives_nothing_for(&mut self, time: Duration) {
        if let Ok(received) = timeout(time, self.socket.next()).await {
            panic!("received {received:?}");
        }
    }

    /// Code of the close frame, which must be the next message.
    pub async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Some(Message::Close(Some(frame))) => frame.code.into(),
            other => panic!("expected a close frame: {other:?}"),
        }
    }

    async fn next(&mut self) -> Option<Message> {
        loop {
            let next = timeout(TIMEOUT, self.socket.next());
            match next.await.expect("in time") {
                Some(Ok(Message::Ping(_))) => self.pings += 1,
                Some(Ok(Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }
}
