//! Entry point: reads the settings, starts the log, and serves the app's pages; or checks the
//! installation, lets simulated riders join a ride, or brings a local web site to visitors.

// The type of a page nests as deeply as its elements.
#![recursion_limit = "256"]

mod demo;

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, FromArgMatches};
use peer::bots::{self, Outcome};
use peer::options::{BotsOptions, DemoOptions, TunnelOptions};
use peer::tunnel::{self, Report};
use server::config::{Command, Config, Program};
use server::error::StartError;
use server::http::ContentSecurityPolicy;
use server::http::pages::{leptos_options, pages};
use server::router::{build_handler, build_metrics_handler, build_tunnel_handler};
use server::state::AppState;
use server::tls::browser_roots;
use server::{
    BACKLOG, check, descriptors, listen, listen_for_tunnels, logging, run, serve_metrics,
    serve_tunnels, shutdown,
};

/// Time for blocking work that still runs when the server has stopped, such as
/// reading the secret from a file system that hangs.
const EXIT_TIMEOUT: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            // A closed or full standard error changes nothing.
            let _ = writeln!(stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<ExitCode, Box<dyn Error>> {
    let commands = vec![
        BotsOptions::augment_args(clap::Command::new("bots")),
        DemoOptions::augment_args(clap::Command::new("demo")),
        TunnelOptions::augment_args(clap::Command::new("tunnel")),
    ];
    match Config::load(commands)? {
        Program::Server(config) => Ok(start_server(*config)?),
        Program::Command(name, flags) if name == "demo" => {
            demo::start(DemoOptions::from_arg_matches(&flags)?)
        }
        Program::Command(name, flags) if name == "tunnel" => {
            serve_tunnel(TunnelOptions::from_arg_matches(&flags)?)
        }
        Program::Command(_, flags) => ride(BotsOptions::from_arg_matches(&flags)?),
    }
}

fn start_server(mut config: Config) -> Result<ExitCode, StartError> {
    if config.command == Some(Command::Check) {
        return check_installation(&config);
    }
    let options = leptos_options(&config)?;
    logging::start(&config);
    descriptors::fit(&mut config.limits);
    let runtime = tokio::runtime::Runtime::new()?;
    let result = runtime.block_on(serve(config, options));
    runtime.shutdown_timeout(EXIT_TIMEOUT);
    result.map(|()| ExitCode::SUCCESS)
}

/// Lets simulated riders join a ride, until the program is told to stop.
fn ride(options: BotsOptions) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stop = shutdown::signals()?;
        let (url, bots) = (options.url.clone(), options.bots());
        let count = bots.riders.len();
        let joined = || say(&format!("{count} simulated riders have joined {url}"));
        if bots::run(bots, joined, stop).await? == Outcome::Over {
            say("The ride is over.");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Brings a local web site to visitors, until the program is told to stop. Standard output has the
/// address alone.
fn serve_tunnel(options: TunnelOptions) -> Result<ExitCode, Box<dyn Error>> {
    let tunnel = options.tunnel(|name| std::env::var_os(name))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let tasks = tokio::task::LocalSet::new();
    runtime.block_on(tasks.run_until(async {
        let stop = shutdown::signals()?;
        note(&format!("Visitors will see {}.", tunnel.to));
        let report = |report| match report {
            Report::Address(address) => say(&address),
            Report::Note(sentence) => note(&sentence),
        };
        let metrics = tunnel::run(tunnel, report, stop).await?;
        note(&format!("The tunnel is closed: {metrics}."));
        Ok(ExitCode::SUCCESS)
    }))
}

/// Prints a line on standard error. A closed or full one changes nothing.
fn note(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Prints a line. A closed or full standard output changes nothing.
fn say(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// Prints the results of all checks. The exit code is a failure if one failed.
fn check_installation(config: &Config) -> Result<ExitCode, StartError> {
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(check::run(config, &browser_roots(), BACKLOG));
    runtime.shutdown_timeout(EXIT_TIMEOUT);
    // A closed standard output changes nothing.
    let _ = write!(stdout(), "{report}");
    Ok(match report.has_failed() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// Serves the app until the program is told to stop.
async fn serve(config: Config, options: leptos::config::LeptosOptions) -> Result<(), StartError> {
    let mut signals = Box::pin(shutdown::signals()?);
    let listener = listen(options.site_addr).await?;
    // Reads the secret file, which may block.
    let state = tokio::task::spawn_blocking(|| AppState::new(config));
    let state = tokio::select! {
        state = state => state.map_err(std::io::Error::other)??,
        () = &mut signals => return Ok(()),
    };
    let tunnels = build_tunnel_handler(state.clone(), Path::new(&*options.site_root));
    let policy = ContentSecurityPolicy::new(&state.config);
    let pages = pages(options, policy, app::App, app::shell);
    let handler = build_handler(state.clone(), pages);
    if let Some(listener) = listen_for_tunnels(&state).await {
        tokio::spawn(serve_tunnels(listener, tunnels, state.clone()));
    }
    if let Some(address) = state.config.limits.metrics_addr {
        let metrics = build_metrics_handler(state.clone());
        tokio::spawn(serve_metrics(listen(address).await?, metrics));
    }
    say(&format!(
        "Gruppetto is at http://{}",
        listener.local_addr()?
    ));
    run(listener, handler, state, signals).await;
    Ok(())
}
