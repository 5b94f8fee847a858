//! Driver of file transfers: reads the files that are sent, and keeps those that arrive.
//!
//! What arrives is written in the order of the session's outputs, by one task. Bytes count as written
//! once they are here, so that the sender goes on, while at most a segment
//! ([`SEGMENT_BYTES`](kept_files::SEGMENT_BYTES)) of each transfer is in memory alone; after a reload,
//! what is on the disk counts. A segment that is not complete is saved after [`SAVE_AFTER`].

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use leptos::prelude::*;
use protocol::{code::SessionCode, peer::PeerId};
use session::{
    exchange::{ExchangeInput, KEPT_FOR},
    transfers::{StoredTransfer, TransferId, TransferInput, TransferOutput},
};

use super::PostInput;
use crate::{
    browser::{
        clock, files,
        kept_files::{self, KeptFile, NotWritten, RiderFolder},
    },
    state::{ExchangeState, ReceivedFile},
};

/// Media type of all received files: the browser saves them and opens none.
const MEDIA_TYPE: &str = "application/octet-stream";
/// Time for which received bytes may be in memory alone.
const SAVE_AFTER: Duration = Duration::from_secs(2);

/// Driver of the transfers of a page.
pub(super) struct TransferDriver {
    code: SessionCode,
    state: ExchangeState,
    post: PostInput,
    jobs: RefCell<Jobs>,
    kept: RefCell<Kept>,
}

#[derive(Default)]
struct Jobs {
    is_running: bool,
    waiting: VecDeque<Job>,
}

enum Job {
    Output(TransferOutput),
    /// Save what a reload would lose.
    Save(TransferId),
}

/// What is kept. Only the task of the jobs uses it.
#[derive(Default)]
struct Kept {
    folder: Option<RiderFolder>,
    files: Vec<(TransferId, KeptFile)>,
    /// True while another page has what is stored: a job that was running then keeps nothing.
    is_released: bool,
}

impl TransferDriver {
    pub(super) fn new(code: SessionCode, state: ExchangeState, post: PostInput) -> Rc<Self> {
        Rc::new(Self {
            code,
            state,
            post,
            jobs: RefCell::default(),
            kept: RefCell::default(),
        })
    }

    /// Carries out an output.
    pub(super) fn carry_out(self: &Rc<Self>, output: TransferOutput) {
        match output {
            TransferOutput::Show(transfers) => self.state.transfers.set(transfers),
            TransferOutput::Rejected(rejection) => self.state.offer_rejected.set(Some(rejection)),
            TransferOutput::ReadFile {
                file,
                offset,
                length,
            } => self.read(file, offset, length),
            TransferOutput::ForgetFile(file) => {
                for offer in self.state.files.change_queue(|queue| queue.forget(file)) {
                    self.post(offer);
                }
            }
            TransferOutput::Load(_) => {
                // Transfers of an earlier member of this page have ended with it.
                self.state.transfers.set(Vec::new());
                let _ = self.state.files.change_queue(|queue| queue.restart());
                self.start(Job::Output(output));
            }
            TransferOutput::Release => {
                self.jobs.borrow_mut().waiting.clear();
                *self.kept.borrow_mut() = Kept {
                    is_released: true,
                    ..Kept::default()
                };
            }
            output => self.start(Job::Output(output)),
        }
    }

    fn post(&self, input: TransferInput) {
        (self.post)(ExchangeInput::Transfers(input));
    }

    fn read(self: &Rc<Self>, number: u32, offset: u64, length: u32) {
        let driver = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move {
            let queue = driver.state.files.queue;
            let file = queue.try_with_value(|queue| queue.file(number)).flatten();
            let bytes = match file {
                Some(file) => files::read_part(&file, offset as f64, f64::from(length)).await,
                None => None,
            };
            driver.post(TransferInput::FileRead {
                file: number,
                offset,
                bytes,
            });
        });
    }

    /// Carries out a job after those before it.
    fn start(self: &Rc<Self>, job: Job) {
        let is_running = {
            let mut jobs = self.jobs.borrow_mut();
            jobs.waiting.push_back(job);
            std::mem::replace(&mut jobs.is_running, true)
        };
        if is_running {
            return;
        }
        let driver = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move {
            while let Some(job) = driver.next_job() {
                driver.run(job).await;
            }
        });
    }

    fn next_job(&self) -> Option<Job> {
        let mut jobs = self.jobs.borrow_mut();
        let next = jobs.waiting.pop_front();
        jobs.is_running = next.is_some();
        next
    }

    async fn run(self: &Rc<Self>, job: Job) {
        match job {
            Job::Output(TransferOutput::Load(rider)) => self.load(&rider).await,
            Job::Output(TransferOutput::Store { transfer, record }) => {
                if self.store(transfer, &record).await.is_err() {
                    self.post(TransferInput::Written {
                        transfer,
                        kept: None,
                    });
                }
            }
            Job::Output(TransferOutput::Write {
                transfer,
                offset,
                bytes,
            }) => {
                let kept = self.write(transfer, offset, &bytes).await.ok();
                self.post(TransferInput::Written { transfer, kept });
            }
            Job::Output(TransferOutput::ReadBack {
                transfer,
                offset,
                length,
            }) => {
                let file = self.take(transfer);
                let bytes = file.read(offset, length).await;
                self.put(transfer, file);
                self.post(TransferInput::ReadBack {
                    transfer,
                    offset,
                    bytes,
                });
            }
            Job::Output(TransferOutput::Complete { transfer, name }) => {
                self.complete(transfer, name);
            }
            Job::Output(TransferOutput::Discard(transfer)) => {
                drop(self.take(transfer));
                let received = self.state.files.received;
                let _ = received.try_update(|all| all.retain(|file| file.transfer != transfer));
                if let Some(folder) = self.folder() {
                    folder.delete(&name_of(transfer)).await;
                }
            }
            Job::Save(transfer) if self.has(transfer) => {
                let mut file = self.take(transfer);
                let is_saved = file.save().await.is_ok();
                self.put(transfer, file);
                if !is_saved {
                    self.post(TransferInput::Written {
                        transfer,
                        kept: None,
                    });
                }
            }
            Job::Output(_) | Job::Save(_) => {}
        }
    }

    async fn load(&self, rider: &PeerId) {
        self.kept.borrow_mut().is_released = false;
        // They may have been changed by another tab that rode as this rider meanwhile.
        self.kept.borrow_mut().files.clear();
        let oldest = clock::wall_time().before(KEPT_FOR);
        kept_files::delete_before(oldest.unix_ms() as f64).await;
        let mut stored = Vec::new();
        let folder = RiderFolder::open(self.code.as_str(), rider.as_str()).await;
        if let Some(folder) = &folder {
            for (name, record, file) in folder.load().await {
                let Some(transfer) = transfer_of(&name) else {
                    folder.delete(&name).await;
                    continue;
                };
                let kept = file.size();
                stored.push(StoredTransfer {
                    transfer,
                    record,
                    kept,
                });
                self.put(transfer, file);
            }
        }
        self.kept.borrow_mut().folder = folder;
        self.post(TransferInput::Loaded(stored));
    }

    async fn store(&self, transfer: TransferId, record: &[u8]) -> Result<(), NotWritten> {
        let is_new = !self.has(transfer);
        let mut file = match self.folder() {
            // Without a place on the disk, in memory.
            Some(folder) if is_new => folder.create(&name_of(transfer)).await.unwrap_or_default(),
            _ => self.take(transfer),
        };
        let stored = file.write_record(record).await;
        self.put(transfer, file);
        stored
    }

    /// Appends bytes, and returns how many there are.
    async fn write(
        self: &Rc<Self>,
        transfer: TransferId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<u64, NotWritten> {
        let mut file = self.take(transfer);
        let was_unsaved = file.is_unsaved();
        let mut written = match file.size() == offset {
            true => file.append(bytes).await,
            false => Err(NotWritten),
        };
        // After the last bytes, the sender is told that the file is here.
        if written.is_ok() && self.size(transfer) == Some(file.size()) {
            written = file.save().await;
        }
        let (kept, is_unsaved) = (file.size(), file.is_unsaved());
        self.put(transfer, file);
        if is_unsaved && !was_unsaved {
            let driver = Rc::clone(self);
            wasm_bindgen_futures::spawn_local(async move {
                clock::sleep(SAVE_AFTER).await;
                driver.start(Job::Save(transfer));
            });
        }
        written.map(|()| kept)
    }

    fn complete(&self, transfer: TransferId, name: String) {
        let file = self.take(transfer);
        let content = file.content(MEDIA_TYPE);
        self.put(transfer, file);
        let Some(content) = content else { return };
        let received = self.state.files.received;
        let _ = received.try_update(|all| {
            all.retain(|file| file.transfer != transfer);
            all.push(ReceivedFile {
                transfer,
                name,
                content,
            });
        });
    }

    /// Size of the whole file.
    fn size(&self, transfer: TransferId) -> Option<u64> {
        let transfers = self.state.transfers.try_read_untracked()?;
        let view = transfers.iter().find(|one| one.id == transfer);
        view.map(|one| one.size)
    }

    fn folder(&self) -> Option<RiderFolder> {
        self.kept.borrow().folder.clone()
    }

    fn has(&self, transfer: TransferId) -> bool {
        self.kept
            .borrow()
            .files
            .iter()
            .any(|(id, _)| *id == transfer)
    }

    /// Takes a file to work on it; an empty one in memory if there is none.
    fn take(&self, transfer: TransferId) -> KeptFile {
        let files = &mut self.kept.borrow_mut().files;
        let at = files.iter().position(|(id, _)| *id == transfer);
        at.map(|at| files.swap_remove(at).1).unwrap_or_default()
    }

    fn put(&self, transfer: TransferId, file: KeptFile) {
        let mut kept = self.kept.borrow_mut();
        if !kept.is_released {
            kept.files.push((transfer, file));
        }
    }
}

/// Name of a transfer's folder.
fn name_of(transfer: TransferId) -> String {
    transfer.0.to_string()
}

fn transfer_of(name: &str) -> Option<TransferId> {
    name.parse().ok().map(TransferId)
}
