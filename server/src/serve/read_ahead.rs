use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits::ReceivedBytes;

/// Size of the read buffer, one per thread rather than per connection.
const READ_AHEAD_BYTES: usize = 16 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_AHEAD_BYTES].into());
}

/// Stream that is read in large pieces on behalf of a reader with a small buffer.
///
/// Bytes that the reader has not asked for yet are kept; otherwise no memory is
/// held. Thousands of idle connections need no buffers, and a busy one needs no
/// more system calls than with a large buffer.
#[derive(Debug)]
pub struct ReadAhead<Stream> {
    stream: Stream,
    ahead: Vec<u8>,
    /// Number of bytes of `ahead` that the reader has got.
    taken: usize,
    /// Bytes that the reader has got.
    received: ReceivedBytes,
}

impl<Stream> ReadAhead<Stream> {
    /// Wraps a stream.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
            taken: 0,
            received: ReceivedBytes::default(),
        }
    }

    /// Counter of the bytes that the reader gets.
    pub fn received(&self) -> ReceivedBytes {
        self.received.clone()
    }

    fn take(&mut self, into: &mut ReadBuf<'_>) {
        let rest = &self.ahead[self.taken..];
        let count = rest.len().min(into.remaining());
        into.put_slice(&rest[..count]);
        self.taken += count;
        if self.taken == self.ahead.len() {
            self.ahead = Vec::new();
            self.taken = 0;
        }
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for ReadAhead<Stream> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let result = this.poll_pieces(context, into);
        this.received.add(into.filled().len() - before);
        result
    }
}

impl<Stream: AsyncRead + Unpin> ReadAhead<Stream> {
    fn poll_pieces(
        &mut self,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            self.take(into);
            return Poll::Ready(Ok(()));
        }
        if into.remaining() >= READ_AHEAD_BYTES {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut piece = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece))?;
            let (now, later) = piece
                .filled()
                .split_at(piece.filled().len().min(into.remaining()));
            into.put_slice(now);
            if !later.is_empty() {
                self.ahead = later.to_vec();
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for ReadAhead<Stream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn all_bytes_arrive_in_order_when_read_in_small_pieces() {
        let sent: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let mut reader = ReadAhead::new(&sent[..]);
        let mut piece = [0; 700];
        let mut received = Vec::new();
        loop {
            let count = reader.read(&mut piece).await.expect("reads");
            if count == 0 {
                break;
            }
            received.extend_from_slice(&piece[..count]);
        }
        assert_eq!(received, sent);
        assert_eq!(reader.ahead.capacity(), 0, "no memory is held");
    }
}
