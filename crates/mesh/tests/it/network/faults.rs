use std::time::Duration;

use clock::Moment;
use mesh::{
    clock_sync::GroupOffset,
    node::{Input, Node, NodeConfig, RtcEvent},
};
use protocol::{peer::DeliveryClass, signaling::Resume};

use super::{FromRider, Network, Packet, config};

impl Network {
    /// Cuts the path between two riders' browsers, or repairs it.
    pub fn cut(&mut self, a: usize, b: usize, is_cut: bool) {
        self.cut_one_way(a, b, is_cut);
        self.cut_one_way(b, a, is_cut);
    }

    pub fn cut_one_way(&mut self, from: usize, to: usize, is_cut: bool) {
        if is_cut {
            self.cut.insert((from, to));
            return;
        }
        self.cut.remove(&(from, to));
        let held = std::mem::take(&mut self.held_frames);
        let (released, held): (Vec<_>, Vec<_>) = held
            .into_iter()
            .partition(|(a, b, ..)| (a.0, b.0) == (from, to));
        self.held_frames = held;
        for (from, to, class, bytes) in released {
            self.send_frame(from, to, class, bytes);
        }
    }

    /// Closes a rider's socket. Both ends notice.
    pub fn drop_socket(&mut self, rider: usize) {
        if let Some(socket) = self.riders[rider].socket.take() {
            self.send_reliably(socket, true, Packet::ToRoom(socket, FromRider::Closed));
            self.feed(rider, socket_closed());
        }
    }

    /// The server notices the dead sockets that a rider has given up.
    pub fn close_dead_sockets(&mut self, rider: usize) {
        for socket in std::mem::take(&mut self.riders[rider].dead_sockets) {
            self.send_reliably(socket, true, Packet::ToRoom(socket, FromRider::Closed));
        }
    }

    /// Stops the timers of a page for a time, and runs the network for that time.
    pub fn freeze(&mut self, rider: usize, time: Duration) {
        self.riders[rider].frozen_until = self.now + time;
        self.run(time.as_millis() as u64);
    }

    /// Reloads a page, which resumes as the same rider by its token.
    pub fn reload(&mut self, rider: usize) {
        self.reload_with_offset(rider, None);
    }

    /// Reloads a page that has kept the offset of group time.
    pub fn reload_with_offset(&mut self, rider: usize, group_offset: Option<GroupOffset>) {
        let resume = self.resume(rider);
        self.load(rider, resume, group_offset);
    }

    /// Reloads a page, which joins as a new rider.
    pub fn join_again(&mut self, rider: usize) {
        self.load(rider, None, None);
    }

    fn load(&mut self, rider: usize, resume: Option<Resume>, group_offset: Option<GroupOffset>) {
        let snapshot = self.riders[rider].node.room_snapshot();
        self.crash(rider);
        let seed = self.random();
        let page = &mut self.riders[rider];
        page.room_snapshot = snapshot.or(page.room_snapshot.take());
        page.node = Node::new(NodeConfig {
            group_offset,
            room_snapshot: resume.as_ref().and(page.room_snapshot.clone()),
            role: page.role,
            ..config(rider, page.has_rtc, resume, seed)
        });
        page.events.clear();
        page.wake_at = Some(Moment::ZERO);
    }

    /// Ends a page, with its socket and its connections.
    pub fn crash(&mut self, rider: usize) {
        if let Some(socket) = self.riders[rider].socket.take() {
            self.send_reliably(socket, true, Packet::ToRoom(socket, FromRider::Closed));
        }
        let connections: Vec<_> = self.riders[rider].connections.keys().copied().collect();
        for connection in connections {
            self.close_connection((rider, connection));
        }
        let now = self.local_time(rider);
        let page = &mut self.riders[rider];
        page.page_load += 1;
        page.node.handle(now, Input::Leave);
        while page.node.poll_output().is_some() {}
        page.wake_at = None;
    }

    /// A rider's token, as its browser keeps it.
    pub fn resume(&self, rider: usize) -> Option<Resume> {
        let token = self.riders[rider].token.clone();
        let peer = self.id(rider);
        token.map(|token| Resume {
            peer,
            token,
            incarnation: None,
        })
    }

    /// A rider stops reading from another one, whose channels fill up.
    pub fn stall(&mut self, from: usize, to: usize) {
        let end = self.now + Duration::from_secs(100_000);
        self.busy_until.insert((from, to), end);
    }

    /// Reports a number of buffered bytes for a channel of all of a rider's connections.
    pub fn set_buffered(&mut self, rider: usize, class: DeliveryClass, bytes: u32) {
        let connections: Vec<_> = self.riders[rider].connections.keys().copied().collect();
        for connection in connections {
            let event = RtcEvent::Buffered { class, bytes };
            self.rtc_event((rider, connection), event);
        }
    }
}

/// Close of a socket without a close frame.
pub(super) fn socket_closed() -> Input {
    Input::SocketClosed {
        code: 1006,
        reason: String::new(),
    }
}
