use std::net::IpAddr;

/// Network as which a client is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Prefix lengths of the networks that an IPv6 address is counted in, with the
/// number of clients whose allowance each has. One customer usually has a whole
/// /64, often a /56 and sometimes a /48 (RFC 6177, RIPE-690), so a wider network
/// gets more, but not in proportion to its size.
const IPV6_NETWORKS: [(u8, u32); 3] = [(64, 1), (56, 2), (48, 4)];
/// The same for IPv4: single addresses are shared by households, clubs and mobile
/// carriers, and a /24 is the smallest network that is routed.
const IPV4_NETWORKS: [(u8, u32); 2] = [(32, 1), (24, 4)];

/// Networks that an address is counted in, the smallest first, with the number of
/// clients whose allowance each has.
pub fn networks_of(address: IpAddr) -> impl Iterator<Item = (Network, u32)> {
    let address = address.to_canonical();
    let networks: &[(u8, u32)] = match address {
        IpAddr::V4(_) => &IPV4_NETWORKS,
        IpAddr::V6(_) => &IPV6_NETWORKS,
    };
    networks
        .iter()
        .map(move |(prefix, clients)| (Network::of(address, *prefix), *clients))
}

/// Smallest network that an address is counted in: the IPv4 address itself, or the
/// /64 of an IPv6 address.
pub fn client_network(address: IpAddr) -> Network {
    let address = address.to_canonical();
    match address {
        IpAddr::V4(_) => Network::of(address, IPV4_NETWORKS[0].0),
        IpAddr::V6(_) => Network::of(address, IPV6_NETWORKS[0].0),
    }
}

impl Network {
    fn of(address: IpAddr, prefix: u8) -> Self {
        let address = match address {
            IpAddr::V4(v4) => {
                let host_bits = 32 - u32::from(prefix);
                IpAddr::V4((u32::from(v4) & u32::MAX.checked_shl(host_bits).unwrap_or(0)).into())
            }
            IpAddr::V6(v6) => {
                let host_bits = 128 - u32::from(prefix);
                IpAddr::V6((u128::from(v6) & u128::MAX.checked_shl(host_bits).unwrap_or(0)).into())
            }
        };
        Self { address, prefix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(address: &str) -> Vec<String> {
        networks_of(address.parse().expect("an address"))
            .map(|(network, clients)| format!("{}/{} {clients}", network.address, network.prefix))
            .collect()
    }

    #[test]
    fn wider_networks_have_larger_allowances() {
        assert_eq!(
            networks("2001:db8:1:2345:6::7"),
            [
                "2001:db8:1:2345::/64 1",
                "2001:db8:1:2300::/56 2",
                "2001:db8:1::/48 4"
            ]
        );
        assert_eq!(networks("192.0.2.9"), ["192.0.2.9/32 1", "192.0.2.0/24 4"]);
        assert_eq!(networks("::ffff:192.0.2.9"), networks("192.0.2.9"));
    }
}
