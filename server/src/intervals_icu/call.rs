use axum::http::Method;
use axum::http::uri::{PathAndQuery, Uri};

/// Path of this server below which calls are passed on.
const PREFIX: &str = "/intervals-icu";
/// Path of the data of athletes at the service.
const ATHLETES: &str = "/api/v1/athlete/";
/// Maximum length of an athlete's id, such as `i12345`, or `0` for the owner of the key.
const MAX_ID_LENGTH: usize = 32;

/// Call of the service's API that is passed on: `GET …/athlete/{id}/events` (planned
/// workouts) or `POST …/athlete/{id}/activities` (upload), each with any query.
///
/// Its path is put together from parsed parts, so that it has no other segments than these.
/// It has no `Debug`, because ids and queries are not logged.
pub struct Call {
    method: Method,
    target: PathAndQuery,
}

impl Call {
    /// Parses a request's method and address; `None` for all others.
    pub fn parse(method: &Method, address: &Uri) -> Option<Self> {
        let path = address.path().strip_prefix(PREFIX)?;
        let (id, collection) = path.strip_prefix(ATHLETES)?.split_once('/')?;
        if !is_id(id) {
            return None;
        }
        let collection = match (method, collection) {
            (&Method::GET, "events") => "events",
            (&Method::POST, "activities") => "activities",
            _ => return None,
        };
        let path = format!("{ATHLETES}{id}/{collection}");
        let target = match address.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        Some(Self {
            method: method.clone(),
            target: target.try_into().ok()?,
        })
    }

    /// Method of the request.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Method, and path and query at the service.
    pub fn into_parts(self) -> (Method, PathAndQuery) {
        (self.method, self.target)
    }
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &Method, address: &str) -> Option<String> {
        let address = address.parse().expect("an address");
        let (parsed, target) = Call::parse(method, &address)?.into_parts();
        assert_eq!(parsed, method);
        Some(target.as_str().to_owned())
    }

    #[test]
    fn the_two_calls_of_the_app_are_passed_on_with_their_query() {
        for (method, address, expected) in [
            (
                Method::GET,
                "/intervals-icu/api/v1/athlete/0/events?category=WORKOUT&ext=zwo&oldest=2026-05-01",
                "/api/v1/athlete/0/events?category=WORKOUT&ext=zwo&oldest=2026-05-01",
            ),
            (
                Method::GET,
                "/intervals-icu/api/v1/athlete/i12345/events",
                "/api/v1/athlete/i12345/events",
            ),
            (
                Method::POST,
                "/intervals-icu/api/v1/athlete/0/activities?name=A%20ride%2F..",
                "/api/v1/athlete/0/activities?name=A%20ride%2F..",
            ),
            (
                Method::GET,
                "http://evil.example/intervals-icu/api/v1/athlete/0/events",
                "/api/v1/athlete/0/events",
            ),
        ] {
            assert_eq!(target(&method, address).as_deref(), Some(expected));
        }
    }

    #[test]
    fn no_other_path_is_passed_on() {
        let long = format!("/intervals-icu/api/v1/athlete/{}/events", "1".repeat(33));
        for path in [
            long.as_str(),
            "/intervals-icu",
            "/intervals-icu/",
            "/intervals-icu//evil.example/api/v1/athlete/0/events",
            "/intervals-icu@evil.example/api/v1/athlete/0/events",
            "/intervals-icu/@evil.example",
            "/intervals-icu.evil.example/api/v1/athlete/0/events",
            "/intervals-icu/api/v1/athlete/0",
            "/intervals-icu/api/v1/athlete/0/",
            "/intervals-icu/api/v1/athlete/0/events/",
            "/intervals-icu/api/v1/athlete/0/events/1",
            "/intervals-icu/api/v1/athlete/0/events.zwo",
            "/intervals-icu/api/v1/athlete/0/Events",
            "/intervals-icu/api/v1/athlete/0//events",
            "/intervals-icu/api/v1/athlete//events",
            "/intervals-icu/api/v1/athlete/../events",
            "/intervals-icu/api/v1/athlete/./events",
            "/intervals-icu/api/v1/athlete/..%2f0/events",
            "/intervals-icu/api/v1/athlete/0%2f/events",
            "/intervals-icu/api/v1/athlete/%30/events",
            "/intervals-icu/api/v1/athlete/0;a/events",
            "/intervals-icu/api/v1/athlete/0/%65vents",
            "/intervals-icu/api/v1/athlete/0/wellness",
            "/intervals-icu/api/v1/activity/0/events",
            "/intervals-icu/api/v2/athlete/0/events",
            "/intervals-icu/../api/v1/athlete/0/events",
            "/api/v1/athlete/0/events",
        ] {
            assert_eq!(target(&Method::GET, path), None, "{path}");
        }
    }

    #[test]
    fn each_call_has_one_method() {
        let path = |collection| format!("/intervals-icu/api/v1/athlete/0/{collection}");
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::HEAD,
            Method::OPTIONS,
        ] {
            assert_eq!(target(&method, &path("events")), None, "{method}");
        }
        for method in [
            Method::GET,
            Method::PUT,
            Method::DELETE,
            Method::HEAD,
            Method::OPTIONS,
        ] {
            assert_eq!(target(&method, &path("activities")), None, "{method}");
        }
    }
}
