//! One transfer of a file: its progress, what can be done with it, and the file once it is here.

use leptos::{html, prelude::*};
use session::transfers::{TransferFailure, TransferId, TransferInput, TransferState, TransferView};

use super::{
    dialog::Dialog,
    error_text,
    files::{REGION_ID, focus, send},
    format,
    labels::{self, Texts},
    together::BUTTON_ID,
    workout_chooser::FileOffer,
};
use crate::{
    browser::{files, page},
    i18n::*,
    own_workouts::{ImportOutcome, OwnWorkouts},
    state::{ExchangeState, Intents, Notice, ReceivedFile, RideState, Stage},
};

/// Endings of the names of workout files.
const WORKOUT_ENDINGS: [&str; 5] = [".zwo", ".erg", ".mrc", ".fit", ".json"];

/// One transfer.
#[component]
pub fn TransferCard(exchange: ExchangeState, id: TransferId) -> impl IntoView {
    let i18n = use_i18n();
    let transfer = Memo::new(move |before: Option<&Option<TransferView>>| {
        let transfers = exchange.transfers.read();
        let found = transfers.iter().find(|one| one.id == id).cloned();
        // The last state, while the card is being removed.
        found.or_else(|| before.cloned().flatten())
    });
    let with = move |read: fn(&TransferView) -> String| {
        move || transfer.read().as_ref().map(read).unwrap_or_default()
    };
    let state = Memo::new(move |_| transfer.read().as_ref().map(|one| one.state));
    let is_sending = move || transfer.read().as_ref().is_some_and(|one| one.is_sending);
    let is_relayed = Memo::new(move |_| {
        let transfer = transfer.read();
        transfer
            .as_ref()
            .is_some_and(|one| one.is_relayed && one.state == TransferState::Running)
    });
    let heading = format!("transfer-{}", id.0);
    let labelled_by = heading.clone();
    let card = NodeRef::<html::Article>::new();
    view! {
        <article
            class="transfer"
            tabindex="-1"
            aria-labelledby=labelled_by
            data-transfer=id.0.to_string()
            data-state=move || state.get().map(state_name)
            data-direction=move || if is_sending() { "sending" } else { "receiving" }
            data-relayed=move || {
                transfer.read().as_ref().is_some_and(|one| one.is_relayed).then_some("true")
            }
            node_ref=card
        >
            <h3 class="transfer-name" id=heading translate="no">
                <bdi>{with(|one| one.name.clone())}</bdi>
            </h3>
            <p class="transfer-peer">
                {move || match is_sending() {
                    true => t!(i18n, files.to, name = named(i18n, transfer)).into_any(),
                    false => t!(i18n, files.from, name = named(i18n, transfer)).into_any(),
                }}
                " · "
                <span class="transfer-size" translate="no">{with(|one| format::bytes(one.size))}</span>
            </p>
            {move || state.get().filter(|state| has_progress(*state)).map(|_| progress(i18n, transfer))}
            <p class="transfer-state">{move || state_text(i18n, transfer)}</p>
            <Show when=move || is_relayed.get()>
                <p class="transfer-relayed">{t!(i18n, files.relayed)}</p>
            </Show>
            <Actions exchange id transfer state card/>
        </article>
    }
    .into_any()
}

type Shown = Memo<Option<TransferView>>;

fn named(i18n: Texts, transfer: Shown) -> String {
    let name = transfer.read().as_ref().map(|one| one.peer_name.clone());
    labels::rider_name(i18n, name.unwrap_or_default())
}

/// Value of the attribute `data-state`.
const fn state_name(state: TransferState) -> &'static str {
    match state {
        TransferState::Offered => "offered",
        TransferState::Running => "running",
        TransferState::Paused { .. } => "paused",
        TransferState::Queued | TransferState::Waiting => "waiting",
        TransferState::Checking => "checking",
        TransferState::Complete => "complete",
        TransferState::Failed(_) => "failed",
    }
}

/// True while bytes arrive, or could.
const fn has_progress(state: TransferState) -> bool {
    use TransferState::{Checking, Paused, Queued, Running, Waiting};
    matches!(state, Checking | Paused { .. } | Queued | Running | Waiting)
}

/// The bar, with the numbers below it.
fn progress(i18n: Texts, transfer: Shown) -> AnyView {
    let percent = Memo::new(move |_| {
        let transfer = transfer.read();
        let share = |one: &TransferView| match one.size {
            0 => 100,
            size => (one.transferred * 100 / size).min(100),
        };
        transfer.as_ref().map(share).unwrap_or_default()
    });
    let width = move || format!("{}%", percent.get());
    let name = move || transfer.read().as_ref().map(|one| one.name.clone());
    let amount = Memo::new(move |_| {
        let transfer = transfer.read();
        let amount = |one: &TransferView| {
            let (here, all) = (format::bytes(one.transferred), format::bytes(one.size));
            (here, all)
        };
        transfer.as_ref().map(amount).unwrap_or_default()
    });
    let rate = Memo::new(move |_| transfer.read().as_ref().and_then(|one| one.rate));
    let time_left = Memo::new(move |_| transfer.read().as_ref().and_then(|one| one.time_left));
    let rate_text = move || {
        let rate = format::bytes(u64::from(rate.get()?));
        Some(view! { " · " {t!(i18n, files.rate, rate)} })
    };
    let left_text = move || {
        let time = format::duration(time_left.get()?);
        Some(view! { " · " {t!(i18n, files.left, time)} })
    };
    view! {
        <div
            class="transfer-progress"
            role="progressbar"
            aria-label=name
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || percent.get().to_string()
        >
            <svg aria-hidden="true">
                <rect class="transfer-track" width="100%" height="100%"/>
                <rect class="transfer-fill" height="100%" width=width/>
            </svg>
        </div>
        <p class="transfer-numbers" translate="no">
            {move || t!(i18n, files.amount, here = amount.get().0, all = amount.get().1)}
            {rate_text}
            {left_text}
        </p>
    }
    .into_any()
}

/// What happens, or has happened; nothing while the progress says it.
fn state_text(i18n: Texts, transfer: Shown) -> Option<AnyView> {
    let (state, is_sending) = {
        let transfer = transfer.read();
        let transfer = transfer.as_ref()?;
        (transfer.state, transfer.is_sending)
    };
    let name = named(i18n, transfer);
    Some(match state {
        TransferState::Running => return None,
        TransferState::Offered if is_sending => t!(i18n, files.offered, name).into_any(),
        TransferState::Offered => t!(i18n, files.asks, name).into_any(),
        TransferState::Queued => t!(i18n, files.queued).into_any(),
        TransferState::Paused { by_me: true } => t!(i18n, files.paused).into_any(),
        TransferState::Paused { by_me: false } => t!(i18n, files.paused_by, name).into_any(),
        TransferState::Waiting => t!(i18n, files.no_link, name).into_any(),
        TransferState::Checking => t!(i18n, files.checking).into_any(),
        TransferState::Complete if is_sending => t!(i18n, files.sent, name).into_any(),
        TransferState::Complete => t!(i18n, files.complete).into_any(),
        TransferState::Failed(failure) => failure_text(i18n, failure, is_sending, name),
    })
}

/// Says why a transfer has ended, and what can be done.
fn failure_text(i18n: Texts, failure: TransferFailure, is_sending: bool, name: String) -> AnyView {
    match (failure, is_sending) {
        (TransferFailure::Declined, _) => t!(i18n, files.declined, name).into_any(),
        (TransferFailure::NotAnswered, _) => t!(i18n, files.not_answered, name).into_any(),
        (TransferFailure::Busy, _) => t!(i18n, files.busy, name).into_any(),
        (TransferFailure::Cancelled, _) => t!(i18n, files.cancelled).into_any(),
        (TransferFailure::CancelledByPeer, _) => t!(i18n, files.cancelled_by, name).into_any(),
        (TransferFailure::LeftRide, _) => t!(i18n, files.left_ride).into_any(),
        (TransferFailure::PeerLeft, _) => t!(i18n, files.peer_left, name).into_any(),
        (TransferFailure::SenderReloaded, _) => t!(i18n, files.sender_reloaded, name).into_any(),
        (TransferFailure::Unreadable, true) => t!(i18n, files.unreadable).into_any(),
        (TransferFailure::Unreadable, false) => t!(i18n, files.unreadable_there, name).into_any(),
        (TransferFailure::NoSpace, true) => t!(i18n, files.no_space_there, name).into_any(),
        (TransferFailure::NoSpace, false) => t!(i18n, files.no_space, name).into_any(),
        (TransferFailure::WrongHash, true) => t!(i18n, files.wrong_sent).into_any(),
        (TransferFailure::WrongHash, false) => t!(i18n, files.wrong_received, name).into_any(),
    }
}

/// What screen readers say when a transfer has come into its state; `None` if they say nothing.
pub fn announcement(i18n: Texts, one: &TransferView) -> Option<AnyView> {
    let (name, file) = (
        labels::rider_name(i18n, one.peer_name.clone()),
        one.name.clone(),
    );
    Some(match (one.state, one.is_sending) {
        (TransferState::Offered, false) => t!(
            i18n,
            files.says_offer,
            name,
            file,
            size = format::bytes(one.size)
        )
        .into_any(),
        (TransferState::Complete, true) => t!(i18n, files.says_sent, name, file).into_any(),
        (TransferState::Complete, false) => t!(i18n, files.says_complete, file).into_any(),
        (TransferState::Failed(failure), is_sending) => {
            let text = failure_text(i18n, failure, is_sending, name);
            view! { {file} ": " {text} }.into_any()
        }
        (TransferState::Waiting, _) => t!(i18n, files.no_link, name).into_any(),
        _ => return None,
    })
}

/// The buttons of a transfer.
#[component]
fn Actions(
    exchange: ExchangeState,
    id: TransferId,
    transfer: Shown,
    state: Memo<Option<TransferState>>,
    card: NodeRef<html::Article>,
) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let is_sending = transfer
        .read_untracked()
        .as_ref()
        .is_some_and(|one| one.is_sending);
    // Paused and running share a button, which keeps the focus.
    let group = Memo::new(move |_| match state.get() {
        Some(TransferState::Offered) if !is_sending => "asked",
        Some(TransferState::Offered | TransferState::Checking | TransferState::Queued) => "cancel",
        Some(TransferState::Complete) if !is_sending => "here",
        Some(TransferState::Complete | TransferState::Failed(_)) => "ended",
        _ => "running",
    });
    let is_paused = Memo::new(move |_| state.get() == Some(TransferState::Paused { by_me: true }));
    let remove = move || {
        focus_after_removal(exchange);
        send(intents, TransferInput::Cancel(id));
    };
    let accept = move |_| {
        // The button disappears, and would take the focus with it.
        if let Some(card) = card.get_untracked() {
            focus(&card);
        }
        send(intents, TransferInput::Accept(id));
    };
    let buttons = move || match group.get() {
        "asked" => view! {
            <button type="button" class="button primary" on:click=accept>
                {t!(i18n, files.accept)}
            </button>
            <button
                type="button"
                class="button"
                on:click=move |_| {
                    focus_after_removal(exchange);
                    send(intents, TransferInput::Decline(id));
                }
            >
                {t!(i18n, files.decline)}
            </button>
        }
        .into_any(),
        "here" => view! {
            <Received exchange id/>
            <button type="button" class="button quiet" on:click=move |_| remove()>
                {t!(i18n, files.remove)}
            </button>
        }
        .into_any(),
        "ended" => view! {
            <button type="button" class="button quiet" on:click=move |_| remove()>
                {t!(i18n, files.remove)}
            </button>
        }
        .into_any(),
        group => {
            let pause = move || {
                view! {
                    <button
                        type="button"
                        class="button"
                        on:click=move |_| {
                            send(intents, TransferInput::Pause(id, !is_paused.get_untracked()));
                        }
                    >
                        {move || match is_paused.get() {
                            true => t_string!(i18n, files.resume),
                            false => t_string!(i18n, files.pause),
                        }}
                    </button>
                }
            };
            view! {
                {(group == "running").then(pause)}
                <button
                    type="button"
                    class="button"
                    on:click=move |_| {
                        if let Some(card) = card.get_untracked() {
                            focus(&card);
                        }
                        send(intents, TransferInput::Cancel(id));
                    }
                >
                    {t!(i18n, files.cancel)}
                </button>
            }
            .into_any()
        }
    };
    view! { <div class="transfer-actions">{buttons}</div> }.into_any()
}

/// Moves the focus from a card that is removed to the region, or to the button of the chat if it was
/// the last one.
fn focus_after_removal(exchange: ExchangeState) {
    let is_last = exchange.transfers.read_untracked().len() < 2;
    page::focus(if is_last { BUTTON_ID } else { REGION_ID });
}

/// Buttons of a file that is here.
#[component]
fn Received(exchange: ExchangeState, id: TransferId) -> impl IntoView {
    let i18n = use_i18n();
    let received = move || exchange.files.received(id);
    let is_workout = move || {
        received().is_some_and(|file| {
            let name = file.name.to_ascii_lowercase();
            WORKOUT_ENDINGS.iter().any(|ending| name.ends_with(ending))
        })
    };
    let save = move |_| {
        if let Some(file) = received() {
            // A browser that refuses a download says so itself.
            let _ = files::save_blob(&file.name, &file.content);
        }
    };
    view! {
        <Show when=move || received().is_some()>
            <button type="button" class="button primary" on:click=save>
                {t!(i18n, files.save)}
            </button>
            <Show when=is_workout>
                <OpenWorkout exchange id/>
            </Show>
        </Show>
    }
    .into_any()
}

/// Button that opens a file as a workout: shared with the group by the host in the lobby, otherwise
/// added to the own workouts.
#[component]
fn OpenWorkout(exchange: ExchangeState, id: TransferId) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let own = StoredValue::new(None::<OwnWorkouts>);
    let has_imported = RwSignal::new(false);
    let (is_sharing, has_remarks) = (RwSignal::new(false), RwSignal::new(false));
    let owner = Owner::current();
    let open = move |_| {
        let file = exchange.files.received.with_untracked(|all| {
            let file = all
                .iter()
                .find(|file: &&ReceivedFile| file.transfer == id)?;
            files::file_of(&file.name, &file.content)
        });
        let Some(file) = file else { return };
        let is_hosting =
            state.is_host.get_untracked() && *state.stage.read_untracked() == Stage::Lobby;
        is_sharing.set(is_hosting);
        if is_hosting {
            intents.share_file(file);
        } else {
            let workouts = own.get_value().unwrap_or_else(|| {
                let load = || OwnWorkouts::load();
                let workouts = owner.as_ref().map_or_else(load, |owner| owner.with(load));
                own.set_value(Some(workouts));
                workouts
            });
            workouts.import(vec![file]);
            has_imported.set(true);
        }
    };
    // A workout with remarks is used only once the rider has seen them.
    Effect::new(move || {
        if state.workout_file.read().is_some() && is_sharing.get_untracked() {
            has_remarks.set(true);
        }
    });
    Effect::new(move || {
        if matches!(*state.notice.read(), Some(Notice::WorkoutShared(_))) {
            has_remarks.set(false);
            is_sharing.set(false);
        }
    });
    let shared = move || {
        let error = is_sharing
            .get()
            .then(|| state.workout_error.get())
            .flatten()?;
        Some(view! {
            <p class="error" role="alert">{labels::workout_file_error(i18n, error)}</p>
        })
    };
    let imported = move || {
        let own = has_imported.get().then(|| own.get_value()).flatten()?;
        let result = own.results.get().into_iter().next()?;
        Some(import_text(i18n, result.outcome))
    };
    view! {
        <button type="button" class="button" on:click=open>
            {t!(i18n, files.open_workout)}
        </button>
        <div class="transfer-opened" role="status">{imported} {shared}</div>
        <Dialog open=has_remarks labelled_by="workout-from-rider">
            <h2 id="workout-from-rider">{t!(i18n, files.open_workout)}</h2>
            <FileOffer/>
        </Dialog>
    }
    .into_any()
}

fn import_text(i18n: Texts, outcome: ImportOutcome) -> AnyView {
    match outcome {
        ImportOutcome::Added(name, _) => view! {
            {t!(i18n, files.workout_added, name)}
            " "
            // In a tab of its own: the ride goes on in this one.
            <a href="/workouts" target="_blank">{t!(i18n, files.own_workouts)}</a>
        }
        .into_any(),
        ImportOutcome::Library(added, count) => {
            t!(i18n, workouts.library_added, added, all = count).into_any()
        }
        ImportOutcome::Unreadable => t!(i18n, chooser.unreadable).into_any(),
        ImportOutcome::Invalid(error) => error_text::workout_file(i18n, error),
        ImportOutcome::Full => t!(i18n, workouts.full).into_any(),
    }
}
