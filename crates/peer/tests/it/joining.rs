//! Simulated riders who cannot join.

use std::time::Duration;

use peer::{
    PeerConfig,
    bot::crew,
    bots::{self, Bots, BotsError, JoinFailure, Outcome},
    server::RideUrl,
};
use session::Intent;
use tokio::sync::oneshot;

use crate::support::{Riders, TestServer, local, waits};

fn bots_of(ride: &RideUrl, riders: usize) -> Bots {
    Bots {
        peer: PeerConfig {
            ride: ride.clone(),
            has_direct_links: true,
        },
        riders: crew(riders, 1),
        host_plan: None,
    }
}

/// Lets bots join a ride that they are expected not to join.
async fn refused(ride: &RideUrl, riders: usize) -> BotsError {
    let joined = || panic!("joined");
    let result = bots::run(bots_of(ride, riders), joined, std::future::pending()).await;
    result.expect_err("refused")
}

#[tokio::test]
async fn all_riders_have_joined_when_it_is_said() {
    let server = TestServer::start(&[]).await;
    let ride = server.ride().await;
    let (joined, has_joined) = oneshot::channel();
    let joined = || joined.send(()).unwrap();
    let stop = async {
        has_joined.await.unwrap();
        let riders = server.riders(&ride).await;
        assert_eq!(riders, 12);
    };
    let outcome = bots::run(bots_of(&ride, 12), joined, stop).await;
    assert_eq!(outcome, Ok(Outcome::Stopped));
    server.expect_no_riders(&ride).await;
}

#[tokio::test]
async fn an_unknown_code_is_said() {
    let server = TestServer::start(&[]).await;
    let ride = RideUrl {
        server: server.url(),
        code: "brave-otter-0042".parse().unwrap(),
    };
    let error = refused(&ride, 3).await;
    assert_eq!((error.reason, error.joined), (JoinFailure::NoSuchRide, 0));
    assert_eq!(
        error.to_string(),
        "There is no ride with this code, or it is over: check the address."
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said() {
    let server = TestServer::start(&[]).await;
    let ride = server.ride().await;
    drop(server);
    let error = refused(&ride, 3).await;
    assert_eq!(error.reason, JoinFailure::Unreachable);
}

#[tokio::test]
async fn a_full_ride_is_said_and_those_who_had_joined_leave() {
    let server = TestServer::start(&["--max-riders", "3"]).await;
    let ride = server.ride().await;
    let error = refused(&ride, 5).await;
    assert_eq!((error.reason, error.riders), (JoinFailure::Full, 5));
    let message = error.to_string();
    assert!(message.starts_with("The ride is full."), "{message}");
    server.expect_no_riders(&ride).await;
}

#[tokio::test]
async fn a_locked_ride_is_said() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 1, Some(waits())).await;
        riders.riders[0].0.intend(Intent::Lock(true));
        riders
            .run_until("locked", |riders| riders.view(0).locked)
            .await;
        let error = refused(&ride, 2).await;
        assert_eq!(error.reason, JoinFailure::Locked);
    })
    .await;
}

#[tokio::test]
async fn riders_leave_a_ride_that_its_host_closes() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = server.ride().await;
        let mut host = Riders::join(&ride, 1, Some(waits())).await;
        let (joined, has_joined) = oneshot::channel();
        let joined = || joined.send(()).unwrap();
        let riding =
            tokio::task::spawn_local(bots::run(bots_of(&ride, 2), joined, std::future::pending()));
        has_joined.await.unwrap();
        host.riders[0].0.intend(Intent::CloseRide);
        host.run_for(Duration::from_millis(300)).await;
        assert_eq!(riding.await.unwrap(), Ok(Outcome::Over));
    })
    .await;
}
