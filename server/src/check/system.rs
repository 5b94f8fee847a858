//! Limits that the operating system sets for the running server, or else for this program.

use std::fs;
use std::path::{Path, PathBuf};

use super::Finding::{self, Failed, Good, Note};
use crate::config::Config;
use crate::descriptors;

/// Reads the limits from `/proc`, which is an argument for tests.
pub(super) fn check(config: &Config, wanted_backlog: u32, proc: &Path) -> Vec<Finding> {
    let running = running_servers(proc);
    let mut findings = match running.as_slice() {
        [] => {
            let note = "No running server was found: these are the limits of this program. A service may have \
                        others.";
            let mut findings = vec![Note(note.into())];
            findings.extend(limits(config, &proc.join("self"), "This program"));
            findings
        }
        servers => servers
            .iter()
            .flat_map(|(process, folder)| limits(config, folder, &format!("Process {process}")))
            .collect(),
    };
    findings.extend(backlog(wanted_backlog, proc));
    findings
}

/// Other processes of this program, with their folders.
fn running_servers(proc: &Path) -> Vec<(u32, PathBuf)> {
    let name = |folder: &Path| fs::read_to_string(folder.join("comm")).ok();
    let Some(own_name) = name(&proc.join("self")) else {
        return Vec::new();
    };
    let own = std::process::id();
    let folders = fs::read_dir(proc).into_iter().flatten().flatten();
    let processes = folders.filter_map(|folder| {
        let process = folder.file_name().to_str()?.parse().ok()?;
        Some((process, folder.path()))
    });
    let mut servers: Vec<_> = processes
        .filter(|(process, folder)| *process != own && name(folder).as_ref() == Some(&own_name))
        .collect();
    servers.sort();
    servers
}

fn limits(config: &Config, folder: &Path, process: &str) -> Vec<Finding> {
    let Ok(limits) = fs::read_to_string(folder.join("limits")) else {
        let unreadable = format!("{process} has limits that cannot be read on this system.");
        return vec![Note(unreadable)];
    };
    let (sockets, connections) = (config.limits.max_sockets, config.limits.max_connections);
    let needed = descriptors::needed(&config.limits);
    let descriptors = match hard_limit(&limits, "Max open files") {
        Some(Limit::Number(open)) if open < needed => Failed(format!(
            "{process} may open {open} files and sockets, and its limits allow {sockets} sockets and \
             {connections} connections: it accepts fewer. Set LimitNOFILE= (ulimit -Hn) to {needed}, or lower \
             GRUPPETTO_MAX_SOCKETS and GRUPPETTO_MAX_CONNECTIONS."
        )),
        Some(Limit::Number(open)) => Good(format!(
            "{process} may open {open} files and sockets; {needed} are needed."
        )),
        Some(Limit::Unlimited) => Good(format!(
            "{process} may open any number of files and sockets."
        )),
        None => Note(format!(
            "{process} has a limit of open files that cannot be read."
        )),
    };
    let mut findings = vec![descriptors];
    if let Some(Limit::Number(bytes)) = hard_limit(&limits, "Max address space") {
        findings.push(Note(format!("{process} may use {bytes} bytes of memory.")));
    }
    findings
}

enum Limit {
    Number(u64),
    Unlimited,
}

/// Hard limit, to which the server raises its own, in a table such as `/proc/self/limits` (proc(5)).
fn hard_limit(limits: &str, name: &str) -> Option<Limit> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().nth(1)? {
        "unlimited" => Some(Limit::Unlimited),
        number => number.parse().ok().map(Limit::Number),
    }
}

/// Number of connections that wait to be accepted.
fn backlog(wanted: u32, proc: &Path) -> Option<Finding> {
    let text = fs::read_to_string(proc.join("sys/net/core/somaxconn")).ok()?;
    let allowed: u32 = text.trim().parse().ok()?;
    Some(match allowed < wanted {
        true => Note(format!(
            "The system lets {allowed} connections wait at once, and the server asks for {wanted}: if all riders \
             reconnect together, some wait a second longer. See net.core.somaxconn."
        )),
        false => Good(format!(
            "The system lets {allowed} connections wait at once."
        )),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// Folder that looks like `/proc`.
    struct Proc(PathBuf);

    impl Proc {
        fn new(name: &str, processes: &[(&str, &str, &str)]) -> Self {
            let folder = format!("gruppetto-proc-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            for (process, comm, open_files) in processes {
                let process = folder.join(process);
                fs::create_dir_all(&process).expect("a folder");
                fs::write(process.join("comm"), format!("{comm}\n")).expect("a file");
                let limits = format!(
                    "Limit                     Soft Limit           Hard Limit           Units\n\
                     Max open files            1024                 {open_files}              files\n"
                );
                fs::write(process.join("limits"), limits).expect("a file");
            }
            Self(folder)
        }

        fn check(&self, flags: &[&str]) -> Vec<Finding> {
            let config = Config::parse_from(["gruppetto"].iter().chain(flags));
            check(&config, 4_096, &self.0)
        }
    }

    impl Drop for Proc {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_limit_of_the_running_server_counts_and_not_that_of_this_program() {
        let proc = Proc::new(
            "running",
            &[
                ("self", "gruppetto", "1024"),
                ("4000000001", "gruppetto", "65536"),
                ("4000000002", "nginx", "10"),
            ],
        );
        let good = "Process 4000000001 may open 65536 files and sockets; 53024 are needed.";
        assert_eq!(proc.check(&[]), [Good(good.into())]);
    }

    #[test]
    fn too_few_open_files_fail_and_lower_limits_of_the_server_need_fewer() {
        let proc = Proc::new("few", &[("self", "gruppetto", "1024")]);
        let findings = proc.check(&[]);
        assert!(
            matches!(&findings[..], [Note(_), Failed(sentence)] if sentence.contains("to 53024, or lower")),
            "{findings:?}"
        );
        let lower = proc.check(&["--max-sockets=100", "--max-connections=100"]);
        assert!(matches!(&lower[..], [Note(_), Good(_)]), "{lower:?}");
    }

    #[test]
    fn a_system_without_proc_is_told_so() {
        let findings = check(
            &Config::parse_from(["gruppetto"]),
            4_096,
            Path::new("/nowhere"),
        );
        assert!(matches!(&findings[..], [Note(_), Note(_)]), "{findings:?}");
    }
}
