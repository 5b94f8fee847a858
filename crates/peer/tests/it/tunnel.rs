//! A tunnel whose page is listed in a ride.

use peer::{
    server::RideUrl,
    tunnel::{Access, Metrics, Report, Secrets, Tunnel, TunnelError, TunnelLimits, run},
};
use session::Intent;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::support::{Riders, TestServer, local};

/// Tunnel in a task.
struct Running {
    task: JoinHandle<Result<Metrics, TunnelError>>,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Running {
    fn start(ride: &RideUrl) -> Self {
        let tunnel = Tunnel {
            to: "http://127.0.0.1:9".parse().unwrap(),
            url: ride.to_string().parse().unwrap(),
            name: "Route videos".to_owned(),
            secrets: Secrets::random().unwrap(),
            access: Access::default(),
            limits: TunnelLimits::default(),
        };
        let (post, reports) = mpsc::unbounded_channel();
        let report = move |report| {
            let _ = post.send(report);
        };
        let task = tokio::task::spawn_local(run(tunnel, report, std::future::pending()));
        Self { task, reports }
    }
}

#[tokio::test]
async fn riders_list_the_page_of_a_tunnel_which_ends_when_the_host_removes_it() {
    local(async {
        let server = TestServer::with_tunnels().await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 2, None).await;
        let mut tunnel = Running::start(&ride);
        riders
            .run_until("the page is listed", |riders| {
                let mut all = riders.riders.iter();
                all.all(|(peer, _)| !peer.exchange().pages.is_empty())
            })
            .await;
        let page = riders.riders[0].0.exchange().pages[0].clone();
        assert_eq!(page.name, "Route videos");
        let Some(Report::Address(address)) = tunnel.reports.recv().await else {
            panic!("an address first");
        };
        assert_eq!(page.address.as_str(), address);

        let mut all = riders.riders.iter_mut();
        let host = all.find(|(peer, _)| peer.view().is_host);
        host.expect("a host").0.intend(Intent::Kick {
            peer: page.peer,
            reason: String::new(),
        });
        riders
            .run_until("the tunnel has ended", |_| tunnel.task.is_finished())
            .await;
        assert!(tunnel.task.await.unwrap().is_ok());
        let note = "The host has removed the page from the ride.".to_owned();
        assert_eq!(tunnel.reports.recv().await, Some(Report::Note(note)));
        riders.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_tunnel_into_a_ride_that_does_not_exist_ends_with_a_sentence() {
    local(async {
        let server = TestServer::with_tunnels().await;
        let mut ride = server.ride().await;
        ride.code = "brave-otter-0042".parse().unwrap();
        let tunnel = Running::start(&ride);
        let error = tunnel.task.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("no ride with this address"));
    })
    .await;
}
