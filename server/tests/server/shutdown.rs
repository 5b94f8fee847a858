//! How the server ends.

use std::time::Duration;

use mesh::signaling::ServerMessage;

use crate::support::TestServer;

#[tokio::test]
async fn riders_are_told_when_to_come_back_and_the_server_ends() {
    let mut server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    server.begin_shutdown();
    let told = ana.message().await;
    assert!(
        matches!(
            told,
            ServerMessage::Closing {
                retry_after_ms: 500..4_500
            }
        ),
        "{told:?}"
    );
    assert_eq!(ana.close_code().await, 1012);
    drop(ana);
    tokio::time::timeout(Duration::from_secs(10), server.ended)
        .await
        .expect("in time")
        .expect("ends");
}

#[tokio::test]
async fn a_server_that_drains_says_so_and_takes_nobody_else() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    server.state.draining.begin();
    let health = server.get("/health").await;
    assert_eq!(
        (health.status, &health.json()["status"]),
        (503, &"draining".into())
    );
    assert_eq!(
        server.post("/api/rides", &[]).await.json()["error"]["code"],
        "draining"
    );
    assert!(server.socket_from(&code, None).await.is_err());
}
