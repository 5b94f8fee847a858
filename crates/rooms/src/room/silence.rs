//! Riders whose sockets look open and are dead. A page says something every
//! second at least; a cable that was pulled says nothing, and the network may
//! need minutes to tell.

use std::time::Duration;

use super::{Output, Presence, Room, SocketId};
use protocol::signaling::close;

/// Silence is looked for so often.
const LOOK: Duration = Duration::from_millis(250);
/// So much late, the server itself stood still, and heard nobody.
const OVERSLEPT: Duration = Duration::from_secs(1);
/// When nobody was heard for so long, it is the server that has lost its network.
const HUSHED: Duration = Duration::from_millis(2_500);

impl Room {
    /// Something came over a socket.
    pub(super) fn hear(&mut self, now: Duration, socket: Option<SocketId>) {
        let number = socket.and_then(|socket| self.sockets.get(&socket));
        if let Some(rider) = number.and_then(|number| self.members.get_mut(number)) {
            rider.heard = now;
        }
    }

    /// When it is to be looked for next.
    pub(super) fn looks_at(&self) -> Option<Duration> {
        let looks = self.settings.silence > Duration::ZERO && !self.sockets.is_empty();
        looks.then_some(self.looks_at)
    }

    /// Who has been silent for too long is away, since the last that was heard.
    pub(super) fn look_for_silence(&mut self, now: Duration) {
        if self.looks_at().is_none_or(|at| now < at) {
            return;
        }
        let overslept = now >= self.looks_at + OVERSLEPT;
        self.looks_at = now + LOOK;
        let riders = self.members.values();
        let present = riders.filter_map(|rider| match rider.presence {
            Presence::Present(socket) => Some((rider.heard, socket)),
            Presence::Away { .. } => None,
        });
        let present: Vec<_> = present.collect();
        let hushed = present.iter().all(|(heard, _)| *heard + HUSHED <= now);
        let was_hushed = std::mem::replace(&mut self.hushed, hushed);
        if hushed {
            return;
        }
        // Whoever is heard first after that takes nothing from the others.
        if overslept || was_hushed {
            let riders = self.members.values_mut();
            return riders.for_each(|rider| rider.heard = now);
        }
        let silence = self.settings.silence;
        let silent = present
            .into_iter()
            .filter(|(heard, _)| *heard + silence <= now);
        for (heard, socket) in silent {
            self.outputs.push_back(Output::Close {
                socket,
                code: close::SILENT,
                reason: "silent",
            });
            self.closed(heard, socket);
        }
    }
}
