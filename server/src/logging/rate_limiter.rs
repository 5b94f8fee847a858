use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tracing::{Event, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// Target of the lines that report dropped lines. They are never dropped.
const REPORT_TARGET: &str = "log";

/// Limits the number of log lines per second and counts the lines that are
/// dropped. Clones share the counts.
#[derive(Debug, Clone)]
pub struct LogRateLimiter(Arc<LineCounts>);

#[derive(Debug)]
struct LineCounts {
    /// 0: unlimited.
    max_per_second: u64,
    origin: Instant,
    /// Second since the origin that `lines` belongs to.
    second: AtomicU64,
    lines: AtomicU64,
    dropped: AtomicU64,
}

impl LogRateLimiter {
    /// Limiter for `max_per_second` lines in each second. 0 means unlimited.
    pub fn new(max_per_second: u32) -> Self {
        Self(Arc::new(LineCounts {
            max_per_second: max_per_second.into(),
            origin: Instant::now(),
            second: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }))
    }

    /// Filter for the layer that writes the lines.
    pub fn filter(&self) -> Self {
        self.clone()
    }

    /// Logs the number of lines dropped since the last call, if there are any.
    pub fn report(&self) {
        let lines = self.0.dropped.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(target: REPORT_TARGET, lines, "log lines dropped");
        }
    }

    /// Counts a line in a second since the origin. Returns `false` if the line is
    /// dropped.
    fn admit(&self, second: u64) -> bool {
        let counts = &*self.0;
        if counts.max_per_second == 0 {
            return true;
        }
        if counts.second.swap(second, Ordering::Relaxed) != second {
            counts.lines.store(0, Ordering::Relaxed);
        }
        let fits = counts.lines.fetch_add(1, Ordering::Relaxed) < counts.max_per_second;
        counts
            .dropped
            .fetch_add(u64::from(!fits), Ordering::Relaxed);
        fits
    }
}

impl<S> Filter<S> for LogRateLimiter {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let is_report = event.metadata().target() == REPORT_TARGET;
        is_report || self.admit(self.0.origin.elapsed().as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Mutex;

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::{Layer, SubscriberExt};

    use super::*;

    #[test]
    fn each_second_admits_its_lines_and_the_others_are_counted() {
        let limiter = LogRateLimiter::new(3);
        let admitted = |second| (0..10).filter(|_| limiter.admit(second)).count();
        assert_eq!([admitted(0), admitted(1), admitted(5)], [3, 3, 3]);
        assert_eq!(limiter.0.dropped.load(Ordering::Relaxed), 21);
    }

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a buffer").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn dropped_lines_are_reported_in_one_line() {
        let limiter = LogRateLimiter::new(10);
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let lines = fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(false);
        let log = tracing_subscriber::registry().with(lines.with_filter(limiter.filter()));
        tracing::subscriber::with_default(log, || {
            (0..10_000).for_each(|number| tracing::info!(number, "refused"));
            limiter.report();
        });
        let bytes = buffer.0.lock().expect("a buffer").clone();
        let text = String::from_utf8(bytes).expect("text");
        // The loop may run for some seconds, each of which admits its lines.
        assert!((11..1_000).contains(&text.lines().count()), "{text}");
        assert!(
            text.lines()
                .last()
                .is_some_and(|line| line.contains("log lines dropped"))
        );
    }
}
