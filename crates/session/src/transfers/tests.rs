use clock::{GroupTime, Now, WallTime};
use protocol::peer::{DeliveryClass, LinkState};
use ride::transfer::{Cancel, Chunk, Complete, End, Pause};
use sha2::{Digest, Sha256};

use super::{
    inputs::MAX_STORED,
    outgoing::{CHUNK_BYTES, MAX_WINDOW},
    simulation::content,
    *,
};
use crate::exchange::GroupMember;

const SECOND: Duration = Duration::from_secs(1);
const FILE: u32 = 7;

/// A page, of which the test plays the other riders, the browser and the rider.
struct Page {
    transfers: Transfers,
    now: Moment,
    others: Vec<GroupMember>,
    load: u32,
    max_file_bytes: Option<u32>,
    /// Outputs that were not looked at.
    outputs: Vec<TransferOutput>,
    /// Messages that were not looked at, with their receivers.
    sent: Vec<(PeerId, DeliveryClass, Vec<u8>)>,
    shown: Vec<TransferView>,
}

fn peer(name: &str) -> PeerId {
    name.parse().unwrap()
}

fn member(name: &str) -> GroupMember {
    GroupMember {
        peer: peer(name),
        incarnation: Incarnation(1),
        name: name.to_owned(),
        sign_key: [0; 32],
        link: LinkState::Direct,
        is_rider: true,
    }
}

impl Page {
    fn new(others: &[&str]) -> Self {
        let mut page = Self {
            transfers: Transfers::new(1),
            now: Moment::ZERO + SECOND,
            others: others.iter().map(|name| member(name)).collect(),
            load: 1,
            max_file_bytes: None,
            outputs: Vec::new(),
            sent: Vec::new(),
            shown: Vec::new(),
        };
        page.tell_members();
        assert!(matches!(page.take_outputs()[..], [TransferOutput::Load(_)]));
        page
    }

    fn at(&self) -> ExchangeNow {
        ExchangeNow {
            own: Now {
                moment: self.now,
                wall: WallTime::from_unix_ms(1_700_000_000_000),
            },
            group: Some(GroupTime(0)),
        }
    }

    fn tell_members(&mut self) {
        let members = GroupMembers {
            me: peer("me"),
            incarnation: Incarnation(self.load),
            name: "Me".to_owned(),
            others: self.others.clone(),
            host: None,
            host_terms: Arc::default(),
            relay_bytes_per_second: 256 * 1024,
            max_file_bytes: self.max_file_bytes,
            max_cameras: None,
            companions: Vec::new(),
            tunnel_origin: None,
            has_webrtc: true,
            allows_direct_links: true,
            ice_servers: Vec::new(),
            is_over: false,
        };
        self.transfers.set_members(self.at(), Arc::new(members));
        self.drain();
    }

    fn set_link(&mut self, name: &str, link: LinkState) {
        let other = self
            .others
            .iter_mut()
            .find(|other| other.peer == peer(name));
        other.unwrap().link = link;
        self.tell_members();
    }

    fn hide(&mut self, names: &[&str]) {
        let hidden = names.iter().map(|name| peer(name)).collect();
        self.transfers.set_hidden(self.at(), hidden);
        self.drain();
    }

    fn handle(&mut self, input: TransferInput) {
        self.transfers.handle(self.at(), input);
        self.drain();
    }

    fn receive(&mut self, from: &str, message: TransferMessage<'_>) {
        self.transfers
            .receive(self.at(), &peer(from), &message.encode());
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.transfers.poll_output() {
            match output {
                ExchangeOutput::Send { to, class, payload } => self.sent.push((to, class, payload)),
                ExchangeOutput::Transfers(TransferOutput::Show(views)) => self.shown = views,
                ExchangeOutput::Transfers(output) => self.outputs.push(output),
                ExchangeOutput::Chat(_) | ExchangeOutput::Media(_) | ExchangeOutput::Pages(_) => {
                    unreachable!()
                }
            }
        }
    }

    /// Lets time pass, with all timeouts.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.transfers.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.transfers.handle_timeout(self.at());
            self.drain();
        }
        self.now = end;
    }

    fn take_outputs(&mut self) -> Vec<TransferOutput> {
        std::mem::take(&mut self.outputs)
    }

    fn take_sent(&mut self) -> Vec<(PeerId, DeliveryClass, Vec<u8>)> {
        std::mem::take(&mut self.sent)
    }

    /// Messages that were sent since the last call, as text without the content of chunks.
    fn sent(&mut self) -> Vec<String> {
        let sent = self.take_sent();
        let sent =
            sent.iter().map(
                |(_, _, payload)| match TransferMessage::decode(payload).unwrap() {
                    TransferMessage::Offer(offer) => format!("offer paused={}", offer.paused),
                    TransferMessage::Accept(one) => {
                        format!("accept from={} paused={}", one.from, one.paused)
                    }
                    TransferMessage::Pause(one) => format!("pause {}", one.paused),
                    TransferMessage::Chunk(one) => format!("chunk {}", one.offset),
                    TransferMessage::Progress(one) => format!("progress {}", one.kept),
                    TransferMessage::End(_) => "end".to_owned(),
                    TransferMessage::Complete(one) => format!("complete {}", one.is_right),
                    TransferMessage::Cancel(one) => format!("cancel {:?}", one.reason),
                },
            );
        sent.collect()
    }

    fn state(&self) -> TransferState {
        self.shown[0].state
    }

    fn id(&self) -> TransferId {
        self.shown[0].id
    }

    /// Offers a file, and returns its id in messages.
    fn offer(&mut self, size: u64, to: Option<&str>) -> u64 {
        self.handle(TransferInput::Offer {
            file: FILE,
            name: "ride.fit".to_owned(),
            size,
            to: to.map(peer),
        });
        self.transfers.list.last().map_or(0, |last| last.wire_id)
    }

    fn accept_from(&mut self, name: &str, id: u64, from: u64) {
        let paused = false;
        self.receive(name, TransferMessage::Accept(Accept { id, from, paused }));
    }

    /// Answers all reads of the file.
    fn read_file(&mut self, size: usize) {
        loop {
            let mut has_read = false;
            for output in self.take_outputs() {
                if let TransferOutput::ReadFile {
                    file,
                    offset,
                    length,
                } = output
                {
                    has_read = true;
                    let from = offset as usize;
                    let bytes = content(file, size)[from..from + length as usize].to_vec();
                    let bytes = Some(bytes);
                    self.handle(TransferInput::FileRead {
                        file,
                        offset,
                        bytes,
                    });
                } else {
                    self.outputs.push(output);
                }
            }
            if !has_read {
                return;
            }
        }
    }

    fn receive_offer(&mut self, from: &str, id: u64, size: u64) {
        let offer = Offer {
            id,
            name: "ride.fit",
            size,
            paused: false,
        };
        self.receive(from, TransferMessage::Offer(offer));
    }

    fn receive_chunk(&mut self, from: &str, id: u64, offset: u64, bytes: &[u8]) {
        let chunk = Chunk { id, offset, bytes };
        self.receive(from, TransferMessage::Chunk(chunk));
    }

    fn receive_end(&mut self, from: &str, id: u64, bytes: &[u8]) {
        let sha256 = Sha256::digest(bytes).into();
        self.receive(from, TransferMessage::End(End { id, sha256 }));
    }

    fn written(&mut self, kept: Option<u64>) {
        let transfer = self.id();
        self.handle(TransferInput::Written { transfer, kept });
    }

    /// Offer of a file by Ana that the rider has accepted.
    fn receiving(size: u64) -> Self {
        let mut page = Self::new(&["ana", "ben"]);
        page.receive_offer("ana", 5, size);
        page.handle(TransferInput::Accept(page.id()));
        assert_eq!(page.sent(), ["accept from=0 paused=false"]);
        page.take_outputs();
        page
    }
}

fn record(complete: bool) -> TransferRecord {
    TransferRecord {
        receiver: peer("me"),
        sender: peer("ana"),
        sender_name: "Ana".to_owned(),
        id: 5,
        name: "ride.fit".to_owned(),
        size: 4,
        accepted_at: WallTime::from_unix_ms(1_700_000_000_000 - 60_000),
        is_complete: complete,
    }
}

fn stored(transfer: u64, kept: u64, record: &TransferRecord) -> StoredTransfer {
    StoredTransfer {
        transfer: TransferId(transfer),
        record: record.encode(),
        kept,
    }
}

#[test]
fn a_file_is_sent_once_it_is_accepted() {
    let mut page = Page::new(&["ana"]);
    let id = page.offer(20_000, Some("ana"));
    assert_eq!(page.sent(), ["offer paused=false"]);
    assert_eq!(page.state(), TransferState::Offered);
    assert_eq!(page.take_outputs(), []);
    page.accept_from("ana", id, 0);
    page.read_file(20_000);
    assert_eq!(page.sent(), ["chunk 0", "chunk 15068", "end"]);
    assert_eq!(page.state(), TransferState::Running);
    page.receive(
        "ana",
        TransferMessage::Progress(Progress { id, kept: 20_000 }),
    );
    assert_eq!(page.state(), TransferState::Checking);
    page.receive(
        "ana",
        TransferMessage::Complete(Complete { id, is_right: true }),
    );
    assert_eq!(page.state(), TransferState::Complete);
    assert_eq!(page.take_outputs(), [TransferOutput::ForgetFile(FILE)]);
    page.pass(10 * SECOND);
    assert_eq!(page.transfers.poll_timeout(), None);
}

#[test]
fn an_accepted_file_is_stored_acknowledged_and_checked() {
    let mut page = Page::new(&["ana"]);
    page.receive_offer("ana", 5, 4);
    let view = &page.shown[0];
    assert_eq!(
        (view.peer_name.as_str(), view.name.as_str(), view.size),
        ("ana", "ride.fit", 4)
    );
    let transfer = page.id();
    page.handle(TransferInput::Accept(transfer));
    assert!(matches!(
        &page.take_outputs()[..],
        [TransferOutput::Store { .. }]
    ));
    page.receive_chunk("ana", 5, 0, &[1, 2]);
    page.receive_chunk("ana", 5, 2, &[3, 4]);
    page.receive_end("ana", 5, &[1, 2, 3, 4]);
    let write = |offset, bytes: &[u8]| TransferOutput::Write {
        transfer,
        offset,
        bytes: bytes.to_vec(),
    };
    assert_eq!(
        page.take_outputs(),
        [write(0, &[1, 2])],
        "one write at a time"
    );
    assert_eq!(page.state(), TransferState::Checking);
    page.written(Some(2));
    assert_eq!(page.take_outputs(), [write(2, &[3, 4])]);
    page.written(Some(4));
    let outputs = page.take_outputs();
    let [
        TransferOutput::Store { record, .. },
        TransferOutput::Complete { name, .. },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}");
    };
    assert!(TransferRecord::decode(record).unwrap().is_complete);
    assert_eq!(name, "ride.fit");
    assert_eq!(page.state(), TransferState::Complete);
    let sent = page.sent();
    assert_eq!(sent.last().unwrap(), "complete true");
    page.handle(TransferInput::Cancel(transfer));
    assert_eq!(page.take_outputs(), [TransferOutput::Discard(transfer)]);
    assert_eq!(page.shown, []);
}

#[test]
fn an_empty_file_works() {
    let mut page = Page::new(&["ana"]);
    let id = page.offer(0, None);
    page.accept_from("ana", id, 0);
    assert_eq!(page.sent(), ["offer paused=false", "end"]);
    let mut page = Page::receiving(0);
    page.receive_end("ana", 5, &[]);
    assert_eq!(page.sent(), ["complete true"]);
    assert_eq!(page.state(), TransferState::Complete);
}

#[test]
fn the_name_of_an_offer_is_cleaned_at_both_ends() {
    let mut page = Page::new(&["ana"]);
    let offer = Offer {
        id: 1,
        name: "..\\\u{202e}CON.txt",
        size: 1,
        paused: false,
    };
    page.receive("ana", TransferMessage::Offer(offer));
    assert_eq!(page.shown[0].name, "_CON.txt");
    let mut page = Page::new(&["ana"]);
    page.handle(TransferInput::Offer {
        file: 1,
        name: "/home/me/secret.txt".to_owned(),
        size: 1,
        to: None,
    });
    let (_, _, payload) = &page.sent[0];
    let Ok(TransferMessage::Offer(offer)) = TransferMessage::decode(payload) else {
        panic!("an offer");
    };
    assert_eq!(offer.name, "secret.txt");
}

#[test]
fn a_file_for_all_is_one_transfer_per_rider_who_is_there() {
    let mut page = Page::new(&["ana", "ben", "cid"]);
    page.set_link("cid", LinkState::Away);
    page.offer(10, None);
    let to: Vec<_> = page.take_sent().into_iter().map(|(to, ..)| to).collect();
    assert_eq!(to, [peer("ana"), peer("ben")]);
    let ids: Vec<_> = page.transfers.list.iter().map(|one| one.wire_id).collect();
    page.accept_from("ben", ids[1], 0);
    page.accept_from("ana", ids[0], 0);
    page.read_file(10);
    assert_eq!(page.sent(), ["chunk 0", "end", "chunk 0", "end"]);
}

#[test]
fn offers_that_cannot_be_made_are_rejected_and_the_file_is_forgotten() {
    let rejected = |page: &mut Page| match &page.take_outputs()[..] {
        [
            TransferOutput::Rejected(reason),
            TransferOutput::ForgetFile(_),
        ] => *reason,
        other => panic!("{other:?}"),
    };
    let mut page = Page::new(&["ana"]);
    page.offer(MAX_FILE_BYTES + 1, None);
    assert_eq!(
        rejected(&mut page),
        OfferRejection::TooLarge(MAX_FILE_BYTES)
    );
    page.max_file_bytes = Some(1_000);
    page.tell_members();
    page.offer(1_001, None);
    assert_eq!(rejected(&mut page), OfferRejection::TooLarge(1_000));
    page.offer(1, Some("zoe"));
    assert_eq!(rejected(&mut page), OfferRejection::Nobody);
    for file in 0..4 {
        let (name, to) = ("a".to_owned(), None);
        page.handle(TransferInput::Offer {
            file,
            name,
            size: 1,
            to,
        });
    }
    assert_eq!(rejected(&mut page), OfferRejection::TooMany);
    page.handle(TransferInput::Cancel(page.id()));
    assert_eq!(page.take_outputs(), [TransferOutput::ForgetFile(0)]);
    page.offer(1, None);
    assert_eq!(page.take_outputs(), []);
    page.offer(1, None);
    let again = TransferOutput::Rejected(OfferRejection::TooMany);
    assert_eq!(
        page.take_outputs(),
        [again],
        "the same file to the same rider"
    );
}

#[test]
fn a_declined_offer_leaves_no_trace_and_is_not_shown_again() {
    let mut page = Page::new(&["ana"]);
    page.receive_offer("ana", 5, 10);
    page.handle(TransferInput::Decline(page.id()));
    assert_eq!(page.sent(), ["cancel Declined"]);
    assert_eq!(page.shown, []);
    page.receive_offer("ana", 5, 10);
    assert_eq!(page.shown, []);
    assert_eq!(page.sent(), ["cancel Declined"]);
    let mut page = Page::new(&["ana"]);
    let id = page.offer(1, None);
    let reason = CancelReason::Declined;
    let by_sender = false;
    page.receive(
        "ana",
        TransferMessage::Cancel(Cancel {
            id,
            by_sender,
            reason,
        }),
    );
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::Declined)
    );
}

#[test]
fn either_side_pauses_and_resumes() {
    let mut page = Page::new(&["ana"]);
    let id = page.offer(1_000_000, None);
    page.accept_from("ana", id, 0);
    page.read_file(1_000_000);
    page.sent();
    page.handle(TransferInput::Pause(page.id(), true));
    assert_eq!(page.state(), TransferState::Paused { by_me: true });
    page.receive(
        "ana",
        TransferMessage::Progress(Progress { id, kept: 30_136 }),
    );
    assert_eq!(page.sent(), ["pause true"], "nothing is sent while paused");
    assert_eq!(page.transfers.memory(), 0);
    page.handle(TransferInput::Pause(page.id(), false));
    page.read_file(1_000_000);
    assert_eq!(page.sent()[..2], ["pause false", "chunk 75340"]);
    let pause = |paused| {
        let by_sender = false;
        TransferMessage::Pause(Pause {
            id,
            by_sender,
            paused,
        })
    };
    page.receive("ana", pause(true));
    assert_eq!(page.state(), TransferState::Paused { by_me: false });
    page.pass(60 * 60 * SECOND);
    assert_eq!(page.state(), TransferState::Paused { by_me: false });
    page.receive("ana", pause(false));
    page.pass(SECOND);
    assert_eq!(page.state(), TransferState::Running);
}

#[test]
fn either_side_cancels() {
    let mut page = Page::receiving(10);
    let id = page.id();
    page.handle(TransferInput::Cancel(id));
    assert_eq!(page.sent(), ["cancel Cancelled"]);
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::Cancelled)
    );
    assert_eq!(page.take_outputs(), [TransferOutput::Discard(id)]);
    page.handle(TransferInput::Cancel(id));
    assert_eq!(page.shown, []);
    let mut page = Page::receiving(10);
    let (by_sender, reason) = (true, CancelReason::Cancelled);
    let cancel = Cancel {
        id: 5,
        by_sender,
        reason,
    };
    page.receive("ana", TransferMessage::Cancel(cancel));
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::CancelledByPeer)
    );
    assert_eq!(page.sent(), Vec::<String>::new());
}

#[test]
fn the_window_limits_what_is_read_and_sent() {
    let mut page = Page::new(&["ana"]);
    let id = page.offer(5_000_000, None);
    page.accept_from("ana", id, 0);
    let mut kept = 0;
    for _ in 0..20 {
        page.read_file(5_000_000);
        let sent: usize = page
            .take_sent()
            .iter()
            .map(|(_, _, payload)| payload.len())
            .sum();
        assert!(sent <= MAX_WINDOW + 1000, "{sent}");
        assert!(page.transfers.memory() <= 2 * outgoing::READ_BYTES);
        let Side::Sending(outgoing) = &page.transfers.list[0].side else {
            panic!("a sender");
        };
        assert!(outgoing.awaits_answer());
        kept += sent as u64 * 9 / 10;
        page.now += Duration::from_millis(10);
        page.receive("ana", TransferMessage::Progress(Progress { id, kept }));
    }
    assert!(kept > 3_000_000, "{kept}");
}

#[test]
fn relayed_transfers_share_half_of_the_budget_and_say_so() {
    let mut page = Page::new(&["ana", "ben"]);
    page.set_link("ana", LinkState::Relayed);
    page.set_link("ben", LinkState::Relayed);
    page.offer(10_000_000, None);
    let ids: Vec<_> = page.transfers.list.iter().map(|one| one.wire_id).collect();
    page.accept_from("ana", ids[0], 0);
    page.accept_from("ben", ids[1], 0);
    assert!(page.shown.iter().all(|view| view.is_relayed));
    page.sent();
    let mut sent = [0usize, 0];
    let mut kept = [0u64, 0];
    for _ in 0..200 {
        page.read_file(10_000_000);
        for (to, class, payload) in page.take_sent() {
            assert_eq!(class, DeliveryClass::Bulk);
            let index = usize::from(to == peer("ben"));
            sent[index] += payload.len();
            if let Ok(TransferMessage::Chunk(chunk)) = TransferMessage::decode(&payload) {
                kept[index] = chunk.offset + chunk.bytes.len() as u64;
            }
        }
        for (index, name) in ["ana", "ben"].into_iter().enumerate() {
            let (id, kept) = (ids[index], kept[index]);
            page.receive(name, TransferMessage::Progress(Progress { id, kept }));
        }
        page.pass(Duration::from_millis(50));
    }
    // Ten seconds at 128 KiB/s.
    let total = sent[0] + sent[1];
    assert!((1_150_000..1_350_000).contains(&total), "{total}");
    assert!(sent[0].abs_diff(sent[1]) <= 4 * CHUNK_BYTES, "{sent:?}");
    page.set_link("ana", LinkState::Direct);
    assert!(!page.shown[0].is_relayed);
}

#[test]
fn a_transfer_goes_on_after_the_link_was_lost() {
    let mut page = Page::new(&["ana"]);
    let id = page.offer(100_000, None);
    page.accept_from("ana", id, 0);
    page.read_file(100_000);
    page.receive(
        "ana",
        TransferMessage::Progress(Progress { id, kept: 15_068 }),
    );
    page.set_link("ana", LinkState::Away);
    assert_eq!(page.state(), TransferState::Waiting);
    page.sent();
    page.pass(10 * 60 * SECOND);
    assert_eq!(page.sent(), Vec::<String>::new());
    page.set_link("ana", LinkState::Relayed);
    assert_eq!(page.sent()[0], "offer paused=false");
    page.accept_from("ana", id, 30_136);
    page.read_file(100_000);
    assert_eq!(page.sent()[0], "chunk 30136");

    let mut page = Page::receiving(10);
    page.receive_chunk("ana", 5, 0, &[1, 2, 3]);
    page.set_link("ana", LinkState::Away);
    page.written(Some(3));
    assert_eq!(page.sent(), Vec::<String>::new());
    page.set_link("ana", LinkState::Direct);
    assert_eq!(page.sent(), ["accept from=3 paused=false"]);
}

#[test]
fn a_gap_is_asked_for_once_in_a_while() {
    let mut page = Page::receiving(100);
    page.pass(3 * SECOND);
    for _ in 0..50 {
        page.receive_chunk("ana", 5, 50, &[0; 10]);
        page.receive_end("ana", 5, &[]);
    }
    assert_eq!(page.sent(), ["accept from=0 paused=false"]);
    page.pass(9 * SECOND);
    page.receive_chunk("ana", 5, 50, &[0; 10]);
    assert!(page.sent().len() <= 2);
}

#[test]
fn a_silent_sender_is_asked_again_less_and_less_often() {
    let mut page = Page::receiving(100);
    page.pass(10 * 60 * SECOND);
    let asked = page.sent().len();
    assert!((7..=12).contains(&asked), "{asked}");
    page.pass(25 * 60 * SECOND);
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::PeerLeft)
    );
}

#[test]
fn a_rider_who_leaves_or_is_away_for_too_long_ends_the_transfer() {
    let mut page = Page::receiving(10);
    page.set_link("ana", LinkState::Away);
    page.pass(29 * 60 * SECOND);
    assert_eq!(page.state(), TransferState::Waiting);
    page.pass(2 * 60 * SECOND);
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::PeerLeft)
    );
    let mut page = Page::receiving(10);
    page.others.remove(0);
    page.tell_members();
    assert_eq!(page.state(), TransferState::Waiting);
    page.pass(31 * SECOND);
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::PeerLeft)
    );
    assert_eq!(page.transfers.poll_timeout(), None);
}

#[test]
fn an_offer_without_an_answer_ends() {
    let mut page = Page::new(&["ana"]);
    page.offer(10, None);
    page.pass(31 * 60 * SECOND);
    let mut sent = page.sent();
    sent.dedup();
    assert_eq!(sent, ["offer paused=false", "cancel NotAnswered"]);
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::NotAnswered)
    );
    let mut page = Page::new(&["ana"]);
    page.receive_offer("ana", 5, 10);
    page.pass(31 * 60 * SECOND);
    assert_eq!(page.shown, []);
}

#[test]
fn a_transfer_goes_on_after_a_reload_of_the_receiver() {
    let mut page = Page::new(&["ana"]);
    page.handle(TransferInput::Loaded(vec![stored(77, 3, &record(false))]));
    let transfer = TransferId(77);
    let (offset, length) = (0, 3);
    let read = TransferOutput::ReadBack {
        transfer,
        offset,
        length,
    };
    assert_eq!(page.take_outputs(), [read]);
    assert_eq!(page.state(), TransferState::Waiting);
    page.receive_offer("ana", 5, 4);
    assert_eq!(page.sent(), Vec::<String>::new());
    let bytes = Some(vec![1, 2, 3]);
    page.handle(TransferInput::ReadBack {
        transfer,
        offset,
        bytes,
    });
    assert_eq!(page.sent(), ["accept from=3 paused=false"]);
    page.receive_chunk("ana", 5, 3, &[4]);
    page.receive_end("ana", 5, &[1, 2, 3, 4]);
    page.written(Some(4));
    assert_eq!(page.state(), TransferState::Complete);
}

#[test]
fn an_offer_that_came_before_the_stored_transfers_is_not_asked_about_again() {
    let mut page = Page::new(&["ana"]);
    page.receive_offer("ana", 5, 4);
    assert_eq!(page.state(), TransferState::Offered);
    page.handle(TransferInput::Loaded(vec![stored(77, 0, &record(false))]));
    assert_eq!(page.shown.len(), 1);
    assert_eq!(page.sent(), ["accept from=0 paused=false"]);
}

#[test]
fn kept_bytes_that_cannot_be_read_are_asked_for_anew() {
    let mut page = Page::new(&["ana"]);
    page.handle(TransferInput::Loaded(vec![stored(77, 3, &record(false))]));
    page.take_outputs();
    page.handle(TransferInput::ReadBack {
        transfer: TransferId(77),
        offset: 0,
        bytes: None,
    });
    let outputs = page.take_outputs();
    let [
        TransferOutput::Discard(old),
        TransferOutput::Store { transfer, .. },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}");
    };
    assert_eq!((*old, *transfer), (TransferId(77), page.id()));
    assert_ne!(page.id(), TransferId(77));
    assert_eq!(page.sent(), ["accept from=0 paused=false"]);
}

#[test]
fn a_received_file_is_offered_again_after_a_reload() {
    let mut page = Page::new(&[]);
    page.handle(TransferInput::Loaded(vec![stored(77, 4, &record(true))]));
    let name = "ride.fit".to_owned();
    let transfer = TransferId(77);
    assert_eq!(
        page.take_outputs(),
        [TransferOutput::Complete { transfer, name }]
    );
    assert_eq!(page.state(), TransferState::Complete);
    assert_eq!(page.transfers.poll_timeout(), None);
}

#[test]
fn stored_transfers_that_are_old_damaged_or_too_many_are_deleted() {
    let mut page = Page::new(&["ana"]);
    let mut old = record(false);
    old.accepted_at = WallTime::from_unix_ms(1_700_000_000_000 - 25 * 3_600_000);
    let of_another_tab = TransferRecord {
        receiver: peer("you"),
        ..record(false)
    };
    let damaged = StoredTransfer {
        record: vec![1, 2, 3],
        ..stored(2, 0, &record(false))
    };
    let input = vec![
        stored(1, 0, &old),
        damaged,
        stored(3, 5, &record(false)),
        stored(4, 3, &record(true)),
        stored(5, 0, &of_another_tab),
        stored(6, 0, &record(false)),
        stored(7, 0, &record(false)),
    ];
    page.handle(TransferInput::Loaded(input));
    let discarded = [1, 2, 3, 4, 7].map(|id| TransferOutput::Discard(TransferId(id)));
    assert_eq!(page.take_outputs(), discarded);
    assert_eq!(page.id(), TransferId(6));
    let many = (100..200).map(|id| {
        stored(
            id,
            0,
            &TransferRecord {
                id,
                ..record(false)
            },
        )
    });
    page.handle(TransferInput::Loaded(many.collect()));
    assert!(page.transfers.list.len() <= 1 + MAX_STORED);
}

#[test]
fn complete_files_are_kept_however_many_there_are() {
    let mut page = Page::new(&["ana"]);
    let complete = (100..140).map(|id| {
        let record = TransferRecord { id, ..record(true) };
        stored(id, record.size, &record)
    });
    page.handle(TransferInput::Loaded(complete.collect()));
    let outputs = page.take_outputs();
    let is_discard = |output: &&TransferOutput| matches!(output, TransferOutput::Discard(_));
    assert_eq!(outputs.iter().filter(is_discard).count(), 0);
    assert_eq!(page.transfers.list.len(), 40);
}

#[test]
fn a_sender_that_was_reloaded_says_so() {
    let mut page = Page::new(&["ana"]);
    page.accept_from("ana", 12, 0);
    assert_eq!(page.sent(), ["cancel Unknown"]);
    let mut page = Page::receiving(10);
    let (by_sender, reason) = (true, CancelReason::Unknown);
    let cancel = Cancel {
        id: 5,
        by_sender,
        reason,
    };
    page.receive("ana", TransferMessage::Cancel(cancel));
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::SenderReloaded)
    );
}

#[test]
fn an_unanswered_offer_of_a_page_that_was_reloaded_disappears() {
    let mut page = Page::new(&["ana", "ben"]);
    page.receive_offer("ana", 5, 10);
    page.receive_offer("ben", 6, 10);
    for other in &mut page.others {
        other.incarnation = Incarnation(2);
    }
    page.tell_members();
    page.receive_offer("ben", 6, 10);
    page.pass(30 * SECOND);
    let offers: Vec<_> = page
        .shown
        .iter()
        .map(|view| view.peer_name.as_str())
        .collect();
    assert_eq!(offers, ["ben"]);
}

#[test]
fn the_own_page_admitted_under_a_new_number_repeats_its_state() {
    let mut page = Page::receiving(10);
    page.pass(5 * SECOND);
    page.load = 2;
    page.tell_members();
    assert_eq!(page.sent(), ["accept from=0 paused=false"]);
}

#[test]
fn three_are_received_at_a_time_and_others_wait() {
    let mut page = Page::new(&["ana", "ben"]);
    for id in 0..4 {
        page.receive_offer("ana", id, 10);
    }
    for view in page.shown.clone() {
        page.handle(TransferInput::Accept(view.id));
    }
    assert_eq!(page.sent()[3], "accept from=0 paused=true");
    assert_eq!(page.shown[3].state, TransferState::Queued);
    page.handle(TransferInput::Cancel(page.id()));
    let sent = page.sent();
    assert_eq!(sent, ["cancel Cancelled", "accept from=0 paused=false"]);
    page.pass(SECOND);
    assert_eq!(page.shown[3].state, TransferState::Running);
}

#[test]
fn a_file_that_has_changed_cannot_be_sent() {
    for bytes in [None, Some(vec![0; 5])] {
        let mut page = Page::new(&["ana"]);
        let id = page.offer(10, None);
        page.accept_from("ana", id, 0);
        page.handle(TransferInput::FileRead {
            file: FILE,
            offset: 0,
            bytes,
        });
        assert_eq!(
            page.state(),
            TransferState::Failed(TransferFailure::Unreadable)
        );
        assert_eq!(page.sent()[1], "cancel Unreadable");
    }
}

#[test]
fn a_full_disk_ends_the_transfer_at_both_ends() {
    let mut page = Page::receiving(10);
    page.written(None);
    assert_eq!(page.sent(), ["cancel NoSpace"]);
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::NoSpace)
    );
    let mut page = Page::new(&["ana"]);
    let id = page.offer(10, None);
    page.accept_from("ana", id, 0);
    let (by_sender, reason) = (false, CancelReason::NoSpace);
    page.receive(
        "ana",
        TransferMessage::Cancel(Cancel {
            id,
            by_sender,
            reason,
        }),
    );
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::NoSpace)
    );
}

#[test]
fn another_hash_discards_the_bytes() {
    let mut page = Page::receiving(2);
    page.receive_chunk("ana", 5, 0, &[1, 2]);
    page.receive_end("ana", 5, &[1, 3]);
    page.take_outputs();
    page.written(Some(2));
    assert_eq!(
        page.state(),
        TransferState::Failed(TransferFailure::WrongHash)
    );
    assert_eq!(page.take_outputs(), [TransferOutput::Discard(page.id())]);
    assert_eq!(page.sent().last().unwrap(), "complete false");
}

#[test]
fn a_lost_answer_is_repeated_when_the_other_side_asks() {
    let mut page = Page::receiving(2);
    page.receive_chunk("ana", 5, 0, &[1, 2]);
    page.receive_end("ana", 5, &[1, 2]);
    page.written(Some(2));
    page.sent();
    page.receive_offer("ana", 5, 2);
    page.receive_end("ana", 5, &[1, 2]);
    assert_eq!(page.sent(), ["complete true", "complete true"]);
    page.set_link("ana", LinkState::Away);
    page.set_link("ana", LinkState::Direct);
    assert_eq!(
        page.sent(),
        ["complete true"],
        "it may have been lost with the link"
    );
    page.pass(60 * SECOND);
    page.set_link("ana", LinkState::Relayed);
    assert_eq!(page.sent(), Vec::<String>::new());
}

#[test]
fn progress_is_shown_four_times_a_second_with_rate_and_time_left() {
    let mut page = Page::receiving(1_000_000);
    let mut shows = 0;
    let mut shown = page.shown.clone();
    for step in 0..300 {
        let offset = step * 1_000;
        page.receive_chunk("ana", 5, offset, &[0; 1_000]);
        page.written(Some(offset + 1_000));
        page.pass(Duration::from_millis(10));
        shows += usize::from(page.shown != shown);
        shown.clone_from(&page.shown);
    }
    assert!((10..=13).contains(&shows), "{shows}");
    let view = &page.shown[0];
    let rate = view.rate.unwrap();
    assert!((90_000..110_000).contains(&rate), "{rate}");
    let left = view.time_left.unwrap().as_secs();
    assert!((6..=8).contains(&left), "{left}");
    page.pass(10 * SECOND);
    assert_eq!(page.shown[0].rate, None, "nothing arrives any more");
}

// Peers that mean harm.

#[test]
fn offers_without_end_are_refused_and_answered_a_few_times() {
    let mut page = Page::new(&["ana", "ben"]);
    for id in 0..10_000 {
        page.receive_offer("ana", id, 10);
    }
    assert_eq!(page.transfers.list.len(), MAX_OFFERS_OF_PEER);
    assert_eq!(page.sent().len(), 8);
    page.receive_offer("ben", 1, 10);
    assert_eq!(page.transfers.list.len(), MAX_OFFERS_OF_PEER + 1);
    let names: Vec<String> = (0..30).map(|number| format!("rider-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut page = Page::new(&names);
    for name in names {
        (0..6).for_each(|id| page.receive_offer(name, id, 10));
    }
    assert_eq!(page.transfers.list.len(), MAX_OFFERS);
}

#[test]
fn offers_that_are_withdrawn_leave_nothing() {
    let mut page = Page::new(&["ana"]);
    let mut shows = 0;
    for id in 0..10_000 {
        let before = page.shown.len();
        page.receive_offer("ana", id, 10);
        let (by_sender, reason) = (true, CancelReason::Cancelled);
        page.receive(
            "ana",
            TransferMessage::Cancel(Cancel {
                id,
                by_sender,
                reason,
            }),
        );
        shows += usize::from(page.shown.len() != before);
    }
    assert!(page.transfers.list.is_empty() && page.transfers.outcomes.is_empty());
    assert!(shows <= 8, "{shows}");
    assert_eq!(page.take_outputs(), []);
    assert_eq!(page.sent(), Vec::<String>::new());
}

#[test]
fn an_unanswered_offer_is_repeated_at_growing_intervals() {
    let mut page = Page::new(&["ana"]);
    page.offer(10, Some("ana"));
    assert_eq!(page.sent(), ["offer paused=false"]);
    page.pass(Duration::from_secs(11));
    assert_eq!(page.sent(), ["offer paused=false"]);
    page.pass(PATIENCE - Duration::from_secs(20));
    assert!((15..30).contains(&page.sent().len()));
    // One that arrives again is not offered twice, and not answered.
    let mut page = Page::new(&["ana"]);
    page.receive_offer("ana", 1, 10);
    page.receive_offer("ana", 1, 10);
    assert_eq!((page.shown.len(), page.sent()), (1, vec![]));
}

#[test]
fn offers_of_one_rider_are_taken_at_a_rate_and_come_later_when_repeated() {
    let mut page = Page::new(&["ana", "ben"]);
    let withdraw = |page: &mut Page, id| {
        let (by_sender, reason) = (true, CancelReason::Cancelled);
        let cancel = Cancel {
            id,
            by_sender,
            reason,
        };
        page.receive("ana", TransferMessage::Cancel(cancel));
    };
    let mut taken = 0;
    for id in 0..1_000 {
        page.receive_offer("ana", id, 10);
        taken += page.transfers.list.len();
        withdraw(&mut page, id);
    }
    assert_eq!(taken, 12);
    // Others are not concerned.
    page.receive_offer("ben", 1, 10);
    assert_eq!(page.transfers.list.len(), 1);
    page.receive_offer("ana", 5_000, 10);
    assert_eq!(page.transfers.list.len(), 1);
    page.pass(Duration::from_secs(10));
    page.receive_offer("ana", 5_000, 10);
    assert_eq!(page.transfers.list.len(), 2);
    assert_eq!(page.sent(), Vec::<String>::new());
}

#[test]
fn offers_of_a_hidden_rider_are_not_shown_and_look_unanswered_to_it() {
    let mut page = Page::new(&["ana", "ben"]);
    page.hide(&["ana"]);
    for id in 0..6 {
        page.receive_offer("ana", id, 10);
    }
    page.pass(SECOND);
    assert_eq!(page.shown, []);
    assert_eq!(page.sent(), Vec::<String>::new());
    page.receive_offer("ben", 1, 10);
    page.pass(SECOND);
    assert_eq!(page.shown.len(), 1);
    // Shown again when the rider is.
    page.hide(&[]);
    page.pass(SECOND);
    assert_eq!(page.shown.len(), 7);
    page.hide(&["ana"]);
    page.take_sent();
    page.pass(PATIENCE);
    assert_eq!(page.sent(), vec!["cancel NotAnswered"; 7]);
}

#[test]
fn files_of_any_size_beyond_the_limit_are_refused() {
    let mut page = Page::new(&["ana"]);
    page.receive_offer("ana", 1, MAX_FILE_BYTES + 1);
    page.receive_offer("ana", 2, u64::MAX);
    assert_eq!(page.shown, []);
    assert_eq!(page.sent(), ["cancel Busy", "cancel Busy"]);
    page.receive_offer("ana", 3, MAX_FILE_BYTES);
    assert_eq!(page.shown.len(), 1);
}

#[test]
fn messages_about_transfers_that_are_not_known_change_nothing() {
    let mut page = Page::new(&["ana", "ben"]);
    page.receive_offer("ana", 5, 100);
    page.handle(TransferInput::Accept(page.id()));
    let id = page.offer(10, Some("ana"));
    page.take_outputs();
    page.take_sent();
    let shown = page.shown.clone();
    for id in [id, 5, 99] {
        // Ben takes no part in any transfer.
        page.receive_chunk("ben", id, 0, &[1]);
        page.receive_end("ben", id, &[1]);
        for flag in [true, false] {
            let reason = CancelReason::Cancelled;
            let cancel = Cancel {
                id,
                by_sender: flag,
                reason,
            };
            page.receive("ben", TransferMessage::Cancel(cancel));
            let pause = Pause {
                id,
                by_sender: flag,
                paused: true,
            };
            page.receive("ben", TransferMessage::Pause(pause));
            let complete = Complete { id, is_right: flag };
            page.receive("ben", TransferMessage::Complete(complete));
        }
        // Ana takes the other part.
        page.receive(
            "ana",
            TransferMessage::Complete(Complete { id, is_right: true }),
        );
        page.receive("ana", TransferMessage::Progress(Progress { id, kept: 1 }));
    }
    page.receive_chunk("ana", id, 0, &[1]);
    assert_eq!(page.shown, shown);
    assert_eq!(page.take_outputs(), []);
    assert!(
        page.sent()
            .iter()
            .all(|message| message == "cancel Unknown")
    );
    for id in 0..1000 {
        page.accept_from("ben", id, 0);
    }
    assert!(page.sent().len() <= 8);
}

#[test]
fn a_receiver_cannot_have_a_file_read_without_end() {
    let mut page = Page::new(&["ana"]);
    let size = 500_000;
    let id = page.offer(size as u64, None);
    let mut sent = 0;
    for step in 0..1_000u64 {
        page.accept_from("ana", id, if step % 3 == 0 { 0 } else { step * 1_000 });
        page.read_file(size);
        sent += page
            .take_sent()
            .iter()
            .map(|(_, _, one)| one.len())
            .sum::<usize>();
        page.pass(Duration::from_millis(10));
    }
    // Ten seconds, in each of which the window may be sent again.
    assert!(sent < 12 * 5 * CHUNK_BYTES + size, "{sent}");
}

#[test]
fn a_pause_that_comes_and_goes_is_not_shown_each_time() {
    let mut page = Page::receiving(10);
    let (mut shows, mut shown) = (0, page.shown.clone());
    for step in 0..1_000 {
        let (id, by_sender) = (5, true);
        let paused = step % 2 == 0;
        page.receive(
            "ana",
            TransferMessage::Pause(Pause {
                id,
                by_sender,
                paused,
            }),
        );
        shows += usize::from(page.shown != shown);
        shown.clone_from(&page.shown);
        page.pass(Duration::from_millis(1));
    }
    assert!(shows <= 15, "{shows}");
    assert_eq!(page.sent(), Vec::<String>::new());
}

#[test]
fn repeated_offers_are_answered_once_a_second() {
    let mut page = Page::receiving(10);
    for _ in 0..1_000 {
        page.receive_offer("ana", 5, 10);
        page.receive_offer("ana", 5, 11);
        page.pass(Duration::from_millis(1));
    }
    assert!(page.sent().len() <= 1);
}

#[test]
fn a_file_is_not_complete_before_it_was_sent() {
    let mut page = Page::new(&["ana"]);
    let id = page.offer(100_000, None);
    page.receive(
        "ana",
        TransferMessage::Complete(Complete { id, is_right: true }),
    );
    page.accept_from("ana", id, 0);
    page.receive(
        "ana",
        TransferMessage::Complete(Complete { id, is_right: true }),
    );
    assert_eq!(page.state(), TransferState::Running);
}

#[test]
fn bytes_that_are_no_message_are_ignored() {
    let mut page = Page::receiving(10);
    let mut random = super::simulation::Random::new(3);
    for _ in 0..2_000 {
        let length = random.below(60);
        let mut bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        bytes.splice(0..0, [0x83, 1, 16 + random.below(8) as u8]);
        page.transfers.receive(page.at(), &peer("ana"), &bytes);
        page.drain();
    }
    assert!(page.transfers.list.len() <= 1 + MAX_OFFERS_OF_PEER);
}
