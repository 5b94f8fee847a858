//! Hardware and software versions that the results are labelled with.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::BenchError;
use crate::options::Options;
use crate::servers::Server;

/// The machine, and the versions of the measured servers.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Date of the run (UTC), as `2026-11-22`.
    pub date: String,
    /// Names and values of the table.
    pub facts: Vec<(&'static str, String)>,
}

impl Machine {
    /// Collects the facts.
    ///
    /// # Errors
    /// [`BenchError::Setup`] when a server to be measured is not installed.
    pub fn inspect(options: &Options) -> Result<Self, BenchError> {
        let mut facts = vec![
            ("processor", processor()?),
            ("memory", memory()?),
            ("system", system()?),
            ("load at the start", load()?),
        ];
        if options.servers.contains(&Server::Gruppetto) {
            facts.push(("gruppetto", gruppetto(options)?));
        }
        if options.servers.contains(&Server::Peer) {
            facts.push(("peer", peer(&options.peer)?));
            facts.push(("Node.js", command_output("node", &["--version"])?));
        }
        Ok(Self {
            date: command_output("date", &["-u", "+%Y-%m-%d"])?,
            facts,
        })
    }

    /// The facts as a table.
    pub fn table(&self) -> String {
        let rows = self.facts.iter();
        let rows = rows.map(|(name, value)| format!("| {name} | {value} |\n"));
        format!("| | |\n|---|---|\n{}", rows.collect::<String>())
    }
}

fn processor() -> Result<String, BenchError> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let cores = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let model = field(&text, "model name").unwrap_or_else(|| "unknown".into());
    Ok(format!("{model}, {cores} cores"))
}

fn memory() -> Result<String, BenchError> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let kibibytes: u64 = field(&text, "MemTotal")
        .and_then(|value| value.trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    Ok(format!("{:.1} GiB", kibibytes as f64 / 1_048_576.0))
}

fn system() -> Result<String, BenchError> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or("Linux", |value| value.trim_matches('"'));
    Ok(format!("{name}, kernel {}", kernel.trim()))
}

fn load() -> Result<String, BenchError> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let minutes: Vec<&str> = text.split(' ').take(2).collect();
    Ok(format!(
        "{} (averages of 1 and 5 minutes)",
        minutes.join(" and ")
    ))
}

fn gruppetto(options: &Options) -> Result<String, BenchError> {
    let path = options.gruppetto.display().to_string();
    let version = command_output(&path, &["--version"])?;
    let version = version.trim_start_matches("gruppetto ").to_owned();
    let build = build(&options.gruppetto);
    // Outside a Git checkout the commit is unknown.
    Ok(
        match command_output("git", &["describe", "--always", "--dirty"]) {
            Ok(commit) => format!("{version}, {build}, checkout at {commit}"),
            Err(_) => format!("{version}, {build}"),
        },
    )
}

/// Build profile of a binary, taken from the folder that cargo writes it to.
fn build(binary: &Path) -> String {
    let names = binary.iter().rev().skip(1).filter_map(|name| name.to_str());
    match names
        .into_iter()
        .find(|name| ["release", "debug"].contains(name))
    {
        Some(profile) => format!("{profile} build"),
        None => format!("{}, built elsewhere", binary.display()),
    }
}

fn peer(folder: &Path) -> Result<String, BenchError> {
    let file = folder.join("package.json");
    let version = fs::read(&file)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .and_then(|package| package["version"].as_str().map(str::to_owned));
    version.ok_or_else(|| BenchError::Setup(format!("{} cannot be read", file.display())))
}

/// Value of the line `name: value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
        .map(|value| value.trim().to_owned())
}

/// Standard output of a command.
fn command_output(command: &str, arguments: &[&str]) -> Result<String, BenchError> {
    let failed = |reason: String| BenchError::Setup(format!("{command}: {reason}"));
    let output = Command::new(command)
        .args(arguments)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_profile_is_read_from_the_path() {
        assert_eq!(
            build(Path::new("target/release/gruppetto")),
            "release build"
        );
        assert_eq!(build(Path::new("/t/debug/examples/bare")), "debug build");
        let elsewhere = build(Path::new("/usr/bin/gruppetto"));
        assert_eq!(elsewhere, "/usr/bin/gruppetto, built elsewhere");
    }
}
