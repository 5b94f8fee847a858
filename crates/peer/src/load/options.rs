//! Flags of `gruppetto load`.

use std::time::Duration;

use clap::Args;

use super::{Load, process::Process};
use crate::server::{ServerUrl, UrlError};

/// Measures what many riders in many rides cost a server
///
/// Light riders join rides that they create, at a fixed rate, whether the server keeps up or not.
/// They use the signaling of a page, and send numbers and heartbeats as often as one, but have no
/// workout, chat or files. Direct links between them carry their frames within this program, since
/// the server sees only their signals. Afterwards the figures are printed. Ctrl-C ends early.
///
/// All riders come from one address: start the server with limits per address that allow that, see
/// docs/benchmarks-capacity.md.
///
/// Example: gruppetto load --url http://127.0.0.1:3000 --rides 50 --riders 8 --pid 4711
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub struct LoadOptions {
    /// Address of the server
    ///
    /// Example: --url http://127.0.0.1:3000
    #[arg(long, value_parser = server_url)]
    pub url: ServerUrl,

    /// Number of rides, 1 to 10,000
    ///
    /// Example: --rides 50
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rides: u32,

    /// Number of riders per ride, 1 to 64
    ///
    /// Example: --riders 8
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub riders: u32,

    /// Number of riders who join per second, over 0
    ///
    /// Example: --joins-per-second 40
    #[arg(long, default_value_t = 20.0, value_parser = rate)]
    pub joins_per_second: f64,

    /// Seconds for which everyone rides after the last rider has joined
    ///
    /// Example: --seconds 60
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,

    /// Percentage of the riders that use the server's relay only, 0 to 100
    ///
    /// Example: --relayed 30
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub relayed: u8,

    /// Number that decides which riders are relayed
    ///
    /// Example: --seed 7
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Process of the server on this machine: its processor time and memory are printed, too
    ///
    /// Example: --pid 4711
    #[arg(long)]
    pub pid: Option<u32>,
}

impl LoadOptions {
    /// The load that the flags ask for.
    pub fn load(self) -> Load {
        Load {
            server: self.url,
            rides: self.rides,
            riders: self.riders,
            joins_per_second: self.joins_per_second,
            ride_time: Duration::from_secs(self.seconds),
            relayed_percent: self.relayed,
            seed: self.seed,
            process: self.pid.map(Process),
        }
    }
}

fn server_url(text: &str) -> Result<ServerUrl, UrlError> {
    text.parse()
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err("is not a number from 0.01 to 10000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn parse(flags: &[&str]) -> Result<LoadOptions, clap::Error> {
        let command = LoadOptions::augment_args(Command::new("load"));
        let matches = command.try_get_matches_from(["load"].iter().chain(flags))?;
        LoadOptions::from_arg_matches(&matches)
    }

    #[test]
    fn the_address_is_the_only_flag_that_is_needed() {
        let load = parse(&["--url", "http://127.0.0.1:3000"]).unwrap().load();
        assert_eq!(
            (load.rides, load.riders, load.relayed_percent),
            (10, 8, 100)
        );
        assert_eq!(load.process, None);
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn flags_out_of_range_are_refused() {
        for flags in [
            ["--riders", "65"],
            ["--rides", "0"],
            ["--joins-per-second", "0"],
            ["--joins-per-second", "NaN"],
            ["--relayed", "101"],
            ["--seconds", "0"],
        ] {
            let flags = ["--url", "http://127.0.0.1:3000", flags[0], flags[1]];
            assert!(parse(&flags).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn every_flag_is_explained_with_an_example() {
        let load = LoadOptions::augment_args(Command::new("load"));
        for argument in load.get_arguments() {
            let help = argument.get_long_help().unwrap().to_string();
            let flag = format!("Example: --{}", argument.get_long().unwrap());
            assert!(help.contains(&flag), "{help}");
        }
    }
}
