//! Views of parts that may have to be fetched first.

use leptos::{prelude::*, task::spawn_local};

use super::{Part, RETRY_FAILED_AFTER, SCREENS, ScreenViews};
use crate::{browser::clock, components::status_screen::SlowHint, i18n::*};

/// How far a part is on its way to a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is being fetched.
    Fetching,
    /// It is here.
    Loaded,
    /// It could not be fetched. The next attempt is some seconds away.
    Failed,
}

/// A part that a view needs.
#[derive(Clone, Copy)]
pub struct NeededPart {
    progress: RwSignal<Progress>,
    load: Callback<()>,
}

/// Loads a part for a view, and goes on trying while the view is there. On the
/// server, and in the first render in the browser, the part is being fetched.
pub fn use_part<T: Copy + Send + Sync + 'static>(part: &'static Part<T>) -> NeededPart {
    let is_loaded = part.loaded().is_some();
    let progress = RwSignal::new(match is_loaded {
        true => Progress::Loaded,
        false => Progress::Fetching,
    });
    let load = Callback::new(move |()| {
        spawn_local(async move {
            while part.load().await.is_err() {
                let is_gone = progress.try_set(Progress::Failed).is_some();
                if is_gone {
                    return;
                }
                clock::sleep(RETRY_FAILED_AFTER).await;
            }
            let _ = progress.try_set(Progress::Loaded);
        });
    });
    if !is_loaded {
        Effect::new(move || load.run(()));
    }
    NeededPart { progress, load }
}

impl NeededPart {
    /// How far it is.
    pub fn progress(self) -> Progress {
        self.progress.get()
    }

    /// Fetches it at once, after a failure.
    pub fn retry(self) {
        self.progress.set(Progress::Fetching);
        self.load.run(());
    }
}

/// A view of the part [`SCREENS`].
pub fn screen(draw: impl Fn(ScreenViews) -> AnyView + Send + 'static) -> AnyView {
    view_of(&SCREENS, draw)
}

/// An addition to a screen that works without it: drawn once the part [`SCREENS`] is here, without a
/// word until then.
pub fn addition(draw: impl Fn(ScreenViews) -> AnyView + Send + 'static) -> AnyView {
    let part = use_part(&SCREENS);
    let view = move || {
        // Read in any case, so that the view is drawn again once the part is here.
        let is_loaded = part.progress() == Progress::Loaded;
        SCREENS.loaded().filter(|_| is_loaded).map(&draw)
    };
    view.into_any()
}

/// A view of a part: drawn at once if the part is here.
pub fn view_of<T: Copy + Send + Sync + 'static>(
    part: &'static Part<T>,
    draw: impl Fn(T) -> AnyView + Send + 'static,
) -> AnyView {
    let view = move || part.loaded().map(&draw);
    draw_when_loaded(Box::new(view), &|| use_part(part))
}

/// Draws a view, which there is once its part is loaded. Compiled once for all parts.
fn draw_when_loaded(
    view: Box<dyn Fn() -> Option<AnyView> + Send>,
    need: &dyn Fn() -> NeededPart,
) -> AnyView {
    if let Some(view) = view() {
        return view;
    }
    let part = need();
    let view = move || match part.progress() {
        Progress::Loaded => view().into_any(),
        progress => waiting(part, progress),
    };
    view.into_any()
}

/// What is shown instead of a view whose part is not here.
fn waiting(part: NeededPart, progress: Progress) -> AnyView {
    let i18n = use_i18n();
    if progress == Progress::Failed {
        view! {
            <div class="part-failed">
                <p class="error" role="alert">{t!(i18n, part.screen_failed)}</p>
                <button type="button" class="button" on:click=move |_| part.retry()>
                    {t!(i18n, common.try_again)}
                </button>
            </div>
        }
        .into_any()
    } else {
        view! {
            <p class="hint" role="status">{t!(i18n, part.loading)}</p>
            <SlowHint/>
        }
        .into_any()
    }
}

/// A dialog that is open while the signal is true.
pub type Dialog = fn(RwSignal<bool>) -> AnyView;

/// A dialog of a part: drawn when it is first opened.
pub fn dialog<T: Copy + Send + Sync + 'static>(
    part: &'static Part<T>,
    open: RwSignal<bool>,
    choose: fn(T) -> Dialog,
) -> AnyView {
    draw_when_opened(
        open,
        Box::new(move || view_of(part, move |views| choose(views)(open))),
    )
}

fn draw_when_opened(open: RwSignal<bool>, draw: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    let opened = Memo::new(move |before| before == Some(&true) || open.get());
    (move || opened.get().then(&draw)).into_any()
}
