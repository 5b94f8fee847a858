//! The person in front of a screen: answers what the page asks.

use clock::{Duration, Moment};
use session::{
    Intent, Opening,
    view::{JoinError, Stage},
};

use crate::harness::{CODE, World, ms};

/// Time between two actions of a person.
const ACTION_INTERVAL: Duration = ms(1_500);

#[derive(Default)]
pub(super) struct Attendant {
    /// The rider has closed the page and does not open it again for now.
    is_away: bool,
    next_action: Moment,
}

impl Attendant {
    /// The rider opens the page again if it is closed.
    pub(super) fn returns(&mut self) {
        self.is_away = false;
    }

    pub(super) fn goes_away(&mut self) {
        self.is_away = true;
    }

    /// Does what the screen asks for.
    pub(super) fn attend(&mut self, world: &mut World, tab: usize) {
        if self.is_away || world.now < self.next_action || world.is_asleep(tab) {
            return;
        }
        let Some(session) = world.tabs[tab].session() else {
            open(world, tab);
            return;
        };
        let intent = match &session.view().stage {
            Stage::ChooseRider { .. } => Intent::ResumeAs(0),
            Stage::EnterName => Intent::Join(
                format!("Rider {tab}").parse().unwrap(),
                ride::rider::Ftp::default(),
            ),
            Stage::CannotJoin(JoinError::Unreachable | JoinError::NoSuchRide) => Intent::Retry,
            Stage::TakenOver => Intent::TakeOver,
            _ => return,
        };
        world.intend(tab, intent);
        world.intend(tab, Intent::SimulateTrainer);
        self.next_action = world.now + ACTION_INTERVAL;
    }
}

/// Opens the page of the ride without waiting for the server.
pub(super) fn open(world: &mut World, tab: usize) {
    let reloaded = std::mem::take(&mut world.tabs[tab].storage.hidden);
    let address = CODE.to_owned();
    world.open_page(tab, Opening::Group { address, reloaded });
}
