//! The connection panel: the state of the server connection as a sentence, then
//! figures for the link to each rider and for all links together.

use std::time::Duration;

use leptos::prelude::*;

use protocol::peer::LinkState;

use super::{dialog::Dialog, format, icons::LinkIcon, labels, rider::use_label};
use crate::{
    i18n::*,
    lazy,
    state::{
        AttemptOutcome, CandidatePair, CandidateType, DirectLinks, Intent, Intents, OutcomeCounts,
        RideState, RiderRow, ServerConnection,
    },
};

/// The panel and the button that opens it. Shown in group rides only.
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
    let in_group = move || !matches!(state.connection.get(), ServerConnection::Idle);
    view! {
        <Show when=in_group>
            <button
                type="button"
                class="button quiet connection-button"
                aria-label=move || t_string!(i18n, connection.heading)
                data-socket=move || state.connection.with(socket_state)
                on:click=move |_| open.set(true)
            >
                <SignalIcon/>
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
                        {t!(i18n, common.close)}
                    </button>
                </div>
                <p class="connection-line" data-socket=move || state.connection.with(socket_state)>
                    {move || labels::server_connection(i18n, state)}
                </p>
                {lazy::screen(|views| (views.connection)())}
            </Show>
        </Dialog>
    }
    .into_any()
}

/// The figures of the panel.
#[component]
pub fn ConnectionDetails() -> impl IntoView {
    view! {
        <DirectLinkProblem/>
        <LinkTable/>
        <Totals/>
        <Attempts/>
    }
    .into_any()
}

/// Reason why direct links are not possible.
#[component]
fn DirectLinkProblem() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let text = move || match state.direct_links.get() {
        DirectLinks::Possible => None,
        DirectLinks::NoWebRtc => Some(t!(i18n, connection.no_webrtc).into_any()),
        DirectLinks::NotAllowed => Some(t!(i18n, connection.not_allowed).into_any()),
        DirectLinks::Blocked(reason) => Some(t!(i18n, connection.blocked, reason).into_any()),
        DirectLinks::ServersRefused { urls, used: 0 } => {
            Some(t!(i18n, connection.all_refused, servers = urls.join(", ")).into_any())
        }
        DirectLinks::ServersRefused { urls, .. } => {
            Some(t!(i18n, connection.some_refused, servers = urls.join(", ")).into_any())
        }
    };
    move || {
        text().map(|text| view! { <p class="connection-line" data-fact="direct-links">{text}</p> })
    }
}

/// One row for each other rider.
#[component]
fn LinkTable() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let others = move || {
        let riders = state.riders.get().into_iter();
        riders.filter(|rider| !rider.is_self).collect::<Vec<_>>()
    };
    view! {
        <Show
            when=move || !others().is_empty()
            fallback=move || view! { <p class="hint">{t!(i18n, connection.no_riders)}</p> }
        >
            <table class="links">
                <thead>
                    <tr>
                        <th scope="col">{t!(i18n, connection.rider)}</th>
                        <th scope="col">{t!(i18n, connection.link)}</th>
                        <th scope="col">{t!(i18n, connection.round_trip)}</th>
                        <th scope="col">{t!(i18n, connection.clock_error)}</th>
                        <th scope="col">{t!(i18n, connection.age)}</th>
                        <th scope="col">{t!(i18n, connection.path)}</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=others key=|rider| rider.row children=|rider| view! { <LinkRow rider/> }/>
                </tbody>
            </table>
        </Show>
    }
    .into_any()
}

#[component]
fn LinkRow(rider: RiderRow) -> impl IntoView {
    let i18n = use_i18n();
    let (name, link) = (use_label(&rider), RwSignal::from(rider.link));
    let stats = RwSignal::from(rider.link_stats);
    view! {
        <tr data-peer=rider.peer.to_string() data-link=move || link.get().as_str()>
            <th scope="row" translate="no">{move || name.get()}</th>
            <td data-fact="link">
                <span class="tag link" data-link=move || link.get().as_str()>
                    <LinkIcon link/>
                    {move || labels::link(i18n, link.get())}
                </span>
            </td>
            <td data-fact="round-trip" translate="no" data-label=move || t_string!(i18n, connection.round_trip)>
                {move || millis(stats.read().round_trip)}
            </td>
            <td data-fact="clock-error" translate="no" data-label=move || t_string!(i18n, connection.clock_error)>
                {move || plus_minus_millis(stats.read().clock_error)}
            </td>
            <td data-fact="age" translate="no" data-label=move || t_string!(i18n, connection.age)>
                {move || seconds(stats.read().age)}
            </td>
            <td data-fact="candidate" translate="no" data-label=move || t_string!(i18n, connection.path)>
                {move || stats.read().candidate_pair.map_or(UNKNOWN.to_owned(), candidate_pair)}
            </td>
        </tr>
    }
    .into_any()
}

/// Figures of all links together.
#[component]
fn Totals() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let stats = state.network;
    view! {
        <dl class="connection-totals">
            <div>
                <dt>{t!(i18n, connection.group_clock_error)}</dt>
                <dd data-fact="group-clock-error" translate="no">{move || plus_minus_millis(stats.read().clock_error)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.attempts)}</dt>
                <dd data-fact="attempts" translate="no">{move || stats.read().attempts}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.direct_connections)}</dt>
                <dd data-fact="successes" translate="no">{move || stats.read().direct_connections}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.connect_time)}</dt>
                <dd data-fact="connect-time" translate="no">{move || seconds(stats.read().connect_time)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.fallbacks)}</dt>
                <dd data-fact="fallbacks" translate="no">{move || stats.read().fallbacks}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.sent)}</dt>
                <dd data-fact="bytes-sent" translate="no">{move || format::bytes(stats.read().bytes_sent)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.received)}</dt>
                <dd data-fact="bytes-received" translate="no">{move || format::bytes(stats.read().bytes_received)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.rejected)}</dt>
                <dd data-fact="ignored" translate="no">{move || stats.read().ignored}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.direct_round_trip)}</dt>
                <dd data-fact="direct-round-trip" translate="no">{mean_round_trip(state, LinkState::Direct)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, connection.relayed_round_trip)}</dt>
                <dd data-fact="relayed-round-trip" translate="no">{mean_round_trip(state, LinkState::Relayed)}</dd>
            </div>
        </dl>
        <p class="hint">{t!(i18n, connection.legend)}</p>
    }
    .into_any()
}

/// How attempts ended: by the candidate, and the reasons of those that failed. Kinds that have not
/// occurred are left out.
#[component]
fn Attempts() -> impl IntoView {
    let i18n = use_i18n();
    let stats = expect_context::<RideState>().network;
    let rows = move || {
        let outcomes = stats.read().outcomes;
        let candidates = [None].into_iter().chain(CandidateType::ALL.map(Some));
        let counted = candidates.map(|one| (one, outcomes.with_candidate(one)));
        let rows = counted.filter(|(_, counts)| *counts != (0, 0));
        rows.map(|(candidate, counts)| view! { <AttemptRow candidate counts/> })
            .collect_view()
    };
    let failures = move || {
        let outcomes = stats.read().outcomes;
        let counted = AttemptOutcome::ALL.map(|one| (one, outcomes.with_outcome(one)));
        let counted = counted.into_iter().filter(|(_, count)| *count > 0);
        counted
            .filter_map(|(outcome, count)| {
                let (name, words) = failure(i18n, outcome)?;
                Some(view! {
                    <li data-fact=name>{words}": "<span translate="no">{count}</span></li>
                })
            })
            .collect_view()
    };
    let has_ended = move || stats.read().outcomes != OutcomeCounts::default();
    view! {
        <Show when=has_ended>
            <table class="links">
                <thead>
                    <tr>
                        <th scope="col">{t!(i18n, connection.ended)}</th>
                        <th scope="col">{t!(i18n, connection.all)}</th>
                        <th scope="col">{t!(i18n, connection.became_direct)}</th>
                        <th scope="col">{t!(i18n, connection.failed)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <ul class="hint">{failures}</ul>
        </Show>
    }
    .into_any()
}

#[component]
fn AttemptRow(candidate: Option<CandidateType>, counts: (u32, u32)) -> impl IntoView {
    let i18n = use_i18n();
    let (direct, failed) = counts;
    view! {
        <tr data-candidate=candidate.map_or("unknown", CandidateType::as_str)>
            <th scope="row">{candidate_words(i18n, candidate)}</th>
            <td data-fact="ended" translate="no" data-label=move || t_string!(i18n, connection.all)>
                {direct + failed}
            </td>
            <td data-fact="became-direct" translate="no" data-label=move || t_string!(i18n, connection.became_direct)>
                {direct}
            </td>
            <td data-fact="failed" translate="no" data-label=move || t_string!(i18n, connection.failed)>
                {failed}
            </td>
        </tr>
    }
    .into_any()
}

/// Icon: three bars, as on a phone.
#[component]
fn SignalIcon() -> impl IntoView {
    view! {
        <svg class="signal-icon" viewBox="0 0 20 16" aria-hidden="true">
            <rect x="1" y="10" width="4" height="6"/>
            <rect x="8" y="5" width="4" height="11"/>
            <rect x="15" y="0" width="4" height="16"/>
        </svg>
    }
}

/// Text of a value that is not known.
const UNKNOWN: &str = "–";

/// Value of the `data-socket` attribute, for style rules.
fn socket_state(connection: &ServerConnection) -> &'static str {
    match connection {
        ServerConnection::Idle => "idle",
        ServerConnection::Online => "online",
        ServerConnection::Lost { .. } => "lost",
        ServerConnection::Alone => "alone",
        ServerConnection::PeersOnly => "peers-only",
    }
}

/// Mean round trip of the links in a state.
fn mean_round_trip(state: RideState, link: LinkState) -> impl Fn() -> String + Copy {
    move || {
        let riders = state.riders.read();
        let others = riders.iter().filter(|rider| !rider.is_self);
        let in_state = others.filter(|rider| *rider.link.read() == link);
        let times: Vec<_> = in_state
            .filter_map(|rider| rider.link_stats.read().round_trip)
            .collect();
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
        millis(times.iter().sum::<Duration>().checked_div(count))
    }
}

fn candidate_words(i18n: labels::Texts, candidate: Option<CandidateType>) -> AnyView {
    match candidate {
        None => t!(i18n, connection.over_unknown).into_any(),
        Some(CandidateType::Host) => t!(i18n, connection.over_host).into_any(),
        Some(CandidateType::PeerReflexive) => t!(i18n, connection.over_prflx).into_any(),
        Some(CandidateType::ServerReflexive) => t!(i18n, connection.over_srflx).into_any(),
        Some(CandidateType::Relay) => t!(i18n, connection.over_relay).into_any(),
    }
}

/// Name and words of a failure; `None` for a success.
fn failure(i18n: labels::Texts, outcome: AttemptOutcome) -> Option<(&'static str, AnyView)> {
    Some(match outcome {
        AttemptOutcome::Direct => return None,
        AttemptOutcome::NoCandidates => (
            "no-candidates",
            t!(i18n, connection.no_candidates).into_any(),
        ),
        AttemptOutcome::ChecksFailed => (
            "checks-failed",
            t!(i18n, connection.checks_failed).into_any(),
        ),
        AttemptOutcome::TimedOut => ("timed-out", t!(i18n, connection.timed_out).into_any()),
        AttemptOutcome::ClosedByPeer => (
            "closed-by-peer",
            t!(i18n, connection.closed_by_peer).into_any(),
        ),
    })
}

fn millis(duration: Option<Duration>) -> String {
    duration.map_or(UNKNOWN.to_owned(), |duration| {
        format!("{:.0} ms", duration.as_secs_f64() * 1_000.0)
    })
}

fn plus_minus_millis(error: Option<Duration>) -> String {
    error.map_or(UNKNOWN.to_owned(), |error| {
        format!("± {:.1} ms", error.as_secs_f64() * 1_000.0)
    })
}

fn seconds(duration: Option<Duration>) -> String {
    duration.map_or(UNKNOWN.to_owned(), |duration| {
        format!("{:.1} s", duration.as_secs_f64())
    })
}

fn candidate_pair(pair: CandidatePair) -> String {
    format!("{} – {}", pair.local.as_str(), pair.remote.as_str())
}
