//! Queue of events. Browser callbacks put events here; they are handled in order, one at a time. An
//! event that comes while another is being handled waits for its turn.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use session::{Input, devices::DeviceCommand};

use super::Driver;
use super::storage::OpenRecording;

pub(super) use crate::state::Request;

/// Everything that can happen to a driver.
pub(super) enum Event {
    /// Input for the session.
    Input(Input),
    /// Request of the rider.
    Request(Request),
    /// The part for trainers was fetched, or could not be, for this command.
    Trainers(DeviceCommand),
    /// Attempt of this number to open the stored recording; `None` if it failed.
    Recording(u32, Option<OpenRecording>),
}

/// Handle to the queue, and to the driver behind it.
#[derive(Clone)]
pub(super) struct Queue(Rc<Shared>);

struct Shared {
    events: RefCell<VecDeque<Event>>,
    driver: RefCell<Option<Driver>>,
    closed: Cell<bool>,
}

impl Queue {
    /// Queue without a driver.
    pub(super) fn new() -> Self {
        Self(Rc::new(Shared {
            events: RefCell::default(),
            driver: RefCell::new(None),
            closed: Cell::new(false),
        }))
    }

    /// Connects the driver.
    pub(super) fn attach(&self, driver: Driver) {
        *self.0.driver.borrow_mut() = Some(driver);
    }

    /// Queues an event. Handles the queue, unless that is being done already further up the stack.
    pub(super) fn post(&self, event: Event) {
        if self.0.closed.get() {
            return;
        }
        self.0.events.borrow_mut().push_back(event);
        let Ok(mut driver) = self.0.driver.try_borrow_mut() else {
            return;
        };
        let Some(driver) = driver.as_mut() else {
            return;
        };
        loop {
            let next = self.0.events.borrow_mut().pop_front();
            match next {
                Some(event) => driver.handle(event),
                None => break,
            }
        }
        driver.set_timer();
    }

    /// Ends the session. Later events are dropped.
    pub(super) fn close(&self) {
        self.0.closed.set(true);
        self.0.events.borrow_mut().clear();
        if let Ok(mut driver) = self.0.driver.try_borrow_mut()
            && let Some(driver) = driver.take()
        {
            driver.close();
        }
    }
}
