//! Files that riders send each other: dropping and choosing them, the question to whom, and the
//! transfers.

use leptos::{
    ev::{self, DragEvent},
    html,
    prelude::*,
    web_sys::{File, HtmlElement},
};
use protocol::peer::PeerId;
use ride::transfer::clean_file_name;
use session::{
    exchange::ExchangeInput,
    transfers::{OfferRejection, TransferId, TransferInput, TransferState},
};

use super::{
    dialog::Dialog,
    files_transfer::{TransferCard, announcement},
    format,
    labels::{self, Texts},
};
use crate::{
    browser::{
        files::{self, Dropped},
        page,
    },
    i18n::*,
    state::{ExchangeState, Intents, RideState},
};

/// Id of the region, to which the focus moves when a card is removed.
pub const REGION_ID: &str = "files";

/// Transfers of files, and the dialogs and drops that start them.
#[component]
pub fn Files(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let is_dragging = use_drops(exchange);
    let transfers = exchange.transfers;
    let ids = Memo::new(move |_| {
        transfers
            .read()
            .iter()
            .map(|one| one.id)
            .collect::<Vec<_>>()
    });
    let problem = Memo::new(move |_| problem(exchange));
    let is_shown = Memo::new(move |_| {
        !ids.read().is_empty() || problem.read().is_some() || exchange.files.waiting.get() > 0
    });
    view! {
        <Receivers exchange/>
        <p class="visually-hidden" role="status">{announcements(i18n, exchange)}</p>
        <Show when=move || is_dragging.get()>
            <DropSign/>
        </Show>
        <Show when=move || is_shown.get()>
            <Region exchange ids problem/>
        </Show>
    }
    .into_any()
}

/// The region with all transfers.
#[component]
fn Region(
    exchange: ExchangeState,
    ids: Memo<Vec<TransferId>>,
    problem: Memo<Option<Problem>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let node = NodeRef::<html::Section>::new();
    node.on_load(|node| page::show_popover(&node));
    // On a phone, the chat would cover the files when it opens.
    Effect::watch(
        move || exchange.is_open.get(),
        move |_, _, _| {
            // The chat is shown before the next frame.
            request_animation_frame(move || {
                if let Some(node) = node.try_get_untracked().flatten() {
                    page::raise_popover(&node);
                }
            });
        },
        false,
    );
    let is_open = exchange.files.is_open;
    view! {
        <section
            class="files"
            id=REGION_ID
            popover="manual"
            tabindex="-1"
            aria-label=move || t_string!(i18n, files.heading)
            node_ref=node
        >
            <Head exchange ids/>
            <Problems exchange problem/>
            <Show when=move || is_open.get()>
                <For
                    each=move || ids.get()
                    key=|id| id.0
                    children=move |id: TransferId| view! { <TransferCard exchange id/> }
                />
            </Show>
        </section>
    }
    .into_any()
}

/// Sign over the page while files are dragged over it.
#[component]
fn DropSign() -> impl IntoView {
    let i18n = use_i18n();
    let node = NodeRef::<html::Div>::new();
    node.on_load(|node| page::show_popover(&node));
    view! {
        <div class="files-drop" popover="manual" node_ref=node>
            <p>{t!(i18n, files.drop)}</p>
        </div>
    }
    .into_any()
}

/// Sends an input for a transfer.
pub fn send(intents: Intents, input: TransferInput) {
    intents.exchange(ExchangeInput::Transfers(input));
}

/// Reason why a file was not offered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Problem {
    Folder,
    Rejected(OfferRejection),
}

fn problem(exchange: ExchangeState) -> Option<Problem> {
    let rejected = exchange.offer_rejected.get().map(Problem::Rejected);
    exchange
        .files
        .has_folder
        .get()
        .then_some(Problem::Folder)
        .or(rejected)
}

fn problem_text(i18n: Texts, problem: Problem) -> AnyView {
    match problem {
        Problem::Folder => t!(i18n, files.folder).into_any(),
        Problem::Rejected(OfferRejection::TooLarge(most)) => {
            t!(i18n, files.too_large, size = format::bytes(most)).into_any()
        }
        Problem::Rejected(OfferRejection::TooMany) => t!(i18n, files.too_many).into_any(),
        Problem::Rejected(OfferRejection::Nobody) => t!(i18n, files.nobody).into_any(),
    }
}

/// Head of the region: a button that shows the transfers or their number alone, and one that removes
/// what has ended.
#[component]
fn Head(exchange: ExchangeState, ids: Memo<Vec<TransferId>>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let is_open = exchange.files.is_open;
    // A file that has arrived is removed by itself alone: it may not be saved yet.
    let ended = Memo::new(move |_| {
        let transfers = exchange.transfers.read();
        let is_ended = |state| matches!(state, TransferState::Complete | TransferState::Failed(_));
        let ended = transfers.iter().filter(|one| is_ended(one.state));
        let ended = ended.filter(|one| one.is_sending || one.state != TransferState::Complete);
        ended.map(|one| one.id).collect::<Vec<_>>()
    });
    let clear = move |_| {
        page::focus(REGION_ID);
        for id in ended.get_untracked() {
            send(intents, TransferInput::Cancel(id));
        }
    };
    let can_clear = Memo::new(move |_| is_open.get() && ended.read().len() > 1);
    view! {
        <div class="files-head">
            <h2>
                <button
                    type="button"
                    class="button quiet files-toggle"
                    aria-expanded=move || is_open.get().to_string()
                    on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
                >
                    {t!(i18n, files.heading)}
                    <span class="files-count" translate="no">{move || ids.read().len()}</span>
                </button>
            </h2>
            <Show when=move || can_clear.get()>
                <button type="button" class="button quiet" on:click=clear>
                    {t!(i18n, files.clear)}
                </button>
            </Show>
        </div>
    }
    .into_any()
}

/// What was not sent and why, and what waits.
#[component]
fn Problems(exchange: ExchangeState, problem: Memo<Option<Problem>>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let dismiss = move |_| {
        page::focus(REGION_ID);
        exchange.files.has_folder.set(false);
        exchange.offer_rejected.set(None);
    };
    let waiting = exchange.files.waiting;
    let cancel_waiting = move |_| {
        page::focus(REGION_ID);
        for offer in exchange.files.change_queue(|queue| queue.clear()) {
            send(intents, offer);
        }
    };
    let rejected = move || {
        problem.get().map(|problem| {
            view! {
                <div class="files-problem">
                    <p class="error" role="alert">{problem_text(i18n, problem)}</p>
                    <button type="button" class="button quiet" on:click=dismiss>
                        {t!(i18n, common.close)}
                    </button>
                </div>
            }
        })
    };
    view! {
        {rejected}
        <Show when=move || { waiting.get() > 0 }>
            <div class="files-problem">
                <p>{t!(i18n, files.waiting, count = move || waiting.get())}</p>
                <button type="button" class="button quiet" on:click=cancel_waiting>
                    {t!(i18n, files.cancel_waiting)}
                </button>
            </div>
        </Show>
    }
    .into_any()
}

/// Button that chooses files to send. It can stand anywhere on a page with [`Files`].
#[component]
pub fn SendFile(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let input = NodeRef::<html::Input>::new();
    let choose = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let take = move |_| {
        let Some(input) = input.get_untracked() else {
            return;
        };
        let files = input.files();
        let files = files
            .iter()
            .flat_map(|files| (0..files.length()).filter_map(|at| files.get(at)));
        let files = files.collect();
        // Otherwise choosing the same file again would not fire an event.
        input.set_value("");
        take_files(
            exchange,
            Dropped {
                files,
                has_folder: false,
            },
        );
    };
    view! {
        <button
            type="button"
            class="button quiet"
            aria-label=move || t_string!(i18n, files.send)
            title=move || t_string!(i18n, files.send)
            on:click=choose
        >
            <svg class="send-file-icon" viewBox="0 0 24 24" aria-hidden="true">
                <path d="M12 16V4M7 9L12 4L17 9M4 15V20H20V15"/>
            </svg>
        </button>
        <input
            type="file"
            multiple
            hidden
            aria-label=move || t_string!(i18n, files.send)
            node_ref=input
            on:change=take
        />
    }
    .into_any()
}

fn take_files(exchange: ExchangeState, dropped: Dropped) {
    exchange.offer_rejected.set(None);
    exchange.files.has_folder.set(dropped.has_folder);
    if !dropped.files.is_empty() {
        exchange.files.chosen.set(dropped.files);
        exchange.files.asks_to_whom.set(true);
    }
}

/// Takes files that are dropped on the page, unless something on it takes them. The signal is true
/// while files are dragged over it.
fn use_drops(exchange: ExchangeState) -> RwSignal<bool> {
    let is_dragging = RwSignal::new(false);
    let over = window_event_listener(ev::dragover, move |ev: DragEvent| {
        let is_taken = ev.default_prevented();
        if !is_taken && files::drags_files(&ev) {
            // Allows the drop.
            ev.prevent_default();
        }
        let is_ours = !is_taken && files::drags_files(&ev) && !has_dialog();
        if is_dragging.get_untracked() != is_ours {
            is_dragging.set(is_ours);
        }
    });
    let leave = window_event_listener(ev::dragleave, move |ev: DragEvent| {
        if files::leaves_page(&ev) {
            is_dragging.set(false);
        }
    });
    let drop = window_event_listener(ev::drop, move |ev: DragEvent| {
        is_dragging.set(false);
        if ev.default_prevented() || !files::drags_files(&ev) {
            return;
        }
        // Otherwise the browser would open the file in place of the ride.
        ev.prevent_default();
        if !has_dialog() {
            take_files(exchange, files::dropped(&ev));
        }
    });
    on_cleanup(move || {
        over.remove();
        leave.remove();
        drop.remove();
    });
    is_dragging
}

fn has_dialog() -> bool {
    matches!(document().query_selector("dialog[open]"), Ok(Some(_)))
}

/// Dialog that asks to whom the chosen files go.
#[component]
fn Receivers(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let (chosen, is_open) = (exchange.files.chosen, exchange.files.asks_to_whom);
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let send_to = move |to: Option<PeerId>| {
        let files = chosen.try_update(std::mem::take).unwrap_or_default();
        is_open.set(false);
        exchange.files.is_open.set(true);
        let offers = exchange
            .files
            .change_queue(|queue| queue.append(files, to.as_ref()));
        for offer in offers {
            send(intents, offer);
        }
    };
    let files_text = move || {
        let item = |file: &File| {
            let size = format::bytes(file.size() as u64);
            view! {
                <li translate="no"><bdi>{clean_file_name(&file.name())}</bdi> " · " {size}</li>
            }
        };
        chosen.read().iter().map(item).collect_view()
    };
    let others = Memo::new(move |_| {
        let riders = state
            .riders
            .get()
            .into_iter()
            .filter(|rider| !rider.is_self);
        let other = |rider: crate::state::RiderRow| {
            let name = labels::rider_name(i18n, rider.name.get());
            // Of two riders with one name, the start number tells which.
            let name = match rider.shares_name.get() {
                true => format!("{} {name}", rider.number.get()),
                false => name,
            };
            (rider.peer, name)
        };
        riders.map(other).collect::<Vec<_>>()
    });
    let buttons = move || {
        let others = others.get();
        if others.is_empty() {
            return view! { <p>{t!(i18n, files.nobody)}</p> }.into_any();
        }
        let button = |(peer, name): (PeerId, String)| {
            view! {
                <button
                    type="button"
                    class="button"
                    translate="no"
                    on:click=move |_| send_to(Some(peer.clone()))
                >
                    {name}
                </button>
            }
        };
        view! {
            <button type="button" class="button" on:click=move |_| send_to(None)>
                {t!(i18n, files.everyone)}
            </button>
            {others.into_iter().map(button).collect_view()}
        }
        .into_any()
    };
    Effect::new(move || {
        if !is_open.get() {
            chosen.set(Vec::new());
        }
    });
    view! {
        <Dialog open=is_open labelled_by="send-heading">
            <div class="section-head">
                <h2 id="send-heading">{t!(i18n, files.to_whom)}</h2>
                <button
                    type="button"
                    class="button quiet"
                    on:click=move |_| is_open.set(false)
                >
                    {t!(i18n, files.do_not_send)}
                </button>
            </div>
            <ul class="files-chosen">{files_text}</ul>
            <div class="files-receivers">{buttons}</div>
        </Dialog>
    }
    .into_any()
}

/// What screen readers say of the newest change.
fn announcements(i18n: Texts, exchange: ExchangeState) -> impl Fn() -> Option<AnyView> {
    let states = StoredValue::new(Vec::<(TransferId, TransferState)>::new());
    let newest = RwSignal::new(None);
    Effect::new(move || {
        let transfers = exchange.transfers.read();
        let before = states.get_value();
        let is_new = |id, state| before.iter().all(|one| *one != (id, state));
        // Of several changes the last one counts; the cards show all of them.
        let changed = transfers.iter().rev().find(|one| is_new(one.id, one.state));
        let is_asked = |state| matches!(state, TransferState::Offered);
        if changed.is_some_and(|one| !one.is_sending && is_asked(one.state)) {
            exchange.files.is_open.set(true);
        }
        if let Some(changed) = changed.filter(|one| announcement(i18n, one).is_some()) {
            newest.set(Some(changed.clone()));
        }
        states.set_value(transfers.iter().map(|one| (one.id, one.state)).collect());
    });
    move || {
        newest
            .get()
            .and_then(|transfer| announcement(i18n, &transfer))
    }
}

/// Moves the focus to an element that takes it.
pub fn focus(element: &HtmlElement) {
    // Fails only for an element outside the document.
    let _ = element.focus();
}
