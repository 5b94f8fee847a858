//! Own and built-in workouts with a search and filters.

use std::sync::Arc;

use leptos::prelude::*;
use ride::{
    analysis::PlannedLoad,
    library::{self, Focus},
    workout::Workout,
};

use super::{format, labels, profile::Profile};
use crate::{i18n::*, own_workouts::OwnWorkouts};

/// Ranges of durations to choose from, in minutes.
const DURATIONS: [(u64, u64); 4] = [(0, 30), (30, 60), (60, 90), (90, u64::MAX)];
/// Number of workouts that are drawn at first, and with each tap for more.
const STEP: usize = 60;
/// Values of the options for the kind that are not the number of a focus.
const OWN: &str = "own";
const FAVOURITES: &str = "favourites";
/// Start of the value of an option for a tag.
const TAG: &str = "tag:";

/// Workout of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedWorkout {
    /// The workout.
    pub workout: Arc<Workout>,
    /// Where it comes from.
    pub source: Source,
}

/// Origin of a workout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Own workout with this number.
    Own(u64),
    /// Built-in workout: its position, and what it trains.
    BuiltIn(usize, Focus),
}

impl Source {
    /// Id of the workout on the page.
    pub fn id(self) -> String {
        match self {
            Self::Own(id) => format!("own-{id}"),
            Self::BuiltIn(index, _) => format!("library-{index}"),
        }
    }
}

/// What the rider is looking for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Filter {
    text: String,
    kind: String,
    /// Bounds of the duration in minutes.
    minutes: Option<(u64, u64)>,
}

impl Filter {
    fn matches_workout(&self, workout: &Workout) -> bool {
        let text = self.text.trim().to_lowercase();
        let has_text = |of: &str| of.to_lowercase().contains(&text);
        let minutes = workout.duration().as_secs().div_ceil(60);
        (has_text(workout.name()) || has_text(workout.description()))
            && self
                .minutes
                .is_none_or(|(from, to)| from < minutes && minutes <= to)
    }

    fn matches_focus(&self, focus: Focus) -> bool {
        let index = Focus::ALL.iter().position(|other| *other == focus);
        self.kind.is_empty() || index.is_some_and(|index| self.kind == index.to_string())
    }

    fn matches_own(&self, tags: &[String], is_favourite: bool) -> bool {
        match self.kind.strip_prefix(TAG) {
            Some(tag) => tags.iter().any(|other| other == tag),
            None => match self.kind.as_str() {
                FAVOURITES => is_favourite,
                kind => kind.is_empty() || kind == OWN,
            },
        }
    }
}

/// The list: own workouts first. `actions` draws what can be done with a workout.
#[component]
pub fn WorkoutList(own: OwnWorkouts, actions: fn(ListedWorkout) -> AnyView) -> impl IntoView {
    let i18n = use_i18n();
    let filter = RwSignal::new(Filter::default());
    let built_in: Vec<ListedWorkout> = library::all()
        .into_iter()
        .enumerate()
        .map(|(index, built_in)| ListedWorkout {
            workout: Arc::new(built_in.workout),
            source: Source::BuiltIn(index, built_in.focus),
        })
        .collect();
    let built_in = StoredValue::new(built_in);
    let found = Memo::new(move |_| {
        let filter = filter.read();
        let collection = own.collection.read();
        let entries = collection.entries().iter().filter(|entry| {
            filter.matches_own(&entry.tags, entry.is_favourite)
                && filter.matches_workout(&entry.workout)
        });
        let entries = entries.map(|entry| ListedWorkout {
            workout: Arc::new(entry.workout.clone()),
            source: Source::Own(entry.id),
        });
        let mut found: Vec<ListedWorkout> = entries.collect();
        built_in.with_value(|built_in| {
            let matches = |listed: &&ListedWorkout| match listed.source {
                Source::BuiltIn(_, focus) => {
                    filter.matches_focus(focus) && filter.matches_workout(&listed.workout)
                }
                Source::Own(_) => false,
            };
            found.extend(built_in.iter().filter(matches).cloned());
        });
        found
    });
    // Pictures of a thousand workouts would take seconds to draw.
    let shown = RwSignal::new(STEP);
    Effect::watch(
        move || filter.track(),
        move |(), _, _| shown.set(STEP),
        false,
    );
    let drawn = move || {
        let found = found.read();
        let drawn = found.iter().take(shown.get()).cloned();
        drawn.collect::<Vec<ListedWorkout>>()
    };
    let has_more = Memo::new(move |_| shown.get() < found.read().len());
    view! {
        <div class="library-filter" role="search">
            <div class="field">
                <label for="library-search">{t!(i18n, chooser.search)}</label>
                <input
                    id="library-search"
                    type="search"
                    autocomplete="off"
                    on:input=move |ev| filter.update(|filter| filter.text = event_target_value(&ev))
                />
            </div>
            <KindField own on_choose=Callback::new(move |kind| filter.update(|filter| filter.kind = kind))/>
            <DurationField on_choose=Callback::new(move |minutes| {
                filter.update(|filter| filter.minutes = minutes);
            })/>
            <p class="hint" role="status">
                {move || match found.read().len() {
                    0 => t!(i18n, chooser.none_found).into_any(),
                    _ => t!(i18n, chooser.found, count = move || found.read().len()).into_any(),
                }}
            </p>
        </div>
        <ul class="library" role="list" aria-label=move || t_string!(i18n, chooser.library)>
            <For
                each=drawn
                key=|listed| listed.source
                children=move |listed| view! { <WorkoutCard listed actions/> }
            />
        </ul>
        <Show when=move || has_more.get()>
            <button type="button" class="button" on:click=move |_| shown.update(|shown| *shown += STEP)>
                {t!(i18n, chooser.show_more)}
            </button>
        </Show>
    }
    .into_any()
}

#[component]
fn KindField(own: OwnWorkouts, on_choose: Callback<String>) -> impl IntoView {
    let i18n = use_i18n();
    let focuses = Focus::ALL.into_iter().enumerate();
    let focuses = focuses
        .map(|(index, focus)| {
            let name = move || labels::focus(i18n, focus);
            view! { <option value=index.to_string()>{name}</option> }
        })
        .collect_view();
    let has_own = Memo::new(move |_| !own.collection.read().entries().is_empty());
    let tags = Memo::new(move |_| {
        let collection = own.collection.read();
        let tags = collection.tags().into_iter().map(str::to_owned);
        tags.collect::<Vec<String>>()
    });
    let own_kinds = move || {
        has_own.get().then(|| {
            let tags = tags.get().into_iter();
            let tags = tags
                .map(|tag| {
                    let value = format!("{TAG}{tag}");
                    view! { <option value=value>"# " {tag}</option> }
                })
                .collect_view();
            view! {
                <option value=OWN>{t!(i18n, workouts.own)}</option>
                <option value=FAVOURITES>{t!(i18n, workouts.favourites)}</option>
                {tags}
            }
        })
    };
    view! {
        <div class="field">
            <label for="library-focus">{t!(i18n, chooser.kind)}</label>
            <select id="library-focus" on:change=move |ev| on_choose.run(event_target_value(&ev))>
                <option value="">{t!(i18n, chooser.any_kind)}</option>
                {own_kinds}
                {focuses}
            </select>
        </div>
    }
    .into_any()
}

#[component]
fn DurationField(on_choose: Callback<Option<(u64, u64)>>) -> impl IntoView {
    let i18n = use_i18n();
    let durations = DURATIONS.into_iter().enumerate();
    let durations = durations
        .map(|(index, (from, to))| {
            let name = move || match to {
                u64::MAX => t!(i18n, chooser.more_than, minutes = from).into_any(),
                to => t!(i18n, chooser.between, from, to).into_any(),
            };
            view! { <option value=index.to_string()>{name}</option> }
        })
        .collect_view();
    let choose = move |value: String| {
        let index = value.parse::<usize>().ok();
        on_choose.run(index.and_then(|index| DURATIONS.get(index).copied()));
    };
    view! {
        <div class="field">
            <label for="library-duration">{t!(i18n, chooser.duration)}</label>
            <select id="library-duration" on:change=move |ev| choose(event_target_value(&ev))>
                <option value="">{t!(i18n, chooser.any_duration)}</option>
                {durations}
            </select>
        </div>
    }
    .into_any()
}

#[component]
fn WorkoutCard(listed: ListedWorkout, actions: fn(ListedWorkout) -> AnyView) -> impl IntoView {
    let i18n = use_i18n();
    let ListedWorkout { workout, source } = listed.clone();
    let kind = move || match source {
        Source::Own(_) => t_string!(i18n, workouts.own_one),
        Source::BuiltIn(_, focus) => labels::focus(i18n, focus),
    };
    let description = workout.description();
    let description = (!description.is_empty()).then(|| format!(". {description}"));
    view! {
        <li class="library-card">
            <WorkoutHead workout=workout.clone()/>
            <Profile workout=workout.clone() id=source.id()/>
            <p class="hint">
                <strong>{kind}</strong>
                {description}
            </p>
            {actions(listed)}
        </li>
    }
    .into_any()
}

/// Name, duration and training load of a workout.
#[component]
pub fn WorkoutHead(workout: Arc<Workout>) -> impl IntoView {
    let i18n = use_i18n();
    // A test is ridden until its rider cannot go on, so it has no planned load.
    let load = workout.ftp_test().is_none().then(|| {
        let load = PlannedLoad::of(&workout);
        let intensity = format!("{:.2}", load.intensity_factor);
        let stress = format!("{:.0}", load.stress_score);
        t!(i18n, chooser.load, intensity, stress)
    });
    let name = match workout.name() {
        "" => t!(i18n, workouts.unnamed).into_any(),
        name => name.to_owned().into_any(),
    };
    view! {
        <div class="section-head">
            <h3>{name}</h3>
            <p class="workout-duration" translate="no">{format::duration(workout.duration())}</p>
        </div>
        <p class="workout-load" translate="no">{load}</p>
    }
    .into_any()
}
