//! Signaling socket of a peer.

use std::time::Duration;

use futures_util::{
    SinkExt, Stream, StreamExt,
    stream::{SplitSink, SplitStream},
};
use protocol::code::SessionCode;
use session::SocketEvent;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use crate::{
    peer::Event,
    server::{self, ServerUrl},
};

/// Largest message of the server in bytes: its welcome has all members of the ride, and is larger
/// than what riders send.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Messages that wait to be sent. A server that reads so slowly counts as lost.
const MAX_WAITING: usize = 1_024;
/// Time within which the server must accept the socket.
const OPEN_TIMEOUT: Duration = Duration::from_secs(8);
/// Time for the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Close code of a socket without one (RFC 6455, section 7.1.5).
const ABNORMAL: u16 = 1006;
/// Close code of a close frame without one.
const NO_STATUS: u16 = 1005;

type Connection = WebSocketStream<Box<dyn server::Stream>>;

/// Socket that is opening or open. Dropping it closes the socket after everything that was sent.
#[derive(Debug)]
pub(crate) struct Socket {
    number: u32,
    waiting: mpsc::Sender<Message>,
}

impl Socket {
    /// Opens a socket. Its events are posted until it is dropped or closed by the server. The task
    /// ends when the socket is closed.
    pub(crate) fn open(
        server: ServerUrl,
        code: &SessionCode,
        number: u32,
        events: mpsc::Sender<Event>,
    ) -> (Self, JoinHandle<()>) {
        let (waiting, messages) = mpsc::channel(MAX_WAITING);
        let url = server.socket_url(code);
        let task = tokio::task::spawn_local(async move {
            let (code, reason) = match timeout(OPEN_TIMEOUT, connect(&server, &url)).await {
                Ok(Ok(connection)) => {
                    let (sink, stream) = connection.split();
                    let post = |event| events.send(socket_event(number, event));
                    // The receiver is dropped with the peer.
                    let _ = post(SocketEvent::Opened).await;
                    tokio::select! {
                        // The last messages before a close are handled first.
                        biased;
                        end = read(stream, number, &events) => end,
                        () = write(sink, messages) => (ABNORMAL, String::new()),
                    }
                }
                Ok(Err(_)) | Err(_) => (ABNORMAL, String::new()),
            };
            let closed = SocketEvent::Closed { code, reason };
            let _ = events.send(socket_event(number, closed)).await;
        });
        (Self { number, waiting }, task)
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Sends a message; false if the queue is full or the socket is closed.
    pub(crate) fn send(&self, message: Message) -> bool {
        self.waiting.try_send(message).is_ok()
    }
}

async fn connect(server: &ServerUrl, url: &str) -> Result<Connection, tungstenite::Error> {
    let stream = server.connect().await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let (connection, _) = client_async_with_config(url, stream, Some(config)).await?;
    Ok(connection)
}

/// Posts all messages, and returns close code and reason. A peer that is behind holds up the server
/// instead of keeping its messages.
async fn read(
    mut stream: SplitStream<Connection>,
    number: u32,
    events: &mpsc::Sender<Event>,
) -> (u16, String) {
    loop {
        let event = match next(&mut stream).await {
            Some(Message::Text(text)) => SocketEvent::Text(text.to_string()),
            Some(Message::Binary(bytes)) => SocketEvent::Binary(bytes.to_vec()),
            Some(Message::Close(Some(frame))) => {
                return (frame.code.into(), frame.reason.to_string());
            }
            Some(Message::Close(None)) => return (NO_STATUS, String::new()),
            // Pings are answered by the library.
            Some(_) => continue,
            None => return (ABNORMAL, String::new()),
        };
        let _ = events.send(socket_event(number, event)).await;
    }
}

async fn next<S>(stream: &mut S) -> Option<Message>
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
{
    stream.next().await.and_then(Result::ok)
}

/// Sends messages until the socket is lost or dropped, then closes it.
async fn write(mut sink: SplitSink<Connection, Message>, mut messages: mpsc::Receiver<Message>) {
    while let Some(message) = messages.recv().await {
        if sink.send(message).await.is_err() {
            return;
        }
    }
    let _ = timeout(CLOSE_TIMEOUT, sink.close()).await;
    // The server closes the connection, which ends the reading half first.
    sleep(CLOSE_TIMEOUT).await;
}

fn socket_event(socket: u32, event: SocketEvent) -> Event {
    Event::Socket { socket, event }
}
