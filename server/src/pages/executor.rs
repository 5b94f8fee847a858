use std::task::{Context, Waker};

use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};

/// Makes Leptos begin each task at once, on the thread that asks for it, and go
/// on with it in tokio. With tokio alone another thread may be late: Leptos
/// forgets a page's values as soon as the page is sent, and an effect that
/// begins after that finds none and panics.
///
/// Only the first call in a process has an effect.
pub fn begin_tasks_at_once() {
    // Set before means set by an earlier router, to the same.
    let _ = Executor::init_custom_executor(AtOnce);
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
        AtOnce.spawn(Box::pin(async move {
            begins.store(true, Ordering::Relaxed);
            let word: Result<&str, _> = waits.await;
            let _ = ends.send(word);
        }));
        assert!(begun.load(Ordering::Relaxed));
        go_on.send("now").expect("it waits");
        assert_eq!(ended.await.expect("it ends"), Ok("now"));
    }
}
