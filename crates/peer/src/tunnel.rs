//! The program beside a web site that it brings to visitors: `gruppetto tunnel`.
//!
//! - `link`: the socket to the server, which is opened again when it is lost;
//! - `visitors`: visitors with their channels, through the server and direct;
//! - `channel`, `stream`: one channel with its multiplexer, and the streams of its requests;
//! - `site`, `http`, `web_socket`: a reverse proxy (RFC 9110) to the local site, with `fields` for
//!   header fields and `access` for what visitors may do;
//! - `addresses`, `key_file`, `metrics`.
//!
//! Contract: [`run`] is used within a [`tokio::task::LocalSet`]. Only the site's address and the
//! server are contacted, and visitors over UDP. Nothing is answered before the token was checked.
//!
//! With the code of a ride, `announcement` joins it as a companion, and riders see the page. When the
//! host removes the companion, or the ride is over, the tunnel ends.

mod access;
mod addresses;
mod announcement;
mod channel;
mod fields;
mod http;
mod key_file;
mod link;
mod metrics;
mod site;
mod stream;
mod visitors;
mod web_socket;

use std::{
    pin::pin,
    rc::Rc,
    time::{Duration, Instant as StdInstant},
};

use ride::page::PageName;
use session::{SocketEvent, view::JoinError};
use thiserror::Error;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tunnel::control::{self, PeerMessage, ToPeer, VERSION};

use crate::{companion::page_of_tunnel, server::RideUrl};

pub use access::{Access, Credentials};
pub use addresses::{AddressError, SiteUrl, TunnelUrl};
pub use key_file::{KeyFileError, Secrets, default_path as default_key_file};
pub use metrics::{Bytes, Metrics, Way};
pub use site::TunnelLimits;

use announcement::Announcement;
use link::Link;
use site::Site;
use visitors::Visitors;

/// Events of the socket that wait to be handled.
const MAX_WAITING: usize = 64;
/// Packets that are handled before anything else is done.
const MAX_PACKETS: usize = 64;

/// A site that is brought to visitors.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// Local site.
    pub to: SiteUrl,
    /// Server that the tunnel goes through.
    pub url: TunnelUrl,
    /// Name that visitors see, at most [`control::MAX_NAME`] bytes.
    pub name: String,
    /// Key and token.
    pub secrets: Secrets,
    /// What visitors may do.
    pub access: Access,
    /// Limits.
    pub limits: TunnelLimits,
}

/// Something to tell the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The tunnel is open at this address, which contains the token. Reported when it is first
    /// open, and when the address has changed.
    Address(String),
    /// Sentence about the connection to the server.
    Note(String),
}

/// Reason why a tunnel has ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TunnelError {
    /// The server does not serve it.
    #[error("{0}")]
    Refused(String),
    /// The page cannot be shared in the ride.
    #[error("{}", ride_sentence(.0))]
    Ride(JoinError),
}

fn ride_sentence(error: &JoinError) -> &'static str {
    match error {
        JoinError::NoSuchRide | JoinError::NotACode => {
            "There is no ride with this address. Rides end when everyone has left; take the address from the invitation."
        }
        JoinError::Full => "The ride has its maximum of companions. Close another one first.",
        JoinError::Locked => "The host has locked the ride. Ask the host to let newcomers in.",
        JoinError::Closed => "The host has ended the ride.",
        JoinError::Unreachable => "The server of the ride cannot be reached.",
        _ => "The server did not let the page into the ride.",
    }
}

/// Serves a tunnel until it is told to stop, and returns its numbers.
///
/// # Errors
/// [`TunnelError`], if the server does not serve it.
pub async fn run(
    tunnel: Tunnel,
    mut report: impl FnMut(Report),
    stop: impl Future<Output = ()>,
) -> Result<Metrics, TunnelError> {
    let output = Rc::new(Notify::new());
    let (post, mut events) = mpsc::channel(MAX_WAITING);
    let open = PeerMessage::Open {
        version: VERSION,
        key: tunnel.secrets.key.clone(),
        token_hash: tunnel.secrets.token.hash(),
        name: tunnel.name.clone(),
    };
    let Tunnel {
        to,
        url,
        name,
        secrets,
        access,
        limits,
    } = tunnel;
    let mut announcement = None;
    let mut ride = url.ride.clone().map(|code| RideUrl {
        server: url.server.clone(),
        code,
    });
    let site = Rc::new(Site::new(to, secrets.token.clone(), access, limits));
    let (mut visitors, mut packets) =
        Visitors::new(StdInstant::now(), Rc::clone(&site), Rc::clone(&output));
    let mut link = Link::new(&url, Rc::clone(&output), post);
    let mut address = String::new();
    let mut stop = pin!(stop);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        visitors.pump_direct(StdInstant::now());
        if !link.pump(&mut visitors) {
            link.lose(&mut visitors, &mut report);
        }
        let timer = visitors.timeout().map(Instant::from_std);
        let timer = async {
            match timer {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = &mut stop => break,
            Some(event) = events.recv() => {
                if event.socket != link.number || link.socket.is_none() {
                    continue;
                }
                link.heard = Instant::now();
                match event.event {
                    SocketEvent::Opened => {
                        link.send(&open);
                    }
                    SocketEvent::Text(text) => {
                        let Some(message) = control::parse::<ToPeer>(&text) else {
                            continue;
                        };
                        if let ToPeer::Opened { origin, ice_servers, code } = message {
                            let name = PageName::cleaned(&name);
                            let page = name.and_then(|name| page_of_tunnel(name, &code, &secrets.token));
                            if let (Some(page), Some(ride)) = (page, ride.take()) {
                                announcement = Some(Announcement::start(ride, page));
                            }
                            link.opened(ice_servers);
                            site.set_origin(&origin);
                            let link = format!("{origin}/#{}", secrets.token.expose());
                            match link == address {
                                true => report(Report::Note("The tunnel is open again.".to_owned())),
                                false => report(Report::Address(link.clone())),
                            }
                            address = link;
                        } else if let Some(error) = link.handle(message, &mut visitors) {
                            visitors.close_all(StdInstant::now());
                            return Err(error);
                        }
                    }
                    SocketEvent::Binary(bytes) => {
                        if let Some((visitor, frame)) = control::split_visitor(&bytes) {
                            let now = StdInstant::now();
                            visitors.receive_frame(now, visitor, frame, &link.ice_servers);
                        }
                    }
                    SocketEvent::Closed { .. } => link.lose(&mut visitors, &mut report),
                }
            }
            Some(packet) = packets.recv() => {
                let now = StdInstant::now();
                visitors.receive_packet(now, &packet);
                for _ in 1..MAX_PACKETS {
                    let Ok(packet) = packets.try_recv() else { break };
                    visitors.receive_packet(now, &packet);
                }
            }
            state = Announcement::ended(&mut announcement) => {
                match announcement::consequence(state, &mut report) {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(error) => {
                        visitors.close_all(StdInstant::now());
                        return Err(error);
                    }
                }
            }
            () = output.notified() => {}
            () = timer => visitors.handle_timeout(StdInstant::now()),
            _ = second.tick() => {
                visitors.tidy(StdInstant::now());
                if !link.check(Instant::now()) {
                    link.lose(&mut visitors, &mut report);
                }
            }
            () = link.opens() => link.open(),
        }
    }
    visitors.close_all(StdInstant::now());
    if let Some(announcement) = announcement {
        announcement.leave().await;
    }
    // Its tasks must not wait for this queue.
    drop(events);
    link.close().await;
    Ok(visitors.metrics().clone())
}

#[cfg(test)]
mod tests;
