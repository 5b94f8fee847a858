//! The demo: a server and a ride with simulated riders, in one process.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use peer::bots;
use peer::options::DemoOptions;
use peer::server::{RideUrl, ServerUrl};
use server::config::Config;
use server::error::StartError;
use server::http::ContentSecurityPolicy;
use server::http::pages::{leptos_options, pages};
use server::router::build_handler;
use server::state::AppState;
use server::{descriptors, listen, logging, run, shutdown};
use tokio::net::TcpListener;

use crate::{EXIT_TIMEOUT, say};

/// Path at which no file can be: the demo writes neither a secret nor endings of rides.
const NO_FILE: &str = "/dev/null/secret";

/// Starts server and riders, and prints the link of their ride.
pub fn start(options: DemoOptions) -> Result<ExitCode, Box<dyn Error>> {
    let mut config = Config::from_environment()?;
    if std::env::var_os("GRUPPETTO_LOG").is_none() {
        "error".clone_into(&mut config.log);
    }
    config.secret_file = Some(PathBuf::from(NO_FILE));
    let leptos = leptos_options(&config)?;
    logging::start(&config);
    descriptors::fit(&mut config.limits);
    let runtime = tokio::runtime::Runtime::new()?;
    let result = runtime.block_on(async {
        let stop = shutdown::signals()?;
        let listener = listen_near(&config).await?;
        let server = reachable(listener.local_addr()?);
        let state = AppState::new(config)?;
        let policy = ContentSecurityPolicy::new(&state.config);
        let pages = pages(leptos, policy, app::App, app::shell);
        let handler = build_handler(state.clone(), pages);
        // Ends with the process: the pages of guests need not be told to reconnect.
        let serving = run(listener, handler, state, std::future::pending());
        tokio::spawn(serving);
        let code = server.create_ride().await?;
        let ride = RideUrl { server, code };
        let count = options.riders;
        let shown = ride.clone();
        let joined = move || {
            say(&format!(
                "{count} simulated riders wait for you. The ride starts when you are ready, or in a minute:"
            ));
            say(&shown.to_string());
            say("Press Ctrl-C to end the demo.");
        };
        bots::run(options.bots(ride), joined, stop).await?;
        Ok(ExitCode::SUCCESS)
    });
    runtime.shutdown_timeout(EXIT_TIMEOUT);
    result
}

/// Listens on the address of the settings. If none is set and another program has the default port,
/// on a free port.
async fn listen_near(config: &Config) -> Result<TcpListener, StartError> {
    let address = config.listen_address();
    match listen(address).await {
        Err(StartError::AddressInUse(_)) if config.addr.is_none() => {
            listen(SocketAddr::new(address.ip(), 0)).await
        }
        result => result,
    }
}

/// Address at which this machine reaches a server that listens on an address.
fn reachable(listening: SocketAddr) -> ServerUrl {
    let host = match listening.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    ServerUrl::plain(SocketAddr::new(host, listening.port()))
}
