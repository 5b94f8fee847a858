//! How much anybody may ask, what they are told beyond it, and that nobody else
//! notices.

mod connections;
mod guesses;
mod rates;
mod slow_reader;

use protocol::peer::DeliveryClass;
use protocol::signaling::{ClientMessage, ErrorCode, ServerMessage};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Rider, TestServer};

/// Two riders of another ride, who must not notice anything.
struct Calm(Rider, Rider);

impl Calm {
    async fn start(server: &TestServer) -> Self {
        let code = server.ride().await;
        let (mut ana, _) = server.join(&code).await;
        let (ben, _) = server.join(&code).await;
        ana.message().await;
        Self(ana, ben)
    }

    async fn goes_on(&mut self) {
        let Self(ana, ben) = self;
        ana.relay(DeliveryClass::Control, &[], b"still here").await;
        assert_eq!(ben.frame().await.2, b"still here");
        ben.say(&ClientMessage::Ping).await;
        assert_eq!(ben.message().await, ServerMessage::Pong);
    }
}

/// What a rider heard up to the end, without frames.
async fn words_until_close(rider: &mut Rider) -> (Vec<ServerMessage>, u16) {
    let (said, end) = rider.until_close().await;
    let words = said.iter().filter_map(|message| match message {
        Message::Text(text) => ServerMessage::parse(text).ok(),
        _ => None,
    });
    (words.collect(), end.code.into())
}

fn is_rate_limited(message: &ServerMessage) -> bool {
    let limited = ErrorCode::RateLimited;
    matches!(message, ServerMessage::Error { code, .. } if *code == limited)
}
