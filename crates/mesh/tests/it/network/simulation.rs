use super::*;

/// The queue of packets, and the timers of the nodes and the room.
impl Network {
    pub(super) fn next_at(&self) -> Option<Moment> {
        let nodes = self.riders.iter().filter_map(|rider| {
            let wake_at = rider.wake_at?.before(rider.clock_ahead);
            Some(wake_at.max(self.now).max(rider.frozen_until))
        });
        let packet = self.queue.keys().next().map(|(at, _)| *at);
        let room = self.room.as_ref().and_then(Room::poll_timeout);
        nodes.chain(packet).chain(room).min()
    }

    pub(super) fn step(&mut self) {
        let first = self.queue.first_key_value();
        let is_due = first.is_some_and(|((at, _), _)| *at <= self.now);
        if is_due && let Some((_, packet)) = self.queue.pop_first() {
            return self.deliver(packet);
        }
        let room = self.room.as_ref().and_then(Room::poll_timeout);
        if room.is_some_and(|at| at <= self.now) {
            self.feed_room(room::Input::Timeout);
        }
        for index in 0..self.riders.len() {
            let (now, rider) = (self.local_time(index), &self.riders[index]);
            let timeout = rider.node.poll_timeout();
            if rider.frozen_until <= self.now && timeout.is_some_and(|at| at <= now) {
                self.feed(index, Input::Timeout);
            }
        }
    }

    fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::ToRoom(socket, message) => self.receive_from_rider(socket, message),
            Packet::ToRider(socket, input) => {
                let Some(&index) = self.socket_owners.get(&socket) else {
                    return;
                };
                let rider = &mut self.riders[index];
                if rider.socket != Some(socket) || rider.is_socket_dead {
                    return;
                }
                if let Input::SocketClosed { .. } = input {
                    rider.socket = None;
                }
                self.feed(index, input);
            }
            Packet::Local {
                rider,
                page_load,
                input,
            } => {
                if self.riders[rider].page_load == page_load {
                    self.feed(rider, input);
                }
            }
            Packet::Frame {
                from,
                to,
                class,
                bytes,
            } => {
                if self.leads_to(to, from) {
                    self.rtc_event(to, RtcEvent::Frame { class, bytes });
                }
            }
            Packet::ConnectionOpened(a, b) => {
                for (end, other) in [(a, b), (b, a)] {
                    if self.leads_to(end, other) {
                        for class in DeliveryClass::ALL {
                            self.rtc_event(end, RtcEvent::Opened(class));
                        }
                    }
                }
            }
            Packet::ConnectionClosed(end) => {
                self.rtc_event(end, RtcEvent::Closed(DeliveryClass::Control));
            }
            Packet::BytesSent(end, class, bytes) => self.bytes_sent(end, class, bytes),
        }
    }

    fn leads_to(&self, end: ConnectionEnd, other: ConnectionEnd) -> bool {
        let connection = self.connection(end);
        connection.is_some_and(|connection| connection.other_end == Some(other))
    }

    pub(super) fn carry_out(&mut self, rider: usize, output: Output) {
        match output {
            Output::OpenSocket => self.open_socket(rider),
            Output::CloseSocket => {
                let socket = self.riders[rider].socket.take();
                if self.riders[rider].is_socket_dead {
                    self.riders[rider].dead_sockets.extend(socket);
                } else if let Some(socket) = socket {
                    self.send_reliably(socket, true, Packet::ToRoom(socket, FromRider::Closed));
                }
            }
            Output::SendText(text) => self.send_to_server(rider, FromRider::Text(text)),
            Output::SendBinary(bytes) => self.send_to_server(rider, FromRider::Binary(bytes)),
            Output::Rtc {
                peer,
                connection,
                command,
            } => self.rtc_command(rider, peer, connection, command),
            Output::Event(event) => {
                let rider = &mut self.riders[rider];
                if let NodeEvent::Welcomed { token, .. } = &event {
                    rider.token = Some(token.clone());
                }
                rider.events.push(event);
            }
        }
    }

    pub(super) fn random_delay(&mut self, path: PathConditions) -> Duration {
        let jitter = path.jitter.as_micros() as u64;
        path.delay + Duration::from_micros(self.random() % (jitter + 1))
    }

    /// Sends a message of a socket, in order and without loss.
    pub(super) fn send_reliably(&mut self, socket: SocketId, to_server: bool, packet: Packet) {
        let at = self.now + self.random_delay(self.relay);
        let last = self.last_arrival.entry((socket, to_server)).or_default();
        *last = at.max(*last);
        let at = *last;
        self.schedule_at(at, packet);
    }

    /// Sends a packet that may be lost or overtaken.
    pub(super) fn send_lossy(&mut self, path: PathConditions, packet: Packet) {
        if self.random() % 1_000 >= path.loss {
            let delay = self.random_delay(path);
            self.schedule(delay, packet);
        }
    }

    pub(super) fn schedule_local(&mut self, delay: Duration, rider: usize, input: Input) {
        let page_load = self.riders[rider].page_load;
        let packet = Packet::Local {
            rider,
            page_load,
            input,
        };
        self.schedule(delay, packet);
    }

    pub(super) fn schedule(&mut self, delay: Duration, packet: Packet) {
        self.schedule_at(self.now + delay, packet);
    }

    pub(super) fn schedule_at(&mut self, at: Moment, packet: Packet) {
        self.order += 1;
        self.queue.insert((at, self.order), packet);
    }
}
