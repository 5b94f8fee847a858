use axum::extract::Request;
use axum::http::{Method, Version, header};

use crate::error::ApiError;

/// Checks the parts of a request's head that every handler relies on: a path, and
/// exactly one `Host` (RFC 9112, sections 3.2 and 3.2.2). HTTP/1.0 has no `Host`.
///
/// # Errors
/// [`ApiError::MalformedRequest`].
pub fn check_request(request: &Request) -> Result<(), ApiError> {
    let has_path = request.method() != Method::CONNECT && request.uri().path().starts_with('/');
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let has_one_host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok(),
        (None, _) => request.version() < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    };
    match has_path && has_one_host {
        true => Ok(()),
        false => Err(ApiError::MalformedRequest),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn is_accepted(method: &str, target: &str, hosts: &[&str], version: Version) -> bool {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .version(version);
        for host in hosts {
            request = request.header("host", *host);
        }
        check_request(&request.body(Body::empty()).expect("a request")).is_ok()
    }

    #[test]
    fn a_request_needs_a_path_and_one_host() {
        let one = &["ride.example"][..];
        assert!(is_accepted("GET", "/", one, Version::HTTP_11));
        assert!(is_accepted(
            "GET",
            "http://ride.example",
            one,
            Version::HTTP_11
        ));
        assert!(is_accepted("GET", "/", &[], Version::HTTP_10));
        assert!(!is_accepted("GET", "/", &[], Version::HTTP_11));
        assert!(!is_accepted("GET", "/", &["a", "b"], Version::HTTP_11));
        assert!(!is_accepted("GET", "/", &["a", "a"], Version::HTTP_10));
        assert!(!is_accepted("CONNECT", "a:1", one, Version::HTTP_11));
        assert!(!is_accepted("OPTIONS", "*", one, Version::HTTP_11));
    }
}
