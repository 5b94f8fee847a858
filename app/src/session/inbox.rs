//! The session's one queue. Whatever the browser calls back with is put here,
//! and worked off in order, one at a time: a callback that comes while another
//! is being handled waits for its turn.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use mesh::link::RtcEvent;
use protocol::peer::PeerId;

use super::Session;
use crate::{
    browser::{
        api::RideInfo,
        bluetooth::{BluetoothError, BluetoothTrainer, TrainerEvent},
        recordings::Recordings,
        rtc::CandidatePair,
        socket::SocketEvent,
    },
    state::{Intent, JoinError},
};

/// Everything that can happen to a session.
pub(super) enum Event {
    /// The rider wants something.
    Intent(Intent),
    /// The set time has come.
    Timer,
    /// The page is looked at again, or online again.
    Wake,
    /// The page is put away, perhaps for good.
    Hide,
    /// The server has answered whether there is such a ride.
    LookedUp(Result<RideInfo, JoinError>),
    /// From the socket of this generation.
    Socket(u32, SocketEvent),
    /// From a connection of this number to this peer.
    Rtc(PeerId, u32, RtcEvent),
    /// The chooser of this attempt has closed.
    TrainerChosen(u32, Result<BluetoothTrainer, BluetoothError>),
    /// From the trainer of this generation.
    Trainer(u32, TrainerEvent),
    /// A workout file has been read; `None` if it could not be.
    FileRead(Option<Vec<u8>>),
    /// The clipboard has answered.
    Copied(bool),
    /// What this browser has kept of the own recording, oldest first; `None`
    /// where it keeps nothing.
    Kept(Option<(Recordings, Vec<Vec<u8>>)>),
    /// Between which candidates the connection of this number to this peer
    /// runs; `None` while it runs between none.
    CandidatePair(PeerId, u32, Option<CandidatePair>),
}

/// A handle on the queue and on the session behind it.
#[derive(Clone)]
pub(super) struct Inbox(Rc<Shared>);

struct Shared {
    queue: RefCell<VecDeque<Event>>,
    session: RefCell<Option<Session>>,
    closed: Cell<bool>,
}

impl Inbox {
    /// A queue without a session.
    pub(super) fn new() -> Self {
        Self(Rc::new(Shared {
            queue: RefCell::default(),
            session: RefCell::new(None),
            closed: Cell::new(false),
        }))
    }

    /// Puts the session behind the queue.
    pub(super) fn attach(&self, session: Session) {
        *self.0.session.borrow_mut() = Some(session);
    }

    /// Queues an event and works the queue off, unless that is being done
    /// already further up the stack.
    pub(super) fn post(&self, event: Event) {
        if self.0.closed.get() {
            return;
        }
        self.0.queue.borrow_mut().push_back(event);
        let Ok(mut session) = self.0.session.try_borrow_mut() else {
            return;
        };
        let Some(session) = session.as_mut() else {
            return;
        };
        loop {
            let next = self.0.queue.borrow_mut().pop_front();
            match next {
                Some(event) => session.handle(event),
                None => break,
            }
        }
        session.schedule_timer();
    }

    /// Ends the session: what comes later is dropped.
    pub(super) fn close(&self) {
        self.0.closed.set(true);
        self.0.queue.borrow_mut().clear();
        if let Ok(mut session) = self.0.session.try_borrow_mut()
            && let Some(mut session) = session.take()
        {
            session.close();
        }
    }
}
