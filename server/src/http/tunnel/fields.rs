//! Header fields as a reverse proxy passes them on (RFC 9110, section 7.6.1).

use ::tunnel::head::{HOP_BY_HOP, Kind, RequestHead, ResponseHead};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::cookie;

type Fields = Vec<(String, Vec<u8>)>;

/// Fields that the peer sets by itself, or that are between browser and server.
const NOT_PASSED_ON: [&str; 4] = ["expect", "forwarded", "host", "x-real-ip"];

/// Head of a request to pass on, without the token.
pub fn request_head(parts: &Parts, kind: Kind) -> RequestHead {
    let listed = listed_in_connection(&parts.headers);
    let target = parts.uri.path_and_query();
    RequestHead {
        kind,
        method: parts.method.as_str().to_owned(),
        target: target.map_or("/", |it| it.as_str()).to_owned(),
        fields: parts
            .headers
            .iter()
            .filter(|(name, _)| passes(name, &listed) && is_of_request(name.as_str()))
            .filter_map(|(name, value)| {
                let value = match *name == header::COOKIE {
                    true => cookie::without_token(value.as_bytes())?,
                    false => value.as_bytes().to_vec(),
                };
                Some((name.as_str().to_owned(), value))
            })
            .collect(),
    }
}

/// Fields of a response to pass on. The shell shows pages in a frame, so `X-Frame-Options` is left
/// out, and `frame-ancestors` becomes this origin.
pub fn response_fields(head: &ResponseHead) -> HeaderMap {
    let listed = listed_in(&head.fields);
    let mut headers = HeaderMap::new();
    for (name, value) in &head.fields {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            continue;
        };
        let is_left_out = !passes(&name, &listed)
            || name == header::X_FRAME_OPTIONS
            || name.as_str().starts_with("sec-websocket-");
        let value = match () {
            () if is_left_out => None,
            () if name == header::SET_COOKIE => cookie::adapted(value),
            () if name == header::CONTENT_SECURITY_POLICY => Some(with_own_frame(value)),
            () => Some(value.clone()),
        };
        if let Some(Ok(value)) = value.map(|it| HeaderValue::from_bytes(&it)) {
            headers.append(name, value);
        }
    }
    // A tab gets the shell page at the same address.
    headers.append(header::VARY, HeaderValue::from_static("Sec-Fetch-Dest"));
    headers
}

/// Returns `true` for the fields of a request that are passed on.
fn is_of_request(name: &str) -> bool {
    let is_handshake = name.starts_with("sec-websocket-") && name != "sec-websocket-protocol";
    !NOT_PASSED_ON.contains(&name) && !name.starts_with("x-forwarded-") && !is_handshake
}

fn passes(name: &HeaderName, listed: &[String]) -> bool {
    let name = name.as_str();
    !HOP_BY_HOP.contains(&name) && !listed.iter().any(|it| it == name)
}

/// Names of fields that `Connection` lists.
fn listed_in_connection(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONNECTION).iter();
    values.flat_map(|it| names(it.as_bytes())).collect()
}

fn listed_in(fields: &Fields) -> Vec<String> {
    let values = fields.iter().filter(|(name, _)| name == "connection");
    values.flat_map(|(_, value)| names(value)).collect()
}

fn names(value: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(value);
    let names = text.split(',').map(|it| it.trim().to_ascii_lowercase());
    names.collect()
}

/// Policies whose pages may be framed by pages of their own origin, and by no others if they could
/// not be framed by all before.
fn with_own_frame(value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    let policies = text.split(',').map(|policy| {
        let directives = policy.split(';').map(|directive| {
            let name = directive.split_ascii_whitespace().next();
            match name.is_some_and(|it| it.eq_ignore_ascii_case("frame-ancestors")) {
                true => " frame-ancestors 'self'",
                false => directive,
            }
        });
        directives.collect::<Vec<_>>().join(";")
    });
    policies.collect::<Vec<_>>().join(",").into_bytes()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn head(fields: &[(&str, &str)]) -> RequestHead {
        let mut request = Request::builder().method("PUT").uri("/a/b?c=%2F");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        request_head(&parts, Kind::Http)
    }

    #[test]
    fn a_request_keeps_what_concerns_the_site_alone() {
        let head = head(&[
            ("host", "abc.localhost"),
            ("connection", "keep-alive, X-Private"),
            ("x-private", "1"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("expect", "100-continue"),
            ("forwarded", "for=1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "evil.example"),
            ("sec-websocket-key", "a"),
            ("sec-websocket-protocol", "chat"),
            ("cookie", "gruppetto_tunnel=secret; theme=dark"),
            ("range", "bytes=0-1"),
        ]);
        assert_eq!(
            (head.method.as_str(), head.target.as_str()),
            ("PUT", "/a/b?c=%2F")
        );
        let expected = [
            ("sec-websocket-protocol", "chat"),
            ("cookie", "theme=dark"),
            ("range", "bytes=0-1"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(head.fields, expected);
    }

    #[test]
    fn a_response_can_be_shown_in_the_shells_frame_and_no_others() {
        let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let head = ResponseHead {
            status: 200,
            fields: vec![
                field("content-type", "text/html"),
                field("connection", "x-private"),
                field("x-private", "1"),
                field("x-frame-options", "DENY"),
                field(
                    "content-security-policy",
                    "default-src 'self'; Frame-Ancestors 'none'; img-src *",
                ),
                field("set-cookie", "a=1; Domain=localhost"),
                field("set-cookie", "b=2"),
            ],
        };
        let headers = response_fields(&head);
        let value = |name: &str| {
            let values = headers.get_all(name).iter();
            values
                .map(|it| it.to_str().expect("text"))
                .collect::<Vec<_>>()
        };
        assert_eq!(value("content-type"), ["text/html"]);
        assert_eq!(
            value("content-security-policy"),
            ["default-src 'self'; frame-ancestors 'self'; img-src *"]
        );
        assert_eq!(value("set-cookie"), ["a=1", "b=2"]);
        for name in ["connection", "x-private", "x-frame-options"] {
            assert_eq!(value(name), [""; 0], "{name}");
        }
        assert_eq!(value("vary"), ["Sec-Fetch-Dest"]);
    }
}
