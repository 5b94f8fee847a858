//! A browser: storage, clocks, a trainer, and the page whose session runs in it.

use std::collections::{BTreeMap, HashMap};

use clock::{Duration, Moment, WallTime};
use protocol::peer::{LinkState, PeerId};
use ride::recording::{Recording, fit};
use rooms::room::SocketId;
use session::{
    Input, Intent, Now, Opening, Output, RideSession, SessionConfig,
    storage::{StorageCommand, StoredIdentity, StoredProfile, StoredRide},
    trainer::DeviceCommand,
    view::{FitDownloadError, Notice, Row, Stage, View},
};

use super::{World, ms, network::FromPage, rtc::PeerConnection, server::TODAY_MS};

/// Code of the ride.
pub const CODE: &str = "brave-otter-4821";

/// Behaviour of the browser's database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageMode {
    #[default]
    Works,
    /// There is none.
    Missing,
    /// It never answers.
    Hangs,
}

pub struct Browser {
    pub session: Option<RideSession>,
    /// Number of the page load.
    pub page: u32,
    /// Lead of the monotonic clock over the network's time.
    pub clock: Duration,
    /// Lead of the wall clock over the server's.
    pub wall_lead: Duration,
    pub online: bool,
    pub p2p: bool,
    /// The page does not run until then.
    pub frozen_until: Moment,
    pub(super) socket: Option<(SocketId, u32)>,
    pub(super) connections: HashMap<u32, PeerConnection>,
    pub storage: Storage,
    pub notices: Vec<Notice>,
    pub saved_files: Vec<Recording>,
    pub copied: Vec<String>,
    pub screen_is_kept_on: bool,
    pub trainer_commands: Vec<DeviceCommand>,
    pub sockets_opened: u32,
    recording_key: Option<String>,
}

#[derive(Default)]
pub struct Storage {
    pub profile: Option<StoredProfile>,
    pub tab_identity: Option<StoredIdentity>,
    pub known: Vec<StoredIdentity>,
    pub joining: bool,
    pub banned: bool,
    pub hidden: bool,
    pub timeline: Option<Vec<u8>>,
    pub recordings: BTreeMap<String, Vec<Vec<u8>>>,
    pub mode: StorageMode,
}

impl Browser {
    pub fn view(&self) -> &View {
        self.session.as_ref().expect("a page is open").view()
    }

    pub fn stage(&self) -> &Stage {
        &self.view().stage
    }

    /// Row of the rider at this screen.
    pub fn own_row(&self) -> &Row {
        let mut rows = self.view().riders.iter();
        rows.find(|row| row.is_self).expect("an own row")
    }

    pub fn row(&self, name: &str) -> Option<&Row> {
        self.view().riders.iter().find(|row| row.name == name)
    }

    pub fn peer(&self) -> PeerId {
        self.own_row().peer.clone()
    }

    pub fn link(&self, name: &str) -> Option<LinkState> {
        self.row(name).map(|row| row.link)
    }

    /// Time of the session's next timeout, by the network's clock.
    pub(super) fn timeout(&self) -> Option<Moment> {
        let at = self.session.as_ref()?.poll_timeout()?;
        Some(at.before(self.clock))
    }
}

impl World {
    /// A browser without a page. Its clocks differ from all others.
    pub fn add_browser(&mut self) -> usize {
        let at = self.browsers.len();
        self.browsers.push(Browser {
            session: None,
            page: 0,
            clock: ms(7_919_137 * (at as u64 * 5 % 7)),
            wall_lead: ms(1_000 * at as u64),
            online: true,
            p2p: true,
            frozen_until: Moment::ZERO,
            socket: None,
            connections: HashMap::new(),
            storage: Storage::default(),
            notices: Vec::new(),
            saved_files: Vec::new(),
            copied: Vec::new(),
            screen_is_kept_on: false,
            trainer_commands: Vec::new(),
            sockets_opened: 0,
            recording_key: None,
        });
        at
    }

    /// A new rider opens the ride, and joins under a name.
    pub fn join(&mut self, name: &str) -> usize {
        let at = self.add_browser();
        self.open(at);
        self.run_until("the form for the name", |world| {
            *world.browsers[at].stage() == Stage::EnterName
        });
        self.intend(
            at,
            Intent::Join(name.parse().unwrap(), ride::rider::Ftp::default()),
        );
        self.run_until("the lobby", |world| {
            !matches!(
                world.browsers[at].stage(),
                Stage::EnterName | Stage::Joining | Stage::LookingUp
            )
        });
        at
    }

    /// Riders of these names in one ride, all directly linked, the first as host.
    pub fn group(seed: u64, names: &[&str]) -> Self {
        let mut world = Self::new(seed);
        for name in names {
            world.join(name);
        }
        world.run_until("direct links", World::all_direct);
        world.run(ms(3_500));
        world
    }

    pub fn all_direct(&self) -> bool {
        self.browsers.iter().all(|browser| {
            let others = browser.view().riders.iter().filter(|row| !row.is_self);
            others.clone().count() + 1 == self.browsers.len()
                && others.clone().all(|row| row.link == LinkState::Direct)
        })
    }

    /// Opens the ride's page in a browser.
    pub fn open(&mut self, at: usize) {
        let reloaded = std::mem::take(&mut self.browsers[at].storage.hidden);
        let address = CODE.to_owned();
        self.open_page(at, Opening::Group { address, reloaded });
    }

    pub fn open_page(&mut self, at: usize, opening: Opening) {
        let entropy = self.entropy();
        let config = SessionConfig {
            origin: "https://gruppetto.example".to_owned(),
            p2p_available: self.browsers[at].p2p,
            entropy: Some(entropy),
        };
        let now = self.clocks(at);
        self.browsers[at].session = Some(RideSession::new(config, now, opening));
        self.carry_out(at);
    }

    /// The page is reloaded: it is hidden first, and opened again.
    pub fn reload(&mut self, at: usize) {
        self.feed(at, Input::Hide);
        self.crash(at);
        self.open(at);
    }

    /// The page is gone at once, without a warning.
    pub fn crash(&mut self, at: usize) {
        self.say(at, FromPage::Closed);
        let ends: Vec<_> = self.browsers[at].connections.keys().copied().collect();
        ends.into_iter().for_each(|id| self.hang_up((at, id)));
        let browser = &mut self.browsers[at];
        browser.session = None;
        browser.page += 1;
        browser.recording_key = None;
        browser.screen_is_kept_on = false;
    }

    /// The computer sleeps: the page does not run, and its monotonic clock stands still.
    pub fn sleep(&mut self, at: usize, time: Duration) {
        self.browsers[at].frozen_until = self.now + time;
        self.run(time);
        self.feed(at, Input::Wake);
    }

    pub fn intend(&mut self, at: usize, intent: Intent) {
        self.feed(at, Input::Intent(intent));
    }

    pub fn feed(&mut self, at: usize, input: Input) {
        let now = self.clocks(at);
        if let Some(session) = &mut self.browsers[at].session {
            session.handle(now, input);
            self.carry_out(at);
        }
    }

    fn clocks(&self, at: usize) -> Now {
        let browser = &self.browsers[at];
        let since = self.now.since_origin();
        Now {
            moment: Moment::from_origin(since + browser.clock),
            wall: WallTime::from_unix_ms(TODAY_MS).after(since + browser.wall_lead),
        }
    }

    fn entropy(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.random().to_be_bytes());
        }
        bytes
    }

    fn carry_out(&mut self, at: usize) {
        loop {
            let session = self.browsers[at].session.as_mut();
            let Some(output) = session.and_then(RideSession::poll_output) else {
                break;
            };
            self.carry_out_one(at, output);
        }
    }

    fn carry_out_one(&mut self, at: usize, output: Output) {
        match output {
            Output::LookUp(_) => {
                let result = match self.browsers[at].online {
                    true => self.look_up(),
                    false => Err(session::view::JoinError::Unreachable),
                };
                let storage = &self.browsers[at].storage;
                let stored = Box::new(StoredRide {
                    tab_identity: storage.tab_identity.clone(),
                    known_identities: storage.known.clone(),
                    joining: storage.joining,
                    banned: storage.banned,
                    profile: storage.profile.clone(),
                    timeline: storage.timeline.clone(),
                });
                self.feed_later(at, ms(40), Input::LookedUp { result, stored });
            }
            Output::OpenSocket { socket, .. } => {
                self.browsers[at].sockets_opened += 1;
                self.open_socket(at, socket);
            }
            Output::CloseSocket => self.say(at, FromPage::Closed),
            Output::SendText(text) => self.say(at, FromPage::Text(text)),
            Output::SendBinary(bytes) => self.say(at, FromPage::Binary(bytes)),
            Output::Rtc {
                peer,
                connection,
                command,
            } => self.rtc_command(at, peer, connection, command),
            Output::CloseConnections => {
                let ends: Vec<_> = self.browsers[at].connections.keys().copied().collect();
                ends.into_iter().for_each(|id| self.hang_up((at, id)));
            }
            Output::QueryCandidatePair => {}
            Output::Storage(command) => self.browsers[at].storage.apply(command),
            Output::OpenRecording(key) => self.open_recording(at, key),
            Output::AppendRecording(chunk) => {
                let browser = &mut self.browsers[at];
                let key = browser.recording_key.clone().expect("an open recording");
                browser
                    .storage
                    .recordings
                    .entry(key)
                    .or_default()
                    .push(chunk);
            }
            Output::ClearRecording => {
                let browser = &mut self.browsers[at];
                let key = browser.recording_key.clone().expect("an open recording");
                browser.storage.recordings.remove(&key);
            }
            Output::Device(command) => self.browsers[at].trainer_commands.push(command),
            Output::KeepScreenOn(on) => self.browsers[at].screen_is_kept_on = on,
            Output::CopyLink(link) => {
                self.browsers[at].copied.push(link);
                self.feed_later(at, ms(1), Input::LinkCopied(true));
            }
            Output::SaveFit(recording) => {
                let encoded = fit::encode(&recording).map(drop);
                let result = encoded.map_err(FitDownloadError::Fit);
                if result.is_ok() {
                    self.browsers[at].saved_files.push(*recording);
                }
                self.feed_later(at, ms(20), Input::FitSaved(result));
            }
            Output::Notice(notice) => self.browsers[at].notices.push(notice),
            Output::NeedEntropy => {
                let entropy = self.entropy();
                self.feed_later(at, ms(0), Input::Entropy(entropy));
            }
        }
    }

    fn open_recording(&mut self, at: usize, key: String) {
        let browser = &mut self.browsers[at];
        let chunks = match browser.storage.mode {
            StorageMode::Hangs => return,
            StorageMode::Missing => None,
            StorageMode::Works => {
                let stored = browser.storage.recordings.get(&key);
                Some(stored.cloned().unwrap_or_default())
            }
        };
        browser.recording_key = Some(key);
        self.feed_later(at, ms(30), Input::RecordingOpened(chunks));
    }
}

impl Storage {
    fn apply(&mut self, command: StorageCommand) {
        match command {
            StorageCommand::SaveProfile(profile) => self.profile = Some(profile),
            StorageCommand::SaveIdentity(identity) => {
                self.known.retain(|other| other.peer != identity.peer);
                self.known.insert(0, (*identity).clone());
                self.tab_identity = Some(*identity);
            }
            StorageCommand::ForgetIdentity(peer) => {
                self.tab_identity = None;
                self.known.retain(|other| other.peer != peer);
            }
            StorageCommand::SaveTimeline(timeline) => self.timeline = Some(timeline),
            StorageCommand::SaveBan => self.banned = true,
            StorageCommand::ClearJoining => self.joining = false,
            StorageCommand::MarkHidden => self.hidden = true,
            StorageCommand::ClearHidden => self.hidden = false,
        }
    }
}
