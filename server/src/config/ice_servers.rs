//! The setting of STUN and TURN servers.

use std::str::FromStr;

use protocol::signaling::{IceServer, MAX_ICE_SERVERS, MAX_ICE_TEXT};
use serde::Deserialize;

use super::ice_url::{IceKind, IceUrl};

/// Longest setting in bytes. The list is a part of every welcome message.
const MAX_BYTES: usize = 8 * 1024;
/// Longest username in bytes that browsers accept (RFC 8489, section 14.3).
const MAX_USERNAME: usize = 508;

/// STUN and TURN servers from the settings. Each entry is one that browsers accept.
#[derive(Debug, Clone, PartialEq)]
pub struct IceServers(pub(super) Vec<IceServer>);

/// Entry of the JSON list, as in the configuration of `RTCPeerConnection`.
#[derive(Deserialize)]
struct Entry {
    urls: OneOrMany,
    username: Option<String>,
    credential: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl FromStr for IceServers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(format!("is longer than {MAX_BYTES} bytes"));
        }
        let servers: Vec<_> = if text.starts_with('[') {
            let entries: Vec<Entry> = serde_json::from_str(text)
                .map_err(|error| format!("is not a JSON list of servers ({error})"))?;
            entries.into_iter().map(IceServer::from).collect()
        } else if text == "none" {
            Vec::new()
        } else {
            let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty());
            urls.map(ice_server_without_credentials).collect()
        };
        // One more may be the TURN server with temporary credentials.
        if servers.len() >= MAX_ICE_SERVERS {
            return Err(format!("has {MAX_ICE_SERVERS} servers or more"));
        }
        for (index, server) in servers.iter().enumerate() {
            check(index + 1, server)?;
        }
        Ok(Self(servers))
    }
}

impl From<Entry> for IceServer {
    fn from(entry: Entry) -> Self {
        let Entry {
            urls,
            username,
            credential,
        } = entry;
        Self {
            urls: match urls {
                OneOrMany::One(url) => vec![url],
                OneOrMany::Many(urls) => urls,
            },
            username,
            credential,
        }
    }
}

/// Checks one entry as browsers do (W3C WebRTC, section 4.4.1.6). The error names it.
fn check(number: usize, server: &IceServer) -> Result<(), String> {
    if server.urls.is_empty() {
        return Err(format!("has no URLs in its entry {number}"));
    }
    if server.urls.len() > MAX_ICE_SERVERS {
        return Err(format!(
            "has more than {MAX_ICE_SERVERS} URLs in its entry {number}"
        ));
    }
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let has_credentials = is_set(&server.username) && is_set(&server.credential);
    for text in &server.urls {
        let url: IceUrl = text
            .parse()
            .map_err(|reason| format!("has {text:?} in its entry {number}, which {reason}"))?;
        if url.kind == IceKind::Turn && !has_credentials {
            return Err(format!(
                "has {text:?} in its entry {number} without a username and a credential, which TURN servers \
                 need: give them in a JSON list, or set GRUPPETTO_TURN_URLS and GRUPPETTO_TURN_SECRET instead"
            ));
        }
    }
    let (username, credential) = (server.username.as_ref(), server.credential.as_ref());
    if credential.is_some_and(|credential| credential.len() > MAX_ICE_TEXT) {
        return Err(format!(
            "has a credential of more than {MAX_ICE_TEXT} bytes in its entry {number}"
        ));
    }
    if username.is_some_and(|username| username.len() > MAX_USERNAME) {
        return Err(format!(
            "has a username of more than {MAX_USERNAME} bytes in its entry {number}"
        ));
    }
    Ok(())
}

/// ICE server without username and password.
pub fn ice_server_without_credentials(url: &str) -> IceServer {
    IceServer {
        urls: vec![url.to_owned()],
        username: None,
        credential: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Vec<IceServer> {
        text.parse::<IceServers>().expect(text).0
    }

    #[test]
    fn ice_servers_are_given_as_urls_or_as_json() {
        assert_eq!(servers("stun:a:1, stuns:b:2,").len(), 2);
        assert_eq!(
            servers("none").len() + servers("").len() + servers("[]").len(),
            0
        );
        let json =
            servers(r#"[{"urls":["turn:b:2"],"username":"u","credential":"c"},{"urls":"stun:a"}]"#);
        assert_eq!(json[0].username.as_deref(), Some("u"));
        assert_eq!(json[1].urls, ["stun:a"]);
    }

    #[test]
    fn an_entry_that_browsers_refuse_is_refused_and_named() {
        let many = format!("[{}]", vec![r#"{"urls":"stun:a"}"#; 32].join(","));
        let long = format!(
            r#"[{{"urls":"turn:a","username":"{}","credential":"c"}}]"#,
            "u".repeat(509)
        );
        for (text, reason) in [
            (
                "stun:a,stun:b?transport=udp",
                "has \"stun:b?transport=udp\" in its entry 2, which has a ?",
            ),
            ("stun:a, stun://b", "\"stun://b\" in its entry 2"),
            (
                "stun:a:65536",
                "\"stun:a:65536\" in its entry 1, which has the port",
            ),
            (
                "stun:a,turn:b",
                "\"turn:b\" in its entry 2 without a username",
            ),
            (r#"[{"urls":[]}]"#, "has no URLs in its entry 1"),
            (
                r#"[{"urls":"stun:a"},{"urls":["turn:b"],"username":"u"}]"#,
                "in its entry 2 without a username",
            ),
            (
                r#"[{"urls":"turn:b","username":"u","credential":""}]"#,
                "without a username and a credential",
            ),
            (r#"[{"url":"stun:a"}]"#, "is not a JSON list of servers"),
            (&many, "has 32 servers or more"),
            (&long, "a username of more than 508 bytes"),
            (&"stun:a,".repeat(2_000), "is longer than"),
        ] {
            let refused = text.parse::<IceServers>().expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
