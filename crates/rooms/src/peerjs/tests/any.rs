use std::collections::HashMap as Map;

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Act {
    Join(usize, usize),
    Send(u64, usize),
    Leave(u64),
    Close(u64, bool),
    Alive(u64),
    Wait(u64),
}

const TOKENS: [&str; 3] = ["red", "green", "blue"];
const IDS: [&str; 4] = ["ana", "ben", "cleo", "dan"];

fn any_act() -> impl Strategy<Value = Act> {
    // Sockets are numbered in the order in which they come.
    let socket = 0..24u64;
    prop_oneof![
        4 => (0..IDS.len(), 0..TOKENS.len()).prop_map(|(id, token)| Act::Join(id, token)),
        6 => (socket.clone(), 0..IDS.len()).prop_map(|(from, to)| Act::Send(from, to)),
        1 => socket.clone().prop_map(Act::Leave),
        3 => (socket.clone(), any::<bool>()).prop_map(|(one, goodbye)| Act::Close(one, goodbye)),
        1 => socket.prop_map(Act::Alive),
        3 => (1..20_000u64).prop_map(Act::Wait),
    ]
}

/// Every socket that came, with the token it came with.
struct Run {
    crowd: Crowd,
    tokens: Map<u64, usize>,
}

impl Run {
    fn new(rooms: bool) -> Self {
        let settings = Settings {
            rooms,
            room_size: 2,
            max_peers: 6,
            pair_messages: 3,
            max_pairs: ROOM_SHARE,
            ..Settings::default()
        };
        Self {
            crowd: Crowd::with(settings),
            tokens: Map::new(),
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Join(id, token) => {
                let socket = self.tokens.len() as u64;
                self.tokens.insert(socket, token);
                self.crowd.join(socket, IDS[id], TOKENS[token]);
            }
            Act::Send(from, to) => {
                // The payload tells the sender's room.
                let token = self.tokens.get(&from).copied().unwrap_or_default();
                self.crowd.say(from, &offer("x", IDS[to], token));
            }
            Act::Leave(socket) => self.crowd.say(socket, r#"{"type":"LEAVE"}"#),
            Act::Close(socket, goodbye) => self.crowd.handle(Input::Closed {
                socket: SocketId(socket),
                goodbye,
            }),
            Act::Alive(socket) => self.crowd.alive(socket),
            Act::Wait(milliseconds) => self.crowd.pass(Duration::from_millis(milliseconds)),
        }
    }

    /// What must hold after every act.
    fn check(&self) -> Result<(), TestCaseError> {
        let broker = &self.crowd.broker;
        let rooms = broker.rooms.values();
        let peers: usize = rooms.clone().map(|room| room.connected.len()).sum();
        let claims = rooms
            .clone()
            .flat_map(|room| room.connected.values())
            .filter(|peer| peer.claim.is_some())
            .count();
        let counts = broker.counts();
        prop_assert_eq!((counts.peers, counts.claims), (peers, claims));
        prop_assert_eq!(
            broker.seats.len(),
            peers + claims,
            "a socket for every peer"
        );
        prop_assert_eq!(
            counts.away,
            rooms.clone().map(|room| room.away).sum::<usize>()
        );
        prop_assert_eq!(
            counts.queued_bytes,
            rooms.map(|room| room.queued_bytes).sum::<u64>()
        );
        for (name, room) in &broker.rooms {
            for (id, peer) in &room.connected {
                let seat = &broker.seats[&peer.socket];
                prop_assert!(seat.open && seat.id == *id && seat.room == *name);
                prop_assert!(!room.absent.contains_key(id));
            }
        }
        prop_assert!(counts.peers <= 6 && counts.pairs <= ROOM_SHARE as usize);
        prop_assert!(broker.timers.len() <= counts.away + counts.claims + counts.pairs);
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_message_leaves_its_room_and_no_room_is_overfull(acts in vec(any_act(), 0..120)) {
        let mut run = Run::new(true);
        for act in acts {
            run.act(&act);
            run.check()?;
            let full = run.crowd.broker.rooms.values().all(|room| room.connected.len() <= 2);
            prop_assert!(full);
            for (socket, text) in run.crowd.sent.drain(..) {
                let token = run.tokens[&socket.0];
                let from_room = text.contains(&format!(r#"{{"n":{token}}}"#));
                prop_assert!(from_room || !text.contains("OFFER"), "{text} came to {token}");
            }
        }
    }

    #[test]
    fn when_all_are_gone_nothing_is_left(acts in vec(any_act(), 0..120), rooms in any::<bool>()) {
        let mut run = Run::new(rooms);
        for act in acts {
            run.act(&act);
            run.check()?;
        }
        for socket in 0..run.tokens.len() as u64 {
            run.crowd.close(socket);
        }
        run.crowd.pass(2 * MINUTE);
        prop_assert_eq!(run.crowd.broker.counts(), Counts::default());
        prop_assert_eq!(run.crowd.broker.poll_timeout(), None);
        prop_assert!(run.crowd.broker.seats.is_empty());
    }
}
