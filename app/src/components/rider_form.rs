//! Who rides: name and FTP, remembered in the browser.

use leptos::prelude::*;
use ride::rider::{Ftp, RiderName};

use super::{
    field::{Entry, Field, Takes},
    words::Fault,
};
use crate::{browser::storage, i18n::*};

/// The two fields of a rider.
#[derive(Clone, Copy)]
pub struct RiderEntries {
    name: Entry,
    ftp: Entry,
}

impl RiderEntries {
    /// Empty fields, filled from what the browser remembers as soon as the
    /// page is live.
    pub fn new() -> Self {
        let entries = Self {
            name: Entry::new(""),
            ftp: Entry::new(&Ftp::default().to_string()),
        };
        Effect::new(move || {
            if let Some(profile) = storage::profile() {
                entries.name.fill(&profile.name);
                entries.ftp.fill(&profile.ftp.to_string());
            }
        });
        entries
    }

    /// The rider, remembered; or nothing, and the faults beside the fields.
    pub fn read(self) -> Option<(RiderName, Ftp)> {
        let name = self.name.read(|text| text.parse().map_err(Fault::Name));
        let ftp = self.ftp.read(|text| text.parse().map_err(Fault::Ftp));
        let rider = name.zip(ftp)?;
        storage::save_profile(&rider.0, &rider.1);
        Some(rider)
    }

    /// Whether both fields are fine.
    pub fn is_complete(self) -> bool {
        self.name.text().parse::<RiderName>().is_ok() && self.ftp.text().parse::<Ftp>().is_ok()
    }

    /// Whether the FTP can be ridden with.
    pub fn read_ftp(self) -> bool {
        let ftp = self
            .ftp
            .read(|text| text.parse::<Ftp>().map_err(Fault::Ftp));
        self.remember();
        ftp.is_some()
    }

    /// Remembers what is fine of the rider, and says nothing of what is not.
    pub fn remember(self) {
        match (self.name.text().parse(), self.ftp.text().parse()) {
            (Ok(name), Ok(ftp)) => storage::save_profile(&name, &ftp),
            (Err(_), Ok(ftp)) => storage::save_ftp(&ftp),
            (_, Err(_)) => {}
        }
    }
}

/// The two inputs.
#[component]
pub fn RiderFields(entries: RiderEntries) -> impl IntoView {
    let i18n = use_i18n();
    let remember = Callback::new(move |()| entries.remember());
    view! {
        <Field
            id="rider-name"
            takes=Takes::Name
            entry=entries.name
            label=Signal::derive(move || t_string!(i18n, rider.name))
            hint=Signal::derive(move || t_string!(i18n, rider.name_hint))
            on_change=remember
        />
        <Field
            id="rider-ftp"
            takes=Takes::Watts
            entry=entries.ftp
            label=Signal::derive(move || t_string!(i18n, rider.ftp))
            hint=Signal::derive(move || t_string!(i18n, rider.ftp_hint))
            on_change=remember
        />
    }
    .into_any()
}
