//! Faults of browsers and networks.

use clock::{Duration, Moment};
use mesh::node::RtcEvent;
use protocol::peer::DeliveryClass;
use session::{Input, SocketEvent};

use super::{
    World, ms,
    server::closed,
    world::{FromPage, Packet},
};

/// Behaviour of a computer's monotonic clock while it sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockInSleep {
    StandsStill,
    RunsOn,
}

/// A page that does not run.
pub(super) struct Sleep {
    since: Moment,
    clock: ClockInSleep,
    loses_datagrams: bool,
    /// Inputs that wait for the page.
    inbox: Vec<Input>,
}

impl Sleep {
    pub(super) fn keep(&mut self, input: Input) {
        let is_datagram = matches!(
            &input,
            Input::Rtc {
                event: RtcEvent::Frame {
                    class: DeliveryClass::Telemetry,
                    ..
                },
                ..
            } | Input::Socket {
                event: SocketEvent::Binary(_),
                ..
            }
        );
        if !is_datagram || !self.loses_datagrams {
            self.inbox.push(input);
        }
    }
}

impl World {
    /// The computer falls asleep: its page does not run, and datagrams are lost.
    pub fn fall_asleep(&mut self, at: usize, clock: ClockInSleep) {
        self.stop_page(at, clock, true);
    }

    /// The page does not run, but its clock and the network do, as while a debugger has stopped it.
    pub fn freeze(&mut self, at: usize) {
        self.stop_page(at, ClockInSleep::RunsOn, false);
    }

    fn stop_page(&mut self, at: usize, clock: ClockInSleep, loses_datagrams: bool) {
        self.tabs[at].sleep = Some(Sleep {
            since: self.now,
            clock,
            loses_datagrams,
            inbox: Vec::new(),
        });
    }

    /// The page's timers stand still; it handles everything else that happens.
    pub fn stop_timers(&mut self, at: usize) {
        self.tabs[at].timers_run = false;
    }

    /// The page runs again: it handles what has arrived, and the browser says that it is visible.
    pub fn wake_up(&mut self, at: usize) {
        let Some(sleep) = self.tabs[at].sleep.take() else {
            return;
        };
        if sleep.clock == ClockInSleep::StandsStill {
            self.tabs[at].clock_lead -= self.now - sleep.since;
        }
        for input in sleep.inbox {
            self.feed(at, input);
        }
        self.feed(at, Input::Wake);
    }

    pub fn is_asleep(&self, at: usize) -> bool {
        self.tabs[at].sleep.is_some()
    }

    /// The computer sleeps for some time.
    pub fn sleep(&mut self, at: usize, time: Duration, clock: ClockInSleep) {
        self.fall_asleep(at, clock);
        self.run(time);
        self.wake_up(at);
    }

    /// The network of one browser fails: its socket breaks, it cannot open another, and no direct
    /// path works.
    pub fn go_offline(&mut self, at: usize) {
        self.tabs[at].is_online = false;
        self.drop_socket(at);
        for other in (0..self.tabs.len()).filter(|other| *other != at) {
            self.block(at, other, true);
        }
    }

    /// The network of one browser works again, and the browser says so.
    pub fn go_online(&mut self, at: usize) {
        self.tabs[at].is_online = true;
        for other in (0..self.tabs.len()).filter(|other| *other != at) {
            self.block(at, other, false);
        }
        self.feed(at, Input::Wake);
    }

    /// The socket of one browser breaks; both ends notice.
    pub fn drop_socket(&mut self, at: usize) {
        if let Some((socket, number)) = self.tabs[at].socket.take() {
            self.post(socket, true, Packet::ToServer(socket, FromPage::Closed));
            self.feed(at, closed(number, 1006));
        }
    }

    /// Blocks or unblocks the direct path between two browsers.
    pub fn block(&mut self, a: usize, b: usize, block: bool) {
        self.block_one_way(a, b, block);
        self.block_one_way(b, a, block);
    }

    pub fn block_one_way(&mut self, from: usize, to: usize, block: bool) {
        if block {
            self.blocked.insert((from, to));
            return;
        }
        self.blocked.remove(&(from, to));
        let held = std::mem::take(&mut self.held);
        let is_free =
            |(a, b, ..): &(super::rtc::End, super::rtc::End, _, _)| (a.0, b.0) == (from, to);
        let (free, held): (Vec<_>, Vec<_>) = held.into_iter().partition(is_free);
        self.held = held;
        for (from, to, class, bytes) in free {
            self.send_frame(from, to, class, bytes);
        }
    }

    /// Sets a computer's wall clock forward. The monotonic clock does not change.
    pub fn set_wall_clock_forward(&mut self, at: usize, by: Duration) {
        self.tabs[at].wall_lead += by;
    }

    /// Sets a computer's wall clock back, at most by its lead over the server's. The monotonic clock
    /// does not change.
    pub fn set_wall_clock_back(&mut self, at: usize, by: Duration) {
        self.tabs[at].wall_lead -= by;
    }

    /// The browser closes the page's database, as phones do when they suspend a page: the next write
    /// fails, and the database can be opened again.
    pub fn close_database(&mut self, at: usize) {
        self.tabs[at].recording_key = None;
    }

    /// The page is hidden, as when the rider looks at another tab.
    pub fn hide(&mut self, at: usize) {
        self.feed(at, Input::Hide);
    }

    pub fn show(&mut self, at: usize) {
        self.feed(at, Input::Wake);
        self.run(ms(1));
    }
}
