//! Flags of the command that serves a tunnel.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::Args;
use thiserror::Error;

use crate::tunnel::{
    Access, AddressError, Credentials, KeyFileError, Secrets, SiteUrl, Tunnel, TunnelLimits,
    TunnelUrl, default_key_file,
};

/// Environment variable with the password of `--basic-auth`.
const PASSWORD: &str = "GRUPPETTO_TUNNEL_PASSWORD";

/// Brings a web site from this computer to everyone who has its link
///
/// Prints the link alone on a line. The program contacts the local site on behalf of visitors, and
/// nothing else on this computer or in its network. Visitors are connected directly where the
/// networks allow it, through the server where not. A restarted program has the same link. Press
/// Ctrl-C and the site is no longer shown.
///
/// Example: gruppetto tunnel --to http://127.0.0.1:8080 --url https://ride.example
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub struct TunnelOptions {
    /// Address of the local web site: scheme, host and port. Nothing else is ever contacted
    ///
    /// Example: --to http://127.0.0.1:8080
    #[arg(long, value_parser = site_url)]
    pub to: SiteUrl,

    /// Address of the server, or of a ride as in the invitation
    ///
    /// Example: --url https://ride.example/ride/brave-otter-0042
    #[arg(long, value_parser = tunnel_url)]
    pub url: TunnelUrl,

    /// Name that visitors see, at most 80 bytes
    ///
    /// Example: --name "Route videos"
    #[arg(long, default_value = "Shared page", value_parser = name)]
    pub name: String,

    /// Ask visitors for the name and password of a user, besides the link. The password is taken
    /// from the environment variable GRUPPETTO_TUNNEL_PASSWORD
    ///
    /// Example: --basic-auth club
    #[arg(long, value_name = "USER", value_parser = user)]
    pub basic_auth: Option<String>,

    /// Pass on requests with GET and HEAD alone, and no WebSockets
    ///
    /// Example: --read-only
    #[arg(long)]
    pub read_only: bool,

    /// File with the secrets of the link, which is created with mode 600 if it does not exist. If
    /// it is not given, each pair of --to and --url has one in the folder for settings
    ///
    /// Example: --key-file /etc/gruppetto/route-videos.json
    #[arg(long, value_name = "PATH")]
    pub key_file: Option<PathBuf>,

    /// Largest number of visitors at a time, 1 to 64
    ///
    /// Example: --max-visitors 12
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub max_visitors: u16,

    /// Largest number of requests of one visitor at a time, 1 to 1024
    ///
    /// Example: --max-streams 64
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub max_streams: u32,

    /// Largest head of a request in bytes, 1024 to 49152
    ///
    /// Example: --max-header-bytes 16384
    #[arg(
        long,
        default_value_t = 49_152,
        value_parser = clap::value_parser!(u32).range(1_024..=49_152)
    )]
    pub max_header_bytes: u32,

    /// Time in seconds within which the local site must answer, 1 to 3600
    ///
    /// Example: --timeout 60
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub timeout: u64,

    /// Time in seconds after which a request or WebSocket ends on which nothing moves, 1 to 86400
    ///
    /// Example: --idle-timeout 600
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub idle_timeout: u64,
}

/// Reason why the flags do not make a tunnel.
#[derive(Debug, Error)]
pub enum TunnelOptionsError {
    /// A user without a password.
    #[error(
        "--basic-auth needs a password: set the environment variable {PASSWORD} to one that is not empty."
    )]
    NoPassword,
    /// The secrets cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
}

impl TunnelOptions {
    /// The tunnel that the flags and environment variables ask for. Reads or creates the file of
    /// its secrets.
    ///
    /// # Errors
    /// [`TunnelOptionsError`] with a sentence.
    pub fn tunnel(
        self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Tunnel, TunnelOptionsError> {
        let credentials = match self.basic_auth {
            Some(user) => {
                let password = variable(PASSWORD).and_then(|it| it.into_string().ok());
                let password = password.filter(|it| !it.is_empty());
                let password = password.ok_or(TunnelOptionsError::NoPassword)?;
                Some(Credentials::new(user, password))
            }
            None => None,
        };
        let key_file = match self.key_file {
            Some(path) => path,
            None => default_key_file(variable, &self.to, &self.url)?,
        };
        Ok(Tunnel {
            secrets: Secrets::load_or_create(&key_file)?,
            to: self.to,
            url: self.url,
            name: self.name,
            access: Access {
                credentials,
                is_read_only: self.read_only,
            },
            limits: TunnelLimits {
                max_visitors: self.max_visitors.into(),
                max_streams: self.max_streams,
                max_header: self.max_header_bytes as usize,
                head_timeout: Duration::from_secs(self.timeout),
                idle_timeout: Duration::from_secs(self.idle_timeout),
            },
        })
    }
}

fn site_url(text: &str) -> Result<SiteUrl, AddressError> {
    text.parse()
}

fn tunnel_url(text: &str) -> Result<TunnelUrl, AddressError> {
    text.parse()
}

fn name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let fits = text.len() <= tunnel::control::MAX_NAME && !text.is_empty();
    match fits && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err("is not a name of 1 to 80 bytes"),
    }
}

/// A user of RFC 7617, section 2.
fn user(text: &str) -> Result<String, &'static str> {
    match text.is_empty() || text.contains(':') || text.chars().any(char::is_control) {
        true => Err("is not the name of a user: it is empty or has a colon"),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    const ADDRESSES: [&str; 4] = ["--to", "http://127.0.0.1:8080", "--url", "http://a.example"];

    fn parse(flags: &[&str]) -> Result<TunnelOptions, clap::Error> {
        let command = TunnelOptions::augment_args(Command::new("tunnel"));
        let flags = ["tunnel"].iter().chain(&ADDRESSES).chain(flags);
        let matches = command.try_get_matches_from(flags)?;
        TunnelOptions::from_arg_matches(&matches)
    }

    /// Name of a file that does not exist in a folder that does.
    fn key_file() -> PathBuf {
        let name = Secrets::random().unwrap();
        std::env::temp_dir().join(format!("gruppetto-{}.json", name.key.expose()))
    }

    #[test]
    fn two_addresses_are_the_only_flags_that_are_needed() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.to.to_string(), "http://127.0.0.1:8080");
        assert!(options.url.ride.is_none());
        assert!(!options.read_only);
        let command = TunnelOptions::augment_args(Command::new("tunnel"));
        assert!(command.try_get_matches_from(["tunnel"]).is_err());
    }

    #[test]
    fn flags_out_of_range_are_refused() {
        for flags in [
            ["--max-visitors", "0"],
            ["--max-visitors", "65"],
            ["--max-streams", "0"],
            ["--max-header-bytes", "49153"],
            ["--timeout", "0"],
            ["--idle-timeout", "-1"],
            ["--name", " "],
            ["--name", "a\nb"],
            ["--basic-auth", "a:b"],
            ["--basic-auth", ""],
        ] {
            assert!(parse(&flags).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn the_password_comes_from_the_environment() {
        let path = key_file();
        let name = path.to_str().unwrap();
        let options = parse(&["--basic-auth", "club", "--key-file", name]).unwrap();
        for missing in [None, Some("")] {
            let error = options.clone().tunnel(|_| missing.map(Into::into));
            assert!(error.unwrap_err().to_string().contains(PASSWORD));
        }
        assert!(!path.exists());
        let set = |name: &str| (name == PASSWORD).then(|| "secret".into());
        let tunnel = options.tunnel(set).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(tunnel.access.credentials.is_some());
    }

    #[test]
    fn the_limits_are_those_of_the_flags() {
        let path = key_file();
        let mut flags = vec!["--key-file", path.to_str().unwrap(), "--read-only"];
        flags.extend(["--max-visitors", "3", "--max-streams", "4"]);
        flags.extend([
            "--max-header-bytes",
            "2048",
            "--timeout",
            "5",
            "--idle-timeout",
            "6",
        ]);
        let tunnel = parse(&flags).unwrap().tunnel(|_| None).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(tunnel.access.is_read_only);
        let limits = tunnel.limits;
        assert_eq!((limits.max_visitors, limits.max_streams), (3, 4));
        assert_eq!(limits.max_header, 2_048);
        assert_eq!(limits.head_timeout, Duration::from_secs(5));
        assert_eq!(limits.idle_timeout, Duration::from_secs(6));
    }
}
