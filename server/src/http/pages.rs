//! The app's pages and the site's files. The app is passed in as two functions,
//! because this crate does not depend on it.

mod executor;

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use leptos::IntoView;
use leptos::config::{Env, LeptosOptions, get_configuration};
use leptos::nonce::use_nonce;
use leptos::prelude::expect_context;
use leptos_axum::{
    LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context,
};
use tower_http::services::ServeDir;

use super::ContentSecurityPolicy;
use crate::config::Config;
use crate::error::{ApiError, StartError};

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const SHORT: HeaderValue = HeaderValue::from_static("public, max-age=300");
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// Options of Leptos: from the variables that cargo-leptos sets when it runs the
/// server, otherwise those of the release build. The server's own settings
/// override both.
///
/// # Errors
/// [`StartError::Setting`] if one of those variables does not parse,
/// [`StartError::SiteMissing`] if there is no built site.
pub fn leptos_options(config: &Config) -> Result<LeptosOptions, StartError> {
    let mut options = match std::env::var_os("LEPTOS_OUTPUT_NAME") {
        Some(_) => {
            get_configuration(None)
                .map_err(|error| StartError::Setting(format!("{error}.")))?
                .leptos_options
        }
        None => release_options(),
    };
    if let Some(address) = config.addr {
        options.site_addr = address;
    }
    if let Some(folder) = &config.site_root {
        options.site_root = folder.to_string_lossy().into();
    }
    let site = Path::new(&*options.site_root);
    if !site.join(&*options.site_pkg_dir).is_dir() {
        return Err(StartError::SiteMissing(site.to_owned()));
    }
    Ok(options)
}

/// Routes for every page of `app`, rendered with `shell` under `policy`. Every other
/// address is a file of the site, or the app's page for unknown addresses with status 404.
pub fn pages<AppView, ShellView>(
    options: LeptosOptions,
    policy: ContentSecurityPolicy,
    app: impl Fn() -> AppView + Clone + Send + Sync + 'static,
    shell: impl Fn(LeptosOptions) -> ShellView + Clone + Send + Sync + 'static,
) -> Router
where
    AppView: IntoView + 'static,
    ShellView: IntoView + 'static,
{
    executor::start_tasks_eagerly();
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let allow_nonce = move || allow_nonce(&policy);
    let routes = generate_route_list(app);
    let unknown = render_app_async_with_context(allow_nonce.clone(), document.clone());
    let unknown = Router::new().fallback(move |request: Request| {
        let page = unknown(request);
        async move { not_found(page.await) }
    });
    let files = files(&options, unknown.layer(middleware::from_fn(revalidated)));
    let files = Router::new()
        .fallback(move |request: Request| file(files.clone(), request))
        .layer(middleware::from_fn(cached_by_name));
    Router::new()
        .leptos_routes_with_context(&options, routes, allow_nonce, document)
        .layer(middleware::from_fn(revalidated))
        .fallback_service(files)
        .with_state(options)
}

fn release_options() -> LeptosOptions {
    let has_hashes =
        std::env::current_exe().is_ok_and(|binary| binary.with_file_name("hash.txt").exists());
    LeptosOptions::builder()
        .output_name("gruppetto")
        .site_root("target/site")
        .site_pkg_dir("pkg")
        .env(Env::PROD)
        .hash_files(has_hashes)
        .build()
}

/// Adds the page's nonce to the policy header. Leptos has created the nonce for
/// this response.
fn allow_nonce(policy: &ContentSecurityPolicy) {
    let nonce = use_nonce();
    let policy = policy.header(nonce.as_deref());
    expect_context::<ResponseOptions>().insert_header(header::CONTENT_SECURITY_POLICY, policy);
}

fn files(options: &LeptosOptions, unknown: Router) -> ServeDir<Router> {
    ServeDir::new(&*options.site_root)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip()
        .call_fallback_on_method_not_allowed(true)
        .fallback(unknown)
}

/// Answers with a file of the site. Opening one fails only if the operating system
/// lacks a resource, usually a file descriptor, so the client may try again.
async fn file(mut files: ServeDir<Router>, request: Request) -> Response {
    match files.try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::warn!(%error, "cannot read a file of the site");
            ApiError::FileUnavailable.into_response()
        }
    }
}

fn not_found(mut response: Response<Body>) -> Response<Body> {
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

async fn revalidated(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(REVALIDATE);
    response
}

/// Sets the caching headers of a file: a file with a content hash in its name
/// never changes, and every file may exist in compressed variants.
async fn cached_by_name(request: Request, next: Next) -> Response {
    let caching = if has_hash(request.uri().path()) {
        IMMUTABLE
    } else {
        SHORT
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(caching);
    headers.insert(header::VARY, ACCEPT_ENCODING);
    response
}

/// Returns `true` for paths such as `/pkg/name.0123456789abcdefghij.js`. Hashes
/// have 20 characters of base64url in the release build, 22 with cargo-leptos.
fn has_hash(path: &str) -> bool {
    let Some(name) = path.strip_prefix("/pkg/") else {
        return false;
    };
    let parts: Vec<_> = name.split('.').collect();
    let [_, hash, "js" | "wasm" | "css"] = parts[..] else {
        return false;
    };
    hash.len() >= 20
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        assert!(has_hash("/pkg/gruppetto.0123456789-bcdefghi_.wasm"));
        assert!(!has_hash("/pkg/gruppetto.wasm"));
        assert!(!has_hash("/pkg/snippets/app/inline0.js"));
        assert!(!has_hash("/icon.svg"));
    }
}
