use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tracing::{Event, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// Lines of this target are never left out: they say how many were.
const LEFT_OUT: &str = "log";

/// So many lines in each second; the others are counted.
#[derive(Debug, Clone)]
pub struct Flood(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// 0: any number.
    per_second: u64,
    origin: Instant,
    /// The second that is counted, since the origin.
    second: AtomicU64,
    lines: AtomicU64,
    left_out: AtomicU64,
}

impl Flood {
    /// At most `per_second` lines in each second; 0 means any number.
    pub fn new(per_second: u32) -> Self {
        Self(Arc::new(Inner {
            per_second: per_second.into(),
            origin: Instant::now(),
            second: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
        }))
    }

    /// For the layer that writes the lines.
    pub fn filter(&self) -> Self {
        self.clone()
    }

    /// Writes how many lines were left out since the last time, if any were.
    pub fn report(&self) {
        let lines = self.0.left_out.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(target: LEFT_OUT, lines, "left out of the log");
        }
    }

    /// Whether one more line is written in this second, counted from the start.
    fn admit(&self, second: u64) -> bool {
        let inner = &*self.0;
        if inner.per_second == 0 {
            return true;
        }
        if inner.second.swap(second, Ordering::Relaxed) != second {
            inner.lines.store(0, Ordering::Relaxed);
        }
        let fits = inner.lines.fetch_add(1, Ordering::Relaxed) < inner.per_second;
        inner
            .left_out
            .fetch_add(u64::from(!fits), Ordering::Relaxed);
        fits
    }
}

impl<S> Filter<S> for Flood {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        event.metadata().target() == LEFT_OUT || self.admit(self.0.origin.elapsed().as_secs())
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
    fn each_second_has_its_lines_and_the_others_are_counted() {
        let flood = Flood::new(3);
        let written = |second| (0..10).filter(|_| flood.admit(second)).count();
        assert_eq!([written(0), written(1), written(5)], [3, 3, 3]);
        assert_eq!(flood.0.left_out.load(Ordering::Relaxed), 21);
    }

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a page").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_flood_of_lines_ends_in_one_that_says_how_many_were_left_out() {
        let flood = Flood::new(10);
        let page = Page::default();
        let writer = page.clone();
        let lines = fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(false);
        let log = tracing_subscriber::registry().with(lines.with_filter(flood.filter()));
        tracing::subscriber::with_default(log, || {
            (0..10_000).for_each(|number| tracing::info!(number, "refused"));
            flood.report();
        });
        let bytes = page.0.lock().expect("a page").clone();
        let text = String::from_utf8(bytes).expect("text");
        // Logging them all may take some seconds, each with its own lines.
        assert!((11..1_000).contains(&text.lines().count()), "{text}");
        assert!(
            text.lines()
                .last()
                .is_some_and(|line| line.contains("left out of the log"))
        );
    }
}
