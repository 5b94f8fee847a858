//! Requests to the server's HTTP API.
//!
//! The functions do nothing until they are awaited, which only happens in the
//! browser: during server rendering there is no window, and they return
//! [`ApiError::Unreachable`].

use protocol::{code::SessionCode, peer::Token};
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

/// Reason why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// The server knows no ride with this code (404).
    NoSuchRide,
    /// The server has its maximum of rides (503).
    Full,
    /// Too many rides were created from this network in a short time (429).
    TooManyRides,
    /// The server could not be reached.
    Unreachable,
    /// The answer could not be read: the server speaks another version.
    Outdated,
    /// Any other status code.
    Other,
}

#[derive(Deserialize)]
struct CreatedRide {
    code: SessionCode,
}

/// Answer of the server about a ride.
#[derive(Clone, Debug, Deserialize)]
pub struct RideInfo {
    /// True if the ride has its maximum of riders.
    pub full: bool,
    /// True if the host has locked the ride.
    pub locked: bool,
    /// Invitation link with the server's public address, if one is configured.
    pub invitation: Option<String>,
}

/// Creates a ride and returns its code.
pub async fn create_ride() -> Result<SessionCode, ApiError> {
    let (status, body) = request("POST", "/api/rides", None).await?;
    match status {
        201 => parse::<CreatedRide>(&body).map(|created| created.code),
        429 => Err(ApiError::TooManyRides),
        503 => Err(ApiError::Full),
        _ => Err(ApiError::Other),
    }
}

/// Looks up a ride. A token of the ride exempts the request from the server's
/// protection against guessing codes.
pub async fn look_up_ride(code: &SessionCode, token: Option<Token>) -> Result<RideInfo, ApiError> {
    let path = format!("/api/rides/{code}");
    let (status, body) = request("GET", &path, token.as_ref()).await?;
    match status {
        200 => parse(&body),
        404 => Err(ApiError::NoSuchRide),
        _ => Err(ApiError::Unreachable),
    }
}

/// True if the server says that it has no ride with this code.
pub async fn is_unknown(code: &SessionCode) -> bool {
    let answer = request("GET", &format!("/api/rides/{code}"), None).await;
    matches!(answer, Ok((404, _)))
}

fn parse<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, ApiError> {
    serde_json::from_str(body).map_err(|_| ApiError::Outdated)
}

/// Sends a request and returns the status code and the body of the response.
async fn request(
    method: &str,
    path: &str,
    token: Option<&Token>,
) -> Result<(u16, String), ApiError> {
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
    attempt.await.map_err(|_| ApiError::Unreachable)
}
