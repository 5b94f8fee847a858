//! Check of the public address: `/health` there has to name the process that listens here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Finding::{self, Failed, Good, Note};
use super::TIMEOUT;
use super::network::{Stream, connect, secure};
use crate::config::{Config, PublicUrl};
use crate::tls::Roots;

/// Largest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Answer of `/health`, as far as it is needed.
#[derive(Deserialize)]
struct Health {
    instance: String,
}

pub(super) async fn check(config: &Config, roots: &Roots) -> Vec<Finding> {
    let local = local_address(config.listen_address());
    let here = ask_here(local).await;
    let running = match &here {
        Ok(_) => Good(format!("A server answers at http://{local}.")),
        Err(reason) => Failed(format!(
            "http://{local} {reason}: start the server, or run this check where it runs, with the same \
             GRUPPETTO_ADDR."
        )),
    };
    let Some(url) = &config.public_url else {
        let unset = "GRUPPETTO_PUBLIC_URL is not set: invitations contain the address that the browser \
                     requested, and no STUN server is used by default.";
        return vec![running, Note(unset.into())];
    };
    let public = match (ask_there(url, roots).await, here) {
        (Err(reason), _) => Failed(format!(
            "{url} {reason}: riders cannot reach the server there. Check DNS, firewall, certificate and proxy."
        )),
        (Ok(there), Ok(here)) if there.instance == here.instance => {
            Good(format!("{url} leads to this server."))
        }
        (Ok(_), Ok(_)) => Failed(format!(
            "{url} leads to another Gruppetto than the one at http://{local}: check DNS and the proxy."
        )),
        (Ok(_), Err(_)) => Note(format!("{url} leads to a Gruppetto.")),
    };
    let mut findings = vec![running, public];
    if !url.is_https() && !url.is_loopback() {
        findings.push(Note(format!(
            "{url} is not https: browsers allow Bluetooth, the clipboard and the wake lock only over https."
        )));
    }
    findings
}

/// Address at which this machine reaches a server that listens on all addresses.
fn local_address(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

async fn ask_here(address: SocketAddr) -> Result<Health, String> {
    let stream = connect(&address.ip().to_string(), address.port()).await?;
    health(stream, &address.to_string()).await
}

async fn ask_there(url: &PublicUrl, roots: &Roots) -> Result<Health, String> {
    let stream = connect(url.host(), url.port()).await?;
    if url.is_https() {
        let stream = secure(stream, url.host(), roots).await?;
        health(stream, url.authority()).await
    } else {
        health(stream, url.authority()).await
    }
}

/// Asks for `/health`. The error is the rest of a sentence that begins with the address.
async fn health(stream: impl Stream, host: &str) -> Result<Health, String> {
    let answer = timeout(TIMEOUT, answer(stream, host)).await;
    let bytes = answer.map_err(|_| "does not answer in time".to_owned())?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.split_once(' '));
    let (_, status) = status.ok_or("does not answer in HTTP")?;
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    if let Some((_, target)) = headers.find(|(name, _)| name.eq_ignore_ascii_case("location")) {
        let target = target.trim();
        return Err(format!(
            "redirects to {target:?}; the address that answers has to be set"
        ));
    }
    serde_json::from_str(body).map_err(|_| {
        format!(
            "answers with status {} and is not a Gruppetto of this version",
            status.trim()
        )
    })
}

/// Everything that a server answers. With HTTP 1.0, an answer comes in one piece, and its end is
/// that of the connection.
async fn answer(mut stream: impl Stream, host: &str) -> Vec<u8> {
    let request = format!("GET /health HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    if stream.write_all(request.as_bytes()).await.is_ok() && stream.flush().await.is_ok() {
        // An error is the end of the connection, too: many servers end TLS without a word.
        let _ = stream.take(MAX_ANSWER).read_to_end(&mut answer).await;
    }
    answer
}
