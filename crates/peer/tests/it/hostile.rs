//! A member of the ride that means harm.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::{
    frame::ToServer,
    peer::{DeliveryClass, MemberRole, PublicKeys},
    signaling::{ClientMessage, Hello, ServerMessage, Signal, VERSION},
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Riders, TestServer, local, starts_at_once};
use session::view::Stage;

#[tokio::test]
async fn nonsense_of_a_member_disturbs_nobody() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 2, Some(starts_at_once())).await;
        let url = format!("ws://{}/ws/{}", server.address, ride.code);
        let stream = tokio::net::TcpStream::connect(server.address)
            .await
            .unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        let hello = ClientMessage::Hello(Hello {
            version: VERSION,
            keys: PublicKeys {
                sign: [1; 32],
                agree: [2; 32],
            },
            resume: None,
            role: MemberRole::Rider,
            snapshot: None,
        });
        socket.send(Message::text(hello.to_json())).await.unwrap();
        let welcome = loop {
            let Some(Ok(Message::Text(text))) = socket.next().await else {
                panic!("no welcome");
            };
            if let Ok(ServerMessage::Welcome(welcome)) = ServerMessage::parse(&text) {
                break welcome;
            }
        };
        for member in &welcome.members {
            let sdps = [
                "nonsense".to_owned(),
                format!(
                    "v=0\r\nm=application 9 UDP/DTLS/SCTP x\r\na={}",
                    "y".repeat(40_000)
                ),
            ];
            for (attempt, sdp) in (1..).zip(sdps) {
                let signal = Signal::Offer { attempt, sdp };
                send_signal(&mut socket, member, signal).await;
                let candidates = vec!["{}".to_owned(), r#"{"candidate":"x"}"#.to_owned()];
                let signal = Signal::Candidates {
                    attempt,
                    candidates,
                };
                send_signal(&mut socket, member, signal).await;
            }
        }
        // A message of a kind that no version knows, and bytes that are none.
        for payload in [&[0x83, 1, 0x18, 250, 0x80][..], &[0xff; 40], &[]] {
            for class in DeliveryClass::ALL {
                let frame = ToServer {
                    class,
                    sealed: false,
                    targets: Vec::new(),
                    payload,
                };
                socket.send(Message::binary(frame.encode())).await.unwrap();
            }
        }
        riders.run_for(Duration::from_secs(4)).await;
        let sees_the_other = |riders: &Riders| {
            riders.is_at(&Stage::Riding)
                && (0..2).all(|at| {
                    let other = riders.view(1 - at).riders.iter().find(|row| row.is_self);
                    let other = other.unwrap().peer.clone();
                    let mut rows = riders.view(at).riders.iter();
                    rows.any(|row| row.peer == other && !row.stale && row.metrics.power.is_some())
                })
        };
        riders
            .run_until("the honest riders ride", sees_the_other)
            .await;
        riders.close().await;
    })
    .await;
}

async fn send_signal<S>(socket: &mut S, to: &protocol::signaling::Member, signal: Signal)
where
    S: SinkExt<Message> + Unpin,
    S::Error: std::fmt::Debug,
{
    let message = ClientMessage::Signal {
        to: to.peer.clone(),
        incarnation: to.incarnation,
        signal,
    };
    socket.send(Message::text(message.to_json())).await.unwrap();
}
