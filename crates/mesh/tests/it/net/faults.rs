//! What goes wrong on the network.

use std::time::Duration;

use clock::Moment;

use mesh::{
    clock_sync::GroupOffset,
    node::{Input, Node, NodeConfig, RtcEvent},
};
use protocol::{peer::DeliveryClass, signaling::Resume};

use super::{FromRider, Net, Packet, config};

impl Net {
    /// The path between two riders' browsers lets nothing through, or does again.
    pub fn cut(&mut self, a: usize, b: usize, cut: bool) {
        for way in [(a, b), (b, a)] {
            self.cut_one_way(way.0, way.1, cut);
        }
    }

    pub fn cut_one_way(&mut self, from: usize, to: usize, cut: bool) {
        if cut {
            self.cut.insert((from, to));
            return;
        }
        self.cut.remove(&(from, to));
        let held = std::mem::take(&mut self.held);
        let (free, held): (Vec<_>, Vec<_>) = held
            .into_iter()
            .partition(|(a, b, ..)| (a.0, b.0) == (from, to));
        self.held = held;
        for (from, to, class, bytes) in free {
            self.send_frame(from, to, class, bytes);
        }
    }

    /// The socket breaks; both ends learn of it.
    pub fn drop_socket(&mut self, rider: usize) {
        if let Some(socket) = self.riders[rider].socket.take() {
            self.post(socket, true, Packet::ToRoom(socket, FromRider::Closed));
            self.feed(
                rider,
                Input::SocketClosed {
                    code: 1006,
                    reason: String::new(),
                },
            );
        }
    }

    /// The server finds that what a rider has given up is dead.
    pub fn close_dead_sockets(&mut self, rider: usize) {
        for socket in std::mem::take(&mut self.riders[rider].dead_sockets) {
            self.post(socket, true, Packet::ToRoom(socket, FromRider::Closed));
        }
    }

    /// The page stands still for a while, and its alarms with it.
    pub fn freeze(&mut self, rider: usize, time: Duration) {
        self.riders[rider].frozen = self.now + time;
        self.run(time.as_millis() as u64);
    }

    /// The page is loaded anew and is the same rider by its token.
    pub fn reload(&mut self, rider: usize) {
        self.reload_remembering(rider, None);
    }

    /// The same, by a page that has kept how far group time was from its clock.
    pub fn reload_remembering(&mut self, rider: usize, group_offset: Option<GroupOffset>) {
        let resume = self.resume(rider);
        self.load(rider, resume, group_offset);
    }

    /// Somebody who was refused tries again, as a stranger.
    pub fn come_anew(&mut self, rider: usize) {
        self.load(rider, None, None);
    }

    fn load(&mut self, rider: usize, resume: Option<Resume>, group_offset: Option<GroupOffset>) {
        let snapshot = self.riders[rider].node.room_snapshot();
        self.crash(rider);
        let seed = self.random();
        let p2p = self.riders[rider].p2p;
        let page = &mut self.riders[rider];
        page.room_snapshot = snapshot.or(page.room_snapshot.take());
        page.node = Node::new(NodeConfig {
            group_offset,
            room_snapshot: resume.as_ref().and(page.room_snapshot.clone()),
            ..config(rider, p2p, resume, seed)
        });
        page.events.clear();
        page.wakes = Some(Moment::ZERO);
    }

    /// The page is gone: its socket and its connections close.
    pub fn crash(&mut self, rider: usize) {
        if let Some(socket) = self.riders[rider].socket.take() {
            self.post(socket, true, Packet::ToRoom(socket, FromRider::Closed));
        }
        let ends: Vec<_> = self.riders[rider].connections.keys().copied().collect();
        ends.into_iter().for_each(|id| self.hang_up((rider, id)));
        let page = &mut self.riders[rider];
        page.page += 1;
        let now = self.now + page.clock;
        page.node.handle(now, Input::Leave);
        while page.node.poll_output().is_some() {}
        page.wakes = None;
    }

    /// The rider's token, as its browser keeps it.
    pub fn resume(&self, rider: usize) -> Option<Resume> {
        let token = self.riders[rider].token.clone();
        let peer = self.id(rider);
        token.map(|token| Resume {
            peer,
            token,
            incarnation: None,
        })
    }

    /// A rider reads nothing of another any more: its channels fill up.
    pub fn stall(&mut self, from: usize, to: usize) {
        self.wires
            .insert((from, to), self.now + Duration::from_secs(100_000));
    }

    /// A rider's channels of a class hold so many bytes that are not sent yet.
    pub fn buffered(&mut self, rider: usize, class: DeliveryClass, bytes: u32) {
        let ids: Vec<_> = self.riders[rider].connections.keys().copied().collect();
        for id in ids {
            self.rtc_event((rider, id), RtcEvent::Buffered { class, bytes });
        }
    }
}
