//! Rides whose riders have no direct links.

use std::time::Duration;

use protocol::peer::LinkState;
use session::view::Stage;

use crate::support::{Riders, TestServer, local, starts_at_once};

#[tokio::test]
async fn three_riders_see_each_others_numbers_over_the_relay() {
    local(async {
        let server = TestServer::start(&["--p2p-enabled", "false"]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 3, None).await;
        riders
            .run_until("numbers of all", |riders| {
                riders.all_see_numbers(LinkState::Relayed)
            })
            .await;
        riders.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_host_with_a_plan_starts_the_ride_for_all() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 3, Some(starts_at_once())).await;
        riders
            .run_until("everyone rides", |riders| riders.is_at(&Stage::Riding))
            .await;
        riders.run_for(Duration::from_secs(3)).await;
        for at in 0..3 {
            let own = riders.view(at).own_metrics;
            assert!(own.target.is_some_and(|target| target > 0), "{own:?}");
            assert!(own.power.is_some_and(|power| power > 0), "{own:?}");
        }
        riders.close().await;
    })
    .await;
}
