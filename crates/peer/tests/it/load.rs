//! The load of many rides, on a real server.

use std::time::Duration;

use peer::{
    load::{self, Load, figures::Report, process::Process},
    server::ServerUrl,
};

use crate::support::TestServer;

/// Runs a load of two rides with three riders each.
async fn measure(server: &TestServer, relayed_percent: u8) -> Report {
    let load = Load {
        server: ServerUrl::plain(server.address),
        rides: 2,
        riders: 3,
        joins_per_second: 20.0,
        ride_time: Duration::from_secs(2),
        relayed_percent,
        seed: 1,
        process: Some(Process::own()),
    };
    load::run(load, std::future::pending()).await
}

#[tokio::test]
async fn relayed_riders_get_each_others_numbers_over_the_server() {
    let server = TestServer::start(&[]).await;
    let report = measure(&server, 100).await;
    let figures = &report.figures;
    assert_eq!(figures.join_times.len(), 6, "{report}");
    assert!(figures.failures.is_empty() && figures.lost == 0, "{report}");
    assert!(figures.numbers > 12, "{report}");
    let [sent, received] = figures.riding;
    assert!(received.messages > sent.messages, "{report}");
    assert!(report.server.is_some());
}

#[tokio::test]
async fn direct_riders_get_them_without_the_server() {
    let server = TestServer::start(&[]).await;
    let report = measure(&server, 0).await;
    let figures = &report.figures;
    assert_eq!(figures.join_times.len(), 6, "{report}");
    assert!(figures.numbers > 12, "{report}");
    // Each pair has exchanged descriptions and candidates.
    let [sent, _] = figures.joining;
    assert!(sent.bytes / 6 > 1_200, "{report}");
    // What is left is a ping per second and rider, with its answer.
    let [sent, received] = figures.riding;
    assert!(sent.messages + received.messages <= 6 * 2 * 3, "{report}");
}

#[tokio::test]
async fn riders_who_are_refused_are_counted_by_reason() {
    let server = TestServer::start(&["--max-riders", "2"]).await;
    let report = measure(&server, 100).await;
    assert_eq!(report.figures.join_times.len(), 4, "{report}");
    let failures: Vec<_> = report.figures.failures.iter().collect();
    assert_eq!(
        failures,
        [(&"refused: RideFull".to_owned(), &2)],
        "{report}"
    );
}
