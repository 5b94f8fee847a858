//! STUN binding requests (RFC 8489): the own address as a server on the internet sees it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    rc::Rc,
    time::{Duration, Instant},
};

use protocol::signaling::IceServer;
use str0m::Candidate;
use tokio::{
    net::{UdpSocket, lookup_host},
    time::sleep,
};

use super::{
    is_usable,
    sockets::{Packet, Sockets},
};

/// Value in every message (RFC 8489, section 5).
const MAGIC_COOKIE: u32 = 0x2112_a442;
/// Length of the header of a message in bytes.
const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAPPED_ADDRESS: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// Port of a server whose address has none.
const DEFAULT_PORT: u16 = 3478;
/// Servers that are asked; further ones are left out.
const MAX_SERVERS: usize = 4;
/// Times at which a request is sent, each after the one before.
const SEND_DELAYS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_millis(1_500),
];
/// Time between two queries.
const QUERY_INTERVAL: Duration = Duration::from_secs(30);
/// Time for which an answer counts. Most networks forget a mapping that is not used after a minute.
const MAX_AGE: Duration = Duration::from_secs(60);
/// Requests whose answers are taken.
const MAX_PENDING: usize = 64;
/// Answers that are remembered.
const MAX_KNOWN: usize = 16;

type TransactionId = [u8; 12];

/// Queries that are under way, and what they have found.
#[derive(Debug, Default)]
pub(super) struct StunQueries {
    queried_at: Option<Instant>,
    pending: Vec<TransactionId>,
    known: Vec<(Instant, Candidate)>,
}

impl StunQueries {
    /// Asks the STUN servers of a list, unless that was done a moment ago.
    pub(super) fn query(&mut self, now: Instant, sockets: &Sockets, servers: &[IceServer]) {
        let is_recent = |at: Instant| now < at + QUERY_INTERVAL;
        if self.queried_at.is_some_and(is_recent) {
            return;
        }
        self.queried_at = Some(now);
        self.pending.clear();
        let urls = servers.iter().flat_map(|server| &server.urls);
        let hosts = urls.filter_map(|url| stun_host(url)).take(MAX_SERVERS);
        for (host, port) in hosts {
            for (own, socket) in sockets.all() {
                let mut id = TransactionId::default();
                if self.pending.len() >= MAX_PENDING || getrandom::fill(&mut id).is_err() {
                    return;
                }
                self.pending.push(id);
                let request = send(host.clone(), port, *own, Rc::clone(socket), id);
                tokio::task::spawn_local(request);
            }
        }
    }

    /// Reads an answer. Returns the own candidate if it is a new one.
    pub(super) fn receive(&mut self, now: Instant, packet: &Packet) -> Option<Candidate> {
        let (id, address) = binding_response(&packet.bytes)?;
        let at = self.pending.iter().position(|pending| *pending == id)?;
        self.pending.swap_remove(at);
        let base = packet.destination;
        // Without a NAT, the host candidate is the same.
        if !is_usable(&address) || address == base {
            return None;
        }
        let found = Candidate::server_reflexive(address, base, "udp").ok()?;
        let is_same = |known: &Candidate| known.addr() == address && known.local() == base;
        let known = self.known(now);
        self.known
            .retain(|(at, known)| now < *at + MAX_AGE && !is_same(known));
        if self.known.len() < MAX_KNOWN {
            self.known.push((now, found.clone()));
        }
        (!known.iter().any(is_same)).then_some(found)
    }

    /// Own candidates that were found a moment ago.
    pub(super) fn known(&self, now: Instant) -> Vec<Candidate> {
        let known = self.known.iter().filter(|(at, _)| now < *at + MAX_AGE);
        known.map(|(_, candidate)| candidate.clone()).collect()
    }
}

/// Host and port of a `stun:` URL (RFC 7064). Others are not asked: `stuns:` needs TLS, and `turn:`
/// credentials.
fn stun_host(url: &str) -> Option<(String, u16)> {
    let rest = url.strip_prefix("stun:")?;
    let rest = rest.split('?').next()?;
    if let Some(rest) = rest.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None => DEFAULT_PORT,
        };
        return Some((host.to_owned(), port));
    }
    match rest.split_once(':') {
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((rest.to_owned(), DEFAULT_PORT)),
    }
}

async fn send(host: String, port: u16, own: SocketAddr, socket: Rc<UdpSocket>, id: TransactionId) {
    let Ok(mut found) = lookup_host((host, port)).await else {
        return;
    };
    let Some(server) = found.find(|server| server.is_ipv4() == own.is_ipv4()) else {
        return;
    };
    let request = binding_request(id);
    for delay in SEND_DELAYS {
        sleep(delay).await;
        // What is lost is sent again.
        let _ = socket.send_to(&request, server).await;
    }
}

fn binding_request(id: TransactionId) -> [u8; HEADER] {
    let mut message = [0; HEADER];
    message[..2].copy_from_slice(&BINDING_REQUEST.to_be_bytes());
    message[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    message[8..].copy_from_slice(&id);
    message
}

/// Transaction and address of a successful response; `None` for any other packet.
fn binding_response(bytes: &[u8]) -> Option<(TransactionId, SocketAddr)> {
    let (header, attributes) = bytes.split_first_chunk::<HEADER>()?;
    let [kind_0, kind_1, length_0, length_1, cookie @ ..] = header;
    let is_binding = u16::from_be_bytes([*kind_0, *kind_1]) == BINDING_SUCCESS;
    let length = usize::from(u16::from_be_bytes([*length_0, *length_1]));
    let id: TransactionId = cookie[4..].try_into().ok()?;
    if !is_binding || length != attributes.len() || cookie[..4] != MAGIC_COOKIE.to_be_bytes() {
        return None;
    }
    let mut rest = attributes;
    let mut mapped = None;
    while let Some(([kind_0, kind_1, length_0, length_1], after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([*length_0, *length_1]));
        let value = after.get(..length)?;
        match u16::from_be_bytes([*kind_0, *kind_1]) {
            XOR_MAPPED_ADDRESS => return Some((id, address(value, Some(id))?)),
            MAPPED_ADDRESS => mapped = address(value, None),
            _ => {}
        }
        rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some((id, mapped?))
}

/// Reads MAPPED-ADDRESS, or XOR-MAPPED-ADDRESS with a transaction (RFC 8489, sections 14.1 and
/// 14.2).
fn address(value: &[u8], xor: Option<TransactionId>) -> Option<SocketAddr> {
    let mask = xor.map_or([0; 16], |id| {
        let mut mask = [0; 16];
        mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        mask[4..].copy_from_slice(&id);
        mask
    });
    let [_, family, port_0, port_1, ip @ ..] = value else {
        return None;
    };
    let port = u16::from_be_bytes([port_0 ^ mask[0], port_1 ^ mask[1]]);
    let ip = match (family, ip.len()) {
        (1, 4) => {
            let ip: [u8; 4] = ip.try_into().ok()?;
            IpAddr::V4(Ipv4Addr::from_octets(masked(ip, &mask)))
        }
        (2, 16) => {
            let ip: [u8; 16] = ip.try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from_octets(masked(ip, &mask)))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn masked<const N: usize>(mut ip: [u8; N], mask: &[u8; 16]) -> [u8; N] {
    ip.iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
    ip
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Responses of RFC 5769, sections 2.2 and 2.3, without the attributes after the address.
    const ID: TransactionId = [
        0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    ];
    const SOFTWARE: &[u8] = &[
        0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72,
        0x20,
    ];
    const IPV4: &[u8] = &[
        0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    ];
    const IPV6: &[u8] = &[
        0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1,
        0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
    ];

    fn response(attributes: &[&[u8]]) -> Vec<u8> {
        let attributes = attributes.concat();
        let mut message = BINDING_SUCCESS.to_be_bytes().to_vec();
        message.extend((attributes.len() as u16).to_be_bytes());
        message.extend(MAGIC_COOKIE.to_be_bytes());
        message.extend(ID);
        message.extend(attributes);
        message
    }

    fn packet(bytes: Vec<u8>) -> Packet {
        Packet {
            destination: "10.0.0.2:4000".parse().unwrap(),
            source: "203.0.113.1:3478".parse().unwrap(),
            bytes,
        }
    }

    #[test]
    fn the_vectors_of_rfc_5769_are_read() {
        for (attribute, expected) in [
            (IPV4, "192.0.2.1:32853"),
            (IPV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
        ] {
            let read = binding_response(&response(&[SOFTWARE, attribute]));
            assert_eq!(read, Some((ID, expected.parse().unwrap())));
        }
    }

    #[test]
    fn other_packets_are_no_responses() {
        let whole = response(&[SOFTWARE, IPV4]);
        for length in 0..whole.len() {
            assert_eq!(binding_response(&whole[..length]), None);
        }
        for at in [0, 1, 4, 7] {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert_eq!(binding_response(&other), None);
        }
        assert_eq!(binding_response(&response(&[SOFTWARE])), None);
        assert_eq!(binding_response(&binding_request(ID)), None);
    }

    #[test]
    fn only_answers_to_own_requests_count() {
        let now = Instant::now();
        let mut queries = StunQueries::default();
        let answer = packet(response(&[IPV4]));
        assert!(queries.receive(now, &answer).is_none());
        queries.pending.push(ID);
        let found = queries.receive(now, &answer).unwrap();
        assert_eq!(found.addr().to_string(), "192.0.2.1:32853");
        assert!(queries.receive(now, &answer).is_none());
        assert_eq!(queries.known(now).len(), 1);
        assert!(queries.known(now + MAX_AGE).is_empty());
    }

    #[test]
    fn only_stun_servers_are_asked() {
        let host = |url| stun_host(url).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(host("stun:a.example"), Some("a.example 3478".into()));
        assert_eq!(host("stun:a.example:19302"), Some("a.example 19302".into()));
        assert_eq!(host("stun:[2001:db8::1]:53"), Some("2001:db8::1 53".into()));
        assert_eq!(host("stun:[2001:db8::1]"), Some("2001:db8::1 3478".into()));
        for other in ["turn:a.example", "stuns:a.example", "stun:a.example:x", ""] {
            assert_eq!(host(other), None);
        }
    }
}
