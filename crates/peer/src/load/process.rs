//! Processor time and memory of a process, read from `/proc` (proc(5)).

use std::{fs, io};

/// Processor time in `/proc` is counted in ticks: `USER_HZ`, 100 per second on every Linux target of
/// Rust.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running process, identified by its PID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(pub u32);

/// Use of the machine by a process at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Processor time since the process started, user and kernel together, in seconds.
    pub cpu_seconds: f64,
    /// Resident memory in bytes (`VmRSS`).
    pub resident_bytes: u64,
}

impl Process {
    /// The process of this program.
    pub fn own() -> Self {
        Self(std::process::id())
    }
}

impl Usage {
    /// Reads the use of a process.
    ///
    /// # Errors
    /// The process has ended, or the system has no `/proc`.
    pub fn read(process: Process) -> io::Result<Self> {
        let file = |name| fs::read_to_string(format!("/proc/{}/{name}", process.0));
        let unknown = || io::Error::other("the process has ended");
        Ok(Self {
            cpu_seconds: cpu_seconds(&file("stat")?).ok_or_else(unknown)?,
            resident_bytes: resident_bytes(&file("status")?).ok_or_else(unknown)?,
        })
    }
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The second field is the command name in brackets, which may contain spaces: utime and stime
    // are the 12th and 13th field after it.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, kernel) = (ticks()?, ticks()?);
    Some((user + kernel) as f64 / TICKS_PER_SECOND)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let mut lines = status.lines();
    let value = lines.find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_use_is_read() {
        let usage = Usage::read(Process::own()).unwrap();
        assert!(usage.resident_bytes > 100_000);
        assert!(usage.cpu_seconds >= 0.0);
        assert!(Usage::read(Process(u32::MAX)).is_err());
    }

    #[test]
    fn a_command_name_with_brackets_and_spaces_is_skipped() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 1 0 5";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 (a) S 1"), None);
    }
}
