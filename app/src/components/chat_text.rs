//! Words and links of the chat, and what its parts send.

use leptos::prelude::*;
use protocol::peer::PeerId;
use session::chat::{ChatInput, ChatView, Presence, PresenceView, Rejection, Tab, TabView};
use session::exchange::ExchangeInput;

use super::labels::Texts;
use crate::{
    browser::clock::time_of_day,
    i18n::*,
    state::{ExchangeState, Intents},
};

/// Sends an input to the chat.
pub fn send(intents: Intents, input: ChatInput) {
    intents.exchange(ExchangeInput::Chat(input));
}

/// Sends a message, or a change of one, to the chat, and shows if there is none any more: the rider
/// has left the group.
pub fn send_message(exchange: ExchangeState, intents: Intents, input: ChatInput) {
    if !intents.exchange(ExchangeInput::Chat(input)) {
        exchange.rejected.set(Some(Rejection::NoGroup));
    }
}

/// Opens the private tab of a rider.
pub fn open_private(exchange: ExchangeState, intents: Intents, peer: PeerId) {
    send(intents, ChatInput::OpenPrivate(peer.clone()));
    exchange.tab.set(Tab::Private(peer));
    exchange.is_open.set(true);
}

/// A tab of the chat.
pub fn tab_view<'a>(chat: &'a ChatView, tab: &Tab) -> Option<&'a TabView> {
    chat.tabs.iter().find(|view| view.tab == *tab)
}

/// What is known of a rider.
pub fn rider_view<'a>(chat: &'a ChatView, peer: &PeerId) -> Option<&'a PresenceView> {
    chat.riders.iter().find(|view| view.peer == *peer)
}

/// Presence of a rider in words; empty for one who waits for the start.
pub fn presence(i18n: Texts, rider: &PresenceView) -> String {
    let since = |words: &str, at| {
        format!(
            "{words} {} {}",
            t_string!(i18n, presence.since),
            time_of_day(at)
        )
    };
    match (rider.away_since, rider.presence) {
        (Some(at), _) => since(t_string!(i18n, presence.away), at),
        (None, Presence::Waiting) => String::new(),
        (None, Presence::Riding) => t_string!(i18n, presence.riding).to_owned(),
        (None, Presence::Paused) => t_string!(i18n, presence.paused).to_owned(),
        (None, Presence::Hidden) => since(t_string!(i18n, presence.hidden), rider.since),
    }
}

/// Value of the attribute `data-presence`.
pub fn presence_name(rider: &PresenceView) -> &'static str {
    match (rider.away_since, rider.presence) {
        (Some(_), _) => "away",
        (None, Presence::Waiting) => "waiting",
        (None, Presence::Riding) => "riding",
        (None, Presence::Paused) => "paused",
        (None, Presence::Hidden) => "hidden",
    }
}

/// Reason why something was not sent.
pub fn rejection(i18n: Texts, rejection: Rejection) -> AnyView {
    match rejection {
        Rejection::TooFast(seconds) => t!(i18n, chat.too_fast, seconds).into_any(),
        Rejection::Length => t!(i18n, chat.length).into_any(),
        Rejection::Off => t!(i18n, chat.off).into_any(),
        Rejection::TooLate => t!(i18n, chat.too_late).into_any(),
        Rejection::Gone => t!(i18n, chat.gone).into_any(),
        Rejection::NoGroup => t!(i18n, chat.no_group).into_any(),
    }
}

/// Names in a row.
pub fn names(list: &[String]) -> String {
    list.join(", ")
}

/// A piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it is.
    Text(&'a str),
    /// Address of a page (`http` or `https`).
    Link(&'a str),
}

/// The pieces of a text, in order. Nothing of it but addresses has a meaning.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(start) = next_address(rest, from) {
        let address = &rest[start..start + address_length(&rest[start..])];
        let host = address.split_once("//").map_or("", |(_, host)| host);
        if !host.starts_with(|c: char| c.is_alphanumeric() || c == '[') {
            from = start + 1;
            continue;
        }
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        pieces.push(Piece::Link(address));
        rest = &rest[start + address.len()..];
        from = 0;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Beginning of the next address at or after a byte, which does not begin within a word.
fn next_address(text: &str, from: usize) -> Option<usize> {
    let starts = |scheme| text[from..].match_indices(scheme).map(|(at, _)| from + at);
    let begins_a_word =
        |at: &usize| !text[..*at].ends_with(|before: char| before.is_alphanumeric());
    let next = |scheme| starts(scheme).find(begins_a_word);
    [next("http://"), next("https://")]
        .into_iter()
        .flatten()
        .min()
}

/// Bytes of the address at the beginning, without punctuation that ends the sentence around it.
fn address_length(text: &str) -> usize {
    let end = text
        .find(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`'))
        .unwrap_or(text.len());
    let mut address = &text[..end];
    loop {
        let is_open = address.matches('(').count() < address.matches(')').count();
        let shorter = match address.strip_suffix(')') {
            Some(rest) if is_open => rest,
            _ => address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '…']),
        };
        if shorter.len() == address.len() {
            return address.len();
        }
        address = shorter;
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece::*, *};

    #[test]
    fn addresses_of_pages_become_links_and_the_sentence_around_them_stays_text() {
        assert_eq!(
            pieces("See https://ride.example/a_(b)?c=1, (http://two.example)."),
            [
                Text("See "),
                Link("https://ride.example/a_(b)?c=1"),
                Text(", ("),
                Link("http://two.example"),
                Text(")."),
            ]
        );
    }

    #[test]
    fn markup_and_other_schemes_stay_text() {
        for text in [
            "<img src=x onerror=alert(1)>",
            "javascript:alert(1)",
            "https://",
            "http:// and https://.",
            "xhttps://ride.example",
        ] {
            assert_eq!(pieces(text), [Text(text)], "{text}");
        }
    }

    #[test]
    fn a_link_ends_before_markup() {
        assert_eq!(
            pieces("<a href=\"https://ride.example\">"),
            [
                Text("<a href=\""),
                Link("https://ride.example"),
                Text("\">")
            ]
        );
    }

    #[test]
    fn an_empty_text_has_no_pieces() {
        assert_eq!(pieces(""), []);
    }
}
