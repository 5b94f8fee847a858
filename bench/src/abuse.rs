//! Attacks on the server, and what honest riders and visitors notice of them (`--abuse`).
//!
//! For each attack a server with its default settings is started anew, alone on one core. On
//! another core, eight honest riders ride: their pages are the session that runs in the browser,
//! over the relay. A visitor opens the first page again and again. Then the attack begins.
//!
//! - [`page`]: an honest rider's page.
//! - [`attacks`]: the attacks, in a thread of their own.
//! - [`client`]: connections of both.

pub mod attacks;
pub mod client;
pub mod page;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use session::Intent;
use session::view::Stage;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::error::BenchError;
use crate::machine::Machine;
use crate::options::Options;
use crate::process::Process;
use crate::servers::RunningServer;
use attacks::{Attack, Progress, Target};
use client::{request, start_ride};
use page::Page;

/// Honest riders.
const RIDERS: u8 = 8;
/// Time in which a ride of honest riders has to begin.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Interval between two looks at the server's memory.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(200);
/// Source address of the visitor.
const VISITOR: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);

/// Figures of one attack on one server.
#[derive(Debug)]
struct Figures {
    done: u64,
    refused: u64,
    names: usize,
    lost_sockets: usize,
    reasons: Vec<String>,
    ages: Vec<Duration>,
    missing: usize,
    looks: usize,
    visits: Visits,
    memory_before: u64,
    memory_peak: u64,
    kernel_before: u64,
    kernel_peak: u64,
    can_start: Result<(), String>,
}

#[derive(Debug, Default)]
struct Visits {
    delays: Vec<Duration>,
    failed: usize,
}

#[derive(Debug, Default)]
struct Peaks {
    memory: u64,
    kernel: u64,
}

/// Runs all attacks and returns the page with the results.
///
/// # Errors
/// A server does not start, or the honest riders cannot begin their ride.
pub async fn page(options: &Options, machine: &Machine) -> Result<String, BenchError> {
    let mut page = introduction(options, machine);
    let file = large_file(Path::new("target/site/pkg"))?;
    for attack in Attack::ALL {
        if !options.attacks.is_empty() && !options.attacks.contains(&format!("{attack:?}")) {
            continue;
        }
        eprintln!("{attack:?}: {}", attack.description());
        let _ = write!(page, "\n## {}\n\n", title(attack.description()));
        let mut columns = Vec::new();
        if let Some(before) = &options.before {
            columns.push(("before", measure(options, before, attack, &file).await?));
        }
        columns.push((
            "now",
            measure(options, &options.gruppetto, attack, &file).await?,
        ));
        page += &table(attack, &columns);
        eprintln!("{}", table(attack, &columns));
    }
    Ok(page)
}

async fn measure(
    options: &Options,
    binary: &Path,
    attack: Attack,
    file: &str,
) -> Result<Figures, BenchError> {
    let folder = std::env::temp_dir().join(format!("gruppetto-abuse-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let secret = folder.join("secret");
    let mut settings = vec![(
        "GRUPPETTO_SECRET_FILE",
        secret.to_string_lossy().into_owned(),
    )];
    let own = attack.settings().iter();
    settings.extend(own.map(|(name, value)| (*name, (*value).to_owned())));
    let running =
        RunningServer::attacked(binary, options.server_core, &settings, attack.descriptors())
            .await?;
    let figures = attack_server(options, &running, attack, file).await;
    drop(running);
    fs::remove_dir_all(folder)?;
    figures
}

async fn attack_server(
    options: &Options,
    running: &RunningServer,
    attack: Attack,
    file: &str,
) -> Result<Figures, BenchError> {
    let server = running.address;
    let host = Ipv4Addr::new(127, 0, 1, 1);
    let code = start_ride(server, host, "").await?;
    let pages: Vec<_> = (1..=RIDERS)
        .map(|number| {
            let source = Ipv4Addr::new(127, 0, 1, number);
            Page::open(server, source, &code, &format!("Honest {number}"))
        })
        .collect();
    begin_ride(&pages).await?;

    let process = running.process();
    let (memory_before, kernel_before) = (process.resident_bytes()?, socket_memory()?);
    let peaks = Rc::new(RefCell::new(Peaks::default()));
    let watch = spawn_local(watch_memory(process, peaks.clone()));
    let visits = Rc::new(RefCell::new(Visits::default()));
    let visitor = spawn_local(visit(server, visits.clone()));
    for page in &pages {
        page.noticed.borrow_mut().is_measured = true;
    }

    let progress = Arc::new(Progress::default());
    let target = Target {
        server,
        code,
        file: file.to_owned(),
        progress: progress.clone(),
    };
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || attack_until(attack, target, stopped));
    let seconds = match attack.is_long() {
        true => options.attack_seconds,
        false => options.attack_seconds / 3,
    };
    sleep(Duration::from_secs(seconds.max(1))).await;
    // Can a rider who has nothing to do with it start a ride?
    let headers = "X-Forwarded-For: 192.0.2.7\r\n";
    let source = match attack {
        Attack::GuessedCodes => Ipv4Addr::new(127, 0, 0, 9),
        _ => VISITOR,
    };
    let can_start = new_ride(server, source, headers).await;
    for page in &pages {
        page.noticed.borrow_mut().is_measured = false;
    }
    watch.abort();
    visitor.abort();
    let _ = stop.send(());
    let _ = thread.join();

    let mut figures = Figures {
        done: progress.done.load(Ordering::Relaxed),
        refused: progress.refused.load(Ordering::Relaxed),
        names: progress.names.lock().map_or(0, |names| names.len()),
        lost_sockets: 0,
        reasons: Vec::new(),
        ages: Vec::new(),
        missing: 0,
        looks: 0,
        visits: visits.take(),
        memory_before,
        memory_peak: peaks.borrow().memory,
        kernel_before,
        kernel_peak: peaks.borrow().kernel,
        can_start,
    };
    for page in &pages {
        let mut noticed = page.noticed.borrow_mut();
        figures.lost_sockets += noticed.lost_sockets;
        figures.reasons.append(&mut noticed.reasons);
        figures.ages.append(&mut noticed.ages);
        figures.missing += noticed.missing;
        figures.looks += noticed.looks * usize::from(RIDERS - 1);
    }
    Ok(figures)
}

/// Starts the riders' workout and waits until everyone rides and sees everyone.
async fn begin_ride(pages: &[Page]) -> Result<(), BenchError> {
    let begun = async {
        let see_all = |page: &Page| page.noticed.borrow().riders == pages.len() - 1;
        while !pages.iter().all(see_all) {
            sleep(SAMPLE_INTERVAL).await;
        }
        // Everyone tries, because the first to arrive is the host; the others are ignored.
        let workout = page::workout();
        for page in pages {
            page.intend(Intent::ShareWorkout(workout.clone()));
        }
        while !pages.iter().all(|page| page.noticed.borrow().is_riding) {
            for page in pages {
                if page.noticed.borrow().stage == Stage::Lobby {
                    page.intend(Intent::Start);
                }
            }
            sleep(Duration::from_secs(1)).await;
        }
        // The first numbers of everyone.
        sleep(Duration::from_secs(3)).await;
    };
    timeout(START_TIMEOUT, begun).await.map_err(|_| {
        let seen: Vec<_> = pages.iter().map(|page| page.noticed.borrow()).collect();
        BenchError::Setup(format!("the honest riders' ride did not begin: {seen:?}"))
    })
}

/// Attacks on a thread of its own until it is stopped, so that the honest riders wait for no
/// attacker.
fn attack_until(attack: Attack, target: Target, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        tokio::select! {
            () = attack.run(target) => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_background();
}

async fn watch_memory(process: Process, peaks: Rc<RefCell<Peaks>>) {
    loop {
        if let (Ok(memory), Ok(kernel)) = (process.resident_bytes(), socket_memory()) {
            let mut peaks = peaks.borrow_mut();
            peaks.memory = peaks.memory.max(memory);
            peaks.kernel = peaks.kernel.max(kernel);
        }
        sleep(SAMPLE_INTERVAL).await;
    }
}

async fn visit(server: SocketAddr, visits: Rc<RefCell<Visits>>) {
    loop {
        match request(server, VISITOR, "GET", "/", "").await {
            Ok(answer) if answer.status == 200 => visits.borrow_mut().delays.push(answer.delay),
            Ok(_) | Err(_) => visits.borrow_mut().failed += 1,
        }
        sleep(SAMPLE_INTERVAL).await;
    }
}

async fn new_ride(server: SocketAddr, source: Ipv4Addr, headers: &str) -> Result<(), String> {
    let code = start_ride(server, source, headers)
        .await
        .map_err(|error| error.to_string())?;
    let path = format!("/api/rides/{code}");
    match request(server, source, "GET", &path, headers).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(format!("finding it: {}", answer.status)),
        Err(error) => Err(format!("finding it: {error}")),
    }
}

/// Bytes of the kernel in buffers of all TCP sockets of this machine: pages of 4 KiB
/// (`/proc/net/sockstat`, proc(5)).
fn socket_memory() -> Result<u64, BenchError> {
    let text = fs::read_to_string("/proc/net/sockstat")?;
    let line = text.lines().find(|line| line.starts_with("TCP:"));
    let pages = line
        .and_then(|line| line.rsplit(' ').next())
        .and_then(|pages| pages.parse::<u64>().ok());
    pages
        .map(|pages| pages * 4_096)
        .ok_or_else(|| BenchError::Setup("/proc/net/sockstat cannot be read".to_owned()))
}

/// Path of the largest module of the site.
fn large_file(folder: &Path) -> Result<String, BenchError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".wasm") {
            files.push((entry.metadata()?.len(), name));
        }
    }
    let largest = files.into_iter().max();
    largest
        .map(|(_, name)| format!("/pkg/{name}"))
        .ok_or_else(|| BenchError::Setup("target/site is empty: run make build".to_owned()))
}

fn introduction(options: &Options, machine: &Machine) -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut text = format!(
        "# Attacks\n\nMeasured on {} by `make abuse`, which writes this page (`bench {}`).\n",
        machine.date,
        arguments.join(" ")
    );
    text += "
For each attack a server with its default settings was started anew, alone on one core. On
another core, eight riders rode a workout: their pages are the session that runs in the browser,
relayed by the server. A visitor opened the first page five times a second. All clients have
loopback addresses of their own, and one address is one client for the server's limits. At the
end of the attack a rider at another address started a ride.

The age is that of the newest numbers of each other rider, looked at four times a second; riders
send numbers twice a second. Memory is the server's resident memory, and the kernel's buffers of
all TCP sockets of this machine, those of the attackers included.

";
    text += &machine.table();
    if options.before.is_some() {
        text += "\n*Before* is the server without the limits that these attacks led to.\n";
    }
    text
}

fn title(description: &str) -> String {
    let mut letters = description.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn table(attack: Attack, columns: &[(&str, Figures)]) -> String {
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    let mut row = |name, value: &dyn Fn(&Figures) -> String| {
        rows.push((name, columns.iter().map(|(_, it)| value(it)).collect()));
    };
    row(attack.done(), &|it| it.done.to_string());
    row("refused, or failed", &|it| it.refused.to_string());
    if attack == Attack::TurnNames {
        row("different names of TURN credentials", &|it| {
            it.names.to_string()
        });
    }
    row(
        "sockets that honest riders lost",
        &|it| match it.lost_sockets {
            0 => "0".to_owned(),
            count => format!("**{count}** ({})", most_common(&it.reasons)),
        },
    );
    row("age of numbers, p95 and maximum", &|it| {
        format!(
            "{} and {}",
            percentile(&it.ages, 0.95),
            percentile(&it.ages, 1.0)
        )
    });
    row("looks without a rider or without numbers", &|it| {
        let seen = it.ages.len();
        format!("{} of {}", it.looks.saturating_sub(seen), it.looks)
    });
    row("first page, p95", &|it| percentile(&it.visits.delays, 0.95));
    row("first page not served", &|it| {
        let all = it.visits.delays.len() + it.visits.failed;
        format!("{} of {all}", it.visits.failed)
    });
    row("another rider starts a ride", &|it| match &it.can_start {
        Ok(()) => "yes".to_owned(),
        Err(reason) => format!("**no** ({reason})"),
    });
    row("memory of the server, before and at most", &|it| {
        format!(
            "{} and {}",
            mebibytes(it.memory_before),
            mebibytes(it.memory_peak)
        )
    });
    row("memory of the kernel, before and at most", &|it| {
        format!(
            "{} and {}",
            mebibytes(it.kernel_before),
            mebibytes(it.kernel_peak)
        )
    });
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = format!(
        "| | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for (name, values) in rows {
        let _ = writeln!(text, "| {name} | {} |", values.join(" | "));
    }
    text
}

fn most_common(reasons: &[String]) -> String {
    let mut sorted = reasons.to_vec();
    sorted.sort();
    let groups = sorted.chunk_by(|one, other| one == other);
    let largest = groups.max_by_key(|group| group.len());
    largest.map_or_else(String::new, |group| group[0].clone())
}

fn percentile(durations: &[Duration], part: f64) -> String {
    let mut sorted = durations.to_vec();
    sorted.sort();
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * part).round() as usize;
    match sorted.get(at) {
        Some(value) => format!("{:.0} ms", value.as_secs_f64() * 1_000.0),
        None => "none".to_owned(),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / 1_048_576.0)
}
