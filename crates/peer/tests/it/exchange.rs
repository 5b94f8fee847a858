//! Chat and files.

use protocol::peer::LinkState;
use session::{
    chat::{ChatInput, DeliveryMarks, Tab},
    exchange::ExchangeInput,
    transfers::{TransferFailure, TransferInput, TransferState},
};

use crate::support::{Riders, TestServer, local};

/// Marks of the only message in the group's tab.
fn marks(riders: &Riders, at: usize) -> Option<DeliveryMarks> {
    let tabs = &riders.riders[at].0.exchange().chat.tabs;
    tabs.first()?.messages.first()?.marks.clone()
}

#[tokio::test]
async fn messages_are_acknowledged() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 3, None).await;
        // A message counts those who are there when it is sent.
        riders
            .run_until("direct links", |riders| {
                riders.all_see_numbers(LinkState::Direct)
            })
            .await;
        let send = ChatInput::Send {
            tab: Tab::Group,
            text: "Hello".to_owned(),
        };
        riders.riders[0]
            .0
            .intend_exchange(ExchangeInput::Chat(send));
        riders
            .run_until("delivered to both", |riders| {
                marks(riders, 0).is_some_and(|marks| marks.delivered.len() == 2)
            })
            .await;
        let marks = marks(&riders, 0).unwrap();
        assert!(marks.read.is_empty(), "{marks:?}");
        for at in [1, 2] {
            let tabs = &riders.riders[at].0.exchange().chat.tabs;
            assert!(tabs[0].messages.iter().all(|message| !message.is_own));
        }
        riders.close().await;
    })
    .await;
}

#[tokio::test]
async fn files_are_declined() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 2, None).await;
        // A file is offered to those who can be reached.
        riders
            .run_until("a direct link", |riders| {
                riders.all_see_numbers(LinkState::Direct)
            })
            .await;
        let offer = TransferInput::Offer {
            file: 1,
            name: "ride.fit".to_owned(),
            size: 1_000,
            to: None,
        };
        let offer = ExchangeInput::Transfers(offer);
        riders.riders[0].0.intend_exchange(offer);
        riders
            .run_until("declined", |riders| {
                let mut sent = riders.riders[0].0.exchange().transfers.iter();
                let declined = TransferState::Failed(TransferFailure::Declined);
                sent.any(|it| it.is_sending && it.state == declined)
            })
            .await;
        riders.close().await;
    })
    .await;
}
