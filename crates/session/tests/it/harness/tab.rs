//! A tab of a browser, with the page whose session runs in it.

use std::collections::{BTreeMap, HashMap};

use clock::{Duration, GroupTime, Moment, WallTime};
use protocol::peer::{LinkState, PeerId};
use ride::{
    page::Page,
    recording::{
        Recording,
        fit::{self, Activity, FitFile},
    },
    rider::Ftp,
    trainer::DeviceKind,
};
use rooms::room::SocketId;
use session::{
    Input, Intent, Now, OpenedRecording, Opening, Output, RecordingChange, RideSession, Session,
    SessionConfig, Sound,
    bridge::BridgeSession,
    companion::{CompanionSession, CompanionState},
    storage::StorageCommand,
    view::{CandidatePair, CandidateType, DeviceState, FitDownloadError, Notice, Row, Stage, View},
};

use super::{
    BrowserStorage, Chooser, FakeTrainer, RawPeer, RecordingStorage, ShownExchange, TabStorage,
    World, faults::Sleep, ms, rtc::PeerConnection, server::TODAY_MS, world::FromPage,
};

/// Code of the ride.
pub const CODE: &str = "brave-otter-4821";

/// Program that runs in a page.
pub(super) enum Program {
    Session(Box<RideSession>),
    Bridge(Box<BridgeSession>),
    Companion(Box<CompanionSession>),
    RawPeer(Box<RawPeer>),
}

impl Program {
    pub(super) fn session(&mut self) -> Option<&mut dyn Session> {
        match self {
            Self::Session(session) => Some(&mut **session),
            Self::Bridge(session) => Some(&mut **session),
            Self::Companion(session) => Some(&mut **session),
            Self::RawPeer(_) => None,
        }
    }
}

pub struct Tab {
    pub(super) program: Option<Program>,
    /// Number of the page load.
    pub page: u32,
    /// Browser that the tab belongs to: position in [`World::storages`].
    pub browser: usize,
    pub storage: TabStorage,
    /// Reading of the monotonic clock when the network's time is zero.
    pub clock_lead: Duration,
    /// Lead of the wall clock over the server's.
    pub wall_lead: Duration,
    pub is_online: bool,
    pub has_webrtc: bool,
    pub(super) sleep: Option<Sleep>,
    pub(super) timers_run: bool,
    /// Time of the next timeout, by the page's clock.
    next_timeout: Option<Moment>,
    pub(super) socket: Option<(SocketId, u32)>,
    /// The socket looks open and carries nothing.
    pub is_mute: bool,
    pub(super) connections: HashMap<u32, PeerConnection>,
    pub notices: Vec<Notice>,
    /// Each stage that the screen showed, with its time.
    pub stages: Vec<(Moment, Stage)>,
    pub saved_files: Vec<(Activity, FitFile)>,
    /// The browser refuses access to the clipboard and to downloads.
    pub refuses: bool,
    pub copied: Vec<String>,
    pub screen_is_kept_on: bool,
    /// Sounds so far, each with its moment.
    pub sounds: Vec<(Moment, Sound)>,
    /// Answer of the device chooser.
    pub chooser: Chooser,
    /// Chosen trainers, by attempt.
    pub trainers: BTreeMap<u32, FakeTrainer>,
    /// Devices that the browser lets the page use again, by their names.
    pub known_devices: Vec<FakeTrainer>,
    /// Attempts whose trainer was released.
    pub released: Vec<u32>,
    pub released_trainers: Vec<FakeTrainer>,
    pub sockets_opened: u32,
    /// Key of the recording whose database is open.
    pub(super) recording_key: Option<String>,
    /// Chat and files, where the page has loaded them.
    pub exchange: ShownExchange,
}

impl Tab {
    fn new(browser: usize, wall_lead: Duration) -> Self {
        Self {
            program: None,
            page: 0,
            browser,
            storage: TabStorage::default(),
            clock_lead: Duration::ZERO,
            wall_lead,
            is_online: true,
            has_webrtc: true,
            sleep: None,
            timers_run: true,
            next_timeout: None,
            socket: None,
            is_mute: false,
            connections: HashMap::new(),
            notices: Vec::new(),
            stages: Vec::new(),
            saved_files: Vec::new(),
            refuses: false,
            copied: Vec::new(),
            screen_is_kept_on: false,
            sounds: Vec::new(),
            chooser: Chooser::StaysOpen,
            trainers: BTreeMap::new(),
            known_devices: Vec::new(),
            released: Vec::new(),
            released_trainers: Vec::new(),
            sockets_opened: 0,
            recording_key: None,
            exchange: ShownExchange::default(),
        }
    }

    pub fn session(&self) -> Option<&RideSession> {
        match &self.program {
            Some(Program::Session(session)) => Some(session),
            _ => None,
        }
    }

    pub fn view(&self) -> &View {
        match &self.program {
            Some(Program::Session(session)) => session.view(),
            Some(Program::Bridge(session)) => session.view(),
            Some(Program::Companion(session)) => session.view(),
            _ => panic!("no open page"),
        }
    }

    /// Time of the page's next timeout, by the network's clock.
    pub(super) fn timeout(&self) -> Option<Moment> {
        let runs = self.program.is_some() && self.sleep.is_none() && self.timers_run;
        let at = self.next_timeout.filter(|_| runs);
        at.map(|at| at.before(self.clock_lead))
    }

    fn poll_timeout(&self) -> Option<Moment> {
        match self.program.as_ref()? {
            Program::Session(session) => session.poll_timeout(),
            Program::Bridge(session) => session.poll_timeout(),
            Program::Companion(session) => session.poll_timeout(),
            Program::RawPeer(peer) => peer.poll_timeout(),
        }
    }
}

/// What a rider sees, and what their browser has.
impl World {
    pub fn view(&self, at: usize) -> &View {
        self.tabs[at].view()
    }

    pub fn stage(&self, at: usize) -> &Stage {
        &self.view(at).stage
    }

    /// Row of the rider at this screen.
    pub fn own_row(&self, at: usize) -> &Row {
        let mut rows = self.view(at).riders.iter();
        rows.find(|row| row.is_self).expect("an own row")
    }

    pub fn find_row(&self, at: usize, name: &str) -> Option<&Row> {
        self.view(at).riders.iter().find(|row| row.name == name)
    }

    pub fn row(&self, at: usize, name: &str) -> &Row {
        let row = self.find_row(at, name);
        row.unwrap_or_else(|| panic!("{name} is not on the list: {:?}", self.listed(at)))
    }

    /// Names on the list, in its order.
    pub fn listed(&self, at: usize) -> Vec<&str> {
        let rows = self.view(at).riders.iter();
        rows.map(|row| row.name.as_str()).collect()
    }

    /// Name of the host, as a rider sees it.
    pub fn host(&self, at: usize) -> &str {
        let mut rows = self.view(at).riders.iter();
        rows.find(|row| row.is_host).map_or("", |row| &row.name)
    }

    pub fn peer(&self, at: usize) -> PeerId {
        self.own_row(at).peer.clone()
    }

    pub fn link(&self, at: usize, name: &str) -> LinkState {
        self.row(at, name).link
    }

    /// Own target in watts.
    pub fn target(&self, at: usize) -> Option<u16> {
        self.view(at).own_metrics.target
    }

    /// Time ridden.
    pub fn elapsed(&self, at: usize) -> Duration {
        ms(self.view(at).progress.elapsed_ms.into())
    }

    /// Position in the workout.
    pub fn position(&self, at: usize) -> Duration {
        ms(self.view(at).progress.position_ms.into())
    }

    pub fn trainer(&self, at: usize) -> &DeviceState {
        self.view(at).devices.state(DeviceKind::Trainer)
    }

    pub fn group_time(&self, at: usize) -> Option<GroupTime> {
        let moment = self.clocks(at).moment;
        self.tabs[at].session()?.group_time(moment)
    }

    pub fn notices(&self, at: usize) -> &[Notice] {
        &self.tabs[at].notices
    }

    pub fn has_notice(&self, at: usize, notice: &Notice) -> bool {
        self.notices(at).contains(notice)
    }

    pub fn forget_notices(&mut self) {
        self.tabs.iter_mut().for_each(|tab| tab.notices.clear());
    }

    /// Time at which a rider's screen first showed a stage.
    pub fn first_shown(&self, at: usize, stage: &Stage) -> Moment {
        let mut shown = self.tabs[at].stages.iter();
        let first = shown.find(|(_, shown)| shown == stage);
        first.unwrap_or_else(|| panic!("never shown: {stage:?}")).0
    }

    pub fn storage(&self, at: usize) -> &BrowserStorage {
        &self.storages[self.tabs[at].browser]
    }

    pub fn storage_mut(&mut self, at: usize) -> &mut BrowserStorage {
        &mut self.storages[self.tabs[at].browser]
    }

    /// The recording that a browser has stored.
    pub fn stored_recording(&self, at: usize) -> Recording {
        let storage = self.storage(at);
        let mut keys = storage.recordings.keys().chain(storage.kept.keys());
        let chunks = storage.chunks(keys.next().expect("a stored recording"));
        Recording::from_chunks(chunks.iter().map(Vec::as_slice)).unwrap()
    }

    /// The recording as saved in a FIT file.
    pub fn download(&mut self, at: usize) -> Recording {
        self.download_file(at).0.recording
    }

    /// The ride as saved, and the FIT file.
    pub fn download_file(&mut self, at: usize) -> (Activity, FitFile) {
        self.intend(at, Intent::DownloadFit);
        self.run(ms(50));
        let saved = self.tabs[at].saved_files.last();
        saved.expect("a saved file").clone()
    }
}

/// Opening and closing pages.
impl World {
    /// Another browser, with one tab and no page. Its clocks differ from all others by hours.
    pub fn add_browser(&mut self) -> usize {
        let browser = self.storages.len();
        self.storages.push(BrowserStorage::default());
        let wall_lead = ms(7_919_137 * (browser as u64 * 5 % 7));
        self.tabs.push(Tab::new(browser, wall_lead));
        self.tabs.len() - 1
    }

    /// Another tab of the same browser, without a page.
    pub fn add_tab(&mut self, at: usize) -> usize {
        let tab = Tab::new(self.tabs[at].browser, self.tabs[at].wall_lead);
        self.tabs.push(tab);
        self.tabs.len() - 1
    }

    /// Opens the ride's page in a tab, and waits for the answer of the server.
    pub fn open(&mut self, at: usize) {
        self.open_address(at, CODE);
    }

    pub fn open_address(&mut self, at: usize, address: &str) {
        let reloaded = std::mem::take(&mut self.tabs[at].storage.hidden);
        let address = address.to_owned();
        self.open_page(at, Opening::Group { address, reloaded });
        self.run_until("the answer of the server", |world| {
            *world.stage(at) != Stage::LookingUp
        });
    }

    pub fn open_solo(&mut self) -> usize {
        let at = self.add_browser();
        self.open_solo_in(at);
        at
    }

    /// Opens the page of solo rides in a tab.
    pub fn open_solo_in(&mut self, at: usize) {
        let opening = Opening::Solo {
            profile: None,
            default_name: "Rider".to_owned(),
        };
        self.open_page(at, opening);
    }

    fn config(&mut self, at: usize) -> SessionConfig {
        SessionConfig {
            origin: "https://gruppetto.example".to_owned(),
            p2p_available: self.tabs[at].has_webrtc,
            entropy: Some(self.entropy()),
            sub_sport: self.storage(at).sub_sport.unwrap_or_default(),
            utc_offset: 20_700,
            devices: self.storage(at).devices.clone(),
        }
    }

    /// Opens the page of a bridge on another phone.
    pub fn open_bridge(&mut self, fragment: &str) -> usize {
        let at = self.add_browser();
        self.open_bridge_in(at, fragment);
        at
    }

    /// Opens the page of a bridge in a tab.
    pub fn open_bridge_in(&mut self, at: usize, fragment: &str) {
        let config = self.config(at);
        self.set_clock_origin(at);
        let stored = &self.storage(at).bridge;
        let session = BridgeSession::new(config, self.clocks(at), fragment, stored);
        self.tabs[at].program = Some(Program::Bridge(Box::new(session)));
        self.carry_out(at);
    }

    /// A companion with this page joins.
    pub fn open_companion(&mut self, page: Page) -> usize {
        let at = self.add_browser();
        let config = self.config(at);
        self.set_clock_origin(at);
        let code = CODE.parse().unwrap();
        let session = CompanionSession::new(config, self.clocks(at), code, page);
        self.tabs[at].program = Some(Program::Companion(Box::new(session)));
        self.carry_out(at);
        at
    }

    pub fn companion(&self, at: usize) -> CompanionState {
        match &self.tabs[at].program {
            Some(Program::Companion(session)) => session.state(),
            _ => panic!("{at} runs no companion"),
        }
    }

    pub fn open_page(&mut self, at: usize, opening: Opening) {
        let config = self.config(at);
        self.set_clock_origin(at);
        let session = RideSession::new(config, self.clocks(at), opening);
        self.tabs[at].program = Some(Program::Session(Box::new(session)));
        self.carry_out(at);
    }

    pub(super) fn start_program(&mut self, at: usize, peer: RawPeer) {
        self.set_clock_origin(at);
        self.tabs[at].program = Some(Program::RawPeer(Box::new(peer)));
        self.carry_out(at);
    }

    /// Origin of a page's monotonic clock: the Unix epoch by the wall clock, when it was opened.
    fn set_clock_origin(&mut self, at: usize) {
        self.tabs[at].clock_lead = ms(TODAY_MS) + self.tabs[at].wall_lead;
    }

    /// The page is reloaded: it is hidden first, and opened again.
    pub fn reload(&mut self, at: usize) {
        self.close_page(at);
        self.open(at);
    }

    /// The rider closes the tab, or leaves the page: it is hidden first.
    pub fn close_page(&mut self, at: usize) {
        self.feed(at, Input::Hide);
        self.crash(at);
    }

    /// The rider goes to another page of the app: the session ends, the document stays.
    pub fn navigate_away(&mut self, at: usize) {
        let program = self.tabs[at].program.as_mut();
        if let Some(session) = program.and_then(Program::session) {
            session.close();
        }
        self.carry_out(at);
        self.crash(at);
    }

    /// The page is gone at once, without a warning.
    pub fn crash(&mut self, at: usize) {
        self.say(at, FromPage::Closed);
        self.close_connections(at);
        self.forget_media(at);
        let tab = &mut self.tabs[at];
        tab.program = None;
        tab.page += 1;
        tab.recording_key = None;
        tab.exchange = ShownExchange::default();
        tab.screen_is_kept_on = false;
        tab.trainers.clear();
    }

    fn close_connections(&mut self, at: usize) {
        let mut ends: Vec<_> = self.tabs[at].connections.keys().copied().collect();
        ends.sort_unstable();
        ends.into_iter().for_each(|id| self.hang_up((at, id)));
    }

    /// Enters a name in the form of the ride's page, and waits for the server.
    pub fn enter(&mut self, at: usize, name: &str, ftp: u16) {
        self.intend(
            at,
            Intent::Join(name.parse().unwrap(), Ftp::new(ftp).unwrap()),
        );
        self.run_until("the answer to the hello", |world| {
            *world.stage(at) != Stage::Joining
        });
    }
}

/// The driver.
impl World {
    pub fn intend(&mut self, at: usize, intent: Intent) {
        if intent == Intent::TakeOver {
            let own = self.tabs[at].storage.identity.as_ref();
            let own = own.map(|identity| identity.peer.clone());
            let mut known = self.storage(at).known.iter();
            let same = known.find(|identity| Some(&identity.peer) == own.as_ref());
            let revoked = same.map_or(0, |identity| identity.revoked_links);
            self.feed(at, Input::RevokedLinks(revoked));
        }
        self.feed(at, Input::Intent(intent));
    }

    pub fn feed(&mut self, at: usize, input: Input) {
        if let Some(sleep) = &mut self.tabs[at].sleep {
            return sleep.keep(input);
        }
        let now = self.clocks(at);
        match &mut self.tabs[at].program {
            Some(Program::Session(session)) => session.handle(now, input),
            Some(Program::Bridge(session)) => session.handle(now, input),
            Some(Program::Companion(session)) => session.handle(now, input),
            Some(Program::RawPeer(peer)) => peer.handle(now.moment, input),
            None => return,
        }
        self.carry_out(at);
    }

    /// Readings of a tab's clocks.
    pub(super) fn clocks(&self, at: usize) -> Now {
        let tab = &self.tabs[at];
        let since = self.now.since_origin();
        Now {
            moment: Moment::from_origin(since + tab.clock_lead),
            wall: WallTime::from_unix_ms(TODAY_MS).after(since + tab.wall_lead),
        }
    }

    pub(super) fn entropy(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.random().to_be_bytes());
        }
        bytes
    }

    pub(super) fn carry_out(&mut self, at: usize) {
        loop {
            let output = match &mut self.tabs[at].program {
                Some(Program::Session(session)) => session.poll_output(),
                Some(Program::Bridge(session)) => session.poll_output(),
                Some(Program::Companion(session)) => session.poll_output(),
                Some(Program::RawPeer(peer)) => peer.poll_output(),
                None => None,
            };
            match output {
                Some(output) => self.carry_out_one(at, output),
                None => break,
            }
        }
        self.drain_exchange(at);
        let now = self.now;
        let tab = &mut self.tabs[at];
        tab.next_timeout = tab.poll_timeout();
        if let Some(Program::Session(session)) = &tab.program {
            let stage = &session.view().stage;
            if tab.stages.last().is_none_or(|(_, shown)| shown != stage) {
                tab.stages.push((now, stage.clone()));
            }
        }
    }

    fn carry_out_one(&mut self, at: usize, output: Output) {
        match output {
            Output::LookUp(code) => {
                let result = self.look_up(at, &code);
                let stored = self.storage(at).load(&self.tabs[at].storage);
                let stored = Box::new(stored);
                self.feed_later(at, ms(40), Input::LookedUp { result, stored });
            }
            Output::OpenSocket { socket, .. } => {
                self.tabs[at].sockets_opened += 1;
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
            Output::CloseConnections => self.close_connections(at),
            Output::QueryCandidatePair => self.answer_candidate_pairs(at),
            Output::Storage(command) => self.store(at, command),
            Output::FindUnfinishedSolo => {
                if let Some(found) = self.storage(at).unfinished_solo() {
                    let found = Box::new(found);
                    self.feed_later(at, ms(30), Input::UnfinishedSolo(found));
                }
            }
            Output::OpenRecording { open, key, reads } => {
                self.open_recording(at, open, key, reads);
            }
            Output::WriteRecording { write, change } => self.write_recording(at, write, change),
            Output::Device(command) => self.device_command(at, command),
            Output::Sound(sound) => self.tabs[at].sounds.push((self.now, sound)),
            Output::KeepScreenOn(on) => self.tabs[at].screen_is_kept_on = on,
            Output::CopyLink(link) => {
                let copied = !self.tabs[at].refuses;
                self.tabs[at].copied.extend(copied.then_some(link));
                self.feed_later(at, ms(1), Input::LinkCopied(copied));
            }
            Output::SaveFit(activity) => self.save_fit(at, *activity),
            Output::Notice(notice) => self.tabs[at].notices.push(notice),
            Output::NeedEntropy => {
                let entropy = self.entropy();
                self.feed_later(at, ms(0), Input::Entropy(entropy));
            }
        }
    }

    fn store(&mut self, at: usize, command: StorageCommand) {
        let tab = &mut self.tabs[at];
        self.storages[tab.browser].apply(&mut tab.storage, command);
    }

    fn open_recording(&mut self, at: usize, open: u32, key: String, reads: bool) {
        let storage = self.storage_mut(at);
        storage.attempts_to_open += 1;
        let chunks = match storage.recording_storage {
            // Opening includes a trial write.
            RecordingStorage::Hangs => return,
            RecordingStorage::Missing | RecordingStorage::Full => None,
            RecordingStorage::Works | RecordingStorage::KeepsNothing if !reads => Some(vec![]),
            RecordingStorage::Works | RecordingStorage::KeepsNothing => Some(storage.chunks(&key)),
        };
        // A database is closed for good once it has failed.
        self.tabs[at].recording_key = chunks.is_some().then_some(key);
        let opened = match chunks {
            None => OpenedRecording::Failed,
            Some(chunks) => match Recording::from_readable_chunks(&chunks) {
                None => OpenedRecording::Empty,
                Some(recording) => OpenedRecording::Stored(Box::new(recording)),
            },
        };
        self.feed_later(at, ms(30), Input::RecordingOpened { open, opened });
    }

    fn write_recording(&mut self, at: usize, write: u32, change: RecordingChange) {
        let storage = self.storage(at).recording_storage;
        let key = self.tabs[at].recording_key.clone();
        let is_stored = match (storage, key) {
            (RecordingStorage::Hangs, _) => return,
            (RecordingStorage::KeepsNothing, Some(_))
                if matches!(change, RecordingChange::Keep(_)) =>
            {
                false
            }
            (RecordingStorage::Works | RecordingStorage::KeepsNothing, Some(key)) => {
                self.storage_mut(at).change_recording(key, change);
                true
            }
            _ => {
                self.tabs[at].recording_key = None;
                false
            }
        };
        self.feed_later(at, ms(5), Input::RecordingWritten { write, is_stored });
    }

    fn save_fit(&mut self, at: usize, activity: Activity) {
        let result = match (fit::encode(&activity, 0), self.tabs[at].refuses) {
            (Err(error), _) => Err(FitDownloadError::Fit(error)),
            (Ok(_), true) => Err(FitDownloadError::Browser),
            (Ok(file), false) => {
                self.tabs[at].saved_files.push((activity, file));
                Ok(())
            }
        };
        self.feed_later(at, ms(20), Input::FitSaved(result));
    }

    fn answer_candidate_pairs(&mut self, at: usize) {
        let connections = self.tabs[at].connections.iter();
        let mut answers: Vec<_> = connections
            .filter_map(|(connection, state)| {
                let pair = state.is_connected().then_some(CandidatePair {
                    local: CandidateType::Host,
                    remote: CandidateType::PeerReflexive,
                });
                Some((*connection, state.peer()?, pair))
            })
            .collect();
        answers.sort_by_key(|(connection, ..)| *connection);
        for (connection, peer, pair) in answers {
            let input = Input::CandidatePair {
                peer,
                connection,
                pair,
            };
            self.feed_later(at, ms(2), input);
        }
    }
}
