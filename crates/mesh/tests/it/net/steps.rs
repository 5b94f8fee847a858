//! What happens next, and what becomes of it.

use super::*;

impl Net {
    pub(super) fn next_at(&self) -> Option<Moment> {
        let nodes = self.riders.iter().filter_map(|rider| {
            let at = rider.wakes?.before(rider.clock);
            Some(at.max(self.now).max(rider.frozen))
        });
        let packet = self.queue.keys().next().map(|(at, _)| *at);
        let room = self.room.as_ref().and_then(Room::poll_timeout);
        nodes.chain(packet).chain(room).min()
    }

    pub(super) fn step(&mut self) {
        let due = self
            .queue
            .first_key_value()
            .is_some_and(|((at, _), _)| *at <= self.now);
        if due && let Some((_, packet)) = self.queue.pop_first() {
            return self.deliver(packet);
        }
        let room = self.room.as_ref().and_then(Room::poll_timeout);
        if room.is_some_and(|at| at <= self.now) {
            self.feed_room(room::Input::Timeout);
        }
        for rider in 0..self.riders.len() {
            let now = self.now + self.riders[rider].clock;
            if self.riders[rider].frozen <= self.now
                && self.riders[rider]
                    .node
                    .poll_timeout()
                    .is_some_and(|at| at <= now)
            {
                self.feed(rider, Input::Timeout);
            }
        }
    }

    fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::ToRoom(socket, said) => self.room_hears(socket, said),
            Packet::ToRider(socket, input) => {
                let Some(&rider) = self.owners.get(&socket) else {
                    return;
                };
                if self.riders[rider].socket != Some(socket) || self.riders[rider].mute {
                    return;
                }
                if let Input::SocketClosed { .. } = input {
                    self.riders[rider].socket = None;
                }
                self.feed(rider, input);
            }
            Packet::Local(rider, page, input) => {
                if self.riders[rider].page == page {
                    self.feed(rider, input);
                }
            }
            Packet::Frame(from, to, class, bytes) => {
                if self.end(to).is_some_and(|end| end.other == Some(from)) {
                    self.rtc_event(to, RtcEvent::Frame { class, bytes });
                }
            }
            Packet::Joined(a, b) => {
                for (end, other) in [(a, b), (b, a)] {
                    if self.end(end).is_some_and(|end| end.other == Some(other)) {
                        for class in DeliveryClass::ALL {
                            self.rtc_event(end, RtcEvent::Opened(class));
                        }
                    }
                }
            }
            Packet::Departed(end, class, bytes) => self.departed(end, class, bytes),
            Packet::HungUp(end) => self.rtc_event(end, RtcEvent::Closed(DeliveryClass::Control)),
        }
    }

    pub(super) fn carry(&mut self, rider: usize, output: Output) {
        match output {
            Output::OpenSocket => self.open_socket(rider),
            Output::CloseSocket => {
                let socket = self.riders[rider].socket.take();
                if self.riders[rider].mute {
                    self.riders[rider].dead_sockets.extend(socket);
                } else if let Some(socket) = socket {
                    self.post(socket, true, Packet::ToRoom(socket, FromRider::Closed));
                }
            }
            Output::SendText(text) => self.say(rider, FromRider::Text(text)),
            Output::SendBinary(bytes) => self.say(rider, FromRider::Binary(bytes)),
            Output::Rtc {
                peer,
                connection,
                command,
            } => {
                self.command(rider, peer, connection, command);
            }
            Output::Event(event) => {
                let rider = &mut self.riders[rider];
                if let NodeEvent::Welcomed { token, .. } = &event {
                    rider.token = Some(token.clone());
                }
                rider.events.push(event);
            }
        }
    }

    pub(super) fn delay(&mut self, way: Way) -> Duration {
        let jitter = way.jitter.as_micros() as u64;
        way.delay + Duration::from_micros(self.random() % (jitter + 1))
    }

    /// In order, and never lost.
    pub(super) fn post(&mut self, socket: SocketId, up: bool, packet: Packet) {
        let at = self.now
            + self.delay(Way {
                loss: 0,
                ..self.relay
            });
        let last = self.last.entry((socket, up)).or_default();
        *last = at.max(*last);
        let at = *last;
        self.queue_at(at, packet);
    }

    /// Perhaps late, perhaps never.
    pub(super) fn throw(&mut self, way: Way, packet: Packet) {
        if self.random() % 1_000 >= way.loss {
            let wait = self.delay(way);
            self.at(wait, packet);
        }
    }

    pub(super) fn at(&mut self, wait: Duration, packet: Packet) {
        self.queue_at(self.now + wait, packet);
    }

    pub(super) fn queue_at(&mut self, at: Moment, packet: Packet) {
        self.order += 1;
        self.queue.insert((at, self.order), packet);
    }
}
