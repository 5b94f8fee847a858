//! A phone that connects devices for this page: the button, and the dialog with the QR code.

use fast_qr::qr::QRBuilder;
use leptos::prelude::*;

use super::dialog::Dialog;
use crate::{
    browser::bluetooth,
    i18n::*,
    state::{DeviceState, Intent, Intents, PairingFailure, PhoneState, RideState},
};

/// Width in modules of the quiet zone around a QR code (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// Row with the state of the phone and the button for its QR code. There is no button in a solo
/// ride, which no phone can join, and no row on the phone itself.
#[component]
pub fn PhoneRow() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let open = RwSignal::new(false);
    let is_possible = Memo::new(move |_| !state.devices.read().bridge_link.is_empty());
    let phone = Memo::new(move |_| state.devices.read().phone);
    // Known once the rider has tried to pair a device.
    let is_off = Memo::new(move |_| {
        let devices = state.devices.read();
        devices.devices.iter().any(|device| {
            use PairingFailure::{AdapterOff, Denied, Disabled};
            matches!(
                device.state,
                DeviceState::Failed(AdapterOff | Denied | Disabled)
            )
        })
    });
    let is_phone = move || state.devices.read().bridge.is_some();
    let state_text = move || match (phone.get(), bluetooth::is_supported()) {
        (PhoneState::Connected, _) => {
            let text = move || t_string!(i18n, phone.connected);
            view! { <p class="trainer-state" data-state="works">{text}</p> }.into_any()
        }
        (PhoneState::Lost, _) => {
            let text = move || t_string!(i18n, phone.lost);
            view! { <p class="trainer-state" data-state="failed">{text}</p> }.into_any()
        }
        (PhoneState::None, is_supported) => {
            let text = move || match (is_supported, is_possible.get()) {
                (true, _) if is_off.get() => t_string!(i18n, phone.bluetooth_off),
                (true, _) => t_string!(i18n, phone.offer),
                (false, true) => t_string!(i18n, phone.no_bluetooth),
                (false, false) => t_string!(i18n, phone.no_bluetooth_solo),
            };
            view! { <p class="hint">{text}</p> }.into_any()
        }
    };
    let row = move || {
        view! {
            <div class="device phone" role="group" aria-label=move || t_string!(i18n, phone.heading)>
                {state_text}
                <Show when=move || is_possible.get()>
                    <button type="button" class="button" on:click=move |_| open.set(true)>
                        {t!(i18n, phone.open)}
                    </button>
                </Show>
                <Show when=move || phone.get() != PhoneState::None>
                    <button
                        type="button"
                        class="button quiet"
                        on:click=move |_| intents.send(Intent::StopPhone)
                    >
                        {t!(i18n, phone.stop)}
                    </button>
                </Show>
            </div>
            <PhoneDialog open/>
        }
    };
    move || (!is_phone() && (is_possible.get() || !bluetooth::is_supported())).then(row)
}

#[component]
fn PhoneDialog(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let link = Memo::new(move |_| state.devices.read().bridge_link.clone());
    view! {
        <Dialog open labelled_by="phone-heading">
            <div class="section-head">
                <h2 id="phone-heading">{t!(i18n, phone.heading)}</h2>
                <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                    {t!(i18n, common.close)}
                </button>
            </div>
            <p>{t!(i18n, phone.body)}</p>
            {move || open.get().then(|| view! { <QrCode address=link.get()/> })}
            <p class="address" translate="no">{move || link.get()}</p>
            <p class="trainer-state" role="status" data-state=move || match state.devices.read().phone {
                PhoneState::Connected => "works",
                PhoneState::None | PhoneState::Lost => "connecting",
            }>
                {move || match state.devices.read().phone {
                    PhoneState::Connected => t_string!(i18n, phone.connected),
                    PhoneState::None | PhoneState::Lost => t_string!(i18n, phone.awaited),
                }}
            </p>
            <p class="hint">{t!(i18n, phone.private)}</p>
        </Dialog>
    }
    .into_any()
}

/// QR code (ISO/IEC 18004) of an address, black on white. It is made here, since the server must not
/// learn the address. Nothing for an address beyond the largest code.
#[component]
fn QrCode(address: String) -> impl IntoView {
    let i18n = use_i18n();
    let picture = qr_path(&address).map(|(size, path)| {
        view! {
            <svg
                class="qr"
                viewBox=format!("0 0 {size} {size}")
                role="img"
                aria-label=move || t_string!(i18n, phone.qr)
                shape-rendering="crispEdges"
            >
                <rect width=size height=size fill="#fff"></rect>
                <path d=path fill="#000"></path>
            </svg>
        }
    });
    picture.into_any()
}

/// Width of a QR code with its quiet zone, and its dark modules as an SVG path.
fn qr_path(address: &str) -> Option<(usize, String)> {
    let code = QRBuilder::new(address).build().ok()?;
    let mut path = String::new();
    for row in 0..code.size {
        for column in 0..code.size {
            if code[row][column].value() {
                let (x, y) = (column + QUIET_ZONE, row + QUIET_ZONE);
                path.push_str(&format!("M{x} {y}h1v1h-1z"));
            }
        }
    }
    Some((code.size + 2 * QUIET_ZONE, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_has_its_quiet_zone_and_its_finder_patterns() {
        let (size, path) =
            qr_path("https://gruppetto.example/bridge#brave-otter-4821/x/y").expect("a code");
        assert!(size >= 21 + 2 * QUIET_ZONE);
        assert!(path.starts_with("M4 4h1v1h-1z"), "the corner is dark");
        assert!(!path.contains("M3 ") && !path.contains("M0 "), "quiet");
        assert_eq!(qr_path(&"x".repeat(10_000)), None);
    }
}
