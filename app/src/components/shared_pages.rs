//! Pages that companions share with the riders: web sites behind tunnels.

use leptos::{html, prelude::*};
use session::pages::SharedPage;

use super::manage_riders::{ConfirmAction, PendingAction};
use crate::{
    browser::page,
    i18n::*,
    state::{ExchangeState, RideState, Stage},
};

/// List of all shared pages in the lobby and during the ride; none while there is no page.
#[component]
pub fn SharedPages(exchange: ExchangeState) -> impl IntoView {
    let state = expect_context::<RideState>();
    let is_shown = Memo::new(move |_| {
        let is_open = matches!(*state.stage.read(), Stage::Lobby | Stage::Riding);
        is_open && !exchange.pages.read().is_empty()
    });
    let pending = RwSignal::new(None);
    view! {
        <Show when=move || is_shown.get()>
            <List exchange pending/>
        </Show>
        <ConfirmAction pending heading_id="page-ask-heading" reason_id="page-kick-reason"/>
    }
    .into_any()
}

/// The list. It stands below the riders, so that it never covers the own numbers.
#[component]
fn List(exchange: ExchangeState, pending: RwSignal<Option<PendingAction>>) -> impl IntoView {
    let i18n = use_i18n();
    let node = NodeRef::<html::Section>::new();
    // In the next frame the current screen is there. Who rides alone has no list of riders.
    node.on_load(|node| {
        request_animation_frame(move || {
            page::move_into(&node, &[".board, .lobby-riders", ".ride > .stage"]);
        });
    });
    view! {
        <section class="shared-pages" aria-labelledby="shared-pages-heading" node_ref=node>
            <h2 id="shared-pages-heading">{t!(i18n, shared_pages.heading)}</h2>
            <ul role="list">
                <For
                    each=move || exchange.pages.get()
                    key=|page| (page.peer.clone(), page.code.clone(), page.name.clone())
                    children=move |page| view! { <Row page pending/> }
                />
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Row(page: SharedPage, pending: RwSignal<Option<PendingAction>>) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let SharedPage {
        peer,
        name,
        code,
        address,
    } = page;
    let name = StoredValue::new(name);
    let label = move |action: &str| format!("{action} {}", name.get_value());
    let remove = move || {
        let peer = peer.clone();
        let kick = move |_| {
            pending.set(Some(PendingAction::Kick {
                peer: peer.clone(),
                name: name.get_value(),
            }));
        };
        state.is_host.get().then(|| {
            view! {
                <button
                    type="button"
                    class="button quiet"
                    aria-label=move || label(t_string!(i18n, manage_riders.kick))
                    on:click=kick
                >
                    {t!(i18n, manage_riders.kick)}
                </button>
            }
        })
    };
    view! {
        <li data-page=code>
            <span class="shared-page-name" translate="no">{name.get_value()}</span>
            <a
                class="button"
                href=address.as_str().to_owned()
                target="_blank"
                rel="noopener"
                aria-label=move || label(t_string!(i18n, shared_pages.open))
            >
                {t!(i18n, shared_pages.open)}
            </a>
            {remove}
        </li>
    }
    .into_any()
}
