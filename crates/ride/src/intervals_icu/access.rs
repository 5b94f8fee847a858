//! The ways on which a browser reaches the service.
//!
//! A page calls the service itself first, so that nobody else handles the rider's key. Browsers allow
//! that only as far as the service consents (CORS), and a page cannot tell a refusal from a lost
//! connection: both are a call without an answer. Then the server passes the call on, if its operator
//! has allowed that.

use serde::Deserialize;

use super::CallError;

/// Access that the server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Origin of the service, such as `https://intervals.icu`.
    pub origin: String,
    /// True if the server passes calls on that the browser may not make.
    pub passes_through: bool,
}

/// Way of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// From the browser to the service.
    Direct,
    /// By way of the server.
    PassThrough,
}

#[derive(Deserialize)]
struct Body {
    url: Option<String>,
    pass_through: bool,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorCode,
}

#[derive(Deserialize)]
struct ErrorCode {
    code: String,
}

impl Access {
    /// Reads the server's answer to `GET /api/intervals-icu`; `None` if it does not offer the
    /// service.
    ///
    /// # Errors
    /// [`CallError::Unreadable`].
    pub fn parse(body: &str) -> Result<Option<Self>, CallError> {
        let body: Body = serde_json::from_str(body).map_err(|_| CallError::Unreadable)?;
        let access = body.url.map(|origin| Self {
            origin: origin.trim_end_matches('/').to_owned(),
            passes_through: body.pass_through,
        });
        match access {
            Some(access) if !access.is_http() => Err(CallError::Unreadable),
            access => Ok(access),
        }
    }

    fn is_http(&self) -> bool {
        ["https://", "http://"]
            .iter()
            .any(|scheme| self.origin.starts_with(scheme))
    }

    /// Address of a path at the service on this way.
    pub fn address(&self, route: Route, path: &str) -> String {
        match route {
            Route::Direct => format!("{}{path}", self.origin),
            Route::PassThrough => format!("/intervals-icu{path}"),
        }
    }
}

/// Ways that have been answered, one for each method: a service may let browsers read and not write.
///
/// A page keeps to a way once an answer has come on it. So a lost connection later never sends the
/// rider's key on another way than the one that was used before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    read: Option<Route>,
    write: Option<Route>,
}

impl Routes {
    fn answered_on(self, is_write: bool) -> Option<Route> {
        if is_write { self.write } else { self.read }
    }

    /// Way to try first.
    pub fn first(self, is_write: bool) -> Route {
        self.answered_on(is_write).unwrap_or(Route::Direct)
    }

    /// Notes that an answer has come on a way. The first one counts.
    pub fn note_answer(&mut self, is_write: bool, route: Route) {
        let answered = if is_write {
            &mut self.write
        } else {
            &mut self.read
        };
        answered.get_or_insert(route);
    }

    /// Way to try after a call without an answer.
    ///
    /// # Errors
    /// The reason for which the call fails, if there is no other way.
    pub fn after_no_answer(
        self,
        is_write: bool,
        route: Route,
        access: &Access,
        is_online: bool,
    ) -> Result<Route, CallError> {
        match (route, self.answered_on(is_write)) {
            (Route::Direct, _) if !is_online => Err(CallError::NoNetwork),
            (Route::Direct, Some(_)) => Err(CallError::Unreachable),
            (Route::Direct, None) if access.passes_through => Ok(Route::PassThrough),
            (Route::Direct, None) => Err(CallError::BrowserMayNot),
            (Route::PassThrough, _) => Err(CallError::NoNetwork),
        }
    }

    /// Way to tell the rider: by way of the server if any call goes there; `None` before the first
    /// answer.
    pub fn told(self) -> Option<Route> {
        let routes = [self.read, self.write];
        match routes.contains(&Some(Route::PassThrough)) {
            true => Some(Route::PassThrough),
            false => self.read.or(self.write),
        }
    }
}

/// Code of an error of the server itself.
pub(super) fn error_code(body: &[u8]) -> Option<String> {
    let body: ErrorBody = serde_json::from_slice(body).ok()?;
    Some(body.error.code)
}
