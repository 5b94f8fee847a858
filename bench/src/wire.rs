//! One WebSocket of the PeerJS wire, as light as a load generator wants it:
//! messages are framed and masked once and sent many times, and what comes is
//! looked at only as far as its length (RFC 6455, section 5).
//!
//! Law: neither server fragments its messages or masks them; what does is a
//! broken measurement and says so.

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::rc::Rc;

use tokio::net::{TcpSocket, TcpStream};

use crate::error::BenchError;

/// The mask of every frame sent. The protocol wants one, and one that page
/// authors cannot foresee; here there is no page.
pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const FINAL: u8 = 0x80;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// What is read at once; a whole OFFER fits.
const READ_SIZE: usize = 4_096;
/// Any key will do, since the answer to it is not checked.
const HANDSHAKE_KEY: &str = "Z3J1cHBldHRvIGJlbmNoIQ==";

/// The writing half, and the connection itself; shared by whoever sends.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    /// Bytes that the kernel did not take yet.
    waiting: RefCell<Vec<u8>>,
}

/// An open socket that has been told OPEN.
#[derive(Debug)]
pub struct Socket {
    link: Rc<Link>,
    inbox: Vec<u8>,
    /// Where in the inbox the next frame begins.
    next: usize,
}

/// How a socket is opened.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// The server.
    pub server: SocketAddr,
    /// The generator's own address: ports are counted per address.
    pub source: Ipv4Addr,
    /// The receive buffer in bytes, when the kernel's own choice is not it.
    pub receive_buffer: Option<u32>,
}

impl Link {
    /// Sends bytes after those that wait already, as far as the kernel takes
    /// them.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&self, bytes: &[u8]) -> Result<(), BenchError> {
        self.waiting.borrow_mut().extend_from_slice(bytes);
        self.push()
    }

    /// Offers the kernel what waits.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn push(&self) -> Result<(), BenchError> {
        let mut waiting = self.waiting.borrow_mut();
        while !waiting.is_empty() {
            match self.stream.try_write(&waiting) {
                Ok(count) => drop(waiting.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Bytes that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// Waits until the kernel takes bytes again.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn writable(&self) -> Result<(), BenchError> {
        Ok(self.stream.writable().await?)
    }
}

impl Socket {
    /// Connects, upgrades, and waits for OPEN.
    ///
    /// # Errors
    /// [`BenchError::Refused`] with the server's words when it says anything
    /// else.
    pub async fn open(door: Door, id: &str) -> Result<Self, BenchError> {
        let mut socket = Self::connect(door).await?;
        socket.upgrade(door.server, id).await?;
        let first = socket.text().await?;
        let text = String::from_utf8_lossy(socket.bytes(first)).into_owned();
        if text == r#"{"type":"OPEN"}"# {
            Ok(socket)
        } else {
            Err(BenchError::Refused(text))
        }
    }

    async fn connect(door: Door) -> Result<Self, BenchError> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((door.source, 0).into())?;
        if let Some(bytes) = door.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(door.server).await?;
        stream.set_nodelay(true)?;
        let link = Link {
            stream,
            waiting: RefCell::default(),
        };
        Ok(Self {
            link: Rc::new(link),
            inbox: Vec::new(),
            next: 0,
        })
    }

    async fn upgrade(&mut self, server: SocketAddr, id: &str) -> Result<(), BenchError> {
        let request = format!(
            "GET /peerjs?key=peerjs&id={id}&token={id}&version=1.5.5 HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {HANDSHAKE_KEY}\r\n\r\n"
        );
        self.link.send(request.as_bytes())?;
        let end = loop {
            self.fill().await?;
            if let Some(end) = find(&self.inbox, b"\r\n\r\n") {
                break end + 4;
            }
        };
        if !self.inbox.starts_with(b"HTTP/1.1 101 ") {
            let answer = String::from_utf8_lossy(&self.inbox);
            let line = answer.lines().next().unwrap_or_default();
            return Err(BenchError::Refused(line.to_owned()));
        }
        self.next = end;
        Ok(())
    }

    /// The half that sends.
    pub fn link(&self) -> &Rc<Link> {
        &self.link
    }

    /// Waits for bytes and takes them in.
    ///
    /// # Errors
    /// [`BenchError::Closed`] at the connection's end.
    pub async fn fill(&mut self) -> Result<(), BenchError> {
        self.inbox.drain(..self.next);
        self.next = 0;
        loop {
            self.link.stream.readable().await?;
            self.inbox.reserve(READ_SIZE);
            match self.link.stream.try_read_buf(&mut self.inbox) {
                Ok(0) => return Err(BenchError::Closed),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next text message that is there already: its place in
    /// [`Self::bytes`], good until the next [`Self::fill`]. Pings are answered
    /// on the way.
    ///
    /// # Errors
    /// [`BenchError::Closed`] when the server says goodbye.
    pub fn next_text(&mut self) -> Result<Option<Range<usize>>, BenchError> {
        while let Some((opcode, body)) = self.next_frame()? {
            match opcode {
                TEXT => return Ok(Some(body)),
                PING => self.link.send(&frame(PONG, &self.inbox[body]))?,
                CLOSE => return Err(BenchError::Closed),
                PONG => {}
                other => return Err(BenchError::Protocol(format!("opcode {other}"))),
            }
        }
        Ok(None)
    }

    /// Waits for the next text message.
    ///
    /// # Errors
    /// [`BenchError::Closed`] at the connection's end.
    pub async fn text(&mut self) -> Result<Range<usize>, BenchError> {
        loop {
            if let Some(body) = self.next_text()? {
                return Ok(body);
            }
            self.fill().await?;
        }
    }

    /// The bytes of a message.
    pub fn bytes(&self, place: Range<usize>) -> &[u8] {
        &self.inbox[place]
    }

    /// Waits for the connection's end, answering pings; whatever else comes is
    /// not looked at.
    pub async fn stay(mut self) -> BenchError {
        loop {
            match self.text().await {
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Ends the connection as a network that fails does it: without a goodbye.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn cut(self) -> Result<(), BenchError> {
        Ok(self.link.stream.set_zero_linger()?)
    }

    fn next_frame(&mut self) -> Result<Option<(u8, Range<usize>)>, BenchError> {
        let Some((opcode, body)) = header(&self.inbox[self.next..])? else {
            return Ok(None);
        };
        let body = self.next + body.start..self.next + body.end;
        if body.end > self.inbox.len() {
            return Ok(None);
        }
        self.next = body.end;
        Ok(Some((opcode, body)))
    }
}

/// A text message as a masked frame.
pub fn text_frame(text: &str) -> Vec<u8> {
    frame(TEXT, text.as_bytes())
}

fn frame(opcode: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FINAL | opcode];
    match body.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        middle @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(
        body.iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// The opcode and the place of the body of the frame that begins here, once
/// its head is there.
fn header(bytes: &[u8]) -> Result<Option<(u8, Range<usize>)>, BenchError> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & FINAL == 0 || first & 0x70 != 0 || second & 0x80 != 0 {
        return Err(BenchError::Protocol("a frame of an unforeseen kind".into()));
    }
    let (start, length) = match (second & 0x7f, rest) {
        (126, [a, b, ..]) => (4, u64::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
        }
        (126 | 127, _) => return Ok(None),
        (length, _) => (2, u64::from(length)),
    };
    let length = usize::try_from(length)
        .ok()
        .filter(|length| *length < 1 << 30)
        .ok_or_else(|| BenchError::Protocol("a frame of a gigabyte".into()))?;
    Ok(Some((first & 0x0f, start..start + length)))
}

/// Where `needle` begins.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_each_length_is_read_as_it_was_made() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let masked = frame(TEXT, &vec![7; length]);
            let mut plain = masked.clone();
            plain[1] &= 0x7f;
            let head = masked.len() - 4 - length;
            assert_eq!(
                header(&plain).expect("a frame"),
                Some((TEXT, head..head + length))
            );
            assert_eq!(header(&plain[..head - 1]).expect("a start"), None);
        }
    }

    #[test]
    fn a_fragment_is_a_broken_measurement() {
        assert!(header(&[TEXT, 0]).is_err());
        assert!(header(&[FINAL | TEXT, 0x80]).is_err());
    }
}
