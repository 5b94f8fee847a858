//! Detection of a page below a path of another site, such as `https://club.example/ride/`.
//!
//! Gruppetto needs a host name of its own: its pages refer to their files, sockets and
//! other pages by paths from the root. Below a path of another site these lead to that
//! site, so nothing but the HTML arrives. Therefore the check is a script within the
//! HTML, with the page's nonce, and it needs no other file.

use leptos::{nonce::use_nonce, prelude::*};
use leptos_router::location::RequestUrl;

use crate::i18n::*;

const SCRIPT: &str = include_str!("sub_path.js");

/// The script, for the head of the document, before its stylesheet. The path that
/// this server was asked for and the message are passed to it as attributes.
#[component]
pub fn SubPathCheck() -> impl IntoView {
    let url = use_context::<RequestUrl>().and_then(|url| url.parse().ok());
    let path = url.map(|url| url.path().to_owned());
    // The document is outside of the context of the app's language.
    let language = Locale::default();
    view! {
        <script
            nonce=use_nonce()
            data-path=path
            data-heading=td_string!(language, sub_path.heading)
            data-message=td_string!(language, sub_path.message)
        >
            {SCRIPT}
        </script>
    }
}
