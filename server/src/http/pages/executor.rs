//! Executor of Leptos tasks on the server.

use std::sync::Once;
use std::task::{Context, Waker};

use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};

/// Makes Leptos poll each spawned `Send` task once on the spawning thread, before
/// tokio gets it.
///
/// With tokio alone, another thread may poll the task for the first time after
/// Leptos has disposed of the page's reactive values, which it does as soon as
/// the page is sent; an effect that starts then finds no values and panics. The
/// price: a task that panics at its first poll ends the request that spawned it.
///
/// Call this before anything else of Leptos; only the first call has an effect.
pub fn start_tasks_eagerly() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        Executor::init_custom_executor(EagerExecutor)
            .expect("called before Leptos chose another executor");
    });
}

struct EagerExecutor;

impl CustomExecutor for EagerExecutor {
    fn spawn(&self, mut task: PinnedFuture<()>) {
        // A wake-up before the task is handed to tokio is not lost: tokio polls
        // the task again.
        let mut context = Context::from_waker(Waker::noop());
        if task.as_mut().poll(&mut context).is_pending() {
            tokio::spawn(task);
        }
    }

    fn spawn_local(&self, task: PinnedLocalFuture<()>) {
        tokio::task::spawn_local(task);
    }

    fn poll_local(&self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_task_starts_at_once_and_completes_later() {
        let started = Arc::new(AtomicBool::new(false));
        let (resume, resumed) = oneshot::channel();
        let (complete, completed) = oneshot::channel();
        let starts = started.clone();
        start_tasks_eagerly();
        Executor::spawn(async move {
            starts.store(true, Ordering::Relaxed);
            let value: Result<&str, _> = resumed.await;
            let _ = complete.send(value);
        });
        assert!(started.load(Ordering::Relaxed));
        resume.send("now").expect("the task waits");
        assert_eq!(completed.await.expect("the task completes"), Ok("now"));
    }
}
