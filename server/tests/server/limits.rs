//! Limits: their values, the errors of clients beyond them, and that other riders
//! are not affected.

mod connections;
mod guesses;
mod rates;
mod slow_reader;

use protocol::peer::DeliveryClass;
use protocol::signaling::{ClientMessage, ErrorCode, ServerMessage};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Rider, TestServer};

/// Another ride with two riders, which the test must not affect.
struct UninvolvedRide(Rider, Rider);

impl UninvolvedRide {
    async fn start(server: &TestServer) -> Self {
        let code = server.ride().await;
        let (mut ana, _) = server.join(&code).await;
        let (ben, _) = server.join(&code).await;
        ana.message().await;
        Self(ana, ben)
    }

    async fn still_works(&mut self) {
        let Self(ana, ben) = self;
        ana.relay(DeliveryClass::Control, &[], b"still here").await;
        assert_eq!(ben.frame().await.2, b"still here");
        ben.send(&ClientMessage::Ping).await;
        assert_eq!(ben.message().await, ServerMessage::Pong);
    }
}

/// Remaining messages of a socket without frames, and the close code.
async fn messages_until_close(rider: &mut Rider) -> (Vec<ServerMessage>, u16) {
    let (received, end) = rider.read_until_close().await;
    let messages = received.iter().filter_map(|message| match message {
        Message::Text(text) => ServerMessage::parse(text).ok(),
        _ => None,
    });
    (messages.collect(), end.code.into())
}

fn is_rate_limited(message: &ServerMessage) -> bool {
    let limited = ErrorCode::RateLimited;
    matches!(message, ServerMessage::Error { code, .. } if *code == limited)
}
