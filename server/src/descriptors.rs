//! File descriptors: raising the process's limit, and deriving the limits on
//! connections and sockets from it, so that running out of descriptors cannot stop
//! the server from accepting connections and from reading its files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::LimitSettings;

/// Descriptors that are not given to connections: the listener, the runtime, the
/// log, files that are being read, and connections that are being refused. A
/// quarter of all descriptors if that is less.
const RESERVE: u64 = 256;
/// Descriptors of one HTTP connection: its socket, and the file that it reads.
const PER_CONNECTION: u64 = 2;

/// Raises the process's limit, and lowers the limits on connections and sockets if
/// they do not fit into it. Says so in the log.
pub fn fit(settings: &mut LimitSettings) {
    let available = raise_limit();
    if fit_limits(settings, available) {
        tracing::warn!(
            descriptors = available,
            sockets = settings.max_sockets,
            connections = settings.max_connections,
            "the operating system allows too few file descriptors for GRUPPETTO_MAX_SOCKETS and GRUPPETTO_MAX_CONNECTIONS: fewer are accepted; raise the hard limit (ulimit -Hn, LimitNOFILE=)"
        );
    }
}

/// Number of descriptors with which the limits on connections and sockets need not be
/// lowered.
pub fn needed(settings: &LimitSettings) -> u64 {
    let connections = u64::from(settings.max_connections) * PER_CONNECTION;
    u64::from(settings.max_sockets) + connections + RESERVE
}

/// Raises the soft limit of this process to the hard limit, and returns the number
/// of descriptors that the process may open. [`u64::MAX`] means unlimited.
fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Lowers the limits on connections and sockets until they fit into `available`
/// descriptors. Returns `true` if they did not fit.
fn fit_limits(settings: &mut LimitSettings, available: u64) -> bool {
    let usable = available - RESERVE.min(available / 4);
    let sockets = u64::from(settings.max_sockets);
    let connections = u64::from(settings.max_connections) * PER_CONNECTION;
    let wanted = sockets + connections;
    if wanted <= usable {
        return false;
    }
    let (sockets, connections) = share_out(usable, sockets, connections);
    lower(
        at_least_one(sockets),
        &mut settings.max_sockets,
        &mut settings.max_sockets_per_address,
    );
    lower(
        at_least_one(connections / PER_CONNECTION),
        &mut settings.max_connections,
        &mut settings.max_connections_per_address,
    );
    true
}

/// Parts of `usable` for two that want more than that together. One that wants less than half
/// keeps it all; otherwise both shrink in proportion.
fn share_out(usable: u64, one: u64, other: u64) -> (u64, u64) {
    let half = usable / 2;
    match () {
        () if one <= half => (one, usable - one),
        () if other <= half => (usable - other, other),
        () => {
            let wanted = u128::from(one) + u128::from(other);
            let of_one = (u128::from(one) * u128::from(usable) / wanted) as u64;
            (of_one, usable - of_one)
        }
    }
}

/// Lowers a limit in total. A limit per address that was below it stays below it: otherwise it
/// would say that one address may hold everything.
fn lower(to: u32, total: &mut u32, per_address: &mut u32) {
    if *per_address < *total {
        *per_address = (*per_address).min(to.saturating_sub(1)).max(1);
    }
    *total = to;
}

fn at_least_one(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    fn defaults() -> LimitSettings {
        Config::parse_from(["gruppetto"]).limits
    }

    #[test]
    fn with_1024_descriptors_all_connections_together_leave_a_reserve() {
        let mut settings = defaults();
        assert!(fit_limits(&mut settings, 1_024));
        let used = settings.max_sockets + settings.max_connections * 2;
        assert!((700..=768).contains(&used), "{settings:?}");
        assert!(settings.max_sockets > 200 && settings.max_connections > 200);
    }

    #[test]
    fn the_settings_stay_from_the_number_of_descriptors_that_they_need() {
        let needed = needed(&defaults());
        assert!(!fit_limits(&mut defaults(), needed));
        assert!(fit_limits(&mut defaults(), needed - 1));
    }

    #[test]
    fn with_many_descriptors_the_settings_stay_as_they_are() {
        let mut settings = defaults();
        assert!(!fit_limits(&mut settings, 65_536));
        assert!(!fit_limits(&mut settings, u64::MAX));
        assert_eq!(settings.max_sockets, defaults().max_sockets);
    }

    #[test]
    fn with_few_descriptors_one_address_still_cannot_take_all_of_them() {
        let mut settings = defaults();
        assert!(fit_limits(&mut settings, 256));
        assert!(settings.max_sockets_per_address < settings.max_sockets);
        assert!(settings.max_connections_per_address < settings.max_connections);
    }

    #[test]
    fn an_operator_who_lets_one_address_take_everything_keeps_that_with_few_descriptors() {
        let mut settings = defaults();
        settings.max_sockets_per_address = settings.max_sockets;
        assert!(fit_limits(&mut settings, 1_024));
        assert!(settings.max_sockets_per_address >= settings.max_sockets);
    }

    #[test]
    fn a_limit_that_is_small_stays_while_one_that_is_huge_is_lowered() {
        let mut settings = defaults();
        settings.max_sockets = u32::MAX;
        settings.max_connections = 1_000;
        assert!(fit_limits(&mut settings, 65_536));
        assert_eq!(settings.max_connections, 1_000);
        assert_eq!(settings.max_sockets, 65_536 - 256 - 2_000);
    }

    #[test]
    fn a_tiny_limit_still_allows_a_connection_and_a_socket() {
        let mut settings = defaults();
        assert!(fit_limits(&mut settings, 8));
        assert!(settings.max_sockets >= 1 && settings.max_connections >= 1);
    }
}
