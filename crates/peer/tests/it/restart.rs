//! A server that is killed and started again.

use protocol::peer::LinkState;
use session::view::{ServerConnection, Stage};

use crate::support::{Riders, TestServer, local, starts_at_once};

#[tokio::test]
async fn riders_come_back_by_themselves_after_a_restart() {
    local(async {
        let server = TestServer::start(&["--p2p-enabled", "false"]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 3, Some(starts_at_once())).await;
        riders
            .run_until("everyone rides", |riders| riders.is_at(&Stage::Riding))
            .await;
        let server = server.restart().await;
        riders
            .run_until("the loss is noticed", |riders| {
                (0..3).all(|at| riders.view(at).connection != ServerConnection::Online)
            })
            .await;
        riders
            .run_until("numbers of all again", |riders| {
                let is_online = |at| riders.view(at).connection == ServerConnection::Online;
                (0..3).all(is_online) && riders.all_see_numbers(LinkState::Relayed)
            })
            .await;
        assert!(riders.is_at(&Stage::Riding));
        riders.close().await;
        drop(server);
    })
    .await;
}
