//! Benchmark of Gruppetto's PeerJS dialect beside npm's `peer`.
//!
//! Both servers run as their users run them: one at a time, taking turns, alone
//! on one processor core. This program is the load generator and runs on another
//! core. It talks to both servers over the same wire, with the same code and the
//! same messages.
//!
//! Layout:
//!
//! - [`options`]: command line.
//! - [`servers`]: the two servers as child processes; [`process`]: processor
//!   time and memory of a process, as the kernel reports them.
//! - [`websocket`]: one client connection; [`offer`]: the relayed message;
//!   [`clients`]: many connections at once.
//! - [`benchmarks`]: one file per benchmark.
//! - [`hostile_files`]: time to reject malicious workout files (`--files`).
//! - [`abuse`]: attacks, and what honest riders notice of them (`--abuse`).
//! - [`report`]: the Markdown page with the results; [`machine`]: the hardware
//!   and versions named on it.
//!
//! Contract: each measurement starts a fresh server, and both servers are
//! measured in the same run of this program.

mod abuse;
mod benchmarks;
mod clients;
mod error;
mod hostile_files;
mod machine;
mod offer;
mod options;
mod process;
mod report;
mod samples;
mod servers;
mod websocket;

use std::process::ExitCode;

use clap::Parser;

use error::BenchError;
use options::Options;

fn main() -> ExitCode {
    match run(&Options::parse().shortened()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BenchError> {
    let machine = machine::Machine::inspect(options)?;
    if options.files {
        return report::output(options, &hostile_files::page(&machine));
    }
    process::prepare_self(options)?;
    // One thread, because the generator is pinned to one core.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    if options.abuse {
        let page = local.block_on(&runtime, abuse::page(options, &machine))?;
        return report::output(options, &page);
    }
    let tables = local.block_on(&runtime, benchmarks::run_all(options))?;
    report::write(options, &machine, &tables)
}
