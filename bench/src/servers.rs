//! The two servers as child processes, with their default settings except for
//! limits that a single load generator would exceed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum;
use tokio::time::{Instant, sleep};

use crate::clients;
use crate::error::BenchError;
use crate::options::Options;
use crate::process::Process;
use crate::websocket::WebSocket;

/// Time limit for the first connection after the start of a server.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause between the first connection and the measurement.
const SETTLE_TIME: Duration = Duration::from_secs(1);
/// Limit above the needs of every benchmark: on clients, and on the bytes that wait for
/// all of them.
const HIGH_LIMIT: &str = "1000000000";
/// Limit on Gruppetto's HTTP connections, which the generator's are until they become
/// sockets. Each takes two of the descriptors that sockets need.
const CONNECTING: &str = "4096";
/// Value that turns off a rate limit of Gruppetto.
const UNLIMITED: &str = "0";
/// Timeout in milliseconds, longer than any benchmark. `peer` drops clients that
/// send no heartbeat, and the generator sends none. Gruppetto needs no such
/// setting: it sends pings, which the generator answers.
const LONG_TIMEOUT_MS: &str = "3600000";

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Server {
    /// npm's `peer`, started by its own command line tool.
    Peer,
    /// The server of this project.
    Gruppetto,
}

/// A running server; killed on drop.
#[derive(Debug)]
pub struct RunningServer {
    child: Child,
    /// Address it listens on.
    pub address: SocketAddr,
}

impl Server {
    /// Name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Gruppetto => "gruppetto",
        }
    }

    /// Starts the server on its own core and waits until it accepts connections.
    ///
    /// # Errors
    /// [`BenchError::NotStarted`] when it exits or does not answer in time.
    pub async fn start(self, options: &Options) -> Result<RunningServer, BenchError> {
        let address = free_address()?;
        let mut command = Command::new("taskset");
        command.args(["-c", &options.server_core.to_string()]);
        match self {
            Self::Peer => peer_command(&mut command, options, address),
            Self::Gruppetto => gruppetto_command(&mut command, options, address),
        }
        RunningServer::spawn(command, address, self).await
    }
}

impl RunningServer {
    /// Starts Gruppetto's server with its default settings, except for these, and with
    /// this limit of its descriptors.
    ///
    /// # Errors
    /// [`BenchError::NotStarted`] when it exits or does not answer in time.
    pub async fn attacked(
        binary: &Path,
        core: u32,
        settings: &[(&str, String)],
        descriptors: Option<u32>,
    ) -> Result<Self, BenchError> {
        let address = free_address()?;
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]);
        if let Some(count) = descriptors {
            command.args(["prlimit", &format!("--nofile={count}:{count}")]);
        }
        command
            .arg(binary)
            .env("GRUPPETTO_ADDR", address.to_string())
            .envs(settings.iter().map(|(name, value)| (name, value)));
        Self::spawn(command, address, Server::Gruppetto).await
    }

    async fn spawn(
        mut command: Command,
        address: SocketAddr,
        server: Server,
    ) -> Result<Self, BenchError> {
        let child = command
            .stdin(Stdio::null())
            // Discarded, but still written: logging is part of the cost.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| BenchError::NotStarted(server.name(), error.to_string()))?;
        let mut running = Self { child, address };
        running.wait_ready(server).await?;
        Ok(running)
    }

    /// Process of the server.
    pub fn process(&self) -> Process {
        // taskset replaces itself with the server and keeps its PID.
        Process(self.child.id())
    }

    async fn wait_ready(&mut self, server: Server) -> Result<(), BenchError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let failure =
                match WebSocket::open(clients::connect_options(self.address, 0), "probe").await {
                    Ok(_) => break sleep(SETTLE_TIME).await,
                    Err(error) => error.to_string(),
                };
            if let Some(status) = self.child.try_wait()? {
                let reason = format!("{status}; start it by hand to see its log");
                return Err(BenchError::NotStarted(server.name(), reason));
            }
            if Instant::now() > deadline {
                return Err(BenchError::NotStarted(server.name(), failure));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
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
        .args([
            "--concurrent_limit",
            HIGH_LIMIT,
            "--alive_timeout",
            LONG_TIMEOUT_MS,
        ])
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
        command.env(setting, UNLIMITED);
    }
    for setting in [
        "GRUPPETTO_MAX_CONNECTIONS",
        "GRUPPETTO_MAX_CONNECTIONS_PER_ADDRESS",
    ] {
        command.env(setting, CONNECTING);
    }
    for setting in [
        "GRUPPETTO_MAX_SOCKETS",
        "GRUPPETTO_MAX_SOCKETS_PER_ADDRESS",
        "GRUPPETTO_PEERJS_MAX_PEERS",
        "GRUPPETTO_MAX_QUEUE_BYTES_PER_ADDRESS",
    ] {
        command.env(setting, HIGH_LIMIT);
    }
}

/// A free port on the loopback address. Another program could take it before the
/// server does; the server then fails to start and the run ends.
fn free_address() -> Result<SocketAddr, BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
