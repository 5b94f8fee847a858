//! From the session's view to the signals that components read.

use std::sync::Arc;

use litemap::LiteMap;

use leptos::prelude::*;
use ride::trainer::DeviceKind;
use session::view::{Notice, Row, View};

use crate::state::{RideState, RiderRow, set_if_changed};

/// The signals of the ride. Each is written only where its value has changed, so that nothing else
/// is drawn again.
pub(super) struct Display {
    state: RideState,
    /// Signals of the listed riders, by row.
    rows: LiteMap<u32, RiderRow>,
    /// Rows in the order of the list.
    listed: Vec<u32>,
}

impl Display {
    pub(super) fn new(state: RideState) -> Self {
        Self {
            state,
            rows: LiteMap::new(),
            listed: Vec::new(),
        }
    }

    /// The signals.
    pub(super) const fn state(&self) -> RideState {
        self.state
    }

    /// Updates the signals.
    pub(super) fn update(&mut self, view: &View) {
        let state = self.state;
        set_if_changed(&state.code, &view.code);
        set_if_changed(&state.invitation, &view.invitation);
        set_if_changed(&state.others, &view.others);
        set_if_changed(&state.is_host, &view.is_host);
        set_if_changed(&state.controls_suspended, &view.controls_suspended);
        set_if_changed(&state.others_ride_on, &view.others_ride_on);
        set_if_changed(&state.ready, &view.ready);
        set_if_changed(&state.ftp, &view.ftp);
        set_if_changed(&state.bias, &view.bias);
        set_if_changed(&state.measured_ftp, &view.measured_ftp);
        update_shared(state.workout, &view.workout);
        set_if_changed(&state.workout_error, &view.workout_error);
        update_shared(state.workout_file, &view.workout_file);
        set_if_changed(&state.progress, &view.progress);
        set_if_changed(&state.own_metrics, &view.own_metrics);
        set_if_changed(&state.trainer, view.devices.state(DeviceKind::Trainer));
        set_if_changed(&state.devices, &view.devices);
        set_if_changed(&state.locked, &view.locked);
        set_if_changed(&state.can_reclaim, &view.can_reclaim);
        set_if_changed(&state.kick_reason, &view.kick_reason);
        set_if_changed(&state.connection, &view.connection);
        set_if_changed(&state.direct_links, &view.direct_links);
        set_if_changed(&state.network, &view.network);
        set_if_changed(&state.summary, &view.summary);
        set_if_changed(&state.kept_ride, &view.kept_ride);
        set_if_changed(&state.ended_by, &view.ended_by);
        update_shared(state.chart, &view.chart);
        set_if_changed(&state.download_error, &view.download_error);
        set_if_changed(&state.sub_sport, &view.sub_sport);
        set_if_changed(&state.unfinished, &view.unfinished);
        set_if_changed(&state.recording_at_risk, &view.recording_at_risk);
        self.update_riders(&view.riders);
        // Last: the next screen finds everything in place.
        set_if_changed(&state.stage, &view.stage);
    }

    /// Shows a notice, also if it is the same as the one before.
    pub(super) fn notify(&self, notice: Notice) {
        self.state.notice.set(Some(notice));
    }

    fn update_riders(&mut self, riders: &[Row]) {
        for rider in riders {
            let row = self.rows.entry(rider.id);
            row.or_insert_with(|| RiderRow::new(rider.peer.clone(), rider.id, rider.is_self))
                .update(rider);
        }
        if riders
            .iter()
            .map(|rider| rider.id)
            .eq(self.listed.iter().copied())
        {
            return;
        }
        self.listed = riders.iter().map(|rider| rider.id).collect();
        self.rows.retain(|id, _| self.listed.contains(id));
        let rows = self.listed.iter().filter_map(|id| self.rows.get(id));
        self.state.riders.set(rows.cloned().collect());
    }
}

/// Writes a signal if it refers to another value. Comparing large values would cost more than
/// drawing them again.
fn update_shared<T: Send + Sync + 'static>(
    signal: RwSignal<Option<Arc<T>>>,
    value: &Option<Arc<T>>,
) {
    let is_same = |old: &Option<Arc<T>>| match (old, value) {
        (Some(old), Some(value)) => Arc::ptr_eq(old, value),
        (None, None) => true,
        _ => false,
    };
    if !signal.with_untracked(is_same) {
        signal.set(value.clone());
    }
}
