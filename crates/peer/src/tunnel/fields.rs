//! Header fields of requests and responses, as a reverse proxy passes them on (RFC 9110, section 7.6).
//!
//! The site sees its own address as `Host`, and pages of the tunnel's origin as pages of its own. The
//! visitor never sees the site's address.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::addresses::SiteUrl;

/// Fields that are about one connection (RFC 9110, section 7.6.1), or about proxies.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields of requests that the peer sets or leaves out.
const OWN_REQUEST_FIELDS: &[&str] = &[
    "accept-encoding",
    "expect",
    "forwarded",
    "host",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Fields of responses that name other ports of the site's computer.
const OWN_RESPONSE_FIELDS: &[&str] = &["alt-svc"];

/// Fields of a WebSocket's handshake that each connection makes anew.
const HANDSHAKE_FIELDS: &[&str] = &[
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
];

/// Cookie by which the server knows visitors. The site must not replace it.
const TUNNEL_COOKIE: &str = "gruppetto_tunnel";

/// Header fields as heads have them.
pub(super) type Fields = Vec<(String, Vec<u8>)>;

/// Both addresses of a site.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    /// Address on this computer.
    pub(super) site: SiteUrl,
    /// Origin of the tunnel, such as `https://abcdefghij234567.tunnel.example`.
    pub(super) tunnel: String,
}

/// A field that HTTP does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidField;

/// Fields of a request to the site.
///
/// # Errors
/// [`InvalidField`], also for a `Content-Length` that is none or that is repeated.
pub(super) fn of_request(
    fields: &[(String, Vec<u8>)],
    origins: &Origins,
    passes_authorization: bool,
) -> Result<HeaderMap, InvalidField> {
    let listed = listed(
        fields
            .iter()
            .map(|(name, value)| (name.as_str(), &value[..])),
    );
    let mut result = HeaderMap::new();
    let mut cookies: Vec<&[u8]> = Vec::new();
    for (name, value) in fields {
        let name = name.as_str();
        let is_left_out = is_hop_by_hop(name, &listed)
            || OWN_REQUEST_FIELDS.contains(&name)
            || HANDSHAKE_FIELDS.contains(&name)
            || (name == "authorization" && !passes_authorization);
        if is_left_out {
            continue;
        }
        let value = match name {
            // RFC 9113, section 8.2.3: one field, if there are several.
            "cookie" => {
                cookies.push(value);
                continue;
            }
            "content-length" => {
                let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
                if !is_number || result.contains_key(header::CONTENT_LENGTH) {
                    return Err(InvalidField);
                }
                value.clone()
            }
            "origin" | "referer" => origins.to_site(value),
            _ => value.clone(),
        };
        append(&mut result, name, &value)?;
    }
    if !cookies.is_empty() {
        append(&mut result, "cookie", &cookies.join(&b"; "[..]))?;
    }
    let (scheme, host) = origins.tunnel.split_once("://").ok_or(InvalidField)?;
    for (name, value) in [
        ("host", origins.site.server().host_field().as_str()),
        ("accept-encoding", "identity"),
        ("x-forwarded-proto", scheme),
        ("x-forwarded-host", host),
    ] {
        append(&mut result, name, value.as_bytes())?;
    }
    Ok(result)
}

/// Fields of a response to the visitor.
pub(super) fn of_response(fields: &HeaderMap, origins: &Origins) -> Fields {
    let pairs = fields.iter();
    let listed = listed(pairs.map(|(name, value)| (name.as_str(), value.as_bytes())));
    let mut result = Fields::new();
    for (name, value) in fields {
        let name = name.as_str();
        let is_left_out = is_hop_by_hop(name, &listed)
            || OWN_RESPONSE_FIELDS.contains(&name)
            || HANDSHAKE_FIELDS.contains(&name);
        if is_left_out {
            continue;
        }
        let value = value.as_bytes();
        let value = match name {
            "location" | "content-location" => origins.to_path(value),
            "access-control-allow-origin" => origins.to_tunnel(value),
            "set-cookie" => match origins.cookie(value) {
                Some(value) => value,
                None => continue,
            },
            _ => value.to_vec(),
        };
        result.push((name.to_owned(), value));
    }
    result
}

impl Origins {
    /// Address of the tunnel's origin as one of the site; other addresses unchanged.
    fn to_site(&self, value: &[u8]) -> Vec<u8> {
        let rest = value.strip_prefix(self.tunnel.as_bytes());
        match rest.filter(|rest| rest.is_empty() || rest.starts_with(b"/")) {
            Some(rest) => [self.site.to_string().as_bytes(), rest].concat(),
            None => value.to_vec(),
        }
    }

    /// Origin of the site as that of the tunnel; others unchanged.
    fn to_tunnel(&self, value: &[u8]) -> Vec<u8> {
        match self.rest(value) {
            Some("") => self.tunnel.clone().into_bytes(),
            _ => value.to_vec(),
        }
    }

    /// Address of the site as a path; others unchanged.
    fn to_path(&self, value: &[u8]) -> Vec<u8> {
        match self.rest(value) {
            // Alone, it would name another host.
            Some(rest) if rest.starts_with("//") => format!("{}{rest}", self.tunnel).into_bytes(),
            Some(rest) if rest.starts_with('/') => rest.as_bytes().to_vec(),
            Some(rest) => format!("/{rest}").into_bytes(),
            None => value.to_vec(),
        }
    }

    /// Remainder of an address after the site's origin; `None` for other addresses.
    fn rest<'a>(&self, value: &'a [u8]) -> Option<&'a str> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let own_scheme = if self.site.server().has_tls() {
            "https"
        } else {
            "http"
        };
        let (scheme, rest) = match text.strip_prefix("//") {
            Some(rest) => (own_scheme, rest),
            None => text.split_once("://")?,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let is_own = self.site.is_origin(&scheme.to_ascii_lowercase(), authority);
        is_own.then_some(rest)
    }

    /// `Set-Cookie` without the site's host as its domain (RFC 6265, section 4.1.2.3), so that it
    /// holds for the tunnel's host. `None` for a cookie that is the tunnel's own.
    fn cookie(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut parts = value.split(|byte| *byte == b';');
        let first = parts.next().unwrap_or_default();
        let name = first.split(|byte| *byte == b'=').next().unwrap_or_default();
        if name.trim_ascii() == TUNNEL_COOKIE.as_bytes() {
            return None;
        }
        let is_kept = |part: &&[u8]| {
            let text = String::from_utf8_lossy(part);
            let domain = text.split_once('=').filter(|(name, _)| {
                let name = name.trim();
                name.eq_ignore_ascii_case("domain")
            });
            let host = domain.map(|(_, host)| host.trim().trim_start_matches('.'));
            !host.is_some_and(|host| self.site.is_host(host))
        };
        let kept: Vec<_> = std::iter::once(first)
            .chain(parts.filter(is_kept))
            .collect();
        Some(kept.join(&b';'))
    }
}

/// Names that `Connection` fields list.
fn listed<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<String> {
    let lists = fields.filter(|(name, _)| *name == "connection");
    let names = lists.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    let names = names.map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase());
    names.collect()
}

fn is_hop_by_hop(name: &str, listed: &[String]) -> bool {
    HOP_BY_HOP.contains(&name) || listed.iter().any(|it| it == name)
}

fn append(map: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), InvalidField> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidField)?;
    let value = HeaderValue::from_bytes(value).map_err(|_| InvalidField)?;
    map.try_append(name, value).map_err(|_| InvalidField)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUNNEL: &str = "https://abcdefghij234567.tunnel.example";

    fn origins() -> Origins {
        Origins {
            site: "http://127.0.0.1:8080".parse().unwrap(),
            tunnel: TUNNEL.to_owned(),
        }
    }

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        pairs.iter().map(field).collect()
    }

    fn request(pairs: &[(&str, &str)]) -> Result<HeaderMap, InvalidField> {
        of_request(&fields(pairs), &origins(), true)
    }

    fn response(name: &'static str, value: &str) -> String {
        let mut map = HeaderMap::new();
        map.insert(name, HeaderValue::from_str(value).unwrap());
        let result = of_response(&map, &origins());
        let text = |(_, value): &(String, Vec<u8>)| String::from_utf8(value.clone()).unwrap();
        result.first().map(text).unwrap_or_default()
    }

    #[test]
    fn the_site_sees_its_own_host_and_where_it_is_shown() {
        let map = request(&[
            ("host", "abcdefghij234567.tunnel.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-for", "203.0.113.1"),
            ("forwarded", "for=203.0.113.1"),
            ("accept-encoding", "br, gzip"),
            ("accept", "text/html"),
        ])
        .unwrap();
        assert_eq!(map["host"], "127.0.0.1:8080");
        assert_eq!(map["x-forwarded-host"], "abcdefghij234567.tunnel.example");
        assert_eq!(map["x-forwarded-proto"], "https");
        assert_eq!(map["accept-encoding"], "identity");
        assert_eq!(map["accept"], "text/html");
        assert_eq!(map.len(), 5);
    }

    #[test]
    fn fields_of_a_connection_are_not_passed_on() {
        let map = request(&[
            ("connection", "keep-alive, X-Private"),
            ("connection", "close"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("sec-websocket-key", "x"),
        ]);
        assert_eq!(map.unwrap().len(), 4);
        let mut map = HeaderMap::new();
        for (name, value) in [
            ("connection", "x-private"),
            ("x-private", "1"),
            ("transfer-encoding", "chunked"),
            ("trailer", "x"),
            ("alt-svc", "h3=\":8443\""),
            ("content-type", "text/html"),
        ] {
            map.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let result = of_response(&map, &origins());
        assert_eq!(result, fields(&[("content-type", "text/html")]));
    }

    #[test]
    fn cookies_become_one_field() {
        let map = request(&[("cookie", "a=1"), ("cookie", "b=2")]).unwrap();
        assert_eq!(map["cookie"], "a=1; b=2");
        assert_eq!(map.get_all("cookie").iter().count(), 1);
    }

    #[test]
    fn credentials_of_the_tunnel_stay_here() {
        let sent = fields(&[("authorization", "Basic x")]);
        let kept = of_request(&sent, &origins(), true).unwrap();
        assert!(kept.contains_key("authorization"));
        let taken = of_request(&sent, &origins(), false).unwrap();
        assert!(!taken.contains_key("authorization"));
    }

    #[test]
    fn fields_that_http_does_not_allow_are_refused() {
        for pairs in [
            &[("content-length", "1"), ("content-length", "1")][..],
            &[("content-length", "+1")],
            &[("content-length", "")],
            &[("content-length", "1, 1")],
            &[("a b", "x")],
            &[("x", "a\r\nb: c")],
            &[("x", "a\0b")],
        ] {
            assert_eq!(request(pairs), Err(InvalidField), "{pairs:?}");
        }
    }

    #[test]
    fn pages_of_the_tunnel_are_pages_of_the_site() {
        let page = format!("{TUNNEL}/page?x");
        let map = request(&[("origin", TUNNEL), ("referer", &page)]).unwrap();
        assert_eq!(map["origin"], "http://127.0.0.1:8080");
        assert_eq!(map["referer"], "http://127.0.0.1:8080/page?x");
        let foreign = format!("{TUNNEL}.evil.example");
        let map = request(&[("origin", &foreign), ("referer", "null")]).unwrap();
        assert_eq!(map["origin"], foreign.as_str());
        assert_eq!(map["referer"], "null");
    }

    #[test]
    fn redirects_to_the_site_stay_in_the_tunnel() {
        for (location, expected) in [
            ("http://127.0.0.1:8080/x?y#z", "/x?y#z"),
            ("HTTP://localhost:8080/x", "/x"),
            ("//127.0.0.1:8080/x", "/x"),
            ("http://127.0.0.1:8080", "/"),
            ("http://127.0.0.1:8080?y", "/?y"),
            ("/x", "/x"),
            ("x/y", "x/y"),
            ("http://127.0.0.1:9090/x", "http://127.0.0.1:9090/x"),
            ("https://127.0.0.1:8080/x", "https://127.0.0.1:8080/x"),
            ("https://other.example/x", "https://other.example/x"),
            (
                "http://127.0.0.1:8080@evil.example/",
                "http://127.0.0.1:8080@evil.example/",
            ),
        ] {
            assert_eq!(response("location", location), expected);
            assert_eq!(response("content-location", location), expected);
        }
        let doubled = response("location", "http://127.0.0.1:8080//evil.example/");
        assert_eq!(doubled, format!("{TUNNEL}//evil.example/"));
        let allowed = response("access-control-allow-origin", "http://127.0.0.1:8080");
        assert_eq!(allowed, TUNNEL);
        assert_eq!(response("access-control-allow-origin", "*"), "*");
    }

    #[test]
    fn cookies_hold_for_the_host_of_the_tunnel() {
        for (cookie, expected) in [
            (
                "a=1; Domain=127.0.0.1; Path=/; HttpOnly",
                "a=1; Path=/; HttpOnly",
            ),
            ("a=1;domain=.localhost;Secure", "a=1;Secure"),
            ("a=1; Domain=other.example", "a=1; Domain=other.example"),
            ("domain=127.0.0.1; Path=/", "domain=127.0.0.1; Path=/"),
            ("gruppetto_tunnel=x; Path=/", ""),
        ] {
            assert_eq!(response("set-cookie", cookie), expected);
        }
    }
}
