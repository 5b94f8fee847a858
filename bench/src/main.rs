//! Measures the PeerJS dialect of Gruppetto's server beside npm's `peer`.
//!
//! Both servers run as their users run them, one at a time and in turns, alone
//! on one core; the load generator is this program, on another core. Both are
//! spoken to over the same wire, by the same code, with the same messages.
//!
//! - [`options`]: what to measure, and how much of it.
//! - [`servers`]: the two servers as processes; [`process`]: what the kernel
//!   says of them.
//! - [`wire`]: one WebSocket; [`offer`]: the message that is relayed;
//!   [`crowd`]: many sockets.
//! - [`files`]: how long workout files that mean harm take to be refused.
//! - [`figures`]: one file a figure; [`report`]: the page they end on, with
//!   the [`machine`] they were taken on.
//!
//! Law: a figure is taken of a server that was started for it, and of both
//! servers in the same run of this program.

mod crowd;
mod error;
mod figures;
mod files;
mod machine;
mod offer;
mod options;
mod process;
mod report;
mod samples;
mod servers;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use error::BenchError;
use options::Options;

fn main() -> ExitCode {
    match start(&Options::parse().shortened()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(options: &Options) -> Result<(), BenchError> {
    let machine = machine::Machine::look(options)?;
    if options.files {
        return report::put(options, &files::page(&machine));
    }
    process::prepare_self(options)?;
    // One thread: the generator has one core, and is pinned to it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let tables = tokio::task::LocalSet::new().block_on(&runtime, figures::take(options))?;
    report::write(options, &machine, &tables)
}
