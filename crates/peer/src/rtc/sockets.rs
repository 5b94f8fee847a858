//! UDP sockets on the addresses of this machine.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdSocket},
    rc::Rc,
    time::Duration,
};

use socket2::SockRef;
use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle, time::sleep};

/// Largest number of addresses that are used: machines with containers have many.
const MAX_ADDRESSES: usize = 8;
/// Largest packet in bytes. Those of WebRTC fit into one Ethernet frame.
const MAX_PACKET: usize = 2_048;
/// Wanted size of the buffers of a socket in bytes.
const BUFFER: usize = 2 * 1024 * 1024;
/// Time before a socket is read again that gives errors.
const ERROR_DELAY: Duration = Duration::from_millis(100);

/// Packet that arrived.
#[derive(Debug)]
pub(crate) struct Packet {
    /// Address of the socket at which it arrived.
    pub(super) destination: SocketAddr,
    /// Address of the sender.
    pub(super) source: SocketAddr,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// Open sockets. Dropping them closes them.
#[derive(Debug)]
pub(super) struct Sockets {
    sockets: Vec<(SocketAddr, Rc<UdpSocket>)>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sockets {
    /// Opens a socket on each address; `None` if there is none.
    pub(super) fn open(post: &mpsc::Sender<Packet>) -> Option<Self> {
        let opened = addresses().into_iter().filter_map(|ip| bind(ip).ok());
        let sockets: Vec<_> = opened.take(MAX_ADDRESSES).collect();
        let tasks = sockets.iter().map(|(address, socket)| {
            let read = read(*address, Rc::clone(socket), post.clone());
            tokio::task::spawn_local(read)
        });
        let tasks = tasks.collect();
        (!sockets.is_empty()).then_some(Self { sockets, tasks })
    }

    /// Addresses of the sockets.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.sockets.iter().map(|(address, _)| *address)
    }

    /// The sockets with their addresses.
    pub(super) fn all(&self) -> impl Iterator<Item = &(SocketAddr, Rc<UdpSocket>)> {
        self.sockets.iter()
    }

    /// Sends a packet from the socket with the address `from`. A packet that the system does not take
    /// at once is lost, as any may be on its way.
    pub(super) fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let mut sockets = self.sockets.iter();
        if let Some((_, socket)) = sockets.find(|(address, _)| *address == from) {
            let _ = socket.try_send_to(bytes, to);
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Addresses of the network interfaces. The loopback address is used only where there is no other:
/// browsers do not offer it either.
fn addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses = Vec::new();
    for interface in interfaces {
        let ip = interface.ip();
        if !interface.is_loopback() && !is_link_local(ip) && !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    if addresses.is_empty() {
        addresses.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    addresses
}

/// Addresses that need a scope, or that a machine gives itself without a network.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn bind(ip: IpAddr) -> io::Result<(SocketAddr, Rc<UdpSocket>)> {
    let socket = StdSocket::bind((ip, 0))?;
    let options = SockRef::from(&socket);
    // The system takes less if its limits are lower.
    let _ = options.set_recv_buffer_size(BUFFER);
    let _ = options.set_send_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    Ok((address, Rc::new(UdpSocket::from_std(socket)?)))
}

async fn read(destination: SocketAddr, socket: Rc<UdpSocket>, post: mpsc::Sender<Packet>) {
    let mut buffer = vec![0; MAX_PACKET];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, source)) => {
                let packet = Packet {
                    destination,
                    source,
                    bytes: buffer[..length].to_vec(),
                };
                // A full queue drops packets.
                let _ = post.try_send(packet);
            }
            // Such as the answer of a machine that has closed its port.
            Err(_) => sleep(ERROR_DELAY).await,
        }
    }
}
