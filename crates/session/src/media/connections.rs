//! Media connections, what they send, and the volumes of what they receive.

use clock::Moment;
use mesh::media::{MediaConnection, MediaConnectionOutput, MediaConnectionState, MediaEvent};
use protocol::peer::PeerId;
use ride::media::{MediaMessage, PictureSize};

use super::{
    Encoding, Media, MediaKind, MediaOutput,
    peer::{Connection, Peer, Sending},
    quality::{self, Load, VOICE},
};

/// Volume of voices while a tone is played.
const LOWERED: f32 = 0.25;
/// Volume in percent at first.
const FULL_VOLUME: u8 = 100;

impl Media {
    /// True if sound or pictures flow, or would if they could, between this page and another.
    pub(super) fn is_exchanging(&self, peer: &Peer) -> bool {
        let is_over = self.members.as_ref().is_none_or(|members| members.is_over);
        !is_over && peer.is_present && (self.own.is_any_live() || peer.is_live())
    }

    /// True if a media connection between this page and another is possible.
    pub(super) fn can_connect(&self, peer: &Peer) -> bool {
        let members = self.members.as_ref();
        members.is_some_and(|members| members.has_webrtc && members.allows_direct_links)
            && peer.status.is_some_and(|status| status.can_connect)
    }

    /// Opens and closes connections, and tells the driver what they send.
    pub(super) fn update_connections(&mut self, now: Moment) {
        for index in 0..self.peers.len() {
            let peer = &self.peers[index];
            let is_wanted = self.is_exchanging(peer) && self.can_connect(peer);
            if is_wanted && peer.connection.is_none() {
                self.peers[index].connection =
                    self.new_connection(now, &self.peers[index].id.clone());
            }
            let peer = &mut self.peers[index];
            let Some(connection) = &mut peer.connection else {
                peer.note_connection(now, false);
                continue;
            };
            let media = &mut connection.media;
            media.set_reachable(now, peer.is_reachable);
            media.set_wanted(now, is_wanted);
            if media.poll_timeout().is_some_and(|due| due <= now) {
                media.handle_timeout(now);
            }
            self.drain_connection(now, index);
            self.peers[index].note_connection(now, is_wanted);
            self.update_sending(index, is_wanted);
        }
    }

    fn new_connection(&mut self, now: Moment, peer: &PeerId) -> Option<Connection> {
        let members = self.members.as_ref()?;
        // Both pages come to the same result, without a message.
        let is_polite = members.me > *peer;
        let mut media = MediaConnection::new(now, is_polite, self.random.next());
        media.set_ice_servers(members.ice_servers.clone());
        let base = self.last_connection;
        Some(Connection { media, base })
    }

    /// Handles an event of a connection. Those of former page loads are ignored.
    pub(super) fn connection_event(
        &mut self,
        now: Moment,
        peer: &PeerId,
        connection: u32,
        event: MediaEvent,
    ) {
        let peer = self.peers.iter_mut().find(|one| one.id == *peer);
        if let Some(current) = peer.and_then(|peer| peer.connection.as_mut())
            && let Some(number) = connection.checked_sub(current.base)
        {
            current.media.handle_event(now, number, event);
        }
    }

    /// Sends the signals of a connection, and passes its commands on.
    fn drain_connection(&mut self, now: Moment, index: usize) {
        let next = |peer: &mut Peer| {
            let connection = peer.connection.as_mut()?;
            Some((connection.base, connection.media.poll_output()?))
        };
        while let Some((base, output)) = next(&mut self.peers[index]) {
            match output {
                MediaConnectionOutput::Signal(signal) => {
                    // The other page handles signals once it knows that there is something to send.
                    if let Some(status) = self.own_status() {
                        self.report_status(now, index, &status);
                    }
                    self.send(index, &MediaMessage::Signal(signal));
                }
                MediaConnectionOutput::Command {
                    connection,
                    command,
                } => {
                    let connection = base.saturating_add(connection);
                    self.last_connection = self.last_connection.max(connection);
                    let peer = self.peers[index].id.clone();
                    self.output(MediaOutput::Connection {
                        peer,
                        connection,
                        command,
                    });
                }
            }
        }
    }

    /// Tells the driver what a connection sends and how loud its sound is, as far as it has changed. A
    /// new connection sends nothing and is silent at first.
    fn update_sending(&mut self, index: usize, is_wanted: bool) {
        let peer = &self.peers[index];
        let number = peer
            .connection
            .as_ref()
            .and_then(|one| one.media.connection());
        let is_connected = peer.connection_state() == MediaConnectionState::Connected;
        let peer = &mut self.peers[index];
        let told = peer.sending.take();
        peer.sending = told.filter(|told| Some(told.connection) == number);
        if let (None, true, Some(connection)) = (&peer.sending, is_connected, number) {
            peer.sending = Some(Sending {
                connection,
                encodings: [None; 3],
                gain: 0.0,
            });
        }
        let peer = &self.peers[index];
        let (gain, id) = (self.gain(peer), peer.id.clone());
        let encodings = MediaKind::ALL.map(|kind| self.encoding(peer, kind).filter(|_| is_wanted));
        let Some(sending) = &mut self.peers[index].sending else {
            return;
        };
        let told = std::mem::replace(&mut sending.encodings, encodings);
        let told_gain = std::mem::replace(&mut sending.gain, gain);
        for kind in MediaKind::ALL {
            let encoding = encodings[kind as usize];
            if told[kind as usize] != encoding {
                self.output(MediaOutput::Send {
                    peer: id.clone(),
                    kind,
                    encoding,
                });
            }
        }
        #[expect(
            clippy::float_cmp,
            reason = "the same computation gives the same number"
        )]
        if told_gain != gain {
            self.output(MediaOutput::Volume { peer: id, gain });
        }
    }

    /// The driver has another track of a live device: connections are told again what they send.
    pub(super) fn send_again(&mut self, kind: MediaKind) {
        for peer in &mut self.peers {
            if let Some(sending) = &mut peer.sending {
                sending.encodings[kind as usize] = None;
            }
        }
    }

    fn encoding(&self, peer: &Peer, kind: MediaKind) -> Option<Encoding> {
        if !self.own.is_live(kind) {
            return None;
        }
        let quality = self.quality.quality();
        match kind {
            MediaKind::Microphone => Some(VOICE),
            MediaKind::Camera => quality::camera(quality, peer.wants),
            MediaKind::Screen => Some(quality::screen(quality)),
        }
    }

    /// Tracks of the connection that carries the most.
    pub(super) fn load(&self) -> Load {
        let receivers = self.peers.iter().filter(|peer| peer.sending.is_some());
        let is_large = |peer: &Peer| peer.wants == PictureSize::Enlarged;
        let largest = match receivers.into_iter().any(is_large) {
            true => PictureSize::Enlarged,
            false => PictureSize::Normal,
        };
        Load {
            has_microphone: self.own.is_live(MediaKind::Microphone),
            has_screen: self.own.is_live(MediaKind::Screen),
            largest,
        }
    }

    /// Volume of a rider in percent.
    pub(super) fn volume(&self, peer: &PeerId) -> u8 {
        let chosen = self.volumes.iter().find(|(of, _)| of == peer);
        chosen.map_or(FULL_VOLUME, |(_, percent)| *percent)
    }

    /// Sets the volume of a rider of the group.
    pub(super) fn set_volume(&mut self, peer: PeerId, percent: u8) {
        if self.peers.iter().any(|one| one.id == peer) {
            // Riders may return under their id, so that volumes of some who have left are kept.
            let peers = &self.peers;
            if self.volumes.len() >= super::MAX_VOLUMES {
                self.volumes
                    .retain(|(of, _)| peers.iter().any(|one| one.id == *of));
            }
            self.volumes.retain(|(of, _)| *of != peer);
            self.volumes.push((peer, percent.min(FULL_VOLUME)));
        }
    }

    /// Volume at which a rider is heard, from 0 to 1.
    fn gain(&self, peer: &Peer) -> f32 {
        if !peer.is_heard() || self.hidden.contains(&peer.id) {
            return 0.0;
        }
        let chosen = f32::from(self.volume(&peer.id)) / f32::from(FULL_VOLUME);
        match self.lowered_until {
            Some(_) => chosen * LOWERED,
            None => chosen,
        }
    }

    /// Closes all connections, and forgets the other pages.
    pub(super) fn close_all(&mut self) {
        let peers = std::mem::take(&mut self.peers);
        peers.into_iter().for_each(|peer| self.close(peer));
    }

    /// Closes the connection to a page that is no longer there.
    pub(super) fn close(&mut self, mut peer: Peer) {
        let Some(connection) = &mut peer.connection else {
            return;
        };
        connection.media.close();
        self.rejected += connection.media.rejected();
        let base = connection.base;
        while let Some(output) = connection.media.poll_output() {
            if let MediaConnectionOutput::Command {
                connection,
                command,
            } = output
            {
                self.output(MediaOutput::Connection {
                    peer: peer.id.clone(),
                    connection: base.saturating_add(connection),
                    command,
                });
            }
        }
    }
}
