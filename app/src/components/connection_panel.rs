//! The connection panel: how this rider reaches the server and the others, in
//! words first and in figures below.

use std::time::Duration;

use leptos::prelude::*;

use super::{dialog::Dialog, format, marks::LinkMark, rider::Row, words};
use crate::{
    i18n::*,
    state::{Connection, Ends, Intent, Intents, RideState, RiderRow},
};

/// The button that opens the panel, and the panel. Only in a group.
#[component]
pub fn ConnectionPanel() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let open = RwSignal::new(false);
    Effect::watch(
        move || open.get(),
        move |open, before, _| {
            if before.is_some_and(|before| before != open) {
                intents.send(Intent::WatchLinks(*open));
            }
        },
        false,
    );
    let grouped = move || !matches!(state.connection.get(), Connection::Idle);
    view! {
        <Show when=grouped>
            <button
                type="button"
                class="button quiet connection-button"
                aria-label=move || t_string!(i18n, connection.heading)
                data-socket=move || state.connection.with(socket)
                on:click=move |_| open.set(true)
            >
                <SignalMark/>
                <span class="connection-word" aria-hidden="true">
                    {t!(i18n, connection.heading)}
                </span>
            </button>
        </Show>
        <Dialog open labelled_by="connection-heading">
            <Show when=move || open.get()>
                <div class="section-head">
                    <h2 id="connection-heading">{t!(i18n, connection.heading)}</h2>
                    <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                        {t!(i18n, connection.close)}
                    </button>
                </div>
                <p class="connection-line" data-socket=move || state.connection.with(socket)>
                    {move || words::connection(i18n, state)}
                </p>
                <Links/>
                <Totals/>
            </Show>
        </Dialog>
    }
    .into_any()
}

/// The other riders, a line each.
#[component]
fn Links() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let others = move || {
        let riders = state.riders.get().into_iter();
        riders.filter(|rider| !rider.is_self).collect::<Vec<_>>()
    };
    view! {
        <Show
            when=move || !others().is_empty()
            fallback=move || view! { <p class="hint">{t!(i18n, connection.nobody)}</p> }
        >
            <table class="links">
                <thead>
                    <tr>
                        <th scope="col">{t!(i18n, connection.rider)}</th>
                        <th scope="col">{t!(i18n, connection.link)}</th>
                        <th scope="col">{t!(i18n, connection.round_trip)}</th>
                        <th scope="col">{t!(i18n, connection.clock)}</th>
                        <th scope="col">{t!(i18n, connection.age)}</th>
                        <th scope="col">{t!(i18n, connection.way)}</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=others key=|rider| rider.row children=|rider| view! { <Link rider/> }/>
                </tbody>
            </table>
        </Show>
    }
    .into_any()
}

#[component]
fn Link(rider: RiderRow) -> impl IntoView {
    let i18n = use_i18n();
    let row = Row::new(&rider);
    let (link, facts) = (row.link, row.facts);
    view! {
        <tr data-peer=rider.peer data-link=move || link.get().as_str()>
            <th scope="row">{move || row.name.get()}</th>
            <td data-fact="link">
                <span class="tag link" data-link=move || link.get().as_str()>
                    <LinkMark link/>
                    {move || words::link(i18n, link.get())}
                </span>
            </td>
            <td data-fact="round-trip" data-label=move || t_string!(i18n, connection.round_trip)>
                {move || millis(facts.read().round_trip)}
            </td>
            <td data-fact="clock-error" data-label=move || t_string!(i18n, connection.clock)>
                {move || off_by(facts.read().clock_error)}
            </td>
            <td data-fact="age" data-label=move || t_string!(i18n, connection.age)>
                {move || seconds(facts.read().age)}
            </td>
            <td data-fact="candidate" data-label=move || t_string!(i18n, connection.way)>
                {move || facts.read().ends.map_or(NONE.to_owned(), ends)}
            </td>
        </tr>
    }
    .into_any()
}

/// What adds up over all links.
#[component]
fn Totals() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let facts = state.network;
    view! {
        <dl class="connection-totals">
            <div>
                <dt>{t!(i18n, connection.group_time)}</dt>
                <dd data-fact="group-clock-error">{move || off_by(facts.read().clock_error)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.attempts)}</dt>
                <dd data-fact="attempts">{move || facts.read().attempts}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.directs)}</dt>
                <dd data-fact="successes">{move || facts.read().directs}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.connect_time)}</dt>
                <dd data-fact="connect-time">{move || seconds(facts.read().connect_time)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.fallbacks)}</dt>
                <dd data-fact="fallbacks">{move || facts.read().fallbacks}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.sent)}</dt>
                <dd data-fact="bytes-sent">{move || format::bytes(facts.read().bytes_sent)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.received)}</dt>
                <dd data-fact="bytes-received">{move || format::bytes(facts.read().bytes_received)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.ignored)}</dt>
                <dd data-fact="ignored">{move || facts.read().ignored}</dd>
            </div>
        </dl>
        <p class="hint">{t!(i18n, connection.legend)}</p>
    }
    .into_any()
}

/// Three bars, as on a phone.
#[component]
fn SignalMark() -> impl IntoView {
    view! {
        <svg class="signal-mark" viewBox="0 0 20 16" aria-hidden="true">
            <rect x="1" y="10" width="4" height="6"/>
            <rect x="8" y="5" width="4" height="11"/>
            <rect x="15" y="0" width="4" height="16"/>
        </svg>
    }
}

/// What is not known is a dash, not a zero.
const NONE: &str = "–";

fn socket(connection: &Connection) -> &'static str {
    match connection {
        Connection::Idle => "idle",
        Connection::Online => "online",
        Connection::Lost { .. } => "lost",
        Connection::Alone => "alone",
        Connection::Unserved => "unserved",
    }
}

fn millis(duration: Option<Duration>) -> String {
    duration.map_or(NONE.to_owned(), |duration| {
        format!("{:.0} ms", duration.as_secs_f64() * 1_000.0)
    })
}

fn off_by(error: Option<Duration>) -> String {
    error.map_or(NONE.to_owned(), |error| {
        format!("± {:.1} ms", error.as_secs_f64() * 1_000.0)
    })
}

fn seconds(duration: Option<Duration>) -> String {
    duration.map_or(NONE.to_owned(), |duration| {
        format!("{:.1} s", duration.as_secs_f64())
    })
}

fn ends(ends: Ends) -> String {
    format!("{} – {}", ends.local.as_str(), ends.remote.as_str())
}
