//! Riders who leave.

use session::Intent;

use crate::support::{Riders, TestServer, local};

#[tokio::test]
async fn a_rider_who_leaves_is_gone_for_the_others() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 3, None).await;
        let (mut last, _) = riders.riders.pop().unwrap();
        last.intend(Intent::Leave);
        last.close().await;
        let all_are_two = |riders: &Riders| (0..2).all(|at| riders.view(at).riders.len() == 2);
        riders.run_until("the row is gone", all_are_two).await;
        assert_eq!(server.riders(&ride).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_rider_whose_program_ends_is_away_and_keeps_its_place() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 2, None).await;
        drop(riders.riders.pop());
        riders
            .run_until("away", |riders| {
                let mut rows = riders.view(0).riders.iter();
                rows.any(|row| !row.is_self && row.link == protocol::peer::LinkState::Away)
            })
            .await;
    })
    .await;
}
