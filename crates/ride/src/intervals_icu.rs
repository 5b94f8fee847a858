//! Calls to intervals.icu: today's planned workouts in, finished rides out.
//!
//! A call is a [`Request`], which the browser sends, and an answer, which is read here. The API is
//! described at <https://intervals.icu/api-docs.html>: HTTP Basic authentication with the user
//! `API_KEY` and the rider's key as password; athlete `0` is the owner of the key.
//!
//! - [`ApiKey`]: the rider's key. Neither it nor a [`Request`] shows the key in its `Debug` text.
//! - [`planned_workouts`] and [`read_planned_workouts`]: the events of a day, with a workout file
//!   each.
//! - [`upload`] and [`read_upload`]: a FIT file as a new activity. The service recognises a second
//!   upload of the same ride by its `external_id`.
//! - [`Access`] and [`Route`]: the ways on which a browser reaches the service.
//! - [`CallError`]: everything that can fail.

mod access;
mod planned;

use core::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::value::RawValue;
use thiserror::Error;

pub use access::{Access, Route, Routes};
pub use planned::{PlannedError, PlannedWorkout, read_planned_workouts};

use planned::{Members, members, text};

/// Largest answer in bytes that is read: a day of workouts with a file each.
pub const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Largest FIT file in bytes that is sent. A pass-through accepts 16 MiB by default, form and all.
pub const MAX_UPLOAD_BYTES: usize = 15 * 1024 * 1024;
/// Longest API key in characters. Those of the service have about 30.
const MAX_KEY_CHARS: usize = 128;
/// Longest name of an activity in characters, as that of a workout at the service.
const MAX_NAME_CHARS: usize = 80;
/// Longest id of an activity in characters.
const MAX_ID_CHARS: usize = 32;

/// Reason why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// The service does not accept the key (401 or 403).
    #[error("the key is not accepted")]
    WrongKey,
    /// The service does not have what was asked for (404).
    #[error("not found")]
    NotFound,
    /// The ride is there already (409).
    #[error("uploaded already")]
    AlreadyUploaded,
    /// Too many calls in a short time (429).
    #[error("too many calls")]
    TooManyCalls {
        /// Seconds to wait, if they are known.
        retry_after: Option<u32>,
    },
    /// The file or the answer exceeds a limit (413).
    #[error("too large")]
    TooLarge,
    /// The service failed (5xx).
    #[error("the service failed with status {status}")]
    Service {
        /// HTTP status.
        status: u16,
    },
    /// Any other status.
    #[error("the service refused with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// The answer is not what the API describes.
    #[error("the answer cannot be read")]
    Unreadable,
    /// The browser has no network, or does not reach this server.
    #[error("no network")]
    NoNetwork,
    /// The service accepts no connection.
    #[error("the service cannot be reached")]
    Unreachable,
    /// No answer within the time limit.
    #[error("no answer in time")]
    TimedOut,
    /// The service does not let pages of this site call it, and this server passes nothing on.
    #[error("the browser may not call the service")]
    BrowserMayNot,
    /// The server refuses to pass the call on: its settings have changed, or the page is not its own.
    #[error("the server passes nothing on")]
    NotPassedOn,
    /// This server, not the service, cannot answer at the moment.
    #[error("this server cannot pass calls on at the moment")]
    ServerBusy,
}

/// API key of a rider: printable ASCII characters without spaces.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// A text is not an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an API key")]
pub struct InvalidKey;

impl core::str::FromStr for ApiKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let text = text.trim();
        let is_key = (1..=MAX_KEY_CHARS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Self(text.to_owned())).ok_or(InvalidKey)
    }
}

impl ApiKey {
    /// The key itself, for the browser's storage.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn authorization(&self) -> String {
        let credentials = BASE64_STANDARD.encode(format!("API_KEY:{}", self.0));
        format!("Basic {credentials}")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

/// Day of the rider's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalDate {
    year: u16,
    month: u8,
    day: u8,
}

impl LocalDate {
    /// A day: year 1 to 9999, month 1 to 12, day 1 to 31; `None` for other numbers.
    pub fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let is_valid = (1..=9999).contains(&year) && (1..=12).contains(&month);
        (is_valid && (1..=31).contains(&day)).then_some(Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        })
    }
}

impl fmt::Display for LocalDate {
    /// `2026-11-28`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Request to send. Its `Debug` text shows only the path.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Path and query, the same for every [`Route`]; without the key.
    pub path: String,
    /// Value of the header `Authorization`.
    pub authorization: String,
    /// Form of a `POST`; `None` for a `GET`.
    pub form: Option<Form>,
}

/// Body of an upload.
#[derive(Clone, PartialEq, Eq)]
pub struct Form {
    /// Value of the header `Content-Type`.
    pub content_type: String,
    /// Content.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Answer of the service, or of the server that passes calls on.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Header `Retry-After`, if it is there.
    pub retry_after: Option<&'a str>,
    /// Body of at most [`MAX_ANSWER_BYTES`].
    pub body: &'a [u8],
    /// Way on which it came.
    pub route: Route,
}

impl<'a> Answer<'a> {
    /// Body of a call that succeeded.
    fn success(self) -> Result<&'a [u8], CallError> {
        match self.status {
            200..=299 if self.body.len() > MAX_ANSWER_BYTES => Err(CallError::TooLarge),
            200..=299 => Ok(self.body),
            _ => Err(self.error()),
        }
    }

    fn error(self) -> CallError {
        let code = match self.route {
            Route::PassThrough => access::error_code(self.body),
            Route::Direct => None,
        };
        match (self.status, code.as_deref()) {
            (_, Some("foreign-origin" | "not-found")) => CallError::NotPassedOn,
            (_, Some("service-unreachable")) => CallError::Unreachable,
            (_, Some("bad-service-answer")) => CallError::Unreadable,
            (_, Some("service-timeout")) => CallError::TimedOut,
            (_, Some("draining" | "overloaded" | "internal")) => CallError::ServerBusy,
            (429, _) | (_, Some("too-many-calls")) => CallError::TooManyCalls {
                retry_after: self.retry_after.and_then(|wait| wait.trim().parse().ok()),
            },
            (401 | 403, _) => CallError::WrongKey,
            (404, _) => CallError::NotFound,
            (409, _) => CallError::AlreadyUploaded,
            (413, _) => CallError::TooLarge,
            (status @ 500..=599, _) => CallError::Service { status },
            (status, _) => CallError::Refused { status },
        }
    }
}

/// Request for the planned workouts of a day, with a ZWO file each.
pub fn planned_workouts(key: &ApiKey, day: LocalDate) -> Request {
    Request {
        path: format!(
            "/api/v1/athlete/0/events?category=WORKOUT&oldest={day}&newest={day}&ext=zwo&resolve=true"
        ),
        authorization: key.authorization(),
        form: None,
    }
}

/// Ride to upload.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// Name of the activity, shortened to 80 characters.
    pub name: &'a str,
    /// Name that the ride always has, by which the service recognises it.
    pub external_id: &'a str,
    /// Name of the file.
    pub file_name: &'a str,
    /// Content of the FIT file.
    pub file: &'a [u8],
}

/// Request that uploads a ride.
///
/// # Errors
/// [`CallError::TooLarge`] for a file of more than [`MAX_UPLOAD_BYTES`].
pub fn upload(key: &ApiKey, ride: Upload<'_>) -> Result<Request, CallError> {
    if ride.file.len() > MAX_UPLOAD_BYTES {
        return Err(CallError::TooLarge);
    }
    let name: String = ride.name.chars().take(MAX_NAME_CHARS).collect();
    Ok(Request {
        path: format!(
            "/api/v1/athlete/0/activities?name={}&external_id={}",
            encoded(&name),
            encoded(ride.external_id)
        ),
        authorization: key.authorization(),
        form: Some(form(ride.file_name, ride.file)),
    })
}

/// Text of a query, percent-encoded (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte as char);
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

/// `multipart/form-data` with one part, `file` (RFC 7578).
fn form(file_name: &str, file: &[u8]) -> Form {
    let is_free = |boundary: &String| {
        let mut parts = file.windows(boundary.len());
        !parts.any(|part| part == boundary.as_bytes())
    };
    let mut boundaries = (0_u32..).map(|number| format!("gruppetto-{number}"));
    // A file of 15 MiB does not hold them all.
    let boundary = boundaries.find(is_free).unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-._".contains(*c);
    let file_name: String = file_name.chars().filter(is_plain).collect();
    let mut bytes = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(file);
    bytes.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Form {
        content_type: format!("multipart/form-data; boundary={boundary}"),
        bytes,
    }
}

/// Id of an activity at the service: ASCII letters and digits, so that it can stand in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityId(String);

impl ActivityId {
    /// The id of a text; `None` if it does not have this form.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = (1..=MAX_ID_CHARS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_plain.then(|| Self(text.to_owned()))
    }

    /// The id as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads the answer to an upload: the id of the activity, or `None` if it has another form than ids
/// have.
///
/// # Errors
/// [`CallError`]; [`CallError::Unreadable`] if there is no id in it.
pub fn read_upload(answer: Answer<'_>) -> Result<Option<ActivityId>, CallError> {
    let body = answer.success()?;
    let body = core::str::from_utf8(body).map_err(|_| CallError::Unreadable)?;
    let uploaded = members(body).ok_or(CallError::Unreadable)?;
    let id = text(&uploaded, "id").or_else(|| {
        let activities = uploaded.get("activities")?.get();
        let activities: Vec<&RawValue> = serde_json::from_str(activities).ok()?;
        let first: Members<'_> = members(activities.first()?.get())?;
        text(&first, "id")
    });
    let id = id.ok_or(CallError::Unreadable)?;
    Ok(ActivityId::parse(&id))
}

#[cfg(test)]
mod tests;
