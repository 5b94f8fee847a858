/// Client that a socket belongs to: the driver's keyed hash of its network. Sockets of one key share
/// what one client may use of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(pub u64);
