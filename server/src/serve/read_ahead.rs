use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much is read at once. One for each thread, not for each connection.
const AHEAD_BYTES: usize = 16 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; AHEAD_BYTES].into());
}

/// A connection that is read in large pieces by a reader who asks for small
/// ones: what nobody has asked for yet is kept, and nothing while there is none.
/// So thousands of silent connections need no buffers, and a busy one no more
/// calls of the operating system than with a large buffer.
#[derive(Debug)]
pub struct ReadAhead<Stream> {
    stream: Stream,
    ahead: Vec<u8>,
    /// What is taken of it.
    taken: usize,
}

impl<Stream> ReadAhead<Stream> {
    /// Nothing read yet.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
            taken: 0,
        }
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
        if !this.ahead.is_empty() {
            this.take(into);
            return Poll::Ready(Ok(()));
        }
        if into.remaining() >= AHEAD_BYTES {
            return Pin::new(&mut this.stream).poll_read(context, into);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut piece = ReadBuf::new(scratch);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut piece))?;
            let (now, later) = piece
                .filled()
                .split_at(piece.filled().len().min(into.remaining()));
            into.put_slice(now);
            if !later.is_empty() {
                this.ahead = later.to_vec();
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
    async fn what_is_read_in_small_pieces_is_all_there_and_in_order() {
        let sent: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let mut reader = ReadAhead::new(&sent[..]);
        let mut piece = [0; 700];
        let mut heard = Vec::new();
        loop {
            let count = reader.read(&mut piece).await.expect("reads");
            if count == 0 {
                break;
            }
            heard.extend_from_slice(&piece[..count]);
        }
        assert_eq!(heard, sent);
        assert_eq!(reader.ahead.capacity(), 0, "nothing is kept");
    }
}
