//! `gruppetto check`: tells an operator whether an installation can work, with the settings that
//! the server would use.
//!
//! - `public_address`: does the public address lead to the running server?
//! - `ice`: does each STUN and TURN server answer, with the credentials that riders would get? It
//!   uses `stun` (messages) and `network` (connections over TCP and TLS).
//! - `system`: which limits does the operating system set?
//!
//! Contract: nothing is changed anywhere, except for an allocation on each TURN server, which is
//! released at once. Every answer is waited for at most [`TIMEOUT`]. Neither secrets nor passwords
//! are printed.

mod ice;
mod network;
mod public_address;
mod stun;
mod system;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::tls::Roots;

/// Time to wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Results of all checks, printed as text.
#[derive(Debug)]
pub struct Report(Vec<Section>);

/// Results of the checks of one concern.
#[derive(Debug)]
struct Section {
    title: &'static str,
    findings: Vec<Finding>,
}

/// Result of one check, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// The check succeeded.
    Good(String),
    /// The operator should know this.
    Note(String),
    /// The check failed: what to do.
    Failed(String),
}

impl Report {
    /// Returns `true` if any check failed.
    pub fn has_failed(&self) -> bool {
        self.failed() > 0
    }

    fn failed(&self) -> usize {
        let findings = self.0.iter().flat_map(|section| &section.findings);
        findings
            .filter(|one| matches!(one, Finding::Failed(_)))
            .count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for section in &self.0 {
            writeln!(formatter, "{}", section.title)?;
            for finding in &section.findings {
                let (mark, sentence) = match finding {
                    Finding::Good(sentence) => ("ok  ", sentence),
                    Finding::Note(sentence) => ("note", sentence),
                    Finding::Failed(sentence) => ("FAIL", sentence),
                };
                writeln!(formatter, "  {mark}  {sentence}")?;
            }
            writeln!(formatter)?;
        }
        match self.failed() {
            0 => writeln!(formatter, "No check failed."),
            1 => writeln!(formatter, "1 check failed."),
            failed => writeln!(formatter, "{failed} checks failed."),
        }
    }
}

/// Runs all checks at the same time. `roots` are the certificates that are trusted, `backlog` is the
/// number of connections that the server lets wait to be accepted.
pub async fn run(config: &Config, roots: &Roots, backlog: u32) -> Report {
    let address = public_address::check(config, roots);
    let ice = ice::check(config, roots);
    let (address, ice) = tokio::join!(address, ice);
    let system = system::check(config, backlog, Path::new("/proc"));
    let section = |title, findings| Section { title, findings };
    Report(vec![
        section("Public address", address),
        section("STUN and TURN servers", ice),
        section("Limits of the system", system),
    ])
}
