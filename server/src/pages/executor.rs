//! How Leptos' tasks are begun on the server.

use std::sync::Once;
use std::task::{Context, Waker};

use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};

/// Makes Leptos begin each task that may change threads at once, on the thread
/// that asks for it, and go on with it in tokio. With tokio alone another thread
/// may be late: Leptos forgets a page's values as soon as the page is sent, and
/// an effect that begins after that finds none and panics. A task that panics
/// when it begins ends the request that began it.
///
/// Call it before anything of Leptos; only the first call has an effect.
pub fn begin_tasks_at_once() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        Executor::init_custom_executor(AtOnce).expect("called before Leptos chose another one");
    });
}

struct AtOnce;

impl CustomExecutor for AtOnce {
    fn spawn(&self, mut task: PinnedFuture<()>) {
        // Whatever wakes it before tokio has it is not missed: tokio polls it again.
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
    async fn a_task_begins_at_once_and_ends_when_it_can() {
        let begun = Arc::new(AtomicBool::new(false));
        let (go_on, waits) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        let begins = begun.clone();
        begin_tasks_at_once();
        Executor::spawn(async move {
            begins.store(true, Ordering::Relaxed);
            let word: Result<&str, _> = waits.await;
            let _ = ends.send(word);
        });
        assert!(begun.load(Ordering::Relaxed));
        go_on.send("now").expect("it waits");
        assert_eq!(ended.await.expect("it ends"), Ok("now"));
    }
}
