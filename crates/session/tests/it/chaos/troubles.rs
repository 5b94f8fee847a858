//! What goes wrong in a story.

use protocol::peer::PeerId;
use ride::{
    message::PeerMessage,
    timeline::{Change, SigningKey},
};
use session::Intent;

use super::{MAX_RIDERS, Rider, Story, attendant, workout};
use crate::harness::{ClockInSleep, ms, secs};

impl Story {
    /// One fault, or the end of one.
    pub(super) fn trouble(&mut self) {
        let count = self.riders.len() as u64;
        let one = (self.world.random() % count) as usize;
        let other = (one + 1 + (self.world.random() % (count - 1)) as usize) % count as usize;
        let (tab, other_tab) = (self.riders[one].tab, self.riders[other].tab);
        let world = &mut self.world;
        match world.random() % 24 {
            0 => world.drop_socket(tab),
            1 => {
                world.tabs[tab].is_online = false;
                world.drop_socket(tab);
            }
            2 => world.tabs[tab].is_online = true,
            3 => world.mute_socket(tab),
            4 => world.block(tab, other_tab, true),
            5 => world.block_one_way(tab, other_tab, true),
            6 => world.block(tab, other_tab, false),
            7 => {
                world.close_page(tab);
                attendant::open(world, tab);
            }
            8 => world.kill_server(),
            9 | 10 => world.start_server(),
            11 => self.part(one),
            12 => self.unite(one),
            13 if self.riders.len() < MAX_RIDERS => {
                let tab = world.add_browser();
                self.riders.push(Rider::new(tab));
            }
            14 => self.cut_off_host(),
            15 => {
                let host = self.hosts().first().copied();
                if let Some((host, peer)) = host.zip(self.peer_of(tab)) {
                    self.world.intend(host, Intent::HandOver(peer));
                }
            }
            16 => {
                world.freeze(tab);
                self.run(secs(3));
                self.world.wake_up(tab);
            }
            17 => {
                world.fall_asleep(tab, ClockInSleep::StandsStill);
                self.run(secs(2));
                self.world.wake_up(tab);
            }
            18 | 19 => self.forge(tab),
            20 => {
                world.crash(tab);
                self.riders[one].attendant.goes_away();
            }
            21 => self.riders[one].attendant.returns(),
            22 => self.take_over_in_another_tab(one),
            23 if self.riders.len() > 2 => self.leave_and_join_again(tab),
            _ => world.show(tab),
        }
    }

    /// The riders before one no longer reach the others directly.
    fn part(&mut self, one: usize) {
        let tabs = self.tabs();
        for a in &tabs[..one] {
            tabs[one..]
                .iter()
                .for_each(|b| self.world.block(*a, *b, true));
        }
    }

    /// The paths of one rider to all before work again.
    fn unite(&mut self, one: usize) {
        let tabs = self.tabs();
        tabs[..one]
            .iter()
            .for_each(|other| self.world.block(tabs[one], *other, false));
    }

    fn cut_off_host(&mut self) {
        if let Some(host) = self.hosts().first().copied() {
            self.world.go_offline(host);
        }
    }

    fn peer_of(&self, tab: usize) -> Option<PeerId> {
        let mut rows = self.view(tab)?.riders.iter();
        rows.find(|row| row.is_self).map(|row| row.peer.clone())
    }

    /// The spectator sends an event under the host's name, signed with a key of its own.
    fn forge(&mut self, tab: usize) {
        let node = self.world.raw_peer(self.forger).node();
        let (Some(host), epoch) = (node.host().cloned(), node.epoch()) else {
            return;
        };
        let Some(at) = self.world.group_time(tab) else {
            return;
        };
        let key = SigningKey::from_seed([99; 32]).unwrap();
        let rider = self.riders.iter().find(|rider| rider.tab == tab).unwrap();
        let mut timeline = rider.witness.timeline().clone();
        let share = (*workout("Forged", &[(66, 0.5)])).clone();
        let mut changes = [Change::End { at }, Change::Share(share)].into_iter();
        let event = changes.find_map(|change| timeline.append(change, epoch, &host, &key).ok());
        if let Some(event) = event {
            self.forged.push(event.clone());
            let message = PeerMessage::Timeline(vec![event]);
            self.world.broadcast_message(self.forger, &message);
        }
    }

    /// A second tab of the browser resumes as the rider; the first one is closed then.
    fn take_over_in_another_tab(&mut self, one: usize) {
        let old = self.riders[one].tab;
        if self.world.is_asleep(old) {
            return;
        }
        let tab = self.world.add_tab(old);
        self.world.tabs[tab].is_online = self.world.tabs[old].is_online;
        attendant::open(&mut self.world, tab);
        self.riders[one].tab = tab;
        self.run(ms(700));
        self.world.crash(old);
    }

    fn leave_and_join_again(&mut self, tab: usize) {
        self.world.intend(tab, Intent::Leave);
        self.run(ms(300));
        self.world.close_page(tab);
    }
}
