//! A server, and simulated riders whose views the tests read.

use std::{future::pending, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use clap::Parser;
use clock::Moment;
use futures_util::future::select_all;
use peer::{
    Peer, PeerConfig,
    bot::{Action, Bot, HostPlan, crew},
    server::{RideUrl, ServerUrl},
};
use protocol::peer::{LinkState, PeerId};
use ride::workout::{Workout, library};
use server::{config::Config, router::build_handler, state::AppState};
use session::{
    exchange::ExchangeInput,
    transfers::TransferInput,
    view::{Row, Stage, View},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::LocalSet,
    time::{sleep, timeout},
};

/// Timeout of everything that a test awaits. It is only reached when a test fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Server on the loopback address, without pages, on threads of its own.
pub struct TestServer {
    pub address: SocketAddr,
    flags: Vec<&'static str>,
    has_tunnels: bool,
    runtime: Option<Runtime>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl TestServer {
    pub async fn start(flags: &[&'static str]) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), flags.to_vec(), false).await
    }

    /// Server that has an origin for tunnels.
    pub async fn with_tunnels() -> Self {
        let flags = vec!["--tunnel-addr", "127.0.0.1:0"];
        Self::start_at("127.0.0.1:0".parse().unwrap(), flags, true).await
    }

    async fn start_at(address: SocketAddr, flags: Vec<&'static str>, has_tunnels: bool) -> Self {
        let base = [
            "gruppetto",
            "--secret",
            "a secret for tests alone",
            "--secret-file",
            "/dev/null/secret",
        ];
        let config = Config::parse_from(base.iter().chain(&flags));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listening = runtime.spawn(async move {
            let state = AppState::new(config).expect("a state");
            if has_tunnels {
                server::listen_for_tunnels(&state).await.expect("a port");
            }
            let handler = build_handler(state.clone(), Router::new());
            // The tasks of a server that was killed end soon.
            let listener = loop {
                match TcpListener::bind(address).await {
                    Ok(listener) => break listener,
                    Err(_) => sleep(Duration::from_millis(20)).await,
                }
            };
            let address = listener.local_addr().expect("an address");
            tokio::spawn(server::run(listener, handler, state, pending()));
            address
        });
        let address = listening.await.expect("a free port");
        Self {
            address,
            flags,
            has_tunnels,
            runtime: Some(runtime),
        }
    }

    /// Kills the server, which loses its rides, and starts another one at the same address.
    pub async fn restart(self) -> Self {
        let (address, flags, has_tunnels) = (self.address, self.flags.clone(), self.has_tunnels);
        drop(self);
        Self::start_at(address, flags, has_tunnels).await
    }

    pub fn url(&self) -> ServerUrl {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// Starts a ride.
    pub async fn ride(&self) -> RideUrl {
        let server = self.url();
        let code = server.create_ride().await.expect("a ride");
        RideUrl { server, code }
    }

    /// Number of riders in a ride.
    pub async fn riders(&self, ride: &RideUrl) -> u64 {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "GET /api/rides/{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            ride.code, self.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["riders"].as_u64().unwrap()
    }

    /// Waits until the server has noticed that everyone has left.
    pub async fn expect_no_riders(&self, ride: &RideUrl) {
        let noticed = async {
            while self.riders(ride).await > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let noticed = tokio::time::timeout(Duration::from_secs(20), noticed).await;
        noticed.expect("everyone has left");
    }
}

/// Simulated riders, driven together.
pub struct Riders {
    pub riders: Vec<(Peer, Bot)>,
}

impl Riders {
    /// Opens the ride for each of them, once the one before has joined.
    pub async fn join(ride: &RideUrl, count: usize, host_plan: Option<HostPlan>) -> Self {
        let mut this = Self { riders: Vec::new() };
        for rider in crew(count, 7) {
            let peer = Peer::open(PeerConfig {
                ride: ride.clone(),
                has_direct_links: true,
            });
            this.riders.push((peer, Bot::new(rider, host_plan.clone())));
            let at = this.riders.len() - 1;
            this.run_until("the rider has joined", |riders| riders.has_joined(at))
                .await;
        }
        this
    }

    /// Lets all ride until a condition is true.
    pub async fn run_until(&mut self, what: &str, is_true: impl Fn(&Self) -> bool) {
        let run = async {
            loop {
                self.act();
                if is_true(self) {
                    return;
                }
                let steps = self
                    .riders
                    .iter_mut()
                    .map(|(peer, _)| Box::pin(peer.step()));
                select_all(steps).await;
            }
        };
        if timeout(TIMEOUT, run).await.is_err() {
            let shown: Vec<_> = (0..self.riders.len()).map(|at| self.shown(at)).collect();
            panic!("not within {TIMEOUT:?}: {what}; {shown:#?}");
        }
    }

    /// Lets all ride for a time.
    pub async fn run_for(&mut self, time: Duration) {
        let end = self.now() + time;
        self.run_until("the time has passed", |riders| riders.now() >= end)
            .await;
    }

    fn now(&self) -> Moment {
        self.riders[0].0.now().moment
    }

    fn act(&mut self) {
        let own = |(peer, _): &(Peer, Bot)| {
            let own = peer.view().riders.iter().find(|row| row.is_self);
            own.map(|row| row.peer.clone())
        };
        let bots: Vec<PeerId> = self.riders.iter().filter_map(own).collect();
        for (peer, bot) in &mut self.riders {
            bot.update(
                peer.now().moment,
                peer.view(),
                &peer.exchange().transfers,
                &bots,
            );
            while let Some(action) = bot.poll_action() {
                match action {
                    Action::Intend(intent) => peer.intend(intent),
                    Action::Decline(id) => {
                        let decline = TransferInput::Decline(id);
                        peer.intend_exchange(ExchangeInput::Transfers(decline));
                    }
                }
            }
        }
    }

    pub fn has_joined(&self, at: usize) -> bool {
        self.riders[at].1.has_joined()
    }

    pub fn view(&self, at: usize) -> &View {
        self.riders[at].0.view()
    }

    pub fn stage(&self, at: usize) -> &Stage {
        &self.view(at).stage
    }

    pub fn is_at(&self, stage: &Stage) -> bool {
        (0..self.riders.len()).all(|at| self.stage(at) == stage)
    }

    /// True if everyone sees numbers of everyone, over this kind of link.
    pub fn all_see_numbers(&self, link: LinkState) -> bool {
        let count = self.riders.len();
        let sees = |row: &Row| {
            let has_numbers = row.metrics.power.is_some() && !row.name.is_empty();
            row.is_self || (has_numbers && !row.stale && row.link == link)
        };
        (0..count).all(|at| {
            let rows = &self.view(at).riders;
            rows.len() == count && rows.iter().all(sees)
        })
    }

    fn shown(&self, at: usize) -> String {
        let view = self.view(at);
        let row = |row: &Row| format!("{} {:?} {:?}", row.name, row.link, row.metrics.power);
        let rows: Vec<_> = view.riders.iter().map(row).collect();
        format!("{:?} {:?} {rows:?}", view.stage, view.connection)
    }

    pub async fn close(self) {
        for (peer, _) in self.riders {
            peer.close().await;
        }
    }
}

/// Plan of a host who waits for no guests.
pub fn starts_at_once() -> HostPlan {
    HostPlan {
        workout: workout(),
        patience: Duration::ZERO,
    }
}

/// Plan of a host who does not start the ride.
pub fn waits() -> HostPlan {
    HostPlan {
        workout: workout(),
        patience: Duration::from_secs(3_600),
    }
}

fn workout() -> Arc<Workout> {
    let all = library::all();
    Arc::new(all.into_iter().next().unwrap().workout)
}

/// Runs a test whose sessions stay on one thread.
pub async fn local(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}
