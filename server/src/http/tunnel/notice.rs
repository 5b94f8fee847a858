use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::{NO_STORE, RefusalReason};

/// Page that says why a request to a tunnel's origin was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The host is not that of a tunnel.
    WrongHost,
    /// There is no such file of the shell page.
    NotFound,
    /// The shell page was not built.
    NoShell,
    /// The method is not passed on.
    Method,
    /// The request has no token, or a wrong one.
    NoToken,
    /// One address tried too many tokens.
    TooManyAttempts {
        /// Seconds until the next attempt.
        retry_after: u64,
    },
    /// The request comes from a page of another origin.
    ForeignOrigin,
    /// The page's own service worker.
    ServiceWorker,
    /// No peer was connected since the server started.
    Unknown,
    /// The peer is not connected.
    Offline,
    /// The tunnel has its maximum number of visitors, or of requests.
    Busy(RefusalReason),
    /// The head of the request is not passed on.
    BadRequest,
    /// The local server cannot be reached.
    Unreachable,
    /// The answer broke, or is not one.
    BadAnswer,
    /// No answer came in time.
    TimedOut,
}

impl Notice {
    fn status(self) -> StatusCode {
        match self {
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound | Self::Unknown => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoToken | Self::ForeignOrigin | Self::ServiceWorker => StatusCode::FORBIDDEN,
            Self::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoShell | Self::Offline | Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unreachable | Self::BadAnswer => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Title, and what to do. None of it comes from a request, so there is nothing to escape.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::WrongHost => (
                "No shared page here",
                "This address is not that of a shared page. Open the link that you were given.",
            ),
            Self::NotFound => ("Not found", "There is no such file."),
            Self::NoShell => (
                "Shared pages are not installed",
                "The server lacks the files of shared pages. Tell its operator to build the site.",
            ),
            Self::Method => (
                "Not allowed",
                "Shared pages do not accept this kind of request.",
            ),
            Self::NoToken => (
                "The link is needed",
                "This shared page opens only with its whole link, including the part after #. \
                 Open that link again. Your browser must accept cookies of this site.",
            ),
            Self::TooManyAttempts { .. } => (
                "Too many attempts",
                "The shared page was opened too often from your network. Wait a minute, then try again.",
            ),
            Self::ForeignOrigin => (
                "Not allowed",
                "Pages of other sites may not use a shared page.",
            ),
            Self::ServiceWorker => (
                "Not allowed",
                "A shared page may not install a service worker of its own.",
            ),
            Self::Unknown => (
                "This page is not shared at the moment",
                "The program that shares it has not been connected for a while, or the link is \
                 wrong. Ask the person who gave it to you.",
            ),
            Self::Offline => (
                "This page is not shared at the moment",
                "The program that shares it is not connected. Try again when it runs.",
            ),
            Self::Busy(_) => (
                "Too many visitors",
                "The shared page has as many visitors or requests as it can take. Try again in a \
                 few seconds.",
            ),
            Self::BadRequest => (
                "The request is not passed on",
                "Its address or its header fields are too long or malformed.",
            ),
            Self::Unreachable => (
                "The shared web site does not answer",
                "The program that shares it is connected, but the web site beside it is not \
                 running. Ask the person who shares it to start it, then reload.",
            ),
            Self::BadAnswer => (
                "The shared web site gave no usable answer",
                "The connection broke, or the answer cannot be passed on. Reload to try again.",
            ),
            Self::TimedOut => (
                "The shared web site is too slow",
                "It did not answer in time. Reload to try again.",
            ),
        }
    }

    fn reason(self) -> Option<RefusalReason> {
        Some(match self {
            Self::WrongHost => RefusalReason::WrongHost,
            Self::NoToken => RefusalReason::TunnelToken,
            Self::TooManyAttempts { .. } => RefusalReason::TunnelTokenRate,
            Self::ForeignOrigin => RefusalReason::ForeignOrigin,
            Self::Unknown | Self::Offline => RefusalReason::TunnelOffline,
            Self::Busy(reason) => reason,
            Self::BadRequest => RefusalReason::MalformedRequest,
            Self::ServiceWorker => RefusalReason::Forbidden,
            Self::Unreachable | Self::BadAnswer => RefusalReason::TunnelFailed,
            Self::TimedOut => RefusalReason::TunnelTimeout,
            Self::NotFound | Self::NoShell | Self::Method => return None,
        })
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(retry_after),
            Self::Busy(_) | Self::Offline => Some(5),
            _ => None,
        }
    }
}

impl IntoResponse for Notice {
    fn into_response(self) -> Response {
        // The shell shows these pages in its frame.
        const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'self'";
        let (title, text) = self.texts();
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>body {{ max-width: 36rem; margin: 12vh auto; padding: 0 1rem; font: 1rem/1.5 \
             system-ui, sans-serif; color: #e8eaed; background: #14171a }}</style>\n\
             <h1>{title}</h1>\n<p>{text}</p>\n"
        );
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(POLICY),
            ),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (header::CACHE_CONTROL, NO_STORE),
        ];
        let mut response = (self.status(), headers, page).into_response();
        if let Some(reason) = self.reason() {
            response.extensions_mut().insert(reason);
        }
        if let Some(seconds) = self.retry_after() {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
