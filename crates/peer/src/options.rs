//! Flags of the commands that start simulated riders.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::{
    PeerConfig,
    bot::crew,
    bots::Bots,
    server::{RideUrl, UrlError},
};

/// Largest number of simulated riders: the largest ride that a server can be set to.
const MAX_RIDERS: i64 = 64;

/// Lets simulated riders join a ride
///
/// Each rider has a name, an FTP and the simulated trainer, and rides the workout of the
/// group. Simulated riders read the chat and do not write. Press Ctrl-C and they leave.
///
/// Example: gruppetto bots --url http://127.0.0.1:3000/ride/brave-otter-0042 --riders 12
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub struct BotsOptions {
    /// Address of the ride, as in the invitation
    ///
    /// Example: --url https://ride.example/ride/brave-otter-0042
    #[arg(long, value_parser = ride_url)]
    pub url: RideUrl,

    /// Number of simulated riders, 1 to 64. A server admits 32 riders to a ride unless it is set
    /// to another number
    ///
    /// Example: --riders 12
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=MAX_RIDERS))]
    pub riders: u8,

    /// Number from which names and strengths are made: the same seed gives the same riders. If it
    /// is not given, the riders are others each time
    ///
    /// Example: --seed 7
    #[arg(long)]
    pub seed: Option<u64>,
}

impl BotsOptions {
    /// The riders that the flags ask for.
    pub fn bots(self) -> Bots {
        let seed = self.seed.unwrap_or_else(seed_of_now);
        Bots {
            peer: PeerConfig { ride: self.url },
            riders: crew(self.riders.into(), seed),
            host_plan: None,
        }
    }
}

/// Seed that differs from start to start.
pub fn seed_of_now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}

fn ride_url(text: &str) -> Result<RideUrl, UrlError> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn parse(flags: &[&str]) -> Result<BotsOptions, clap::Error> {
        let command = BotsOptions::augment_args(Command::new("bots"));
        let matches = command.try_get_matches_from(["bots"].iter().chain(flags))?;
        BotsOptions::from_arg_matches(&matches)
    }

    #[test]
    fn the_address_is_the_only_flag_that_is_needed() {
        let url = "http://127.0.0.1:3000/ride/brave-otter-0042";
        let bots = parse(&["--url", url]).unwrap().bots();
        assert_eq!(bots.peer.ride.to_string(), url);
        assert_eq!(bots.riders.len(), 8);
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn flags_out_of_range_are_refused() {
        let url = "http://127.0.0.1:3000/ride/brave-otter-0042";
        for flags in [
            ["--url", url, "--riders", "0"],
            ["--url", url, "--riders", "65"],
            ["--url", url, "--seed", "-1"],
            ["--url", "http://127.0.0.1:3000", "--riders", "1"],
        ] {
            assert!(parse(&flags).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn every_flag_is_explained_with_an_example() {
        let command = BotsOptions::augment_args(Command::new("bots"));
        for argument in command.get_arguments() {
            let help = argument.get_long_help().unwrap().to_string();
            let flag = format!("Example: --{}", argument.get_long().unwrap());
            assert!(help.contains(&flag), "{help}");
        }
    }
}
