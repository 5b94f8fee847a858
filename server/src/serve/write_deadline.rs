use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes that a client must accept within one timeout, unless everything that
/// waits is less. A slow mobile connection takes ten times as much.
const MIN_PROGRESS_BYTES: usize = 16 * 1024;

const ENFORCED: u8 = 0;
const STOPPED: u8 = 1;
const EXPIRED: u8 = 2;

/// Stream whose writes fail when the client accepts too few bytes.
///
/// While a write waits, [`MIN_PROGRESS_BYTES`] bytes, or everything that was to be
/// written, must be accepted within each timeout; the length of a download as a
/// whole is not limited. A client that reads nothing therefore holds a connection
/// and an open file only briefly.
#[derive(Debug)]
pub struct WriteDeadline<Stream> {
    stream: Stream,
    timeout: Duration,
    /// Present while a write waits.
    waiting: Option<Waiting>,
    enforcement: Enforcement,
}

/// Shared control of a [`WriteDeadline`], used while hyper owns the stream.
#[derive(Debug, Clone)]
pub struct Enforcement(Arc<AtomicU8>);

#[derive(Debug)]
struct Waiting {
    timer: Pin<Box<Sleep>>,
    accepted: usize,
}

impl<Stream> WriteDeadline<Stream> {
    /// Wraps a stream.
    pub fn new(stream: Stream, timeout: Duration) -> Self {
        Self {
            stream,
            timeout,
            waiting: None,
            enforcement: Enforcement(Arc::new(AtomicU8::new(ENFORCED))),
        }
    }

    /// Control of this stream's deadline.
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement.clone()
    }

    /// Accounts for the outcome of a write of `offered` bytes. Fails once the
    /// deadline has passed.
    fn account(
        &mut self,
        context: &mut Context<'_>,
        offered: usize,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.enforcement.0.load(Ordering::Relaxed) == STOPPED {
            self.waiting = None;
            return outcome;
        }
        match outcome {
            Poll::Ready(Ok(accepted)) => {
                if accepted == offered {
                    self.waiting = None;
                } else if let Some(waiting) = &mut self.waiting {
                    waiting.accepted += accepted;
                }
                outcome
            }
            Poll::Ready(Err(_)) => outcome,
            Poll::Pending => self.wait(context),
        }
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let timeout = self.timeout;
        let waiting = self.waiting.get_or_insert_with(|| Waiting {
            timer: Box::pin(sleep_until(Instant::now() + timeout)),
            accepted: 0,
        });
        while waiting.timer.as_mut().poll(context).is_ready() {
            if waiting.accepted < MIN_PROGRESS_BYTES {
                self.enforcement.0.store(EXPIRED, Ordering::Relaxed);
                let message = "the client does not read the response";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)));
            }
            waiting.accepted = 0;
            waiting.timer.as_mut().reset(Instant::now() + timeout);
        }
        Poll::Pending
    }
}

impl Enforcement {
    /// Lets writes wait for any time from now on.
    pub fn stop(&self) {
        self.0.store(STOPPED, Ordering::Relaxed);
    }

    /// Returns `true` after a write has failed because of the deadline.
    pub fn has_expired(&self) -> bool {
        self.0.load(Ordering::Relaxed) == EXPIRED
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for WriteDeadline<Stream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<Stream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.account(context, bytes.len(), outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered = pieces.iter().map(|piece| piece.len()).sum();
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.account(context, offered, outcome)
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::sleep;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_given_up_after_one_timeout() {
        let (server, _client) = duplex(1_024);
        let mut stream = WriteDeadline::new(server, TIMEOUT);
        let enforcement = stream.enforcement();
        let started = Instant::now();
        let error = stream.write_all(&[0; 100_000]).await.expect_err("given up");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(enforcement.has_expired());
        assert_eq!(started.elapsed().as_secs(), TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_one_byte_at_a_time_is_given_up_too() {
        let (server, mut client) = duplex(1_024);
        let reading = tokio::spawn(async move {
            while client.read_u8().await.is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        });
        let mut stream = WriteDeadline::new(server, TIMEOUT);
        assert!(stream.write_all(&[0; 100_000]).await.is_err());
        reading.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_that_keeps_reading_gets_a_long_download() {
        let (server, mut client) = duplex(1_024);
        let reading = tokio::spawn(async move {
            let (mut buffer, mut total) = ([0; 1_024], 0);
            while let Ok(count @ 1..) = client.read(&mut buffer).await {
                total += count;
                sleep(Duration::from_millis(500)).await;
            }
            total
        });
        let mut stream = WriteDeadline::new(server, TIMEOUT);
        // At 2 KiB a second, 1 MB takes more than eight minutes.
        for _ in 0..1_000 {
            stream.write_all(&[0; 1_000]).await.expect("accepted");
        }
        drop(stream);
        assert_eq!(reading.await.expect("read"), 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_and_a_stopped_deadline_wait_for_any_time() {
        let (server, mut client) = duplex(1_024);
        let mut stream = WriteDeadline::new(server, TIMEOUT);
        stream.write_all(&[0; 1_000]).await.expect("accepted");
        sleep(TIMEOUT * 10).await;
        client.read_exact(&mut [0; 1_000]).await.expect("read");
        stream
            .write_all(&[0; 1_000])
            .await
            .expect("accepted after an idle time");
        stream.enforcement().stop();
        let writing = tokio::spawn(async move { stream.write_all(&[0; 10_000]).await });
        sleep(TIMEOUT * 10).await;
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.expect("read");
        assert!(writing.await.expect("ends").is_ok());
        assert_eq!(rest.len(), 11_000);
    }
}
