//! A companion that shares a page with simulated riders.

use std::time::Duration;

use peer::{Companion, server::RideUrl};
use ride::page::Page;
use session::{Intent, companion::CompanionState};
use tokio::{sync::watch, task::JoinHandle};

use crate::support::{Riders, TestServer, local};

const CODE: &str = "abcdefghij234567";
const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567";

const IN_RIDE: CompanionState = CompanionState::InRide { is_online: true };

/// A companion that takes part until it has ended.
struct Sharing {
    state: watch::Receiver<CompanionState>,
    task: JoinHandle<()>,
}

impl Sharing {
    fn join(ride: &RideUrl) -> Self {
        let page = Page {
            name: "Route videos".parse().unwrap(),
            code: CODE.parse().unwrap(),
            token: TOKEN.parse().unwrap(),
        };
        let mut companion = Companion::join(ride.clone(), page);
        let (report, state) = watch::channel(companion.state());
        let task = tokio::task::spawn_local(async move {
            while is_going_on(&companion.state()) {
                companion.step().await;
                report.send_replace(companion.state());
            }
            companion.close().await;
        });
        Self { state, task }
    }

    fn state(&self) -> CompanionState {
        self.state.borrow().clone()
    }
}

fn is_going_on(state: &CompanionState) -> bool {
    matches!(
        state,
        CompanionState::Joining | CompanionState::InRide { .. }
    )
}

/// True if all riders list the page, and nobody lists the companion as rider.
fn all_list_the_page(riders: &Riders) -> bool {
    riders.riders.iter().all(|(peer, _)| {
        let pages = &peer.exchange().pages;
        pages.iter().any(|page| page.name == "Route videos")
            && peer.view().riders.len() == riders.riders.len()
    })
}

#[tokio::test]
async fn a_page_is_listed_by_all_riders_until_the_host_removes_it() {
    local(async {
        let server = TestServer::with_tunnels().await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 2, None).await;
        let companion = Sharing::join(&ride);
        riders
            .run_until("the page is listed", all_list_the_page)
            .await;
        assert_eq!(companion.state(), IN_RIDE);
        let page = riders.riders[1].0.exchange().pages[0].clone();
        let address = page.address.as_str();
        assert!(address.starts_with(&format!("http://{CODE}.localhost:")));
        assert!(address.ends_with(&format!("/#{TOKEN}")));

        let host = riders
            .riders
            .iter_mut()
            .find(|(peer, _)| peer.view().is_host);
        let kick = Intent::Kick {
            peer: page.peer,
            reason: "Wrong ride.".to_owned(),
        };
        host.expect("a host").0.intend(kick);
        riders
            .run_until("the page is gone", |riders| {
                let mut all = riders.riders.iter();
                all.all(|(peer, _)| peer.exchange().pages.is_empty())
            })
            .await;
        companion.task.await.expect("an end in order");
        let reason = "Wrong ride.".to_owned();
        let state = companion.state.borrow().clone();
        assert_eq!(state, CompanionState::Removed { reason });
        riders.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_page_is_listed_again_after_a_restart_of_the_server() {
    local(async {
        let server = TestServer::with_tunnels().await;
        let ride = server.ride().await;
        let mut riders = Riders::join(&ride, 2, None).await;
        let companion = Sharing::join(&ride);
        riders
            .run_until("the page is listed", all_list_the_page)
            .await;
        let server = server.restart().await;
        riders
            .run_until("the loss is noticed", |_| companion.state() != IN_RIDE)
            .await;
        riders
            .run_until("the companion is back", |_| companion.state() == IN_RIDE)
            .await;
        riders
            .run_until("the page is listed again", all_list_the_page)
            .await;
        riders.run_for(Duration::from_secs(1)).await;
        assert!(all_list_the_page(&riders));
        riders.close().await;
        companion.task.abort();
        drop(server);
    })
    .await;
}

#[tokio::test]
async fn a_ride_that_does_not_exist_is_said_to_be_none() {
    local(async {
        let server = TestServer::start(&[]).await;
        let ride = RideUrl {
            server: server.url(),
            code: "brave-otter-0042".parse().unwrap(),
        };
        let companion = Sharing::join(&ride);
        companion.task.await.expect("an end in order");
        let state = companion.state.borrow().clone();
        let none = CompanionState::Refused(session::view::JoinError::NoSuchRide);
        assert_eq!(state, none);
    })
    .await;
}
