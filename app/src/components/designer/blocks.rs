//! The blocks of a design, in an order that can be changed.

use leptos::{ev::PointerEvent, html, prelude::*};
use ride::workout::design::Edit;

use super::{Designer, fields::StepFields};
use crate::{browser::pointer, components::format::duration, i18n::*};

/// Distance in pixels from the edge of the window at which it scrolls while a block is dragged.
const SCROLL_ZONE: f64 = 72.0;
/// Pixels that it scrolls with every frame.
const SCROLL_STEP: f64 = 10.0;

/// The list. A block is moved by its grip, or by its buttons.
#[component]
pub fn Blocks(designer: Designer) -> impl IntoView {
    let i18n = use_i18n();
    let ids = Memo::new(move |_| {
        let design = designer.design.read();
        let ids = design.plan().blocks.iter().map(|block| block.id);
        ids.collect::<Vec<u32>>()
    });
    let list = NodeRef::<html::Ol>::new();
    // Number of the block that is dragged.
    let dragged = RwSignal::new(None::<u32>);
    let pointer_at = StoredValue::new(0.0);
    let follow = move || {
        let (Some(list), Some(id)) = (list.get_untracked(), dragged.get_untracked()) else {
            return;
        };
        let from = ids.with_untracked(|ids| ids.iter().position(|other| *other == id));
        let Some(from) = from else { return };
        let above = pointer::middles(&list).into_iter().enumerate();
        let above =
            above.filter(|(index, middle)| *index != from && *middle < pointer_at.get_value());
        let to = above.count();
        if to != from {
            designer.drag(Edit::Move(id, to));
        }
    };
    let grab = Callback::new(move |(id, ev): (u32, PointerEvent)| {
        if let Some(list) = list.get_untracked().filter(|_| ev.button() == 0) {
            ev.prevent_default();
            pointer::capture(&list, &ev);
            pointer_at.set_value(f64::from(ev.client_y()));
            dragged.set(Some(id));
            scroll_while(dragged, pointer_at, follow);
        }
    });
    // Also called for a pointer that was let go where this page did not see it.
    let let_go = move || {
        if dragged.get_untracked().is_some() {
            dragged.set(None);
            designer.finish_drag();
        }
    };
    let go = move |ev: PointerEvent| {
        if ev.buttons() == 0 {
            let_go();
        }
        if dragged.get_untracked().is_some() {
            pointer_at.set_value(f64::from(ev.client_y()));
            follow();
        }
    };
    view! {
        <ol
            class="designer-blocks"
            node_ref=list
            aria-label=move || t_string!(i18n, designer.blocks)
            on:pointermove=go
            on:pointerup=move |_| let_go()
            on:pointercancel=move |_| let_go()
        >
            <For
                each=move || ids.get()
                key=|id| *id
                children=move |id| {
                    let is_dragged = Signal::derive(move || dragged.get() == Some(id));
                    view! { <BlockCard designer id is_dragged on_grab=grab/> }
                }
            />
        </ol>
    }
    .into_any()
}

/// Scrolls the window while a block is dragged to one of its edges.
fn scroll_while(
    dragged: RwSignal<Option<u32>>,
    pointer_at: StoredValue<f64>,
    follow: impl Fn() + Copy + 'static,
) {
    request_animation_frame(move || {
        let (Some(Some(_)), Some(at)) = (dragged.try_get_untracked(), pointer_at.try_get_value())
        else {
            return;
        };
        if at < SCROLL_ZONE {
            pointer::scroll_by(-SCROLL_STEP);
            follow();
        } else if at > pointer::window_height() - SCROLL_ZONE {
            pointer::scroll_by(SCROLL_STEP);
            follow();
        }
        scroll_while(dragged, pointer_at, follow);
    });
}

#[component]
fn BlockCard(
    designer: Designer,
    id: u32,
    #[prop(into)] is_dragged: Signal<bool>,
    on_grab: Callback<(u32, PointerEvent)>,
) -> impl IntoView {
    let i18n = use_i18n();
    let block = Memo::new(move |_| {
        let design = designer.design.read();
        let mut blocks = design.plan().blocks.iter();
        blocks.find(|block| block.id == id).cloned()
    });
    let position = Memo::new(move |_| {
        let design = designer.design.read();
        let blocks = &design.plan().blocks;
        let at = blocks.iter().position(|block| block.id == id);
        (at.unwrap_or_default(), blocks.len())
    });
    let is_last = Memo::new(move |_| {
        let (at, count) = position.get();
        at + 1 == count
    });
    let times = Memo::new(move |_| block.read().as_ref().map_or(1, |block| block.times));
    // The number of steps of a block does not change.
    let steps = block.with_untracked(|block| block.as_ref().map_or(0, |block| block.steps.len()));
    let (earlier, later) = (
        NodeRef::<html::Button>::new(),
        NodeRef::<html::Button>::new(),
    );
    let go = move |by: isize, buttons: [NodeRef<html::Button>; 2]| {
        let to = position.get_untracked().0.saturating_add_signed(by);
        designer.edit(Edit::Move(id, to));
        // The list has moved the button, or it is disabled at the end of the list: either takes
        // the focus away from it.
        request_animation_frame(move || {
            let buttons = buttons
                .into_iter()
                .filter_map(|button| button.get_untracked());
            let mut enabled = buttons.filter(|button| !button.disabled());
            if let Some(button) = enabled.next() {
                // Fails only for an element outside the document.
                let _ = button.focus();
            }
        });
    };
    let length = move || {
        let block = block.get();
        block.map(|block| duration(block.duration()))
    };
    let set_times = move |text: String| {
        if let Ok(times) = text.trim().parse() {
            designer.edit(Edit::Times(id, times));
        }
    };
    let times_id = format!("times-{id}");
    let repeats = (steps > 1).then(|| {
        view! {
            <div class="field" data-kind="watts">
                <label for=times_id.clone()>{t!(i18n, designer.times)}</label>
                <input
                    id=times_id
                    type="number"
                    min="1"
                    max="100"
                    inputmode="numeric"
                    prop:value=move || times.get().to_string()
                    on:change=move |ev| set_times(event_target_value(&ev))
                />
            </div>
        }
    });
    let fields = (0..steps)
        .map(|index| view! { <StepFields designer id index/> })
        .collect_view();
    view! {
        <li class="designer-block" data-dragged=move || is_dragged.get().then_some("true")>
            <div class="designer-block-head">
                // The buttons below move the block as well, for keyboards and screen readers.
                <span
                    class="designer-grip"
                    aria-hidden="true"
                    on:pointerdown=move |ev| on_grab.run((id, ev))
                ></span>
                <p class="hint" translate="no">{length}</p>
            </div>
            {repeats}
            {fields}
            <div class="actions">
                <button
                    type="button"
                    class="button"
                    node_ref=earlier
                    disabled=move || position.get().0 == 0
                    on:click=move |_| go(-1, [earlier, later])
                >
                    {t!(i18n, designer.earlier)}
                </button>
                <button
                    type="button"
                    class="button"
                    node_ref=later
                    disabled=move || is_last.get()
                    on:click=move |_| go(1, [later, earlier])
                >
                    {t!(i18n, designer.later)}
                </button>
                <button
                    type="button"
                    class="button"
                    on:click=move |_| designer.edit(Edit::Duplicate(id))
                >
                    {t!(i18n, designer.duplicate)}
                </button>
                <button
                    type="button"
                    class="button"
                    on:click=move |_| designer.edit(Edit::Remove(id))
                >
                    {t!(i18n, workouts.delete)}
                </button>
            </div>
        </li>
    }
    .into_any()
}
