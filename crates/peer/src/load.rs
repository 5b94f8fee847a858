//! Load of many rides: light riders, joined at a rate that does not depend on how fast the server
//! answers (open loop), and figures of what the server did for them.
//!
//! - [`Load`]: the plan; [`run`] carries it out.
//! - [`options`]: flags of `gruppetto load`.
//! - [`figures`]: what is counted, and how it is printed.
//! - [`process`]: processor time and memory of the server, if it runs on this machine.
//! - `rider`: one rider. It runs the mesh node of a page, so signaling, heartbeats, reports and
//!   relayed frames are those of a page, but no session: no workout, chat, recording or files.
//! - `wire`: direct links between the riders of this process. They carry frames in memory, because
//!   the server sees nothing of them but their signals.

pub mod figures;
pub mod options;
pub mod process;
mod rider;
mod wire;

use std::{cell::RefCell, rc::Rc, time::Duration};

use mesh::node::Input;
use protocol::code::SessionCode;
use tokio::{
    sync::{OnceCell, mpsc, watch},
    task::LocalSet,
    time::{Instant, sleep, sleep_until},
};

use crate::server::ServerUrl;
use figures::{Failure, Figures, Report};
use process::{Process, Usage};
use rider::Seat;

/// Longest time after the last scheduled join for which the load waits for riders who join.
const JOIN_PATIENCE: Duration = Duration::from_secs(12);
/// Interval at which it looks for them.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Time after the last join in which links become direct.
const LINK_TIME: Duration = Duration::from_secs(4);
/// Time within which all riders have left.
const LEAVE_TIME: Duration = Duration::from_secs(2);

/// Plan of a load.
#[derive(Clone, Debug)]
pub struct Load {
    /// The server.
    pub server: ServerUrl,
    /// Number of rides.
    pub rides: u32,
    /// Number of riders per ride.
    pub riders: u32,
    /// Joins per second. The rides are created on the way, each for its first rider.
    pub joins_per_second: f64,
    /// Time for which all riders ride after the last has joined.
    pub ride_time: Duration,
    /// Percentage of the riders that use the relay only.
    pub relayed_percent: u8,
    /// Seed of the riders: which are relayed, their keys, and their jitter.
    pub seed: u64,
    /// Process of the server.
    pub process: Option<Process>,
}

/// State that all riders of a load share.
struct World {
    server: ServerUrl,
    codes: Vec<OnceCell<Result<SessionCode, Failure>>>,
    /// Queue of each rider for what arrives over direct links.
    mailboxes: RefCell<Vec<Option<mpsc::Sender<Input>>>>,
    figures: RefCell<Figures>,
}

/// Lets all riders join, ride and leave. `stop` ends the load early.
pub async fn run(load: Load, stop: impl Future<Output = ()>) -> Report {
    LocalSet::new().run_until(run_local(load, stop)).await
}

async fn run_local(load: Load, stop: impl Future<Output = ()>) -> Report {
    let total = load.rides * load.riders;
    let world = Rc::new(World {
        server: load.server.clone(),
        codes: (0..load.rides).map(|_| OnceCell::new()).collect(),
        mailboxes: RefCell::new((0..total).map(|_| None).collect()),
        figures: RefCell::default(),
    });
    let (leave, leaving) = watch::channel(false);
    let usage = || load.process.and_then(|process| Usage::read(process).ok());
    let own = || Usage::read(Process::own()).ok();
    let (before, own_before, begun) = (usage(), own(), Instant::now());
    let mut riders = Vec::new();
    for number in 0..total {
        let delay = Duration::from_secs_f64(f64::from(number) / load.joins_per_second);
        let seat = Seat::new(&load, number);
        let (world, leaving) = (Rc::clone(&world), leaving.clone());
        riders.push(tokio::task::spawn_local(async move {
            sleep_until(begun + delay).await;
            rider::ride(seat, world, leaving).await;
        }));
    }
    let joining = Duration::from_secs_f64(f64::from(total) / load.joins_per_second);
    tokio::pin!(stop);
    let settled = async {
        sleep(joining).await;
        let end = Instant::now() + JOIN_PATIENCE;
        while world.figures.borrow().decided() < total && Instant::now() < end {
            sleep(LOOK_INTERVAL).await;
        }
        sleep(LINK_TIME).await;
    };
    let was_stopped = tokio::select! {
        () = settled => false,
        () = &mut stop => true,
    };
    let (joined, steady_from) = (usage(), Instant::now());
    world.figures.borrow_mut().begin_ride();
    if !was_stopped {
        tokio::select! {
            () = sleep(load.ride_time) => {}
            () = &mut stop => {}
        }
    }
    let (after, ridden) = (usage(), steady_from.elapsed());
    world.figures.borrow_mut().is_riding = false;
    leave.send_replace(true);
    let end = Instant::now() + LEAVE_TIME;
    for mut rider in riders {
        if tokio::time::timeout_at(end, &mut rider).await.is_err() {
            rider.abort();
        }
    }
    let figures = world.figures.borrow().clone();
    Report {
        figures,
        join_time: steady_from - begun,
        ride_time: ridden,
        server: before.zip(joined).zip(after),
        own_cpu_seconds: own_before
            .zip(own())
            .map(|(from, to)| to.cpu_seconds - from.cpu_seconds),
        planned: load,
    }
}

/// Number made of a seed, by SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
