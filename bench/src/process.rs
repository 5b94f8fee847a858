//! What the kernel says of a process, and what is asked of it for this one.

use std::fs;
use std::io;
use std::process::Command;

use crate::error::BenchError;
use crate::options::Options;

/// The unit of processor times in `/proc`, a second's part: `USER_HZ` of
/// proc(5), 100 on every Linux that Rust and Node.js are built for.
const TICKS_PER_SECOND: f64 = 100.0;
/// Files that a server or the generator may have open at once: every
/// connection twice over, for a storm in which the old ones are still dying.
const OPEN_FILES: u64 = 65_536;

/// A running process, by its number.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Processor seconds used so far, of user and kernel together.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_seconds(self) -> io::Result<f64> {
        let stat = fs::read_to_string(self.file("stat"))?;
        // The second field is the name in brackets, which may hold anything:
        // utime and stime are the 12th and 13th after it (proc(5)).
        let after = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 = after
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    /// Bytes in memory (`VmRSS`).
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident(self) -> io::Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most bytes in memory since [`Self::forget_peak`] (`VmHWM`).
    ///
    /// # Errors
    /// When the process is gone.
    pub fn peak(self) -> io::Result<u64> {
        self.memory("VmHWM:")
    }

    /// From now on the peak is sought anew (`clear_refs` of proc(5)).
    ///
    /// # Errors
    /// When the process is gone or another user's.
    pub fn forget_peak(self) -> io::Result<()> {
        fs::write(self.file("clear_refs"), "5")
    }

    /// Files and sockets open.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn open_files(self) -> io::Result<usize> {
        Ok(fs::read_dir(self.file("fd"))?.count())
    }

    fn memory(self, field: &str) -> io::Result<u64> {
        let status = fs::read_to_string(self.file("status"))?;
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kibibytes
            .map(|count| count * 1024)
            .ok_or_else(|| io::Error::other("the server has ended"))
    }

    fn file(self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }
}

/// Pins this process to its core and lets it, and the servers it starts, open
/// as many sockets as the figures need.
///
/// # Errors
/// [`BenchError::Setup`] when the machine does not allow that.
pub fn prepare_self(options: &Options) -> Result<(), BenchError> {
    let own = std::process::id().to_string();
    let limit = format!("--nofile={OPEN_FILES}:{OPEN_FILES}");
    if run("prlimit", &["--pid", &own, &limit]).is_err() {
        // Without the right to raise the hard limit, all of it.
        let hard = hard_limit()?;
        let needed = u64::from(options.connections) * 2;
        if hard < needed {
            return Err(BenchError::Setup(format!(
                "{needed} open files are needed and {hard} allowed: raise the limit (ulimit -Hn), or pass --connections {}",
                hard / 2 - 100
            )));
        }
        run("prlimit", &["--pid", &own, &format!("--nofile={hard}")])?;
    }
    run(
        "taskset",
        &["-cp", &options.generator_core.to_string(), &own],
    )
}

fn hard_limit() -> Result<u64, BenchError> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|rest| rest.split_whitespace().nth(1))
        .and_then(|hard| hard.parse().ok())
        .ok_or_else(|| BenchError::Setup("the limit of open files cannot be read".into()))
}

fn run(command: &str, arguments: &[&str]) -> Result<(), BenchError> {
    let output = Command::new(command)
        .args(arguments)
        .output()
        .map_err(|error| BenchError::Setup(format!("{command}: {error}")))?;
    if output.status.success() {
        Ok(())
    } else {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(BenchError::Setup(format!("{command}: {why}")))
    }
}
