use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Act {
    Join(u64, u64, u32),
    Leave(u64),
    Close(u64),
    Bytes(u64, Vec<u8>),
    Wait(u64),
}

fn any_act() -> impl Strategy<Value = Act> {
    let socket = 0..12u64;
    prop_oneof![
        (socket.clone(), socket.clone(), 0..4u32).prop_map(|(a, b, c)| Act::Join(a, b, c)),
        socket.clone().prop_map(Act::Leave),
        socket.clone().prop_map(Act::Close),
        (socket, vec(0..4u8, 0..20)).prop_map(|(a, b)| Act::Bytes(a, b)),
        (0..40u64).prop_map(Act::Wait),
    ]
}

proptest! {
    /// Whatever riders do, a ride with members has exactly one host among
    /// them, and epochs only grow.
    #[test]
    fn a_ride_with_riders_always_has_one_host(acts in vec(any_act(), 0..80)) {
        let settings = RoomSettings { max_riders: 5, ..RoomSettings::default() };
        let mut hall = Hall::with(settings);
        let mut epoch = 0;
        for act in acts {
            match act {
                Act::Join(socket, other, load) => {
                    let claim = Resume {
                        peer: format!("peer{other}").parse().unwrap(),
                        token: format!("token{other}").parse().unwrap(),
                        incarnation: load.checked_sub(1).filter(|load| *load > 0).map(Incarnation),
                    };
                    hall.hello(socket, (load > 0).then_some(claim), socket as u8);
                }
                Act::Leave(socket) => hall.message(socket, ClientMessage::Leave),
                Act::Close(socket) => hall.close(socket),
                Act::Bytes(socket, bytes) => {
                    hall.say(Input::Relay { socket: SocketId(socket), bytes });
                }
                Act::Wait(seconds) => hall.pass(Duration::from_secs(seconds)),
            }
            let room = &hall.room;
            let host = room.host.filter(|host| room.members.contains_key(host));
            prop_assert_eq!(host.is_some(), !room.members.is_empty());
            prop_assert!(room.members.len() <= 5 && room.epoch() >= epoch);
            epoch = room.epoch();
        }
    }
}
