//! Calls to intervals.icu, as `ride::intervals_icu` describes them.
//!
//! The rider's key goes into the header of a call and nowhere else: calls carry no cookies and no
//! referrer, follow no redirects and are not cached. The page tries the direct way first; once an
//! answer has come on a way, the page keeps to it ([`Routes`]).
//!
//! In the browser only; during server rendering every function returns [`CallError::NoNetwork`].

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use js_sys::{Object, Promise, Uint8Array};
use ride::intervals_icu::{Access, Answer, CallError, MAX_ANSWER_BYTES, Request, Route, Routes};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Headers, RequestInit, Response};

use super::{
    clock,
    js::{call as call_method, construct, get, set},
};

/// Time limit of a call. The server gives a call that it passes on a minute.
const TIME_LIMIT: Duration = Duration::from_secs(75);
/// Time limit of a request that carries nothing.
const SHORT_TIME_LIMIT: Duration = Duration::from_secs(15);
/// Address at this server that tells how the service may be called.
const ACCESS: &str = "/api/intervals-icu";

thread_local! {
    static OFFERED: RefCell<Option<Option<Access>>> = const { RefCell::new(None) };
    static ROUTES: Cell<Routes> = Cell::new(Routes::default());
}

/// A fetch without an answer.
enum NoAnswer {
    /// The time limit is over.
    TimedOut,
    /// The browser got no answer, or may not see it.
    Failed,
    /// The answer began, and ended too early.
    CutOff,
    /// The answer exceeds the limit.
    TooLarge,
}

/// Status, `Retry-After` and body of an answer.
struct Received {
    status: u16,
    retry_after: Option<String>,
    body: Vec<u8>,
}

/// Access that this server offers; `None` if it does not offer the service. Asked once per page.
///
/// # Errors
/// [`CallError::NoNetwork`] if this server does not answer; the next call asks again.
pub async fn access() -> Result<Option<Access>, CallError> {
    if let Some(offered) = OFFERED.with_borrow(Clone::clone) {
        return Ok(offered);
    }
    let options = options("GET", Route::PassThrough);
    let answer = fetch(ACCESS, &options, SHORT_TIME_LIMIT).await;
    let answer = answer.map_err(|_| CallError::NoNetwork)?;
    let offered = match answer.status {
        200 => Access::parse(&String::from_utf8_lossy(&answer.body))?,
        // A server that is older than this page.
        404 => None,
        _ => return Err(CallError::ServerBusy),
    };
    OFFERED.set(Some(offered.clone()));
    Ok(offered)
}

/// Way to tell the rider, once an answer has come on this page.
pub fn route() -> Option<Route> {
    ROUTES.get().told()
}

/// Sends a request, and reads its answer with `read`.
///
/// # Errors
/// [`CallError`].
pub async fn call<T>(
    access: &Access,
    request: &Request,
    read: impl FnOnce(Answer<'_>) -> Result<T, CallError>,
) -> Result<T, CallError> {
    let is_write = request.form.is_some();
    let mut routes = ROUTES.get();
    let mut route = routes.first(is_write);
    loop {
        let sent = send(access, request, route).await;
        // The head of the answer was readable.
        if matches!(sent, Ok(_) | Err(NoAnswer::CutOff | NoAnswer::TooLarge)) {
            routes = ROUTES.get();
            routes.note_answer(is_write, route);
            ROUTES.set(routes);
        }
        match sent {
            Ok(received) => {
                let answer = Answer {
                    status: received.status,
                    retry_after: received.retry_after.as_deref(),
                    body: &received.body,
                    route,
                };
                return read(answer);
            }
            Err(NoAnswer::TimedOut) => return Err(CallError::TimedOut),
            Err(NoAnswer::TooLarge) => return Err(CallError::TooLarge),
            Err(NoAnswer::CutOff) => return Err(CallError::Unreachable),
            Err(NoAnswer::Failed) => {
                match ROUTES
                    .get()
                    .after_no_answer(is_write, route, access, is_online())
                {
                    Ok(next) => route = next,
                    Err(CallError::BrowserMayNot) if !is_reachable(access).await => {
                        return Err(CallError::Unreachable);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

async fn send(access: &Access, request: &Request, route: Route) -> Result<Received, NoAnswer> {
    let options = options(request.form.as_ref().map_or("GET", |_| "POST"), route);
    let headers = Headers::new().map_err(|_| NoAnswer::Failed)?;
    let mut pairs = vec![
        ("authorization", request.authorization.as_str()),
        ("accept", "application/json"),
    ];
    if let Some(form) = &request.form {
        let body = Uint8Array::from(form.bytes.as_slice());
        set(&options, "body", &body);
        pairs.push(("content-type", &form.content_type));
    }
    if route == Route::PassThrough {
        // The server asks for it, see "Calls to intervals.icu" in docs/PROTOCOL.md.
        pairs.push(("x-requested-with", "gruppetto"));
    }
    for (name, value) in pairs {
        headers.set(name, value).map_err(|_| NoAnswer::Failed)?;
    }
    options.set_headers(&headers);
    let address = access.address(route, &request.path);
    fetch(&address, &options, TIME_LIMIT).await
}

/// Tells whether anything answers at the service, for a page that may not see the answer.
async fn is_reachable(access: &Access) -> bool {
    let options = options("GET", Route::Direct);
    set(&options, "mode", &"no-cors".into());
    // Without consent of the service, a browser refuses any other setting.
    set(&options, "redirect", &"follow".into());
    let address = access.address(Route::Direct, "/");
    fetch(&address, &options, SHORT_TIME_LIMIT).await.is_ok()
}

fn options(method: &str, route: Route) -> RequestInit {
    let credentials = match route {
        Route::Direct => "omit",
        // A proxy in front of this server may ask for its own.
        Route::PassThrough => "same-origin",
    };
    let options = Object::new();
    for (name, value) in [
        ("method", method),
        ("credentials", credentials),
        ("cache", "no-store"),
        ("redirect", "error"),
        ("referrerPolicy", "no-referrer"),
    ] {
        set(&options, name, &value.into());
    }
    options.unchecked_into()
}

async fn fetch(
    address: &str,
    options: &RequestInit,
    limit: Duration,
) -> Result<Received, NoAnswer> {
    let controller = construct("AbortController", &[]).ok_or(NoAnswer::Failed)?;
    let signal = get(&controller, "signal").ok_or(NoAnswer::Failed)?;
    set(options, "signal", &signal);
    spawn_local(async move {
        clock::sleep(limit).await;
        call_method(&controller, "abort", &[]);
    });
    let is_aborted = || get(&signal, "aborted").is_some_and(|aborted| aborted.is_truthy());
    match receive(address, options).await {
        Err(NoAnswer::Failed | NoAnswer::CutOff) if is_aborted() => Err(NoAnswer::TimedOut),
        received => received,
    }
}

async fn receive(address: &str, options: &RequestInit) -> Result<Received, NoAnswer> {
    let window = web_sys::window().ok_or(NoAnswer::Failed)?;
    let response = JsFuture::from(window.fetch_with_str_and_init(address, options)).await;
    let response: Response = response
        .and_then(JsCast::dyn_into)
        .map_err(|_| NoAnswer::Failed)?;
    let retry_after = get(&response, "headers")
        .and_then(|headers| call_method(&headers, "get", &["retry-after".into()]));
    Ok(Received {
        status: response.status(),
        retry_after: retry_after.and_then(|wait| wait.as_string()),
        body: body(&response).await?,
    })
}

/// Body of at most [`MAX_ANSWER_BYTES`]. The rest of a larger one is not received.
async fn body(response: &Response) -> Result<Vec<u8>, NoAnswer> {
    let Some(stream) = get(response, "body").filter(|stream| !stream.is_null()) else {
        return Ok(Vec::new());
    };
    let reader = call_method(&stream, "getReader", &[]).ok_or(NoAnswer::CutOff)?;
    let mut body = Vec::new();
    loop {
        let read = call_method(&reader, "read", &[]).ok_or(NoAnswer::CutOff)?;
        let read = JsFuture::from(read.unchecked_into::<Promise>()).await;
        let read = read.map_err(|_| NoAnswer::CutOff)?;
        if get(&read, "done").is_some_and(|done| done.is_truthy()) {
            return Ok(body);
        }
        let chunk = get(&read, "value").and_then(|chunk| chunk.dyn_into::<Uint8Array>().ok());
        let chunk = chunk.ok_or(NoAnswer::CutOff)?;
        if body.len() + chunk.length() as usize > MAX_ANSWER_BYTES {
            call_method(&reader, "cancel", &[]);
            return Err(NoAnswer::TooLarge);
        }
        body.extend(chunk.to_vec());
    }
}

/// False if the browser knows that it has no network.
fn is_online() -> bool {
    web_sys::window()
        .and_then(|window| get(&window.navigator(), "onLine"))
        .is_some_and(|online| online.is_truthy())
}
