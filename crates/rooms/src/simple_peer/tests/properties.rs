use std::collections::HashMap as Map;

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Action {
    Connect(usize),
    Send(u64, Option<u64>),
    Join(u64),
    Close(u64),
}

const CODES: [&str; 3] = ["red", "green", "blue"];

fn any_action() -> impl Strategy<Value = Action> {
    // Sockets are numbered in the order in which they connect.
    let socket = 0..20u64;
    prop_oneof![
        4 => (0..CODES.len()).prop_map(Action::Connect),
        6 => (socket.clone(), proptest::option::of(socket.clone()))
            .prop_map(|(from, to)| Action::Send(from, to)),
        2 => socket.clone().prop_map(Action::Join),
        3 => socket.prop_map(Action::Close),
    ]
}

proptest! {
    /// Under random actions, no message leaves its room, each room has exactly one client that was
    /// told to be host, and no room is left when all clients have closed their sockets.
    #[test]
    fn rooms_are_isolated_have_one_host_and_are_removed(actions in vec(any_action(), 0..100)) {
        let mut harness = SimplePeerHarness::new(3);
        let mut codes: Map<u64, usize> = Map::new();
        let mut hosts: Map<u64, bool> = Map::new();
        for action in actions {
            match action {
                Action::Connect(code) => {
                    let socket = codes.len() as u64;
                    codes.insert(socket, code);
                    harness.connect(socket, CODES[code]);
                }
                Action::Send(from, to) => {
                    let code = codes.get(&from);
                    let target = to.map(|to| format!("peer{to}"));
                    harness.message(from, &json!({"code": code, "target": target}).to_string());
                }
                Action::Join(socket) => {
                    let name = codes.get(&socket).map(|code| CODES[*code]);
                    harness.message(socket, &json!({"type": "join", "name": name}).to_string());
                }
                Action::Close(socket) => harness.close(socket),
            }
            for (socket, text) in std::mem::take(&mut harness.sent) {
                let received: Value = serde_json::from_str(&text).unwrap();
                let code = codes[&socket.0];
                prop_assert!(received.get("code").is_none_or(|it| *it == json!(code)), "{text}");
                prop_assert!(received.get("name").is_none_or(|it| *it == CODES[code]), "{text}");
                if received["type"] == "id" {
                    hosts.insert(socket.0, received["isHost"] == true);
                }
            }
            let broker = &harness.broker;
            let clients: usize = broker.rooms.values().map(|room| room.clients.len()).sum();
            prop_assert_eq!(clients, broker.memberships.len(), "each client has one socket");
            for room in broker.rooms.values() {
                prop_assert!((1..=3).contains(&room.clients.len()));
                let hosts = room.clients.values().filter(|it| hosts[&it.socket.0]);
                prop_assert_eq!(hosts.count(), 1, "a room has one host");
            }
        }
        (0..codes.len() as u64).for_each(|socket| harness.close(socket));
        prop_assert_eq!(harness.broker.counts(), Counts::default());
    }
}
