//! The server's few HTTP endpoints.

use protocol::{code::SessionCode, peer::Token};
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

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
    let (status, body) = request("POST", "/api/rides", None).await?;
    match status {
        201 => parse::<Created>(&body).map(|created| created.code),
        429 => Err(Refusal::TooMany),
        503 => Err(Refusal::Full),
        _ => Err(Refusal::Other),
    }
}

/// Asks whether there is such a ride. Who has a token of it is not taken for
/// somebody who guesses codes.
pub async fn look_up(code: &SessionCode, token: Option<Token>) -> Result<Found, Refusal> {
    let path = format!("/api/rides/{code}");
    let (status, body) = request("GET", &path, token.as_ref()).await?;
    match status {
        200 => parse(&body),
        404 => Err(Refusal::NoSuchRide),
        _ => Err(Refusal::Unreachable),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(body).map_err(|_| Refusal::Outdated)
}

async fn request(
    method: &str,
    path: &str,
    token: Option<&Token>,
) -> Result<(u16, String), Refusal> {
    let attempt = async {
        let options = RequestInit::new();
        options.set_method(method);
        if let Some(token) = token {
            let headers = Headers::new()?;
            headers.set("authorization", &format!("Bearer {}", token.expose()))?;
            options.set_headers(&headers);
        }
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let response = JsFuture::from(window.fetch_with_str_and_init(path, &options)).await?;
        let response: Response = response.dyn_into()?;
        let body = JsFuture::from(response.text()?).await?;
        Ok::<_, JsValue>((response.status(), body.as_string().unwrap_or_default()))
    };
    attempt.await.map_err(|_| Refusal::Unreachable)
}
