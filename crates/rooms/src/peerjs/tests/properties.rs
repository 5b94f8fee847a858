use std::collections::HashMap as Map;

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Action {
    Join(usize, usize),
    Send(u64, usize),
    Leave(u64),
    Close(u64, bool),
    AnswerProbe(u64),
    Wait(u64),
}

const TOKENS: [&str; 3] = ["red", "green", "blue"];
const IDS: [&str; 4] = ["ana", "ben", "cleo", "dan"];

fn any_action() -> impl Strategy<Value = Action> {
    // Sockets are numbered in the order in which they connect.
    let socket = 0..24u64;
    prop_oneof![
        4 => (0..IDS.len(), 0..TOKENS.len()).prop_map(|(id, token)| Action::Join(id, token)),
        6 => (socket.clone(), 0..IDS.len()).prop_map(|(from, to)| Action::Send(from, to)),
        1 => socket.clone().prop_map(Action::Leave),
        3 => (socket.clone(), any::<bool>()).prop_map(|(one, goodbye)| Action::Close(one, goodbye)),
        1 => socket.prop_map(Action::AnswerProbe),
        3 => (1..20_000u64).prop_map(Action::Wait),
    ]
}

/// Broker with the token of each socket that has connected.
struct Run {
    harness: PeerJsHarness,
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
            harness: PeerJsHarness::with(settings),
            tokens: Map::new(),
        }
    }

    fn perform(&mut self, action: &Action) {
        match *action {
            Action::Join(id, token) => {
                let socket = self.tokens.len() as u64;
                self.tokens.insert(socket, token);
                self.harness.join(socket, IDS[id], TOKENS[token]);
            }
            Action::Send(from, to) => {
                // The payload identifies the sender's room.
                let token = self.tokens.get(&from).copied().unwrap_or_default();
                self.harness.message(from, &offer("x", IDS[to], token));
            }
            Action::Leave(socket) => self.harness.message(socket, r#"{"type":"LEAVE"}"#),
            Action::Close(socket, goodbye) => self.harness.handle(Input::Closed {
                socket: SocketId(socket),
                goodbye,
            }),
            Action::AnswerProbe(socket) => self.harness.answer_probe(socket),
            Action::Wait(milliseconds) => self.harness.advance(Duration::from_millis(milliseconds)),
        }
    }

    /// Checks the invariants that hold after every action.
    fn check(&self) -> Result<(), TestCaseError> {
        let broker = &self.harness.broker;
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
            broker.identities.len(),
            peers + claims,
            "each peer and claimant has one socket"
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
                let identity = &broker.identities[&peer.socket];
                prop_assert!(identity.is_open && identity.id == *id && identity.room == *name);
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
    fn messages_stay_in_their_room_and_rooms_within_their_size(actions in vec(any_action(), 0..120)) {
        let mut run = Run::new(true);
        for action in actions {
            run.perform(&action);
            run.check()?;
            let is_within_size = run.harness.broker.rooms.values().all(|room| room.connected.len() <= 2);
            prop_assert!(is_within_size);
            for (socket, text) in run.harness.sent.drain(..) {
                let token = run.tokens[&socket.0];
                let from_room = text.contains(&format!(r#"{{"n":{token}}}"#));
                prop_assert!(from_room || !text.contains("OFFER"), "{text} came to {token}");
            }
        }
    }

    #[test]
    fn no_state_remains_when_all_peers_are_gone(actions in vec(any_action(), 0..120), rooms in any::<bool>()) {
        let mut run = Run::new(rooms);
        for action in actions {
            run.perform(&action);
            run.check()?;
        }
        for socket in 0..run.tokens.len() as u64 {
            run.harness.close(socket);
        }
        run.harness.advance(2 * MINUTE);
        prop_assert_eq!(run.harness.broker.counts(), Counts::default());
        prop_assert_eq!(run.harness.broker.poll_timeout(), None);
        prop_assert!(run.harness.broker.identities.is_empty());
    }
}
