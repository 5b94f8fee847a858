//! Processor time, memory and limits of a process, read from `/proc`.

use std::fs;
use std::io;
use std::process::Command;

use crate::error::BenchError;
use crate::options::Options;

/// Processor time in `/proc` is counted in ticks: `USER_HZ` of proc(5), 100 per
/// second on every Linux target of Rust and Node.js.
const TICKS_PER_SECOND: f64 = 100.0;
/// Limit of open files for the servers and the generator. During a mass
/// reconnect, old connections are still closing while the new ones open.
const OPEN_FILES: u64 = 65_536;

/// A running process, identified by its PID.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Processor time used since the process started, user and kernel together,
    /// in seconds.
    ///
    /// # Errors
    /// The process has ended.
    pub fn cpu_seconds(self) -> io::Result<f64> {
        let stat = fs::read_to_string(self.file("stat"))?;
        // The second field is the command name in brackets, which may contain
        // spaces: utime and stime are the 12th and 13th field after it (proc(5)).
        let after = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 = after
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    /// Resident memory in bytes (`VmRSS`).
    ///
    /// # Errors
    /// The process has ended.
    pub fn resident_bytes(self) -> io::Result<u64> {
        self.memory("VmRSS:")
    }

    /// Peak of the resident memory in bytes since [`Self::reset_peak`]
    /// (`VmHWM`).
    ///
    /// # Errors
    /// The process has ended.
    pub fn peak_bytes(self) -> io::Result<u64> {
        self.memory("VmHWM:")
    }

    /// Resets the peak of the resident memory (`clear_refs` of proc(5)).
    ///
    /// # Errors
    /// The process has ended or belongs to another user.
    pub fn reset_peak(self) -> io::Result<()> {
        fs::write(self.file("clear_refs"), "5")
    }

    /// Number of open files and sockets.
    ///
    /// # Errors
    /// The process has ended.
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

/// Pins this process to the generator's core and raises its limit of open
/// files, which the servers inherit.
///
/// # Errors
/// [`BenchError::Setup`] when the system denies either.
pub fn prepare_self(options: &Options) -> Result<(), BenchError> {
    let own = std::process::id().to_string();
    let limit = format!("--nofile={OPEN_FILES}:{OPEN_FILES}");
    if run("prlimit", &["--pid", &own, &limit]).is_err() {
        // Raising the hard limit needs privileges; the soft limit may rise to it.
        let hard = hard_limit()?;
        let needed = u64::from(options.connections) * 2;
        if hard < needed {
            return Err(BenchError::Setup(format!(
                "{needed} open files are needed, but the limit is {hard}: raise the limit (ulimit -Hn), or pass --connections {}",
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
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(BenchError::Setup(format!("{command}: {reason}")))
    }
}
