//! A minimal WebSocket client of the PeerJS dialect, cheap enough for a load
//! generator: a message is framed and masked once and sent many times, and of a
//! received frame only the header is parsed (RFC 6455, section 5).
//!
//! Contract: the server neither fragments nor masks its messages. A frame that
//! breaks this ends the run with [`BenchError::Protocol`].

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::rc::Rc;

use tokio::net::{TcpSocket, TcpStream};

use crate::error::BenchError;

/// Mask of every sent frame. The protocol demands an unpredictable one to
/// protect proxies from hostile pages; a load generator needs no such protection.
pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const FINAL: u8 = 0x80;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// Bytes per read; holds a whole OFFER.
const READ_SIZE: usize = 4_096;
/// `Sec-WebSocket-Key`; fixed, because the server's answer to it is not checked.
const HANDSHAKE_KEY: &str = "Z3J1cHBldHRvIGJlbmNoIQ==";

/// Connection and write buffer of a client, shared by all tasks that send on it.
#[derive(Debug)]
pub struct WriteHalf {
    stream: TcpStream,
    /// Bytes that the kernel has not accepted yet.
    pending: RefCell<Vec<u8>>,
}

/// A connected client that has received OPEN.
#[derive(Debug)]
pub struct WebSocket {
    write_half: Rc<WriteHalf>,
    received: Vec<u8>,
    /// Offset of the next frame in `received`.
    next: usize,
}

/// Parameters of a connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnectOptions {
    /// Address of the server.
    pub server: SocketAddr,
    /// Source address of the client. Each address has its own range of ports.
    pub source: Ipv4Addr,
    /// Receive buffer in bytes; `None` leaves the choice to the kernel.
    pub receive_buffer: Option<u32>,
}

impl WriteHalf {
    /// Queues bytes and writes as much of the queue as the kernel accepts.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn send(&self, bytes: &[u8]) -> Result<(), BenchError> {
        self.pending.borrow_mut().extend_from_slice(bytes);
        self.flush()
    }

    /// Writes as much of the queue as the kernel accepts.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn flush(&self) -> Result<(), BenchError> {
        let mut pending = self.pending.borrow_mut();
        while !pending.is_empty() {
            match self.stream.try_write(&pending) {
                Ok(count) => drop(pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Number of queued bytes.
    pub fn pending(&self) -> usize {
        self.pending.borrow().len()
    }

    /// Waits until the kernel accepts bytes again.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn writable(&self) -> Result<(), BenchError> {
        Ok(self.stream.writable().await?)
    }
}

impl WebSocket {
    /// Connects, upgrades, and waits for OPEN.
    ///
    /// # Errors
    /// [`BenchError::Refused`] with the server's message when its first one is
    /// not OPEN.
    pub async fn open(options: ConnectOptions, id: &str) -> Result<Self, BenchError> {
        let mut socket = Self::connect(options).await?;
        socket.upgrade(options.server, id).await?;
        let first = socket.text().await?;
        let text = String::from_utf8_lossy(socket.bytes(first)).into_owned();
        if text == r#"{"type":"OPEN"}"# {
            Ok(socket)
        } else {
            Err(BenchError::Refused(text))
        }
    }

    async fn connect(options: ConnectOptions) -> Result<Self, BenchError> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((options.source, 0).into())?;
        if let Some(bytes) = options.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(options.server).await?;
        stream.set_nodelay(true)?;
        let write_half = WriteHalf {
            stream,
            pending: RefCell::default(),
        };
        Ok(Self {
            write_half: Rc::new(write_half),
            received: Vec::new(),
            next: 0,
        })
    }

    async fn upgrade(&mut self, server: SocketAddr, id: &str) -> Result<(), BenchError> {
        let request = format!(
            "GET /peerjs?key=peerjs&id={id}&token={id}&version=1.5.5 HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {HANDSHAKE_KEY}\r\n\r\n"
        );
        self.write_half.send(request.as_bytes())?;
        let end = loop {
            self.fill().await?;
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                break end + 4;
            }
        };
        if !self.received.starts_with(b"HTTP/1.1 101 ") {
            let answer = String::from_utf8_lossy(&self.received);
            let line = answer.lines().next().unwrap_or_default();
            return Err(BenchError::Refused(line.to_owned()));
        }
        self.next = end;
        Ok(())
    }

    /// Sending half of the connection.
    pub fn write_half(&self) -> &Rc<WriteHalf> {
        &self.write_half
    }

    /// Drops the messages already parsed and waits for more bytes.
    ///
    /// # Errors
    /// [`BenchError::Closed`] when the server closed the connection.
    pub async fn fill(&mut self) -> Result<(), BenchError> {
        self.received.drain(..self.next);
        self.next = 0;
        loop {
            self.write_half.stream.readable().await?;
            self.received.reserve(READ_SIZE);
            match self.write_half.stream.try_read_buf(&mut self.received) {
                Ok(0) => return Err(BenchError::Closed),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next text message among the received bytes, as a range for
    /// [`Self::bytes`] that is valid until the next [`Self::fill`]. Answers pings
    /// that precede it.
    ///
    /// # Errors
    /// [`BenchError::Closed`] after a close frame.
    pub fn next_text(&mut self) -> Result<Option<Range<usize>>, BenchError> {
        while let Some((opcode, body)) = self.next_frame()? {
            match opcode {
                TEXT => return Ok(Some(body)),
                PING => self.write_half.send(&frame(PONG, &self.received[body]))?,
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
    /// [`BenchError::Closed`] when the server closed the connection.
    pub async fn text(&mut self) -> Result<Range<usize>, BenchError> {
        loop {
            if let Some(body) = self.next_text()? {
                return Ok(body);
            }
            self.fill().await?;
        }
    }

    /// Bytes of a message.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.received[range]
    }

    /// Answers pings and ignores messages until the connection ends.
    pub async fn keep_open(mut self) -> BenchError {
        loop {
            match self.text().await {
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Resets the connection without a closing handshake, as a failing network
    /// does.
    ///
    /// # Errors
    /// The kernel rejects the socket option.
    pub fn reset(self) -> Result<(), BenchError> {
        Ok(self.write_half.stream.set_zero_linger()?)
    }

    fn next_frame(&mut self) -> Result<Option<(u8, Range<usize>)>, BenchError> {
        let Some((opcode, body)) = header(&self.received[self.next..])? else {
            return Ok(None);
        };
        let body = self.next + body.start..self.next + body.end;
        if body.end > self.received.len() {
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

/// Opcode and body range of the frame at the start of `bytes`; `None` while its
/// header is incomplete.
fn header(bytes: &[u8]) -> Result<Option<(u8, Range<usize>)>, BenchError> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & FINAL == 0 || first & 0x70 != 0 || second & 0x80 != 0 {
        return Err(BenchError::Protocol(
            "a fragmented, masked or extended frame".into(),
        ));
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
        .ok_or_else(|| BenchError::Protocol("a frame of 1 GiB or more".into()))?;
    Ok(Some((first & 0x0f, start..start + length)))
}

/// Offset of the first occurrence of `needle`.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_header_of_every_length_class_is_parsed() {
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
    fn a_fragmented_or_masked_frame_is_an_error() {
        assert!(header(&[TEXT, 0]).is_err());
        assert!(header(&[FINAL | TEXT, 0x80]).is_err());
    }
}
