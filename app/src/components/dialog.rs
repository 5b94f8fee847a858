//! Modal dialogs. The `<dialog>` element of the browser keeps the focus inside,
//! closes on Escape and returns the focus to the previous element.

use core::time::Duration;

use clock::Moment;
use leptos::{ev::MouseEvent, html, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlDialogElement};

use crate::browser;

/// Time after the opening in which the second click of a double click is ignored: it was meant for
/// the button that opened the dialog.
const SETTLING_TIME: Duration = Duration::from_millis(600);

/// A dialog that is shown while `open` is true. A tap outside closes it.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    /// Id of the heading that names the dialog.
    labelled_by: &'static str,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let opened_at = StoredValue::new(Moment::ZERO);
    Effect::new(move || {
        let open = open.get();
        if let Some(dialog) = node.get() {
            show(&dialog, open);
            opened_at.set_value(browser::clock::moment());
        }
    });
    let ignore_second_click = move |ev: MouseEvent| {
        let since_opened = browser::clock::moment() - opened_at.get_value();
        if ev.detail() > 1 && since_opened < SETTLING_TIME {
            ev.stop_propagation();
        }
    };
    // The event is delivered after the dialog has closed; by then it may be open
    // again.
    let closed = move |_| {
        if node.get_untracked().is_some_and(|dialog| !dialog.open()) {
            open.set(false);
        }
    };
    view! {
        <dialog
            class="dialog"
            node_ref=node
            aria-labelledby=labelled_by
            on:close=closed
            on:click:capture=ignore_second_click
            on:click=move |ev| {
                if is_backdrop(&ev) {
                    open.set(false);
                }
            }
        >
            <div class="dialog-sheet">{children()}</div>
        </dialog>
    }
    .into_any()
}

fn show(dialog: &HtmlDialogElement, open: bool) {
    match (open, dialog.open()) {
        // Fails only for a dialog outside the document.
        (true, false) => drop(dialog.show_modal()),
        (false, true) => dialog.close(),
        _ => {}
    }
}

/// True for a tap on the backdrop. The content covers the whole dialog, so a tap
/// whose target is the dialog itself is outside.
fn is_backdrop(ev: &MouseEvent) -> bool {
    let target = ev.target();
    target.is_some_and(|target| target.has_type::<HtmlDialogElement>())
}

/// A dialog that asks for confirmation of an action that cannot be undone.
#[component]
pub fn Confirm(
    open: RwSignal<bool>,
    /// Unique on the page.
    id: &'static str,
    #[prop(into)] heading: Signal<&'static str>,
    #[prop(into)] body: Signal<&'static str>,
    #[prop(into)] cancel: Signal<&'static str>,
    #[prop(into)] confirm: Signal<&'static str>,
    on_confirm: Callback<()>,
) -> impl IntoView {
    view! {
        <Dialog open labelled_by=id>
            <h2 id=id>{move || heading.get()}</h2>
            <p>{move || body.get()}</p>
            <div class="dialog-actions">
                <button type="button" class="button" autofocus on:click=move |_| open.set(false)>
                    {move || cancel.get()}
                </button>
                <button
                    type="button"
                    class="button danger"
                    on:click=move |_| {
                        open.set(false);
                        on_confirm.run(());
                    }
                >
                    {move || confirm.get()}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}
