//! The form for name and FTP, which the browser remembers.

use leptos::prelude::*;
use ride::rider::{Ftp, RiderName};

use super::{
    field::{Field, FieldKind, FieldState},
    labels::FieldError,
};
use crate::{browser::storage, i18n::*};

/// State of the two fields.
#[derive(Clone, Copy)]
pub struct RiderFormState {
    name: FieldState,
    ftp: FieldState,
}

impl RiderFormState {
    /// Default values, replaced by the saved profile once the page is hydrated,
    /// unless the rider has typed by then.
    pub fn new() -> Self {
        let state = Self {
            name: FieldState::new(""),
            ftp: FieldState::new(&Ftp::default().to_string()),
        };
        Effect::new(move || {
            if let Some(profile) = storage::profile() {
                state.name.fill_untouched(&profile.name);
                state.ftp.fill_untouched(&profile.ftp.to_string());
            }
        });
        state
    }

    /// Reads and saves the rider. If a field is invalid, its error is shown and the
    /// result is `None`.
    pub fn read(self) -> Option<(RiderName, Ftp)> {
        let name = self
            .name
            .read(|text| text.parse().map_err(FieldError::Name));
        let ftp = self.ftp.read(|text| text.parse().map_err(FieldError::Ftp));
        let rider = name.zip(ftp)?;
        storage::save_profile(&rider.0, &rider.1);
        Some(rider)
    }

    /// True if both fields are valid.
    pub fn is_complete(self) -> bool {
        self.name.text().parse::<RiderName>().is_ok() && self.ftp.text().parse::<Ftp>().is_ok()
    }

    /// Checks and saves the FTP; an error is shown beside the field.
    pub fn read_ftp(self) -> bool {
        let ftp = self
            .ftp
            .read(|text| text.parse::<Ftp>().map_err(FieldError::Ftp));
        self.save();
        ftp.is_some()
    }

    /// Saves the valid fields, without showing errors.
    pub fn save(self) {
        match (self.name.text().parse(), self.ftp.text().parse()) {
            (Ok(name), Ok(ftp)) => storage::save_profile(&name, &ftp),
            (Err(_), Ok(ftp)) => storage::save_ftp(&ftp),
            (_, Err(_)) => {}
        }
    }
}

/// The two inputs.
#[component]
pub fn RiderFields(state: RiderFormState) -> impl IntoView {
    let i18n = use_i18n();
    let save = Callback::new(move |()| state.save());
    view! {
        <Field
            id="rider-name"
            kind=FieldKind::Name
            state=state.name
            label=Signal::derive(move || t_string!(i18n, rider.name))
            hint=Signal::derive(move || t_string!(i18n, rider.name_hint))
            on_change=save
        />
        <Field
            id="rider-ftp"
            kind=FieldKind::Watts
            state=state.ftp
            label=Signal::derive(move || t_string!(i18n, common.ftp))
            hint=Signal::derive(move || t_string!(i18n, rider.ftp_hint))
            on_change=save
        />
    }
    .into_any()
}
