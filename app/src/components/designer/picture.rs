//! The picture of a design: an interval is selected by a tap, and its edges are dragged.

use std::sync::Arc;

use leptos::{ev::PointerEvent, html, prelude::*};
use ride::workout::{
    Workout, WorkoutError,
    design::picture::{self, Handle, Point, Segment},
};

use super::{Designer, Selected};
use crate::{
    browser::pointer,
    components::{
        format::{duration, percent},
        labels,
        profile::{Profile, ProfileScale},
    },
    i18n::*,
};

/// Distance in pixels at which a finger takes hold of an edge, and a mouse.
const REACH: (f32, f32) = (24.0, 10.0);

/// Handle that is dragged, since the pointer took hold of it. The scale of that moment counts: the picture
/// shrinks while the workout grows.
#[derive(Clone, Copy)]
struct Drag {
    segment: Segment,
    handle: Handle,
    /// Position of the pointer in the window.
    at: (f64, f64),
    /// Seconds and fraction of FTP of one pixel.
    per_pixel: Point,
}

/// The picture, and what its selected interval is.
#[component]
pub fn Picture(
    designer: Designer,
    workout: Memo<Result<Arc<Workout>, WorkoutError>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let area = NodeRef::<html::Div>::new();
    let drag = StoredValue::new(None::<Drag>);
    let hovered = RwSignal::new(None::<Handle>);
    let selected = move || {
        let selected = designer.selected.get()?;
        let mut segments = picture::segments(&designer.design.read()).into_iter();
        segments.find(|segment| is(*segment, selected))
    };
    let scale = move || {
        let workout = workout.read();
        workout
            .as_ref()
            .ok()
            .map(|workout| ProfileScale::of(workout))
    };
    // Position in the workout, and the size of a pixel there.
    let locate = move |ev: &PointerEvent| -> Option<(Point, Point)> {
        let place = pointer::place_in(&*area.get_untracked()?, ev)?;
        let scale = untrack(scale)?;
        let per_pixel = Point {
            time: scale.seconds / place.width as f32,
            power: scale.top / place.height as f32,
        };
        let at = Point {
            time: place.x as f32 * per_pixel.time,
            power: scale.top - place.y as f32 * per_pixel.power,
        };
        Some((at, per_pixel))
    };
    let grabbed = move |ev: &PointerEvent| -> Option<(Segment, Option<Handle>, Point)> {
        let (at, per_pixel) = locate(ev)?;
        let pixels = if ev.pointer_type() == "touch" {
            REACH.0
        } else {
            REACH.1
        };
        let reach = Point {
            time: pixels * per_pixel.time,
            power: pixels * per_pixel.power,
        };
        let (segment, handle) = picture::grab(
            &picture::segments(&designer.design.read_untracked()),
            at,
            reach,
        )?;
        Some((segment, handle, per_pixel))
    };
    let grab = move |ev: PointerEvent| {
        if ev.button() != 0 {
            return;
        }
        let Some((segment, handle, per_pixel)) = grabbed(&ev) else {
            designer.selected.set(None);
            return;
        };
        designer.selected.set(Some(Selected {
            block: segment.block,
            round: segment.round,
            step: segment.step,
        }));
        if let (Some(handle), Some(area)) = (handle, area.get_untracked()) {
            ev.prevent_default();
            pointer::capture(&area, &ev);
            drag.set_value(Some(Drag {
                segment,
                handle,
                at: (ev.client_x().into(), ev.client_y().into()),
                per_pixel,
            }));
        }
    };
    // Also called for a pointer that was let go where this page did not see it.
    let let_go = move || {
        if drag.get_value().is_some() {
            drag.set_value(None);
            designer.finish_drag();
        }
    };
    let go = move |ev: PointerEvent| {
        if ev.buttons() == 0 {
            let_go();
        }
        let Some(drag) = drag.get_value() else {
            hovered.set(grabbed(&ev).and_then(|(_, handle, _)| handle));
            return;
        };
        let by = Point {
            time: (f64::from(ev.client_x()) - drag.at.0) as f32 * drag.per_pixel.time,
            power: (drag.at.1 - f64::from(ev.client_y())) as f32 * drag.per_pixel.power,
        };
        let grid = picture::grid(drag.per_pixel.time);
        designer.drag(picture::moved(&drag.segment, drag.handle, by, grid));
    };
    let profile = move || {
        let workout = workout.get().ok();
        workout.map(|workout| view! { <Profile workout id=String::from("design-profile")/> })
    };
    let cursor = move || match hovered.get() {
        None => "none",
        Some(Handle::End) => "duration",
        Some(_) => "power",
    };
    let mark = move || {
        let (segment, scale) = selected().zip(scale())?;
        Some(draw_mark(&segment, scale))
    };
    let text = move || match selected() {
        None => t!(i18n, designer.picture_hint).into_any(),
        Some(segment) => {
            let length = duration(segment.duration);
            let name = designer.design.with(|design| {
                let mut blocks = design.plan().blocks.iter();
                let block = blocks.find(|block| block.id == segment.block);
                let step = block.and_then(|block| block.steps.get(segment.step));
                step.map(|step| labels::interval(i18n, &step.interval))
            });
            let power = match (
                segment.has_power,
                percent(segment.from),
                percent(segment.to),
            ) {
                (false, ..) => String::new(),
                (true, from, to) if from == to => format!(" · {from} %"),
                (true, from, to) => format!(" · {from} – {to} %"),
            };
            (name, format!(" · {length}{power}")).into_any()
        }
    };
    view! {
        <div class="designer-picture">
            {profile}
            // The fields of the blocks change the same, for keyboards and screen readers.
            <div
                class="designer-area"
                aria-hidden="true"
                node_ref=area
                data-over=cursor
                data-selected=move || designer.selected.get().is_some().then_some("true")
                on:pointerdown=grab
                on:pointermove=go
                on:pointerup=move |_| let_go()
                on:pointercancel=move |_| let_go()
            >
                {mark}
            </div>
        </div>
        <p class="hint designer-selected">{text}</p>
    }
    .into_any()
}

fn is(segment: Segment, selected: Selected) -> bool {
    (segment.block, segment.round, segment.step) == (selected.block, selected.round, selected.step)
}

/// Marks the selected interval, and shows where its edges can be dragged.
fn draw_mark(segment: &Segment, scale: ProfileScale) -> impl IntoView + use<> {
    let across = |seconds: f32| format!("{:.3}%", 100.0 * seconds / scale.seconds);
    let down = |power: f32| format!("{:.3}%", 100.0 * (1.0 - power / scale.top));
    let dots = segment.handles().iter().map(|handle| {
        let Point { time, power } = segment.position_of(*handle);
        view! { <circle class="designer-dot" cx=across(time) cy=down(power) r="8"/> }
    });
    view! {
        <svg class="designer-mark" width="100%" height="100%">
            <rect
                x=across(segment.start.as_secs_f32())
                width=across(segment.duration.as_secs_f32())
                height="100%"
            />
            {dots.collect_view()}
        </svg>
    }
}
