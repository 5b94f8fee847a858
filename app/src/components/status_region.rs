//! The status region: problems of the connection and of the storage, and the newest notice.

use core::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};

use super::labels;
use crate::{
    i18n::*,
    state::{Notice, RideState, ServerConnection},
};

/// Time that a notice stays on the screen: enough to read it twice.
const NOTICE_DURATION: Duration = Duration::from_secs(12);

/// The live region. Screen readers require that it is on the page from the start.
#[component]
pub fn StatusRegion() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let newest = recent(state.notice);
    let problem = move || match state.connection.get() {
        ServerConnection::Idle | ServerConnection::Online => None,
        ServerConnection::Lost { .. } | ServerConnection::Alone | ServerConnection::PeersOnly => {
            let line = labels::server_connection(i18n, state);
            Some(view! { <p class="status-problem">{line}</p> }.into_any())
        }
    };
    let suspended = move || {
        let line = match state.is_host.get() {
            true => t_string!(i18n, connection.your_controls_suspended),
            false => t_string!(i18n, connection.controls_suspended),
        };
        let suspended = state.controls_suspended.get();
        suspended.then(|| view! { <p class="status-problem">{line}</p> })
    };
    let at_risk = move || {
        let at_risk = state.recording_at_risk.get();
        let line = move || t_string!(i18n, notice.recording_at_risk);
        at_risk.then(|| view! { <p class="status-problem" data-problem="recording">{line}</p> })
    };
    view! {
        <div class="status-region" role="status" aria-label=move || t_string!(i18n, notice.region)>
            {problem}
            {suspended}
            {at_risk}
            {move || newest.get().map(|notice| view! { <p>{labels::notice(i18n, notice)}</p> })}
        </div>
    }
    .into_any()
}

/// The notice until its time on the screen is over.
fn recent(notice: RwSignal<Option<Notice>>) -> RwSignal<Option<Notice>> {
    let shown = RwSignal::new(None);
    let timer = StoredValue::new_local(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    Effect::new(move || {
        let newest = notice.get();
        stop();
        shown.set(newest);
        let hide = move || drop(shown.try_set(None));
        // Without a timer the notice stays until the next one.
        timer.set_value(set_timeout_with_handle(hide, NOTICE_DURATION).ok());
    });
    on_cleanup(stop);
    shown
}
