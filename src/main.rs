//! Entry point of the server: reads the settings, starts the log, and serves the
//! app's pages.

// The type of a page nests as deeply as its elements.
#![recursion_limit = "256"]

use std::process::ExitCode;

use server::config::Config;
use server::error::StartError;
use server::http::pages::{leptos_options, pages};
use server::router::build_handler;
use server::state::AppState;
use server::{listen, logging, run, shutdown};

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), StartError> {
    let config = Config::load()?;
    let options = leptos_options(&config)?;
    logging::start(&config);
    tokio::runtime::Runtime::new()?.block_on(serve(config, options))
}

async fn serve(config: Config, options: leptos::config::LeptosOptions) -> Result<(), StartError> {
    let listener = listen(options.site_addr).await?;
    let signals = shutdown::signals()?;
    let state = AppState::new(config);
    let handler = build_handler(state.clone(), pages(options, app::App, app::shell));
    println!("Gruppetto is at http://{}", listener.local_addr()?);
    run(listener, handler, state, signals).await;
    Ok(())
}
