//! Detection of dead sockets.
//!
//! A page sends a message at least once a second. An unplugged cable produces no close, and the
//! network may need minutes to report the loss, so a socket that is silent for longer than the
//! timeout counts as lost.
//!
//! When all sockets are silent at once, or the check itself runs late, the fault is the server's
//! own (its network or its process). No socket is dropped for that, and all timeouts start anew
//! once messages arrive again.

use std::{collections::HashMap, time::Duration};

use clock::Moment;

use super::{SocketId, members::Members};

/// Interval between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// Delay of a check after which the server's process is taken to have been stopped meanwhile.
const MAX_CHECK_DELAY: Duration = Duration::from_secs(1);
/// Silence of all sockets after which the server's own network is taken to be lost.
const ALL_SILENT: Duration = Duration::from_millis(2_500);

/// Time of the last message of each socket.
#[derive(Debug)]
pub(super) struct Liveness {
    /// Zero disables the checks.
    timeout: Duration,
    next_check: Moment,
    /// Set while all sockets are silent.
    all_silent: bool,
    last_heard: HashMap<SocketId, Moment>,
}

/// A socket that was silent for longer than the timeout.
#[derive(Debug)]
pub(super) struct SilentSocket {
    pub(super) socket: SocketId,
    pub(super) last_heard: Moment,
}

impl Liveness {
    pub(super) fn new(timeout: Duration, now: Moment) -> Self {
        Self {
            timeout,
            next_check: now,
            all_silent: false,
            last_heard: HashMap::new(),
        }
    }

    /// Notes a message of a member's socket.
    pub(super) fn heard(&mut self, now: Moment, socket: SocketId) {
        if !self.timeout.is_zero() {
            self.last_heard.insert(socket, now);
        }
    }

    /// Time of the next check; `None` without sockets or if checks are disabled.
    pub(super) fn next_check(&self, members: &Members) -> Option<Moment> {
        let is_needed = !self.timeout.is_zero() && members.sockets().next().is_some();
        is_needed.then_some(self.next_check)
    }

    /// Silent sockets by the number of their member, if a check is due.
    pub(super) fn check(&mut self, now: Moment, members: &Members) -> Vec<SilentSocket> {
        if self.next_check(members).is_none_or(|at| now < at) {
            return Vec::new();
        }
        let is_late = now >= self.next_check + MAX_CHECK_DELAY;
        self.next_check = now + CHECK_INTERVAL;
        self.last_heard
            .retain(|socket, _| members.of_socket(*socket).is_some());
        let heard = |socket| self.last_heard.get(&socket).copied().unwrap_or_default();
        let sockets: Vec<_> = members
            .connected()
            .map(|(_, socket)| SilentSocket {
                socket,
                last_heard: heard(socket),
            })
            .collect();
        let is_silent = |timeout| move |one: &SilentSocket| one.last_heard + timeout <= now;
        let all_silent = sockets.iter().all(is_silent(ALL_SILENT));
        let were_all_silent = std::mem::replace(&mut self.all_silent, all_silent);
        if all_silent {
            return Vec::new();
        }
        // Otherwise, the first message after the fault would show all other sockets as silent.
        if is_late || were_all_silent {
            self.last_heard.values_mut().for_each(|heard| *heard = now);
            return Vec::new();
        }
        let timeout = self.timeout;
        sockets.into_iter().filter(is_silent(timeout)).collect()
    }
}
