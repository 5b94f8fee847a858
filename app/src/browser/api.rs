//! The server's few HTTP endpoints.

use mesh::code::SessionCode;
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

use crate::state::Refusal;

#[derive(Deserialize)]
struct Created {
    code: SessionCode,
}

/// A ride that can be opened, perhaps.
#[derive(Clone, Debug, Deserialize)]
pub struct Found {
    /// Whether it takes no more riders.
    pub full: bool,
    /// Whether the host lets nobody else in.
    pub locked: bool,
    /// The address to share, as the server knows itself.
    pub invitation: Option<String>,
}

/// Makes a ride and returns its code.
pub async fn create_ride() -> Result<SessionCode, Refusal> {
    let (status, body) = request("POST", "/api/rides").await?;
    match status {
        201 => parse::<Created>(&body).map(|created| created.code),
        429 => Err(Refusal::TooMany),
        503 => Err(Refusal::Full),
        _ => Err(Refusal::Other),
    }
}

/// Asks whether there is such a ride.
pub async fn look_up(code: &SessionCode) -> Result<Found, Refusal> {
    let (status, body) = request("GET", &format!("/api/rides/{code}")).await?;
    match status {
        200 => parse(&body),
        404 => Err(Refusal::NoSuchRide),
        _ => Err(Refusal::Unreachable),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(body).map_err(|_| Refusal::Outdated)
}

async fn request(method: &str, path: &str) -> Result<(u16, String), Refusal> {
    let attempt = async {
        let options = RequestInit::new();
        options.set_method(method);
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let response = JsFuture::from(window.fetch_with_str_and_init(path, &options)).await?;
        let response: Response = response.dyn_into()?;
        let body = JsFuture::from(response.text()?).await?;
        Ok::<_, JsValue>((response.status(), body.as_string().unwrap_or_default()))
    };
    attempt.await.map_err(|_| Refusal::Unreachable)
}
