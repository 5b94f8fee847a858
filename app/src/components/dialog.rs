//! Modal dialogs. The browser's own `<dialog>` keeps the focus inside, closes
//! on Escape and gives the focus back to where it was.

use leptos::{ev::MouseEvent, html, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlDialogElement};

/// A dialog that is open while `open` is true. A tap beside it closes it.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    /// The id of the heading inside that names it.
    labelled_by: &'static str,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let open = open.get();
        if let Some(dialog) = node.get() {
            show(&dialog, open);
        }
    });
    // The event comes some time after the closing: whoever has opened the dialog
    // again meanwhile keeps it.
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
        // Fails only for a dialog outside the document, which nobody sees.
        (true, false) => drop(dialog.show_modal()),
        (false, true) => dialog.close(),
        _ => {}
    }
}

/// The sheet covers the whole dialog, so a tap on the dialog itself is beside.
fn is_backdrop(ev: &MouseEvent) -> bool {
    let target = ev.target();
    target.is_some_and(|target| target.has_type::<HtmlDialogElement>())
}

/// A question before something that cannot be taken back.
#[component]
pub fn Confirm(
    open: RwSignal<bool>,
    /// Unique on the page.
    id: &'static str,
    #[prop(into)] heading: Signal<&'static str>,
    #[prop(into)] body: Signal<&'static str>,
    #[prop(into)] stay: Signal<&'static str>,
    #[prop(into)] go: Signal<&'static str>,
    on_go: Callback<()>,
) -> impl IntoView {
    view! {
        <Dialog open labelled_by=id>
            <h2 id=id>{move || heading.get()}</h2>
            <p>{move || body.get()}</p>
            <div class="dialog-actions">
                <button type="button" class="button" autofocus on:click=move |_| open.set(false)>
                    {move || stay.get()}
                </button>
                <button
                    type="button"
                    class="button danger"
                    on:click=move |_| {
                        open.set(false);
                        on_go.run(());
                    }
                >
                    {move || go.get()}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}
