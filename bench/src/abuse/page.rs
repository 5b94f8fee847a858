//! The page of an honest rider: the session that runs in the browser, with a socket of this
//! program instead of the browser's, a simulated trainer, and no direct links.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clock::{Moment, Now, WallTime};
use futures_util::{SinkExt, StreamExt};
use protocol::code::SessionCode;
use ride::recording::fit::SubSport;
use ride::rider::{Ftp, RiderName};
use ride::workout::{Draft, Interval, IntervalKind, Target, Workout};
use session::storage::StoredRide;
use session::view::{Progress, Stage};
use session::{
    Input, Intent, OpenedRecording, Opening, Output, RideInfo, RideSession, SessionConfig,
    SocketEvent,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::client::{Socket, connect};
use crate::error::BenchError;

/// Interval between two looks at the other riders' numbers.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// Facts that an honest rider notices.
#[derive(Debug, Default)]
pub struct Noticed {
    /// Ages of the other riders' newest numbers, at each look.
    pub ages: Vec<Duration>,
    /// Looks at which a rider's numbers were missing.
    pub missing: usize,
    /// Looks at all riders together.
    pub looks: usize,
    /// Sockets that were lost.
    pub lost_sockets: usize,
    /// Close codes of those, or errors.
    pub reasons: Vec<String>,
    /// Screen that the page shows.
    pub stage: Stage,
    /// Set once the ride is under way.
    pub is_riding: bool,
    /// Other honest riders in the list.
    pub riders: usize,
    /// Set while looks are counted.
    pub is_measured: bool,
}

/// Page of an honest rider, in a task of its own. Dropping it closes the page.
#[derive(Debug)]
pub struct Page {
    /// Facts that the rider notices.
    pub noticed: Rc<RefCell<Noticed>>,
    intents: mpsc::UnboundedSender<Intent>,
    task: JoinHandle<()>,
}

impl Page {
    /// Opens a ride and joins it under a name.
    pub fn open(server: SocketAddr, source: Ipv4Addr, code: &SessionCode, name: &str) -> Self {
        let noticed = Rc::new(RefCell::new(Noticed::default()));
        let (intents, received) = mpsc::unbounded_channel();
        let driver = Driver::new(server, source, code, noticed.clone());
        let (name, ftp) = (
            name.parse::<RiderName>().expect("a name"),
            Ftp::new(230).expect("an FTP"),
        );
        let _ = intents.send(Intent::Join(name, ftp));
        let _ = intents.send(Intent::SimulateTrainer);
        let _ = intents.send(Intent::WatchLinks(true));
        let task = tokio::task::spawn_local(driver.run(received));
        Self {
            noticed,
            intents,
            task,
        }
    }

    /// Does something on the page.
    pub fn intend(&self, intent: Intent) {
        let _ = self.intents.send(intent);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A workout of two hours.
pub fn workout() -> Arc<Workout> {
    let target = Target::steady(0.6);
    let interval = Interval::new(Duration::from_secs(7_200), IntervalKind::Steady, target);
    let draft = Draft {
        name: "Endurance".to_owned(),
        intervals: vec![interval],
        ..Draft::default()
    };
    Arc::new(Workout::new(draft).expect("a valid workout"))
}

struct Driver {
    server: SocketAddr,
    source: Ipv4Addr,
    origin: Instant,
    session: RideSession,
    socket: Option<(u32, Socket)>,
    noticed: Rc<RefCell<Noticed>>,
    next_look: Instant,
}

impl Driver {
    fn new(
        server: SocketAddr,
        source: Ipv4Addr,
        code: &SessionCode,
        noticed: Rc<RefCell<Noticed>>,
    ) -> Self {
        let origin = Instant::now();
        let config = SessionConfig {
            origin: format!("http://{server}"),
            p2p_available: false,
            entropy: Some(entropy()),
            sub_sport: SubSport::default(),
            utc_offset: 0,
            devices: Default::default(),
        };
        let opening = Opening::Group {
            address: code.to_string(),
            reloaded: false,
        };
        Self {
            server,
            source,
            origin,
            session: RideSession::new(config, now(origin), opening),
            socket: None,
            noticed,
            next_look: origin,
        }
    }

    async fn run(mut self, mut intents: mpsc::UnboundedReceiver<Intent>) {
        loop {
            self.carry_out().await;
            let timer = self
                .session
                .poll_timeout()
                .map_or(self.next_look, |at| self.origin + at.since_origin())
                .min(self.next_look);
            let is_waiting = !self.waits_for_name();
            let input = tokio::select! {
                () = sleep_until(timer) => Input::Timeout,
                input = next_message(&mut self.socket) => input,
                Some(intent) = intents.recv(), if is_waiting => Input::Intent(intent),
            };
            if let Input::Socket {
                event: SocketEvent::Closed { code, reason },
                ..
            } = &input
            {
                self.note_lost(format!("{code} {reason}"));
                self.socket = None;
            }
            self.session.handle(now(self.origin), input);
            self.look();
        }
    }

    /// Returns `true` while an intent would come too early.
    fn waits_for_name(&self) -> bool {
        self.session.view().stage == Stage::LookingUp
    }

    fn note_lost(&self, reason: String) {
        let mut noticed = self.noticed.borrow_mut();
        if noticed.is_measured {
            noticed.lost_sockets += 1;
            noticed.reasons.push(reason);
        }
    }

    fn look(&mut self) {
        let now = Instant::now();
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOK_INTERVAL;
        let view = self.session.view();
        let mut noticed = self.noticed.borrow_mut();
        noticed.stage = view.stage.clone();
        noticed.is_riding =
            matches!(view.stage, Stage::Riding) && view.progress != Progress::default();
        let honest = view
            .riders
            .iter()
            .filter(|row| !row.is_self && is_honest(&row.name));
        noticed.riders = honest.clone().count();
        if !noticed.is_measured {
            return;
        }
        noticed.looks += 1;
        for row in honest {
            match row.link_stats.age {
                Some(age) => noticed.ages.push(age),
                None => noticed.missing += 1,
            }
        }
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.session.poll_output() {
            let input = match output {
                Output::LookUp(_) => Some(Input::LookedUp {
                    result: Ok(RideInfo::default()),
                    stored: Box::new(StoredRide::default()),
                }),
                Output::OpenSocket { code, socket } => Some(self.open_socket(&code, socket).await),
                Output::CloseSocket => {
                    if let Some((_, mut socket)) = self.socket.take() {
                        let _ = socket.close(None).await;
                    }
                    None
                }
                Output::SendText(text) => self.send(Message::text(text)).await,
                Output::SendBinary(bytes) => self.send(Message::binary(bytes)).await,
                Output::NeedEntropy => Some(Input::Entropy(entropy())),
                // Without storage a ride goes on all the same.
                Output::OpenRecording { open, .. } => Some(Input::RecordingOpened {
                    open,
                    opened: OpenedRecording::Failed,
                }),
                _ => None,
            };
            if let Some(input) = input {
                self.session.handle(now(self.origin), input);
            }
        }
    }

    async fn open_socket(&mut self, code: &SessionCode, number: u32) -> Input {
        let path = format!("/ws/{code}");
        let event = match connect(self.server, self.source, &path).await {
            Ok(socket) => {
                self.socket = Some((number, socket));
                SocketEvent::Opened
            }
            Err(error) => self.failed(&error),
        };
        Input::Socket {
            socket: number,
            event,
        }
    }

    fn failed(&self, error: &BenchError) -> SocketEvent {
        self.note_lost(error.to_string());
        SocketEvent::Closed {
            code: 1006,
            reason: String::new(),
        }
    }

    async fn send(&mut self, message: Message) -> Option<Input> {
        let (number, socket) = self.socket.as_mut()?;
        if socket.send(message).await.is_ok() {
            return None;
        }
        let socket = *number;
        self.socket = None;
        self.note_lost("not accepted".to_owned());
        Some(Input::Socket {
            socket,
            event: SocketEvent::Closed {
                code: 1006,
                reason: String::new(),
            },
        })
    }
}

/// Names of honest riders begin with a word that no attacker uses.
fn is_honest(name: &str) -> bool {
    name.starts_with("Honest")
}

/// The next event of the socket; never, without a socket.
async fn next_message(socket: &mut Option<(u32, Socket)>) -> Input {
    let Some((number, socket)) = socket else {
        return std::future::pending().await;
    };
    let event = loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => break SocketEvent::Text(text.to_string()),
            Some(Ok(Message::Binary(bytes))) => break SocketEvent::Binary(bytes.to_vec()),
            Some(Ok(Message::Close(frame))) => {
                break SocketEvent::Closed {
                    code: frame.as_ref().map_or(1005, |frame| frame.code.into()),
                    reason: frame.map_or_else(String::new, |frame| frame.reason.to_string()),
                };
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                break SocketEvent::Closed {
                    code: 1006,
                    reason: String::new(),
                };
            }
        }
    };
    Input::Socket {
        socket: *number,
        event,
    }
}

fn now(origin: Instant) -> Now {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        moment: Moment::from_origin(origin.elapsed()),
        wall: WallTime::from_unix_ms(since_epoch.as_millis() as u64),
    }
}

fn entropy() -> [u8; 32] {
    let mut bytes = [0; 32];
    let (first, second) = bytes.split_at_mut(16);
    first.copy_from_slice(Uuid::new_v4().as_bytes());
    second.copy_from_slice(Uuid::new_v4().as_bytes());
    bytes
}
