use std::collections::HashMap as Map;

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Act {
    Enter(usize),
    Send(u64, Option<u64>),
    Join(u64),
    Close(u64),
}

const CODES: [&str; 3] = ["red", "green", "blue"];

fn any_act() -> impl Strategy<Value = Act> {
    // Sockets are numbered in the order in which they come.
    let socket = 0..20u64;
    prop_oneof![
        4 => (0..CODES.len()).prop_map(Act::Enter),
        6 => (socket.clone(), proptest::option::of(socket.clone()))
            .prop_map(|(from, to)| Act::Send(from, to)),
        2 => socket.clone().prop_map(Act::Join),
        3 => socket.prop_map(Act::Close),
    ]
}

proptest! {
    /// Whatever clients do, nothing leaves its room, a room has one host who
    /// knows it, and nothing is left when all are gone.
    #[test]
    fn rooms_are_apart_have_one_host_and_end(acts in vec(any_act(), 0..100)) {
        let mut club = Club::new(3);
        let mut codes: Map<u64, usize> = Map::new();
        let mut hosts: Map<u64, bool> = Map::new();
        for act in acts {
            match act {
                Act::Enter(code) => {
                    let socket = codes.len() as u64;
                    codes.insert(socket, code);
                    club.enter(socket, CODES[code]);
                }
                Act::Send(from, to) => {
                    let code = codes.get(&from);
                    let target = to.map(|to| format!("peer{to}"));
                    club.say(from, &json!({"code": code, "target": target}).to_string());
                }
                Act::Join(socket) => {
                    let name = codes.get(&socket).map(|code| CODES[*code]);
                    club.say(socket, &json!({"type": "join", "name": name}).to_string());
                }
                Act::Close(socket) => club.close(socket),
            }
            for (socket, text) in std::mem::take(&mut club.sent) {
                let heard: Value = serde_json::from_str(&text).unwrap();
                let code = codes[&socket.0];
                prop_assert!(heard.get("code").is_none_or(|it| *it == json!(code)), "{text}");
                prop_assert!(heard.get("name").is_none_or(|it| *it == CODES[code]), "{text}");
                if heard["type"] == "id" {
                    hosts.insert(socket.0, heard["isHost"] == true);
                }
            }
            let rooms = &club.rooms;
            let members: usize = rooms.rooms.values().map(|room| room.members.len()).sum();
            prop_assert_eq!(members, rooms.seats.len(), "a socket for every member");
            for room in rooms.rooms.values() {
                prop_assert!((1..=3).contains(&room.members.len()));
                let told = room.members.values().filter(|it| hosts[&it.socket.0]);
                prop_assert_eq!(told.count(), 1, "one host");
            }
        }
        (0..codes.len() as u64).for_each(|socket| club.close(socket));
        prop_assert_eq!(club.rooms.counts(), Counts::default());
    }
}
