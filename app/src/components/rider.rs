//! The card of one rider, shared by the lists of lobby, countdown and ride.

use leptos::prelude::*;
use protocol::peer::LinkState;

use super::{
    icons::{Bib, LinkIcon},
    labels,
};
use crate::{
    i18n::*,
    lazy,
    state::{RiderRow, numbered},
};

/// Name by which a rider is told from all others: with the start number if two have the same.
pub fn use_label(rider: &RiderRow) -> Memo<String> {
    let i18n = use_i18n();
    let (name, number) = (
        RwSignal::from(rider.name.clone()),
        RwSignal::from(rider.number.clone()),
    );
    let shared = RwSignal::from(rider.shares_name.clone());
    Memo::new(move |_| {
        let name = labels::rider_name(i18n, name.get());
        match shared.get() {
            true => numbered(&name, number.get()),
            false => name,
        }
    })
}

/// Start number, name, role and link of a rider, with further content as
/// children.
#[component]
pub fn RiderCard(rider: RiderRow, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let i18n = use_i18n();
    let is_self = rider.is_self;
    let (label, peer) = (use_label(&rider), rider.peer.clone());
    let (host, stale) = (RwSignal::from(rider.host), RwSignal::from(rider.stale));
    let (link, number) = (RwSignal::from(rider.link), RwSignal::from(rider.number));
    let own_name = RwSignal::from(rider.name);
    let name = Memo::new(move |_| labels::rider_name(i18n, own_name.get()));
    view! {
        <article
            class="rider"
            aria-label=move || label.get()
            data-peer=rider.peer.to_string()
            data-self=is_self.then_some("true")
            data-role=move || if host.get() { "host" } else { "rider" }
            data-link=move || if is_self { "self" } else { link.get().as_str() }
            data-stale=move || stale.get().then_some("true")
        >
            <Bib number name/>
            <p class="rider-name" translate="no" title=move || name.get()>{move || name.get()}</p>
            <p class="rider-tags">
                {is_self.then(|| view! { <span class="tag">{t!(i18n, riders.you)}</span> })}
                {move || {
                    host.get().then(|| {
                        view! { <span class="tag" data-jersey="yellow">{t!(i18n, riders.host)}</span> }
                    })
                }}
                {(!is_self).then(|| view! { <LinkTag link/> })}
            </p>
            {children.map(|children| children())}
            {lazy::exchange_view(Box::new(move |part, exchange| {
                (part.rider)(exchange, peer.clone(), label)
            }))}
        </article>
    }
    .into_any()
}

/// State of the link to a rider: icon, text and an explanation as tooltip.
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
            <LinkIcon link/>
            {move || labels::link(i18n, link.get())}
        </span>
    }
    .into_any()
}
