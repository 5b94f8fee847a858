//! Flags of the commands that start simulated riders, or serve a tunnel.

mod tunnel;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use ride::workout::{Workout, library};

use crate::{
    PeerConfig,
    bot::{HostPlan, crew},
    bots::Bots,
    server::{RideUrl, UrlError},
};

pub use self::tunnel::{TunnelOptions, TunnelOptionsError};

/// Time for which the ride of the demo waits for a guest, and then for the guest to be ready.
const DEMO_PATIENCE: Duration = Duration::from_secs(60);

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

    /// Let the server relay everything, without direct links to the other riders
    ///
    /// Example: --relay-only
    #[arg(long)]
    pub relay_only: bool,
}

impl BotsOptions {
    /// The riders that the flags ask for.
    pub fn bots(self) -> Bots {
        let seed = self.seed.unwrap_or_else(seed_of_now);
        Bots {
            peer: PeerConfig {
                ride: self.url,
                has_direct_links: !self.relay_only,
            },
            riders: crew(self.riders.into(), seed),
            host_plan: None,
        }
    }
}

/// Shows a ride with simulated riders, on a server of its own
///
/// Starts a server with the settings of the environment (see gruppetto --help), creates a ride
/// whose riders are simulated, and prints its link. One of them is the host and shares a built-in
/// workout. The ride starts when everyone who has opened the link is ready, at the latest a minute
/// after the first of them has joined, or after a minute without anyone. Ctrl-C ends all.
///
/// Example: gruppetto demo --riders 8 --workout "Endurance 45"
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub struct DemoOptions {
    /// Number of simulated riders, 1 to 31
    ///
    /// Example: --riders 8
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=31))]
    pub riders: u8,

    /// Built-in workout that they ride
    ///
    /// Example: --workout "Endurance 45"
    #[arg(long, default_value = "Thirty-thirty", value_parser = workout)]
    pub workout: Arc<Workout>,

    /// Number from which names and strengths are made: the same seed gives the same riders
    ///
    /// Example: --seed 7
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl DemoOptions {
    /// The riders of the demo.
    pub fn bots(self, ride: RideUrl) -> Bots {
        Bots {
            peer: PeerConfig {
                ride,
                has_direct_links: true,
            },
            riders: crew(self.riders.into(), self.seed),
            host_plan: Some(HostPlan {
                workout: self.workout,
                patience: DEMO_PATIENCE,
            }),
        }
    }
}

/// Built-in workout by its name.
fn workout(name: &str) -> Result<Arc<Workout>, String> {
    let all = library::all();
    let names = || {
        let names = all.iter().map(|it| it.workout.name());
        names.collect::<Vec<_>>().join(", ")
    };
    let is_named = |it: &&library::BuiltIn| it.workout.name().eq_ignore_ascii_case(name.trim());
    match all.iter().find(is_named) {
        Some(found) => Ok(Arc::new(found.workout.clone())),
        None => Err(format!("is not one of the built-in workouts: {}", names())),
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
        assert!(bots.peer.has_direct_links);
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
    fn the_demo_rides_a_built_in_workout() {
        let command = || DemoOptions::augment_args(Command::new("demo"));
        for (flags, name) in [
            (&[][..], "Thirty-thirty"),
            (&["--workout", "endurance 45"][..], "Endurance 45"),
        ] {
            let flags = ["demo"].iter().chain(flags);
            let matches = command().get_matches_from(flags);
            let options = DemoOptions::from_arg_matches(&matches).unwrap();
            assert_eq!(options.workout.name(), name);
        }
        let unknown = ["demo", "--workout", "Nonsense"];
        assert!(command().try_get_matches_from(unknown).is_err());
    }

    #[test]
    fn every_flag_is_explained_with_an_example() {
        let bots = BotsOptions::augment_args(Command::new("bots"));
        let demo = DemoOptions::augment_args(Command::new("demo"));
        let tunnel = TunnelOptions::augment_args(Command::new("tunnel"));
        let commands = [bots, demo, tunnel];
        for argument in commands.iter().flat_map(Command::get_arguments) {
            let help = argument.get_long_help().unwrap().to_string();
            let flag = format!("Example: --{}", argument.get_long().unwrap());
            assert!(help.contains(&flag), "{help}");
        }
    }
}
