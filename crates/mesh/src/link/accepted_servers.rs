//! Choice of the ICE servers that a browser accepts.

use protocol::signaling::IceServer;

/// URL of a STUN or TURN server that the browser refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedServer {
    /// The URL; empty for an entry without one.
    pub url: String,
    /// Error of the browser.
    pub reason: String,
}

/// Splits the servers into those that a browser accepts and those that it refuses. A browser that
/// refuses one server refuses the whole list, so each is tried alone with `accept`, and each URL of
/// a refused one.
pub fn accepted_servers(
    servers: &[IceServer],
    mut accept: impl FnMut(&IceServer) -> Result<(), String>,
) -> (Vec<IceServer>, Vec<RefusedServer>) {
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for server in servers {
        let Err(reason) = accept(server) else {
            accepted.push(server.clone());
            continue;
        };
        if let [] | [_] = server.urls.as_slice() {
            let url = server.urls.first().cloned().unwrap_or_default();
            refused.push(RefusedServer { url, reason });
            continue;
        }
        for url in &server.urls {
            let single = IceServer {
                urls: vec![url.clone()],
                ..server.clone()
            };
            match accept(&single) {
                Ok(()) => accepted.push(single),
                Err(reason) => refused.push(RefusedServer {
                    url: url.clone(),
                    reason,
                }),
            }
        }
    }
    (accepted, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(urls: &[&str]) -> IceServer {
        IceServer {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            username: Some("u".into()),
            credential: Some("c".into()),
        }
    }

    #[test]
    fn a_refused_server_does_not_take_the_others_with_it() {
        let servers = [
            server(&["stun:a"]),
            server(&["stun:b?transport=udp"]),
            server(&["turn:c", "turn://d", "turn:e"]),
            server(&[]),
        ];
        let accept = |server: &IceServer| match server.urls.as_slice() {
            [] => Err("no URLs".to_owned()),
            urls => match urls
                .iter()
                .find(|url| url.contains("//") || url.contains("?"))
            {
                Some(url) => Err(format!("{url} is invalid")),
                None => Ok(()),
            },
        };
        let (accepted, refused) = accepted_servers(&servers, accept);
        assert_eq!(
            accepted,
            [
                server(&["stun:a"]),
                server(&["turn:c"]),
                server(&["turn:e"])
            ]
        );
        let refusal = |url: &str, reason: &str| RefusedServer {
            url: url.to_owned(),
            reason: reason.to_owned(),
        };
        assert_eq!(
            refused,
            [
                refusal("stun:b?transport=udp", "stun:b?transport=udp is invalid"),
                refusal("turn://d", "turn://d is invalid"),
                refusal("", "no URLs"),
            ]
        );
    }
}
