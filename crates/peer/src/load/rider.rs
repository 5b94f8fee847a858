//! One rider of a load: a mesh node, its socket, and numbers twice a second.

use std::{collections::HashMap, rc::Rc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use mesh::node::{Input, Node, NodeConfig, NodeEvent, Output};
use protocol::peer::{DeliveryClass, MemberRole, PeerId, PublicKeys};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};

use super::{Load, World, figures::Failure, mix, wire::Wires};
use crate::{
    clocks::Clocks,
    server::{CreateError, Stream},
};

/// Interval between two numbers, as of a page.
const NUMBERS_INTERVAL: Duration = Duration::from_millis(500);
/// Bytes of a telemetry message of a page.
const NUMBERS_BYTES: usize = 25;
/// Bytes of the head of the timeline in each heartbeat of a page.
const HEAD_BYTES: usize = 8;
/// Time within which a rider has to be welcomed.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Events of direct links that wait for a rider. Further ones are lost.
const MAX_MAIL: usize = 4_096;

type Socket = WebSocketStream<Box<dyn Stream>>;

/// A rider before it joins.
pub(super) struct Seat {
    number: usize,
    /// Position of its ride.
    ride: usize,
    is_relayed: bool,
    seed: u64,
}

struct Rider {
    world: Rc<World>,
    clocks: Clocks,
    node: Node,
    wires: Wires,
    socket: Socket,
    begun: Instant,
    /// Own id, once welcomed.
    own: Option<PeerId>,
    numbers_sent: u32,
    /// Newest number of each other rider.
    numbers: HashMap<PeerId, u32>,
    next_numbers: Instant,
}

impl Seat {
    /// The seat of a rider of a load. Neighbours in the order of joining are in different rides.
    pub(super) fn new(load: &Load, number: u32) -> Self {
        let seed = mix(load.seed, number.into());
        Self {
            number: number as usize,
            ride: (number % load.rides) as usize,
            is_relayed: seed % 100 < u64::from(load.relayed_percent),
            seed,
        }
    }
}

/// Joins, rides until told to leave, and leaves.
pub(super) async fn ride(seat: Seat, world: Rc<World>, mut leaving: watch::Receiver<bool>) {
    if *leaving.borrow() {
        return;
    }
    world.figures.borrow_mut().started += 1;
    let opened = tokio::select! {
        opened = open(&seat, &world) => opened,
        _ = leaving.changed() => return,
    };
    let (begun, socket) = match opened {
        Ok(opened) => opened,
        Err(failure) => return world.figures.borrow_mut().failed(failure),
    };
    let (post, mail) = mpsc::channel(MAX_MAIL);
    world.mailboxes.borrow_mut()[seat.number] = Some(post);
    let rider = Rider::new(&seat, Rc::clone(&world), begun, socket);
    let number = seat.number;
    rider.run(mail, leaving).await;
    world.mailboxes.borrow_mut()[number] = None;
}

/// Creates the ride if this is its first rider, and opens the socket. The time to join begins when
/// the ride exists.
async fn open(seat: &Seat, world: &World) -> Result<(Instant, Socket), Failure> {
    let create = async || {
        let created = world.server.create_ride().await;
        created.map_err(|error| match error {
            CreateError::Unreachable => Failure::Unreachable,
            CreateError::Full | CreateError::Other => Failure::NoRide,
        })
    };
    let code = world.codes[seat.ride].get_or_init(create).await.clone()?;
    let begun = Instant::now();
    let connect = async {
        let stream = world.server.connect().await.ok();
        let stream = stream.ok_or(Failure::Unreachable)?;
        match client_async(world.server.socket_url(&code), stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(Failure::Http(answer.status().as_u16())),
            Err(_) => Err(Failure::Unreachable),
        }
    };
    let socket = timeout(JOIN_TIMEOUT, connect).await;
    Ok((begun, socket.unwrap_or(Err(Failure::TimedOut))?))
}

impl Rider {
    fn new(seat: &Seat, world: Rc<World>, begun: Instant, socket: Socket) -> Self {
        let key = |salt: u64| {
            let words: Vec<u8> = (0..4)
                .flat_map(|word| mix(seat.seed ^ salt, word).to_le_bytes())
                .collect();
            <[u8; 32]>::try_from(words).unwrap_or([1; 32])
        };
        let config = NodeConfig {
            keys: PublicKeys {
                sign: key(1),
                agree: key(2),
            },
            role: MemberRole::Rider,
            ballot_key: None,
            resume: None,
            seed: seat.seed,
            p2p_available: !seat.is_relayed,
            group_offset: None,
            room_snapshot: None,
        };
        Self {
            world,
            clocks: Clocks::start(),
            node: Node::new(config),
            wires: Wires::new(seat.number),
            socket,
            begun,
            own: None,
            numbers_sent: 0,
            numbers: HashMap::new(),
            next_numbers: begun,
        }
    }

    async fn run(mut self, mut mail: mpsc::Receiver<Input>, mut leaving: watch::Receiver<bool>) {
        // The node wants a socket at its first input. The socket of the rider is open already.
        self.feed(Input::Timeout);
        self.feed(Input::SocketOpened);
        self.feed(Input::SetHeartbeatPayload(vec![7; HEAD_BYTES]));
        loop {
            if let Err(end) = self.carry_out().await {
                return self.end(end);
            }
            if self.own.is_none() && self.begun.elapsed() > JOIN_TIMEOUT {
                return self.end(Failure::TimedOut);
            }
            let node = self.node.poll_timeout().map(|at| self.clocks.instant(at));
            let timer = node.map_or(self.next_numbers, |at| at.min(self.next_numbers));
            tokio::select! {
                () = sleep_until(timer) => self.tick(),
                message = self.socket.next() => match message {
                    Some(Ok(message)) => self.received(message),
                    Some(Err(_)) | None => return self.end(Failure::SocketLost),
                },
                Some(input) = mail.recv() => self.feed(input),
                _ = leaving.changed() => break,
            }
        }
        self.feed(Input::Leave);
        let _ = timeout(JOIN_TIMEOUT, self.carry_out()).await;
        let _ = self.socket.close(None).await;
    }

    /// Counts the end of a rider that did not leave by itself.
    fn end(self, failure: Failure) {
        let mut figures = self.world.figures.borrow_mut();
        match self.own {
            None => figures.failed(failure),
            Some(_) => figures.lost += 1,
        }
    }

    fn feed(&mut self, input: Input) {
        self.node.handle(self.clocks.now().moment, input);
    }

    fn tick(&mut self) {
        let now = Instant::now();
        if now >= self.next_numbers {
            // A rider that is late sends no more often for that.
            self.next_numbers = (self.next_numbers + NUMBERS_INTERVAL).max(now);
            if self.own.is_some() {
                self.numbers_sent += 1;
                let mut payload = vec![0; NUMBERS_BYTES];
                payload[..4].copy_from_slice(&self.numbers_sent.to_be_bytes());
                let class = DeliveryClass::Telemetry;
                self.feed(Input::Broadcast { class, payload });
                return;
            }
        }
        self.feed(Input::Timeout);
    }

    fn received(&mut self, message: Message) {
        let is_text = message.is_text();
        self.world
            .figures
            .borrow_mut()
            .received(is_text, message.len());
        match message {
            Message::Text(text) => self.feed(Input::SocketText(text.to_string())),
            Message::Binary(bytes) => self.feed(Input::SocketBinary(bytes.to_vec())),
            _ => {}
        }
    }

    /// Carries out everything that the node wants.
    async fn carry_out(&mut self) -> Result<(), Failure> {
        let mut is_closed = false;
        loop {
            while let Some(output) = self.node.poll_output() {
                match output {
                    Output::OpenSocket => {}
                    // The event with the reason follows.
                    Output::CloseSocket => is_closed = true,
                    Output::SendText(text) => self.send(Message::text(text)).await?,
                    Output::SendBinary(bytes) => self.send(Message::binary(bytes)).await?,
                    Output::Rtc {
                        peer,
                        connection,
                        command,
                    } => {
                        if let Some(own) = &self.own {
                            self.wires.command(own, peer, connection, command);
                        }
                    }
                    Output::Event(event) => self.happened(event)?,
                }
            }
            if is_closed {
                return Err(Failure::SocketLost);
            }
            for (rider, input) in std::mem::take(&mut self.wires.mail) {
                let mailboxes = self.world.mailboxes.borrow();
                if let Some(mailbox) = mailboxes.get(rider).and_then(Option::as_ref) {
                    let _ = mailbox.try_send(input);
                }
            }
            match self.wires.events.pop_front() {
                Some(input) => self.feed(input),
                None => return Ok(()),
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Failure> {
        let is_text = message.is_text();
        self.world.figures.borrow_mut().sent(is_text, message.len());
        let sent = self.socket.send(message).await;
        sent.map_err(|_| Failure::SocketLost)
    }

    fn happened(&mut self, event: NodeEvent) -> Result<(), Failure> {
        match event {
            NodeEvent::Welcomed { peer, .. } => {
                if self.own.replace(peer).is_none() {
                    let took = self.begun.elapsed();
                    self.world.figures.borrow_mut().joined(took);
                    self.next_numbers = Instant::now();
                }
            }
            NodeEvent::Received {
                from,
                class: DeliveryClass::Telemetry,
                payload,
            } => {
                let number = payload.first_chunk().copied().map(u32::from_be_bytes);
                if let Some(number) = number {
                    let before = self.numbers.insert(from, number);
                    let mut figures = self.world.figures.borrow_mut();
                    figures.number(before, number);
                }
            }
            NodeEvent::JoinRefused { code, .. } => return Err(Failure::Refused(code)),
            NodeEvent::Replaced | NodeEvent::RideEnded | NodeEvent::Kicked { .. } => {
                return Err(Failure::SocketLost);
            }
            _ => {}
        }
        Ok(())
    }
}
