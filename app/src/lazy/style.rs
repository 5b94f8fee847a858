//! Style sheet of the module `later`, which comes with it: the first page does without these rules.

use std::sync::Once;

use crate::browser::page;

/// The style sheet, in the layers of `style/main.css`.
const STYLE_SHEET: &str = concat!(
    "@layer shared{",
    include_str!("../../../style/shared/column.css"),
    include_str!("../../../style/shared/select.css"),
    "}@layer components{",
    include_str!("../../../style/components/board.css"),
    include_str!("../../../style/components/bridge.css"),
    include_str!("../../../style/components/chat.css"),
    include_str!("../../../style/components/designer.css"),
    include_str!("../../../style/components/device-values.css"),
    include_str!("../../../style/components/dialog.css"),
    include_str!("../../../style/components/files.css"),
    include_str!("../../../style/components/interval.css"),
    include_str!("../../../style/components/manage-riders.css"),
    include_str!("../../../style/components/media.css"),
    include_str!("../../../style/components/my-ride.css"),
    include_str!("../../../style/components/own-settings.css"),
    include_str!("../../../style/components/profile.css"),
    include_str!("../../../style/components/ride-chart.css"),
    include_str!("../../../style/components/ride-page-riding.css"),
    include_str!("../../../style/components/rides.css"),
    include_str!("../../../style/components/riding.css"),
    include_str!("../../../style/components/settings.css"),
    include_str!("../../../style/components/shared-pages.css"),
    include_str!("../../../style/components/summary.css"),
    include_str!("../../../style/components/trace.css"),
    include_str!("../../../style/components/workout-chooser.css"),
    include_str!("../../../style/components/workout-remarks.css"),
    include_str!("../../../style/components/workout-sheet.css"),
    include_str!("../../../style/components/workouts.css"),
    "}"
);

/// Adds the style sheet to the page, before the first view of the module is drawn.
pub(super) fn add_style_sheet() {
    static ADDED: Once = Once::new();
    ADDED.call_once(|| page::add_style_sheet(STYLE_SHEET));
}
