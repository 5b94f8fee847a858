//! Tunnels, their visitors, and what is passed on for them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{GaugeGuard, counters, gauges};
use crate::labeled_enum::labeled_enum;

labeled_enum! {
    /// Kind of visitor.
    VisitorKind {
        /// Socket of a shell page.
        Socket = "socket",
        /// The server, on behalf of the browsers of one address.
        Server = "server",
    }
}

labeled_enum! {
    /// Direction of relayed bytes.
    Direction {
        /// From visitors to the tunnel's peer.
        ToPeer = "to-peer",
        /// From the tunnel's peer to visitors.
        ToVisitors = "to-visitors",
    }
}

labeled_enum! {
    /// Class of the status of a response.
    StatusClass {
        /// A WebSocket was opened.
        Switched = "1xx",
        /// Success.
        Success = "2xx",
        /// Redirect, or not modified.
        Redirect = "3xx",
        /// Error of the request.
        ClientError = "4xx",
        /// Error of the local server or of the tunnel.
        ServerError = "5xx",
    }
}

/// Metrics of tunnels.
#[derive(Debug)]
pub struct TunnelMetrics {
    tunnels: Gauge,
    visitors: [Gauge; VisitorKind::ALL.len()],
    bytes: [Counter; Direction::ALL.len()],
    requests: [Counter; StatusClass::ALL.len()],
}

impl TunnelMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let tunnels = Gauge::default();
        registry.register(
            "tunnels",
            "Tunnels whose peer is connected",
            tunnels.clone(),
        );
        let visitors = gauges(
            registry,
            "tunnel_visitors",
            "Visitors of tunnels that the server relays for: sockets of pages, and addresses for which the server passes requests on",
        );
        let bytes = counters(
            registry,
            "tunnel_relayed_bytes",
            "Bytes of frames that the server passed on between visitors and peers of tunnels",
        );
        let requests = counters(
            registry,
            "tunnel_requests",
            "Requests that the server itself passed on to tunnels, by class of the status",
        );
        Self {
            tunnels,
            visitors: VisitorKind::ALL
                .map(|kind| visitors.get_or_create_owned(&vec![("kind", kind.name())])),
            bytes: Direction::ALL
                .map(|it| bytes.get_or_create_owned(&vec![("direction", it.name())])),
            requests: StatusClass::ALL
                .map(|class| requests.get_or_create_owned(&vec![("status", class.name())])),
        }
    }

    /// Counts a tunnel whose peer is connected.
    pub fn count_tunnel(&self) -> GaugeGuard {
        GaugeGuard::new(&self.tunnels)
    }

    /// Counts a visitor.
    pub fn count_visitor(&self, kind: VisitorKind) -> GaugeGuard {
        GaugeGuard::new(&self.visitors[kind as usize])
    }

    /// Counts the bytes of a relayed frame.
    pub fn count_bytes(&self, direction: Direction, bytes: usize) {
        self.bytes[direction as usize].inc_by(bytes as u64);
    }

    /// Counts a request by the status of its response.
    pub fn count_request(&self, status: u16) {
        let class = match status {
            0..200 => StatusClass::Switched,
            200..300 => StatusClass::Success,
            300..400 => StatusClass::Redirect,
            400..500 => StatusClass::ClientError,
            500.. => StatusClass::ServerError,
        };
        self.requests[class as usize].inc();
    }

    /// Number of tunnels whose peer is connected.
    pub fn tunnels(&self) -> i64 {
        self.tunnels.get()
    }

    /// Number of visitors of a kind.
    pub fn visitors(&self, kind: VisitorKind) -> i64 {
        self.visitors[kind as usize].get()
    }

    /// Bytes relayed in a direction.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.bytes[direction as usize].get()
    }

    /// Number of requests whose response had a status of a class.
    pub fn requests(&self, class: StatusClass) -> u64 {
        self.requests[class as usize].get()
    }
}
