//! Entry point of the server: reads the settings, starts the log, and serves the
//! app's pages; or checks the installation.

// The type of a page nests as deeply as its elements.
#![recursion_limit = "256"]

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use server::config::{Command, Config};
use server::error::StartError;
use server::http::ContentSecurityPolicy;
use server::http::pages::{leptos_options, pages};
use server::router::{build_handler, build_metrics_handler};
use server::state::AppState;
use server::tls::browser_roots;
use server::{BACKLOG, check, descriptors, listen, logging, run, serve_metrics, shutdown};

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

fn start() -> Result<ExitCode, StartError> {
    let mut config = Config::load()?;
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

async fn serve(config: Config, options: leptos::config::LeptosOptions) -> Result<(), StartError> {
    let mut signals = Box::pin(shutdown::signals()?);
    let listener = listen(options.site_addr).await?;
    // Reads the secret file, which may block.
    let state = tokio::task::spawn_blocking(|| AppState::new(config));
    let state = tokio::select! {
        state = state => state.map_err(std::io::Error::other)??,
        () = &mut signals => return Ok(()),
    };
    let policy = ContentSecurityPolicy::new(&state.config);
    let pages = pages(options, policy, app::App, app::shell);
    let handler = build_handler(state.clone(), pages);
    if let Some(address) = state.config.limits.metrics_addr {
        let metrics = build_metrics_handler(state.clone());
        tokio::spawn(serve_metrics(listen(address).await?, metrics));
    }
    // A closed or full standard output does not keep the server from serving.
    let _ = writeln!(
        stdout(),
        "Gruppetto is at http://{}",
        listener.local_addr()?
    );
    run(listener, handler, state, signals).await;
    Ok(())
}
