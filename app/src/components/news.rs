//! The line that says what happened: the newest notice, and a lost connection.

use core::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};

use super::words;
use crate::{
    i18n::*,
    state::{Connection, Notice, RideState},
};

/// How long a notice stays: long enough to read it twice.
const SHOWN_FOR: Duration = Duration::from_secs(12);

/// The live region. It is on the page from the start, as screen readers want.
#[component]
pub fn News() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let newest = fading(state.notice);
    let lost = move || match state.connection.get() {
        Connection::Idle | Connection::Online => None,
        Connection::Lost { .. } | Connection::Alone | Connection::Unserved => {
            let line = words::connection(i18n, state);
            Some(view! { <p class="news-lost">{line}</p> }.into_any())
        }
    };
    let waiting = move || {
        let line = match state.is_host.get() {
            true => t_string!(i18n, connection.your_controls_wait),
            false => t_string!(i18n, connection.controls_wait),
        };
        let waiting = state.controls_wait.get();
        waiting.then(|| view! { <p class="news-lost">{line}</p> })
    };
    view! {
        <div class="news" role="status" aria-label=move || t_string!(i18n, notice.region)>
            {lost}
            {waiting}
            {move || newest.get().map(|notice| view! { <p>{words::notice(i18n, notice)}</p> })}
        </div>
    }
    .into_any()
}

/// The notice for as long as it is news.
fn fading(notice: RwSignal<Option<Notice>>) -> RwSignal<Option<Notice>> {
    let shown = RwSignal::new(None);
    let timer = StoredValue::new_local(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    Effect::new(move || {
        let news = notice.get();
        stop();
        shown.set(news);
        let hide = move || drop(shown.try_set(None));
        // Without a timer the notice stays until the next one.
        timer.set_value(set_timeout_with_handle(hide, SHOWN_FOR).ok());
    });
    on_cleanup(stop);
    shown
}
