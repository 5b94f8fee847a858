//! Clients of the dialects that are not the app's: a socket that says and
//! hears JSON.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::TestServer;

/// Longer than anything awaited takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One end of a socket.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    /// How often the server has pinged it, as far as it listened.
    pub pings: u32,
}

impl TestServer {
    /// Opens a socket at an address of this server, from no page.
    pub async fn client(&self, path: &str) -> Client {
        self.client_from(path, None).await.expect("an upgrade")
    }

    pub async fn client_from(&self, path: &str, origin: Option<&str>) -> Result<Client, Error> {
        let socket = self.open(path, origin).await?;
        Ok(Client { socket, pings: 0 })
    }
}

impl Client {
    pub async fn say(&mut self, message: Value) {
        self.say_text(&message.to_string()).await;
    }

    pub async fn say_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sends");
    }

    /// Ends the connection without a word.
    pub fn drop_connection(self) {}

    /// Closes the socket as a page does.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// The next text, as it came. Pings are answered while it waits.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("not a text: {other:?}"),
        }
    }

    pub async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("JSON")
    }

    /// Nothing is heard for a moment; pings are answered meanwhile.
    pub async fn hears_nothing_for(&mut self, time: Duration) {
        if let Ok(heard) = timeout(time, self.socket.next()).await {
            panic!("heard {heard:?}");
        }
    }

    /// The code that the server closes with, after nothing else.
    pub async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Some(Message::Close(Some(frame))) => frame.code.into(),
            other => panic!("not a close: {other:?}"),
        }
    }

    async fn next(&mut self) -> Option<Message> {
        loop {
            let next = timeout(PATIENCE, self.socket.next());
            match next.await.expect("in time") {
                Some(Ok(Message::Ping(_))) => self.pings += 1,
                Some(Ok(Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }
}
