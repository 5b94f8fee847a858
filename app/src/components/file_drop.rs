//! File input with an area to drop files on. It offers all files, since phones do not know endings
//! such as `.zwo` and would hide such files behind a filter; the content decides.

use leptos::{
    ev::DragEvent,
    html,
    prelude::*,
    web_sys::{File, FileList},
};

/// The input. Its hint has the id `{id}-hint`.
#[component]
pub fn FileDrop(
    /// Id of the input, unique on the page.
    id: &'static str,
    #[prop(into)] label: Signal<&'static str>,
    #[prop(into)] hint: Signal<&'static str>,
    /// Several files may be chosen at once.
    #[prop(optional)]
    multiple: bool,
    /// Ids of further elements that describe the input.
    #[prop(optional)]
    described_by: &'static str,
    /// Called with the files that were chosen or dropped.
    on_files: Callback<Vec<File>>,
    /// What stands below the hint.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let hovered = RwSignal::new(false);
    let input = NodeRef::<html::Input>::new();
    let take = move |files: Option<FileList>| {
        if let Some(files) = files {
            let chosen = (0..files.length()).filter_map(|index| files.get(index));
            on_files.run(chosen.collect());
        }
    };
    let chosen = move |_| {
        if let Some(input) = input.get_untracked() {
            take(input.files());
            // Otherwise choosing the same file again would not fire an event.
            input.set_value("");
        }
    };
    let dropped = move |ev: DragEvent| {
        ev.prevent_default();
        hovered.set(false);
        take(ev.data_transfer().and_then(|data| data.files()));
    };
    let hint_id = format!("{id}-hint");
    view! {
        <div
            class="drop"
            data-hovered=move || hovered.get().then_some("true")
            on:dragover=move |ev: DragEvent| {
                ev.prevent_default();
                hovered.set(true);
            }
            on:dragleave=move |_| hovered.set(false)
            on:drop=dropped
        >
            <label for=id>{move || label.get()}</label>
            <input
                id=id
                type="file"
                multiple=multiple
                node_ref=input
                aria-describedby=format!("{hint_id} {described_by}").trim().to_owned()
                on:change=chosen
            />
            <p class="hint" id=hint_id>{move || hint.get()}</p>
            {children.map(|children| children())}
        </div>
    }
    .into_any()
}
