//! Origins of tunnels, below one parent domain.

use std::{fmt, str::FromStr};

/// Longest host name (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;

/// Origins of the tunnels of one server, such as `https://*.tunnel.example`: the code of a tunnel is
/// the first label of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelOrigin {
    scheme: &'static str,
    /// Parent domain, with a port unless it is that of the scheme.
    parent: String,
}

/// Text that names no origins of tunnels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an origin with a wildcard as its first label, such as https://*.tunnel.example")]
pub struct TunnelOriginError;

impl TunnelOrigin {
    /// Address of the page of a tunnel. The token is in the fragment, which browsers do not send.
    pub fn address(&self, code: &str, token: &str) -> String {
        format!("{}://{code}.{}/#{token}", self.scheme, self.parent)
    }
}

impl fmt::Display for TunnelOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://*.{}", self.scheme, self.parent)
    }
}

impl FromStr for TunnelOrigin {
    type Err = TunnelOriginError;

    fn from_str(text: &str) -> Result<Self, TunnelOriginError> {
        let (scheme, parent) = text.split_once("://*.").ok_or(TunnelOriginError)?;
        let scheme = match scheme {
            "http" => "http",
            "https" => "https",
            _ => return Err(TunnelOriginError),
        };
        let (host, port) = match parent.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (parent, None),
        };
        let is_host = host.len() <= MAX_HOST && host.split('.').all(is_label);
        match is_host && port.is_none_or(is_port) {
            true => Ok(Self {
                scheme,
                parent: parent.to_owned(),
            }),
            false => Err(TunnelOriginError),
        }
    }
}

/// Reports a label of a host name (RFC 1123, section 2.1).
fn is_label(text: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    !text.is_empty() && text.bytes().all(is_letter)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|it| it > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_page_has_the_code_as_first_label_and_the_token_as_fragment() {
        for (origin, address) in [
            (
                "https://*.tunnel.example",
                "https://abc.tunnel.example/#xyz",
            ),
            ("http://*.localhost:3002", "http://abc.localhost:3002/#xyz"),
        ] {
            let parsed: TunnelOrigin = origin.parse().unwrap();
            assert_eq!(parsed.address("abc", "xyz"), address);
            assert_eq!(parsed.to_string(), origin);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let long = format!("https://*.{}", "x".repeat(MAX_HOST + 1));
        for text in [
            "",
            "https://tunnel.example",
            "https://*.",
            "javascript://*.tunnel.example",
            "HTTPS://*.tunnel.example",
            "https://a*.tunnel.example",
            "https://*.tunnel..example",
            "https://*.tunnel.example/",
            "https://*.tunnel.example/x#",
            "https://*.user@tunnel.example",
            "https://*.tunnel.example:",
            "https://*.tunnel.example:0",
            "https://*.tunnel.example:+80",
            "https://*.tunnel.example:80:80",
            "https://*.tunnel.example:65536",
            "https://*.tunnel.example\n",
            &long,
        ] {
            assert_eq!(
                text.parse::<TunnelOrigin>(),
                Err(TunnelOriginError),
                "{text}"
            );
        }
    }
}
