//! Socket of a peer to the server: the signaling socket of a ride, or that of a tunnel.

use std::{rc::Rc, time::Duration};

use futures_util::{
    SinkExt, Stream, StreamExt,
    stream::{SplitSink, SplitStream},
};
use session::SocketEvent;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use crate::server::{self, ServerUrl};

/// Time within which the server must accept the socket.
const OPEN_TIMEOUT: Duration = Duration::from_secs(8);
/// Time for the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Close code of a socket without one (RFC 6455, section 7.1.5).
const ABNORMAL: u16 = 1006;
/// Close code of a close frame without one.
const NO_STATUS: u16 = 1005;

type Connection = WebSocketStream<Box<dyn server::Stream>>;

/// Settings of a socket.
#[derive(Clone, Debug)]
pub(crate) struct SocketConfig {
    /// Server to connect to.
    pub(crate) server: ServerUrl,
    /// Address with `ws` or `wss`.
    pub(crate) url: String,
    /// Largest message of the server in bytes.
    pub(crate) max_message: usize,
    /// Messages that wait to be sent.
    pub(crate) max_waiting: usize,
    /// Notified after each message that was sent.
    pub(crate) sent: Option<Rc<Notify>>,
}

/// Event of the socket with this number.
#[derive(Debug)]
pub(crate) struct NumberedEvent {
    pub(crate) socket: u32,
    pub(crate) event: SocketEvent,
}

/// Socket that is opening or open. Dropping it closes the socket after everything that was sent.
#[derive(Debug)]
pub(crate) struct Socket {
    number: u32,
    waiting: mpsc::Sender<Message>,
}

impl Socket {
    /// Opens a socket. Its events are posted until it is dropped or closed by the server. The task
    /// ends when the socket is closed.
    pub(crate) fn open<E: From<NumberedEvent> + 'static>(
        config: SocketConfig,
        number: u32,
        events: mpsc::Sender<E>,
    ) -> (Self, JoinHandle<()>) {
        let (waiting, messages) = mpsc::channel(config.max_waiting);
        let task = tokio::task::spawn_local(async move {
            let post = async |event| {
                let event = NumberedEvent {
                    socket: number,
                    event,
                };
                // The receiver is dropped with the peer.
                let _ = events.send(event.into()).await;
            };
            let (code, reason) = match timeout(OPEN_TIMEOUT, connect(&config)).await {
                Ok(Ok(connection)) => {
                    let (sink, stream) = connection.split();
                    post(SocketEvent::Opened).await;
                    tokio::select! {
                        // The last messages before a close are handled first.
                        biased;
                        end = read(stream, post) => end,
                        () = write(sink, messages, config.sent) => (ABNORMAL, String::new()),
                    }
                }
                Ok(Err(_)) | Err(_) => (ABNORMAL, String::new()),
            };
            post(SocketEvent::Closed { code, reason }).await;
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

    /// Number of messages that the queue takes at the moment.
    pub(crate) fn capacity(&self) -> usize {
        self.waiting.capacity()
    }
}

async fn connect(config: &SocketConfig) -> Result<Connection, tungstenite::Error> {
    let stream = config.server.connect().await?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(config.max_message))
        .max_frame_size(Some(config.max_message));
    let (connection, _) =
        client_async_with_config(config.url.as_str(), stream, Some(limits)).await?;
    Ok(connection)
}

/// Posts all messages, and returns close code and reason. A peer that is behind holds up the server
/// instead of keeping its messages.
async fn read(
    mut stream: SplitStream<Connection>,
    post: impl AsyncFn(SocketEvent),
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
        post(event).await;
    }
}

async fn next<S>(stream: &mut S) -> Option<Message>
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
{
    stream.next().await.and_then(Result::ok)
}

/// Sends messages until the socket is lost or dropped, then closes it.
async fn write(
    mut sink: SplitSink<Connection, Message>,
    mut messages: mpsc::Receiver<Message>,
    sent: Option<Rc<Notify>>,
) {
    while let Some(message) = messages.recv().await {
        if sink.send(message).await.is_err() {
            return;
        }
        if let Some(sent) = &sent {
            sent.notify_one();
        }
    }
    let _ = timeout(CLOSE_TIMEOUT, sink.close()).await;
    // The server closes the connection, which ends the reading half first.
    sleep(CLOSE_TIMEOUT).await;
}
