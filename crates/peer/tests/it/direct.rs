//! Rides whose riders have direct links.

use std::time::Duration;

use protocol::peer::LinkState;
use session::view::{ServerConnection, Stage};

use crate::support::{Riders, TestServer, local, starts_at_once};

#[tokio::test]
async fn three_riders_see_each_others_numbers_over_direct_links() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 3, None).await;
        riders
            .run_until("numbers of all", |riders| {
                riders.all_see_numbers(LinkState::Direct)
            })
            .await;
        riders.close().await;
    })
    .await;
}

#[tokio::test]
async fn direct_links_go_on_without_the_server() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 3, Some(starts_at_once())).await;
        riders
            .run_until("everyone rides", |riders| {
                riders.is_at(&Stage::Riding) && riders.all_see_numbers(LinkState::Direct)
            })
            .await;
        drop(server);
        riders
            .run_until("the loss is noticed", |riders| {
                (0..3).all(|at| riders.view(at).connection != ServerConnection::Online)
            })
            .await;
        riders.run_for(Duration::from_secs(5)).await;
        riders
            .run_until("numbers still arrive", |riders| {
                riders.all_see_numbers(LinkState::Direct)
            })
            .await;
        riders.close().await;
    })
    .await;
}
