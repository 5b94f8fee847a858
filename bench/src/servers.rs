//! The two servers, each as its users run it but for the limits that one
//! machine full of connections would meet.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum;
use tokio::time::{Instant, sleep};

use crate::crowd;
use crate::error::BenchError;
use crate::options::Options;
use crate::process::Process;
use crate::wire::Socket;

/// How long a server may take to answer its first connection.
const START: Duration = Duration::from_secs(20);
/// What a server is left alone for after its first connection.
const SETTLE: Duration = Duration::from_secs(1);
/// More sockets than any figure has.
const MANY: &str = "1000000";
/// How Gruppetto's settings say that there is no limit.
const ANY_NUMBER: &str = "0";
/// Longer than any figure takes, in milliseconds: idle sockets are to stay in
/// `peer`, and the generator sends no heartbeats. Gruppetto pings, and the
/// generator answers.
const LONG_MS: &str = "3600000";

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Server {
    /// npm's peer, by its own command line.
    Peer,
    /// This project's.
    Gruppetto,
}

/// A server that runs; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Gruppetto => "gruppetto",
        }
    }

    /// Starts it on a core of its own and waits until it takes connections.
    ///
    /// # Errors
    /// [`BenchError::NotStarted`].
    pub async fn start(self, options: &Options) -> Result<Running, BenchError> {
        let address = free_address()?;
        let mut command = Command::new("taskset");
        command.args(["-c", &options.server_core.to_string()]);
        match self {
            Self::Peer => peer_command(&mut command, options, address),
            Self::Gruppetto => gruppetto_command(&mut command, options, address),
        }
        let child = command
            .stdin(Stdio::null())
            // What it logs costs it the same as in service, and nobody else.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| BenchError::NotStarted(self.name(), error.to_string()))?;
        let mut running = Running { child, address };
        running.wait_ready(self).await?;
        Ok(running)
    }
}

impl Running {
    /// Its process.
    pub fn process(&self) -> Process {
        // taskset becomes the server, under the same number.
        Process(self.child.id())
    }

    async fn wait_ready(&mut self, server: Server) -> Result<(), BenchError> {
        let deadline = Instant::now() + START;
        loop {
            let failure = match Socket::open(crowd::door(self.address, 0), "probe").await {
                Ok(_) => break sleep(SETTLE).await,
                Err(error) => error.to_string(),
            };
            if let Some(status) = self.child.try_wait()? {
                let words = format!("{status}; run it by hand to read why");
                return Err(BenchError::NotStarted(server.name(), words));
            }
            if Instant::now() > deadline {
                return Err(BenchError::NotStarted(server.name(), failure));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or it ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn peer_command(command: &mut Command, options: &Options, address: SocketAddr) {
    command
        .arg("node")
        .arg(options.peer.join("dist/bin/peerjs.js"))
        .args(["--host", &address.ip().to_string()])
        .args(["--port", &address.port().to_string()])
        .args(["--concurrent_limit", MANY, "--alive_timeout", LONG_MS])
        .env("NODE_ENV", "production");
}

fn gruppetto_command(command: &mut Command, options: &Options, address: SocketAddr) {
    command
        .arg(&options.gruppetto)
        .env("GRUPPETTO_ADDR", address.to_string())
        .env("GRUPPETTO_PEERJS_ROOMS", "off");
    for setting in [
        "GRUPPETTO_MESSAGES_PER_SECOND",
        "GRUPPETTO_RELAY_BYTES_PER_SECOND",
    ] {
        command.env(setting, ANY_NUMBER);
    }
    for setting in [
        "GRUPPETTO_MAX_CONNECTIONS",
        "GRUPPETTO_MAX_CONNECTIONS_PER_ADDRESS",
        "GRUPPETTO_MAX_SOCKETS",
        "GRUPPETTO_MAX_SOCKETS_PER_ADDRESS",
        "GRUPPETTO_PEERJS_MAX_PEERS",
    ] {
        command.env(setting, MANY);
    }
}

/// A free port of the machine's own. Another program could take it before the
/// server does; then the server says so and the run ends.
fn free_address() -> Result<SocketAddr, BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
