//! One rider of a list: the frame that lobby and ride share.

use leptos::prelude::*;
use protocol::peer::LinkState;

use super::{
    marks::{Bib, LinkMark},
    words,
};
use crate::{
    i18n::*,
    state::{LinkFacts, Metrics, RiderRow, Trace, TrainerKind},
};

/// A row's signals, `Copy` for the closures of a view.
#[derive(Clone, Copy)]
pub struct Row {
    /// Whether this is the rider at this screen.
    pub is_self: bool,
    /// The start number.
    pub number: RwSignal<u32>,
    /// The name.
    pub name: RwSignal<String>,
    /// FTP in watts.
    pub ftp: RwSignal<Option<u16>>,
    /// Whether the rider says go.
    pub ready: RwSignal<bool>,
    /// What the rider rides on.
    pub trainer: RwSignal<TrainerKind>,
    /// Whether the rider is the host.
    pub host: RwSignal<bool>,
    /// The link.
    pub link: RwSignal<LinkState>,
    /// Numbers older than 3 s.
    pub stale: RwSignal<bool>,
    /// The newest numbers.
    pub metrics: RwSignal<Metrics>,
    /// What is known of the way to the rider.
    pub facts: RwSignal<LinkFacts>,
    /// The last ten minutes.
    pub trace: RwSignal<Trace>,
}

impl Row {
    /// The signals, owned by the view that is being built.
    pub fn new(row: &RiderRow) -> Self {
        Self {
            is_self: row.is_self,
            number: row.number.clone().into(),
            name: row.name.clone().into(),
            ftp: row.ftp.clone().into(),
            ready: row.ready.clone().into(),
            trainer: row.trainer.clone().into(),
            host: row.host.clone().into(),
            link: row.link.clone().into(),
            stale: row.stale.clone().into(),
            metrics: row.metrics.clone().into(),
            facts: row.facts.clone().into(),
            trace: row.trace.clone().into(),
        }
    }
}

/// The frame: who it is, and the link.
#[component]
pub fn RiderCard(rider: RiderRow, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let i18n = use_i18n();
    let row = Row::new(&rider);
    let peer = rider.peer.clone();
    let name = Memo::new(move |_| match row.name.get() {
        name if name.is_empty() => t_string!(i18n, rider.somebody).to_owned(),
        name => name,
    });
    view! {
        <article
            class="rider"
            aria-label=move || name.get()
            data-peer=peer
            data-self=row.is_self.then_some("true")
            data-role=move || if row.host.get() { "host" } else { "rider" }
            data-link=move || rider.link_word()
            data-stale=move || row.stale.get().then_some("true")
        >
            <Bib number=row.number name/>
            <p class="rider-name">{move || name.get()}</p>
            <p class="rider-tags">
                {row.is_self.then(|| view! { <span class="tag">{t!(i18n, riders.you)}</span> })}
                {move || {
                    row.host.get().then(|| {
                        view! { <span class="tag" data-jersey="yellow">{t!(i18n, riders.host)}</span> }
                    })
                }}
                {(!row.is_self).then(|| view! { <LinkTag link=row.link/> })}
            </p>
            {children.map(|children| children())}
        </article>
    }
    .into_any()
}

/// The link to a rider: drawing, word, colour, and what it means.
#[component]
fn LinkTag(link: RwSignal<LinkState>) -> impl IntoView {
    let i18n = use_i18n();
    let hint = move || match link.get() {
        LinkState::Connecting => t_string!(i18n, link.connecting_hint),
        LinkState::Relayed => t_string!(i18n, link.relayed_hint),
        LinkState::Direct => t_string!(i18n, link.direct_hint),
        LinkState::Away => t_string!(i18n, link.away_hint),
    };
    view! {
        <span class="tag link" data-link=move || link.get().as_str() title=hint>
            <LinkMark link/>
            {move || words::link(i18n, link.get())}
        </span>
    }
    .into_any()
}
