//! Voice, cameras and screens of a page: what its driver does with them.

use std::collections::BTreeMap;

use mesh::media::{MediaCommand, MediaEvent};
use protocol::peer::PeerId;
use session::{
    exchange::ExchangeInput,
    media::{
        Encoding, MediaInput, MediaKind, MediaNotice, MediaOutput, MediaState, MediaView,
        RiderMedia,
    },
};

use super::{
    World, ms,
    rtc_model::{self, RtcEvent},
    tab::Program,
    world::Packet,
};

/// Media of a page, until it is closed.
#[derive(Clone, Debug, Default)]
pub struct PageMedia {
    pub view: MediaView,
    pub notices: Vec<MediaNotice>,
    /// Devices whose light is on, by `MediaKind as usize`.
    pub tracks: [bool; 3],
    pub stops: Vec<MediaKind>,
    pub is_audible: bool,
    sends: BTreeMap<PeerId, [Option<Encoding>; 3]>,
}

impl World {
    /// The rider goes live with a device.
    pub fn go_live(&mut self, at: usize, kind: MediaKind) {
        self.tabs[at].exchange.media.tracks[kind as usize] = true;
        self.media(at, MediaInput::GoLive(kind));
    }

    /// The rider or the driver does something with media.
    pub fn media(&mut self, at: usize, input: MediaInput) {
        self.exchange(at, ExchangeInput::Media(input));
    }

    pub fn page_media(&self, at: usize) -> &PageMedia {
        &self.tabs[at].exchange.media
    }

    /// Media of another rider on the screen of a page.
    pub fn rider_media(&self, at: usize, name: &str) -> Option<&RiderMedia> {
        let mut riders = self.page_media(at).view.riders.iter();
        riders.find(|rider| rider.name == name)
    }

    pub fn media_state(&self, at: usize, name: &str) -> Option<MediaState> {
        self.rider_media(at, name).map(|rider| rider.state)
    }

    /// True if a device of a rider reaches another rider.
    pub fn reaches(&self, from: usize, to: usize, kind: MediaKind) -> bool {
        let page = self.page_media(from);
        let sends = page.sends.get(&self.peer(to));
        let is_sent = sends.is_some_and(|sends| sends[kind as usize].is_some());
        let is_audible = kind != MediaKind::Microphone || page.is_audible;
        let end = |at: usize| self.media_number(&self.peer(at));
        let ends = end(from).zip(end(to));
        let is_connected = ends.is_some_and(|(from, to)| self.rtc.is_connected(from, to));
        page.tracks[kind as usize] && is_sent && is_audible && is_connected
    }

    pub fn is_heard(&self, from: usize, to: usize) -> bool {
        self.reaches(from, to, MediaKind::Microphone)
    }

    /// Number of media connections of a rider's pages.
    pub fn media_connections(&self, at: usize) -> usize {
        let number = self.media_number(&self.peer(at));
        number.map_or(0, |number| self.rtc.count(number))
    }

    /// Blocks the path for media between two browsers, or opens it again.
    pub fn block_media(&mut self, a: usize, b: usize, is_blocked: bool) {
        let (a, b) = (self.peer(a), self.peer(b));
        let (a, b) = (self.number_media(&a), self.number_media(&b));
        let events = self.rtc.block(a, b, is_blocked);
        self.rtc_events(events);
    }

    /// Number of a rider in the model of connections.
    fn media_number(&self, peer: &PeerId) -> Option<usize> {
        self.media_riders.iter().position(|one| one == peer)
    }

    fn number_media(&mut self, peer: &PeerId) -> usize {
        self.media_number(peer).unwrap_or_else(|| {
            self.media_riders.push(peer.clone());
            self.media_riders.len() - 1
        })
    }

    /// Number of a page load, unique in all tabs.
    fn media_load(&self, at: usize) -> u32 {
        at as u32 * 1_000 + self.tabs[at].page
    }

    /// The page is gone, and its connections with it.
    pub(super) fn forget_media(&mut self, at: usize) {
        let load = self.media_load(at);
        for rider in 0..self.media_riders.len() {
            let events = self.rtc.forget(rider, load);
            self.rtc_events(events);
        }
    }

    fn rtc_events(&mut self, events: Vec<RtcEvent>) {
        for event in events {
            self.after(ms(event.delay_ms), Packet::Media(event.end, event.event));
        }
    }

    /// An event arrives at the page at one end of a connection, if it is still open.
    pub(super) fn deliver_media(&mut self, end: rtc_model::End, event: MediaEvent) {
        let mut tabs = 0..self.tabs.len();
        let Some(at) = tabs.find(|at| self.media_load(*at) == end.load) else {
            return;
        };
        let has_session = matches!(self.tabs[at].program, Some(Program::Session(_)));
        if has_session {
            let input = MediaInput::Connection {
                peer: self.media_riders[end.other].clone(),
                connection: end.connection,
                event,
            };
            self.media(at, input);
        }
    }

    pub(super) fn media_output(&mut self, at: usize, output: MediaOutput) {
        let media = &mut self.tabs[at].exchange.media;
        match output {
            MediaOutput::Connection {
                peer,
                connection,
                command,
            } => {
                if matches!(command, MediaCommand::Open { .. } | MediaCommand::Close) {
                    media.sends.remove(&peer);
                }
                let rider = self.tabs[at].exchange.rider.clone();
                let own = rider.expect("a rider");
                let end = rtc_model::End {
                    page: self.number_media(&own),
                    load: self.media_load(at),
                    other: self.number_media(&peer),
                    connection,
                };
                let events = self.rtc.command(end, command);
                self.rtc_events(events);
            }
            MediaOutput::Send {
                peer,
                kind,
                encoding,
            } => media.sends.entry(peer).or_default()[kind as usize] = encoding,
            MediaOutput::Audible(is_audible) => media.is_audible = is_audible,
            MediaOutput::Stop(kind) => {
                let was_live = std::mem::take(&mut media.tracks[kind as usize]);
                assert!(was_live, "{kind:?} is stopped twice");
                media.stops.push(kind);
            }
            MediaOutput::Volume { .. } => {}
            MediaOutput::Show(view) => media.view = *view,
            MediaOutput::Notify(notice) => media.notices.push(notice),
        }
    }
}
