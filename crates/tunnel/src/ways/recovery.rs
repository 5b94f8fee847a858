//! What becomes of requests whose way has failed.

/// What to do with a request in flight on a way that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Send it again on the other way.
    Retry,
    /// Answer it with status 502, or break off its response.
    Fail,
}

impl Recovery {
    /// Decides for a request. `has_response` is true once its response was handed on, even in part;
    /// `has_whole_body` is true if it has no body, or all of it can be sent again.
    pub fn of(method: &str, has_response: bool, has_whole_body: bool) -> Self {
        match is_idempotent(method) && !has_response && has_whole_body {
            true => Self::Retry,
            false => Self::Fail,
        }
    }
}

/// Repeating a request with this method has the effect of a single one (RFC 9110, section 9.2.2).
/// Methods are case-sensitive.
pub fn is_idempotent(method: &str) -> bool {
    matches!(
        method,
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotent_requests_are_sent_again() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
            assert_eq!(Recovery::of(method, false, true), Recovery::Retry);
        }
    }

    #[test]
    fn other_requests_fail() {
        for method in ["POST", "PATCH", "CONNECT", "get", ""] {
            assert_eq!(Recovery::of(method, false, true), Recovery::Fail);
        }
    }

    #[test]
    fn a_response_that_has_begun_is_not_begun_again() {
        assert_eq!(Recovery::of("GET", true, true), Recovery::Fail);
    }

    #[test]
    fn a_body_that_is_gone_cannot_be_sent_again() {
        assert_eq!(Recovery::of("PUT", false, false), Recovery::Fail);
    }
}
