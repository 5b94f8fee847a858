//! Header fields of requests and responses, as a reverse proxy passes them on (RFC 9110, section 7.6).
//!
//! The site sees its own address as `Host`, and pages of the tunnel's origin as pages of its own. The
//! visitor never sees the site's address.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use tunnel::head::HOP_BY_HOP;

use super::addresses::SiteUrl;

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
mod tests;
