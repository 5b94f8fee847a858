use std::collections::BTreeSet;

use clock::Now;
use proptest::prelude::*;
use protocol::{
    peer::{Incarnation, LinkState},
    signaling::HostTerm,
};
use ride::chat::{
    Author, Entries, Entry, EntryId, LogRanges, Reaction, Receipt, SignedEntry, stored::StoredChat,
};

use super::{
    testing::{World, key, name, peer},
    *,
};

fn id(author: usize, log: u32, number: u32) -> EntryId {
    EntryId {
        author: peer(author),
        log,
        number,
    }
}

/// Signed text of a rider, at some microsecond of group time.
fn text(author: usize, log: u32, number: u32, at: i64, text: &str) -> SignedEntry {
    entry(author, log, number, at, Content::Text(text.to_owned())).sign(&key(author))
}

fn entry(author: usize, log: u32, number: u32, at: i64, content: Content) -> Entry {
    Entry {
        id: id(author, log, number),
        at: GroupTime(at),
        content: Some(content),
        to: None,
    }
}

fn push(entries: Vec<SignedEntry>) -> Vec<u8> {
    ChatMessage::Entries(Entries {
        entries,
        ..Entries::default()
    })
    .encode()
}

fn answer(authors: Vec<Author>, entries: Vec<SignedEntry>) -> Vec<u8> {
    ChatMessage::Entries(Entries {
        authors,
        entries,
        more: Some(false),
    })
    .encode()
}

fn author_with(index: usize, key: [u8; 32]) -> Author {
    Author {
        peer: peer(index),
        key,
        name: name(index),
    }
}

impl World {
    fn micros(&self) -> i64 {
        self.group_time(0).0
    }

    fn marks(&self, index: usize, row: usize) -> DeliveryMarks {
        self.tab(index, &Tab::Group)[row].marks.clone().unwrap()
    }

    fn first_id(&self, index: usize) -> EntryId {
        self.tab(index, &Tab::Group)[0].id.clone()
    }

    fn rejections(&self, index: usize) -> Vec<Rejection> {
        let events = self.pages[index].events.iter();
        let rejections = events.filter_map(|event| match event {
            ChatOutput::Rejected(rejection) => Some(*rejection),
            _ => None,
        });
        rejections.collect()
    }

    fn arrived(&self, index: usize) -> usize {
        let events = self.pages[index].events.iter();
        let arrived = events.filter(|event| matches!(event, ChatOutput::Arrived(_)));
        arrived.count()
    }

    fn presence(&self, index: usize, of: usize) -> Option<PresenceView> {
        let riders = &self.pages[index].view.riders;
        riders.iter().find(|rider| rider.peer == peer(of)).cloned()
    }

    fn typing(&self, index: usize, tab: &Tab) -> Vec<String> {
        let tabs = &self.pages[index].view.tabs;
        let tab = tabs.iter().find(|one| one.tab == *tab);
        tab.map_or(Vec::new(), |tab| tab.typing.clone())
    }

    /// Cuts a rider off from all others, or links it again.
    fn set_away(&mut self, index: usize, away: bool) {
        for other in (0..self.pages.len()).filter(|other| *other != index) {
            self.set_broken(index, other, away);
        }
        self.update_members();
    }
}

#[test]
fn a_message_arrives_at_all_others_with_marks() {
    let mut world = World::new(3, 1);
    world.say(0, "Hello");
    world.run(50);
    for index in 0..3 {
        assert_eq!(world.texts(index), ["Hello"]);
    }
    world.run(200);
    let marks = world.marks(0, 0);
    assert_eq!(marks.present, ["Ben", "Carl"]);
    assert_eq!(marks.delivered, ["Ben", "Carl"]);
    assert_eq!(marks.read, Vec::<String>::new());
    world.input(1, ChatInput::Shown(Some(Tab::Group)));
    world.run(200);
    assert_eq!(world.marks(0, 0).read, ["Ben"]);
    // A message that arrives while the tab is shown is read at once.
    world.say(0, "Again");
    world.run(300);
    assert_eq!(world.marks(0, 1).read, ["Ben"]);
    assert_eq!((world.arrived(1), world.arrived(2)), (1, 2));
    let unread = [1, 2].map(|index| world.pages[index].view.unread);
    assert_eq!(unread, [0, 2]);
    let row = &world.tab(1, &Tab::Group)[0];
    assert!(!row.is_own && row.is_verified && !row.is_private && row.marks.is_none());
    let sent = WallTime::from_unix_ms(1_700_000_000_000 + 1_001_000);
    assert!(sent.since(row.at) <= Duration::from_millis(20));
}

#[test]
fn only_riders_count_in_the_marks() {
    let mut world = World::empty(1);
    (0..3).for_each(|_| _ = world.add());
    world.pages[2].is_spectator = true;
    world.update_members();
    world.run(1_000);
    world.say(0, "Hello");
    world.run(300);
    assert_eq!(world.marks(0, 0).present, ["Ben"]);
    assert_eq!(world.texts(2), ["Hello"]);
}

#[test]
fn a_text_needs_1_to_500_characters() {
    let mut world = World::new(2, 1);
    world.say(0, "  \n ");
    world.say(0, &"ä".repeat(501));
    assert_eq!(world.rejections(0), [Rejection::Length; 2]);
    world.say(0, &"🚴".repeat(500));
    world.run(300);
    assert_eq!(world.texts(1), ["🚴".repeat(500)]);
}

#[test]
fn thirty_messages_in_two_seconds_are_sent_and_more_are_not() {
    let mut world = World::new(2, 1);
    for number in 0..30 {
        world.say(0, &format!("{number}"));
        world.run(10);
    }
    assert_eq!(world.rejections(0), []);
    world.say(0, "too much");
    assert_eq!(world.rejections(0), [Rejection::TooFast(2)]);
    world.run(1_700);
    world.say(0, "later");
    assert_eq!(world.rejections(0).len(), 1);
    world.run(300);
    assert_eq!(world.texts(1).len(), 31);
    // At the highest allowed rate, for a long time.
    for _ in 0..20 {
        world.run(2_000);
        (0..30).for_each(|number| world.say(1, &format!("{number}")));
    }
    world.run(1_000);
    assert_eq!(world.rejections(1), []);
    assert_eq!(world.texts(0), world.texts(1));
    assert_eq!(world.texts(0).len(), MAX_MESSAGES);
    assert_eq!(world.pages[0].chat.rejected(), 0);
}

#[test]
fn a_message_waits_while_a_rider_is_away_and_is_sent_when_it_returns() {
    let mut world = World::new(3, 1);
    world.set_away(2, true);
    world.run(1_000);
    world.say(0, "Where is Carl?");
    world.whisper(0, 2, "Are you there?");
    world.say(2, "I am alone");
    world.run(30 * 60 * 1_000);
    // Who was away when it was sent does not count.
    assert_eq!(world.marks(0, 0).present, ["Ben"]);
    assert_eq!(world.marks(0, 0).delivered, ["Ben"]);
    assert!(world.presence(0, 2).unwrap().away_since.is_some());
    world.set_away(2, false);
    world.run(2_000);
    assert_eq!(world.texts(2), ["Where is Carl?", "I am alone"]);
    assert_eq!(world.texts(0), world.texts(2));
    assert_eq!(world.texts(1), world.texts(2));
    assert_eq!(world.private_texts(2, 0), ["Are you there?"]);
    assert_eq!(world.marks(0, 0).delivered, ["Ben"]);
    assert_eq!(world.marks(2, 1).present, Vec::<String>::new());
    let private = world.tab(0, &Tab::Private(peer(2)))[0].marks.clone();
    assert_eq!(private.unwrap().delivered, ["Carl"]);
    assert_eq!(world.presence(0, 2).and_then(|one| one.away_since), None);
}

#[test]
fn a_message_that_a_link_lost_is_sent_again() {
    let mut world = World::new(2, 1);
    world.loss = 100;
    world.say(0, "lost");
    // The link breaks for a moment, which the session does not notice.
    world.set_broken(0, 1, true);
    world.set_broken(0, 1, false);
    world.run(100);
    assert!(world.texts(1).is_empty());
    world.run(4_000);
    assert_eq!(world.texts(1), ["lost"]);
    assert_eq!(world.marks(0, 0).delivered, ["Ben"]);
}

#[test]
fn an_entry_waits_for_its_predecessor() {
    let mut world = World::new(2, 1);
    let at = world.micros();
    world.inject(1, 0, &push(vec![text(1, 256, 1, at, "1")]));
    world.inject(1, 0, &push(vec![text(1, 256, 3, at, "3")]));
    assert_eq!(world.texts(0), ["1"]);
    world.inject(1, 0, &push(vec![text(1, 256, 2, at, "2")]));
    assert_eq!(world.texts(0), ["1", "2", "3"]);
    // Again: nothing happens twice.
    let again = vec![text(1, 256, 2, at, "2"), text(1, 256, 3, at, "3")];
    world.inject(1, 0, &push(again));
    assert_eq!(world.texts(0), ["1", "2", "3"]);
    assert_eq!(world.arrived(0), 3);
    // If its author has no predecessor, the entry waits no longer.
    world.inject(1, 0, &push(vec![text(1, 256, 5, at, "5")]));
    assert_eq!(world.texts(0).len(), 3);
    world.run(1_000);
    assert_eq!(world.texts(0).len(), 4);
    // While the author cannot be asked, it waits for a while.
    world.set_away(1, true);
    world.inject(1, 0, &push(vec![text(1, 256, 7, at, "7")]));
    world.run(19_000);
    assert_eq!(world.texts(0).len(), 4);
    world.run(2_000);
    assert_eq!(world.texts(0), ["1", "2", "3", "5", "7"]);
}

#[test]
fn a_late_rider_gets_the_history_from_one_rider() {
    let mut world = World::new(4, 1);
    for number in 0..250 {
        world.say(number % 4, &format!("{number} {}", "x".repeat(400)));
        world.run(1_000);
    }
    world.frames.clear();
    let late = world.join();
    world.run(15_000);
    assert_eq!(world.texts(late), world.texts(0));
    assert_eq!(world.texts(late).len(), MAX_MESSAGES);
    assert_eq!(world.pages[late].view.unread, 0);
    assert_eq!(world.arrived(late), 0);
    assert!(
        world
            .tab(late, &Tab::Group)
            .iter()
            .all(|row| row.is_verified)
    );
    let sent_by = |from: usize| {
        let frames = world
            .frames
            .iter()
            .filter(|frame| frame.from == from && frame.to == late);
        frames.map(|frame| frame.payload.len()).sum::<usize>()
    };
    // About 120 KB of history are sent once.
    assert!(sent_by(0) > 100_000, "{}", sent_by(0));
    for other in 1..4 {
        assert!(sent_by(other) < 2_000, "{}", sent_by(other));
    }
}

#[test]
fn messages_of_a_rider_who_has_left_are_unverified_for_a_newcomer_until_it_returns() {
    let mut world = World::new(3, 1);
    world.say(2, "Bye");
    world.run(100);
    world.say(0, "Bye, Carl");
    world.run(500);
    world.pages[2].is_member = false;
    world.update_members();
    let late = world.join();
    world.run(3_000);
    assert_eq!(world.texts(late), ["Bye", "Bye, Carl"]);
    let verified = |world: &World| {
        let rows = world.tab(late, &Tab::Group);
        rows.iter().map(|row| row.is_verified).collect::<Vec<_>>()
    };
    assert_eq!(verified(&world), [false, true]);
    assert_eq!(world.tab(late, &Tab::Group)[0].name, "Carl");
    world.pages[2].is_member = true;
    world.reload(2, true);
    world.run(3_000);
    assert_eq!(verified(&world), [true, true]);
}

#[test]
fn nobody_can_forge_or_alter_messages_of_others() {
    let mut world = World::new(3, 1);
    world.say(2, "genuine");
    world.run(300);
    let at = world.micros();
    // Eve (1) signs in the name of Carl (2), with her own key, as a new entry and as history.
    let forged = entry(2, 256, 2, at, Content::Text("forged".into())).sign(&key(1));
    world.inject(1, 0, &push(vec![forged.clone()]));
    world.inject_answer(1, 0, &answer(vec![], vec![forged.clone()]));
    let claim = author_with(2, key(1).public());
    world.inject_answer(1, 0, &answer(vec![claim], vec![forged]));
    // She alters an entry on its way.
    let mut altered = text(2, 256, 2, at, "hello");
    let place = altered.bytes.len() - 1;
    altered.bytes[place] ^= 1;
    world.inject_answer(1, 0, &answer(vec![], vec![altered]));
    // She passes on a new entry of Carl's, which only he sends.
    world.inject(1, 0, &push(vec![text(2, 256, 2, at, "not hers")]));
    // She edits and deletes a message of Carl's.
    let edit = entry(1, 256, 1, at, Content::Edit(id(2, 256, 1), "edited".into()));
    let delete = entry(1, 256, 2, at, Content::Delete(id(2, 256, 1)));
    world.inject(1, 0, &push(vec![edit.sign(&key(1)), delete.sign(&key(1))]));
    world.run(30_000);
    assert_eq!(world.texts(0), ["genuine"]);
    assert!(world.pages[0].chat.rejected() >= 5);
    // Carl's own next message is not hindered.
    world.say(2, "still here");
    world.run(300);
    assert_eq!(world.texts(0), ["genuine", "still here"]);
}

#[test]
fn the_key_of_a_rider_who_is_not_there_is_claimed_and_corrected_later() {
    let mut world = World::new(2, 1);
    let at = world.micros();
    // Rider 2 is not known here; Ben claims a key for it.
    let false_claim = author_with(2, key(9).public());
    let forged = entry(2, 256, 1, at, Content::Text("false".into())).sign(&key(9));
    world.inject_answer(1, 0, &answer(vec![false_claim], vec![forged]));
    assert_eq!(world.texts(0), ["false"]);
    assert!(!world.tab(0, &Tab::Group)[0].is_verified);
    let late = world.join();
    assert_eq!(late, 2);
    world.run(1_000);
    assert!(world.texts(0).is_empty());
    world.say(late, "true");
    world.run(300);
    assert_eq!(world.texts(0), ["true"]);
}

#[test]
fn keys_and_messages_of_others_are_taken_only_from_a_rider_who_was_asked() {
    let mut world = World::new(3, 1);
    let at = world.micros();
    let genuine = text(5, 256, 1, at, "genuine");
    let forged = entry(5, 256, 1, at, Content::Text("forged".into())).sign(&key(9));
    // Ben claims a key for a rider who has left, and was not asked.
    let claim = author_with(5, key(9).public());
    while world.pages[0]
        .chat
        .peers
        .get_mut(&peer(1))
        .unwrap()
        .answered()
    {}
    world.inject(1, 0, &answer(vec![claim], vec![forged.clone()]));
    assert!(world.texts(0).is_empty());
    let claim = author_with(5, key(9).public());
    let pushed = Entries {
        authors: vec![claim],
        entries: vec![forged],
        more: None,
    };
    world.inject(1, 0, &ChatMessage::Entries(pushed).encode());
    assert!(world.texts(0).is_empty());
    // The rider who was asked has its say.
    let claim = author_with(5, key(5).public());
    world.inject_answer(2, 0, &answer(vec![claim], vec![genuine]));
    assert_eq!(world.texts(0), ["genuine"]);
    // One answer for each question.
    let more = text(5, 256, 2, at, "again");
    let claim = author_with(5, key(5).public());
    world.inject(2, 0, &answer(vec![claim], vec![more]));
    assert_eq!(world.texts(0), ["genuine"]);
    // A rider's own messages arrive, in whatever form.
    world.inject(2, 0, &answer(vec![], vec![text(2, 256, 1, at + 1, "mine")]));
    assert_eq!(world.texts(0), ["genuine", "mine"]);
}

#[test]
fn one_entry_that_cannot_be_verified_does_not_spoil_a_history() {
    let mut world = World::new(3, 1);
    let at = world.micros();
    // Ben has taken in something of Carl's with a key that nobody else knows.
    let unverifiable = |number| {
        let content = Content::Text(format!("{number}"));
        entry(2, 0, number, at, content).sign(&key(9))
    };
    let mut entries: Vec<_> = (1..=3).map(unverifiable).collect();
    entries.push(text(2, 256, 1, at, "genuine"));
    entries.push(text(2, 256, 2, at + 1, "too"));
    for _ in 0..3 {
        world.inject_answer(1, 0, &answer(vec![], entries.clone()));
    }
    assert_eq!(world.texts(0), ["genuine", "too"]);
    assert_eq!(world.pages[0].chat.rejected(), 9);
    // Its sender is still heard.
    world.say(1, "still here");
    world.run(300);
    assert_eq!(world.texts(0).len(), 3);
}

#[test]
fn a_member_with_another_key_loses_its_messages() {
    let mut world = World::new(3, 1);
    world.say(1, "signed with the first key");
    world.say(2, "Hello");
    world.run(300);
    world.pages[1].public_key = key(9).public();
    world.update_members();
    assert_eq!(world.texts(0), ["Hello"]);
}

#[test]
fn one_rider_cannot_push_out_the_messages_of_others() {
    let mut world = World::new(3, 1);
    for number in 0..30 {
        world.say(2, &format!("{number}"));
        world.say(0, &format!("{number}"));
        world.run(200);
    }
    let honest = world.texts(0);
    assert_eq!(honest.len(), 60);
    // As history, in several logs, each within the rate of a log; and as entries that are no messages.
    let start = world.micros();
    for log in 2..12 {
        let texts = (1..=40).map(|number| text(1, log << 8, number, start, "spam"));
        world.inject_answer(1, 0, &answer(vec![], texts.collect()));
        world.run(5_000);
    }
    let long = "🚴".repeat(500);
    for log in 12..40 {
        let edits = (1..=30).map(|number| {
            let content = Content::Edit(id(1, 256, 1), long.clone());
            entry(1, log << 8, number, start, content).sign(&key(1))
        });
        world.inject_answer(1, 0, &answer(vec![], edits.collect()));
        world.run(5_000);
    }
    let texts = world.texts(0);
    let kept: Vec<_> = texts
        .iter()
        .filter(|text| *text != "spam")
        .cloned()
        .collect();
    assert_eq!(kept, honest);
    assert!(texts.len() <= MAX_MESSAGES);
}

#[test]
fn new_messages_of_one_rider_are_taken_at_a_rate() {
    let mut world = World::new(2, 1);
    let start = world.micros() - 3_600_000_000;
    // Dated so that each log is within its rate.
    let texts = |log: u32, count: u32| -> Vec<_> {
        let at = |number: u32| start + i64::from(number) * 100_000;
        (1..=count)
            .map(|number| text(1, log, number, at(number), "spam"))
            .collect()
    };
    for part in texts(256, 2_000).chunks(100) {
        world.inject(1, 0, &push(part.to_vec()));
    }
    let last = |world: &World| {
        world.pages[0]
            .chat
            .logs
            .log(&peer(1), 256)
            .map_or(0, logs::Log::last)
    };
    assert_eq!(last(&world), 600);
    // Of earlier page loads only what a page could not send before its reload.
    let mut world = World::new(2, 1);
    world.pages[1].incarnation = 9;
    world.update_members();
    for log in 1..8 {
        world.inject(1, 0, &push(texts(log << 8, 30)));
    }
    assert_eq!(world.texts(0).len(), 40);
}

#[test]
fn messages_that_a_slow_link_delivers_all_at_once_are_taken() {
    let mut world = World::new(2, 1);
    // The link stands still for 20 s, which the session does not notice.
    for step in 0..10 {
        world.delay = 20_000 - step * 2_000;
        (0..30).for_each(|number| world.say(1, &format!("{number}")));
        world.run(2_000);
    }
    world.delay = 20;
    world.run(10_000);
    assert_eq!(world.texts(0), world.texts(1));
    assert_eq!(world.texts(0).len(), MAX_MESSAGES);
    assert_eq!(world.pages[0].chat.rejected(), 0);
}

#[test]
fn unverified_messages_are_few_and_displace_nothing() {
    let mut world = World::new(2, 1);
    let start = world.micros() - 3_600_000_000;
    for rider in 10..30 {
        let texts = (1..=30).map(|number| {
            let at = start + i64::from(number) * 1_000_000;
            text(rider, 256, number, at, "spam")
        });
        let claims = vec![author_with(rider, key(rider).public())];
        world.inject_answer(1, 0, &answer(claims, texts.collect()));
        world.run(5_000);
    }
    assert_eq!(world.texts(0).len(), 100);
    for _ in 0..10 {
        (0..30).for_each(|_| world.say(0, "mine"));
        world.run(2_100);
    }
    assert_eq!(world.texts(0), vec!["mine"; MAX_MESSAGES]);
}

#[test]
fn private_messages_are_sent_to_one_rider_only() {
    let mut world = World::new(4, 1);
    world.whisper(0, 2, "xyzzy secret");
    world.run(300);
    world.whisper(2, 0, "xyzzy answer");
    world.run(300);
    assert_eq!(world.private_texts(2, 0), ["xyzzy secret", "xyzzy answer"]);
    assert_eq!(world.private_texts(0, 2), ["xyzzy secret", "xyzzy answer"]);
    for (index, other) in [(0, 2), (2, 0)] {
        let rows = world.tab(index, &Tab::Private(peer(other)));
        assert!(rows.iter().all(|row| row.is_private));
        let tab = &world.pages[index].view.tabs[1];
        assert_eq!(tab.name, name(other));
    }
    let marks = world.tab(0, &Tab::Private(peer(2)))[0]
        .marks
        .clone()
        .unwrap();
    assert_eq!(
        (marks.present, marks.delivered),
        (vec!["Carl".to_owned()], vec!["Carl".to_owned()])
    );
    // An edit, a reaction, an absence, a reload, a newcomer, and the periodic exchange.
    let first = world.tab(0, &Tab::Private(peer(2)))[0].id.clone();
    let edit = ChatInput::Edit {
        message: first.clone(),
        text: "xyzzy edited".into(),
    };
    world.input(0, edit);
    world.run(300);
    let react = ChatInput::ReactTo {
        message: first,
        reaction: 2,
    };
    world.input(2, react);
    world.run(300);
    world.set_away(2, true);
    world.run(5_000);
    world.set_away(2, false);
    world.run(5_000);
    world.reload(0, true);
    world.join();
    world.run(200_000);
    assert_eq!(world.private_texts(0, 2), ["xyzzy edited", "xyzzy answer"]);
    assert_eq!(world.private_texts(2, 0), ["xyzzy edited", "xyzzy answer"]);
    let row = world.tab(0, &Tab::Private(peer(2)))[0].clone();
    assert_eq!(row.reactions[0].names, ["Carl"]);
    for frame in &world.frames {
        let is_secret = frame.payload.windows(5).any(|part| part == b"xyzzy");
        let is_private = is_secret || private_entries(&frame.payload) > 0;
        let ends = BTreeSet::from([frame.from, frame.to]);
        assert!(!is_private || ends == BTreeSet::from([0, 2]), "{frame:?}");
    }
    assert!(
        [1, 3, 4]
            .iter()
            .all(|index| world.pages[*index].view.tabs.len() == 1)
    );
}

/// Number of private entries in a frame.
pub(super) fn private_entries(payload: &[u8]) -> usize {
    match ChatMessage::decode(payload) {
        Ok(ChatMessage::Entries(entries)) => {
            let entries = entries
                .entries
                .iter()
                .filter_map(|signed| signed.read().ok());
            entries.filter(|entry| entry.to.is_some()).count()
        }
        _ => 0,
    }
}

#[test]
fn a_private_message_that_is_passed_on_is_not_accepted() {
    let mut world = World::new(3, 1);
    let at = world.micros();
    let private = Entry {
        to: Some(peer(0)),
        ..entry(2, 257, 1, at, Content::Text("passed on".into()))
    };
    let signed = private.sign(&key(2));
    world.inject_answer(1, 0, &answer(vec![], vec![signed.clone()]));
    // One for another rider, even from its author.
    world.inject(2, 1, &push(vec![signed.clone()]));
    assert_eq!(world.pages[0].view.tabs.len(), 1);
    assert_eq!(world.pages[1].view.tabs.len(), 1);
    world.inject(2, 0, &push(vec![signed]));
    assert_eq!(world.private_texts(0, 2), ["passed on"]);
    // A private message to a rider who is not in the ride is not sent.
    world.pages[2].is_member = false;
    world.update_members();
    world.whisper(0, 2, "too late");
    assert_eq!(world.rejections(0), [Rejection::Gone]);
    assert!(!world.pages[0].view.tabs[1].can_send);
}

#[test]
fn own_messages_are_edited_and_deleted_within_ten_minutes() {
    let mut world = World::new(2, 1);
    world.say(0, "Helo");
    world.say(0, "Oops");
    world.run(300);
    let (first, second) = (id(0, 256, 1), id(0, 256, 2));
    let edit = |text: &str| ChatInput::Edit {
        message: id(0, 256, 1),
        text: text.to_owned(),
    };
    assert!(world.tab(0, &Tab::Group)[0].can_change);
    assert!(!world.tab(1, &Tab::Group)[0].can_change);
    world.input(0, edit("Hello"));
    world.input(0, ChatInput::Delete(second.clone()));
    world.run(300);
    assert_eq!(world.texts(1), ["Hello", "(deleted)"]);
    let rows = world.tab(1, &Tab::Group);
    let is_edited = matches!(rows[0].state, MessageState::Text { is_edited, .. } if is_edited);
    assert!(is_edited);
    // Not after its deletion.
    let again = ChatInput::Edit {
        message: second,
        text: "back".into(),
    };
    world.input(0, again);
    world.run(300);
    assert_eq!(world.texts(1), ["Hello", "(deleted)"]);
    // A message of another rider is not changed.
    world.input(1, ChatInput::Delete(first.clone()));
    world.run(300);
    assert_eq!(world.texts(0), ["Hello", "(deleted)"]);
    world.run(600_000);
    assert!(!world.tab(0, &Tab::Group)[0].can_change);
    world.input(0, edit("Too late"));
    world.input(0, ChatInput::Delete(first.clone()));
    assert_eq!(world.rejections(0), [Rejection::TooLate; 2]);
}

#[test]
fn receivers_refuse_an_edit_after_ten_minutes() {
    let mut world = World::new(2, 1);
    let at = world.micros();
    world.inject(1, 0, &push(vec![text(1, 256, 1, at, "old")]));
    world.run(700_000);
    let edit = |number: u32, after: i64, text: &str| {
        let content = Content::Edit(id(1, 256, 1), text.to_owned());
        entry(1, 256, number, at + after * 1_000_000, content).sign(&key(1))
    };
    world.inject(1, 0, &push(vec![edit(2, 629, "in time")]));
    assert_eq!(world.texts(0), ["in time"]);
    world.inject(1, 0, &push(vec![edit(3, 631, "late")]));
    let delete = entry(1, 256, 4, at + 690_000_000, Content::Delete(id(1, 256, 1)));
    world.inject(1, 0, &push(vec![delete.sign(&key(1))]));
    assert_eq!(world.texts(0), ["in time"]);
    // Time does not run backwards in a log.
    let back = entry(1, 256, 5, at, Content::Delete(id(1, 256, 1)));
    world.inject(1, 0, &push(vec![back.sign(&key(1))]));
    assert_eq!(world.texts(0), ["in time"]);
}

#[test]
fn an_entry_from_the_future_is_not_taken() {
    let mut world = World::new(2, 1);
    let at = world.micros();
    world.inject(
        1,
        0,
        &push(vec![text(1, 256, 1, at + 11_000_000, "future")]),
    );
    assert!(world.texts(0).is_empty());
    world.run(2_000);
    world.inject(
        1,
        0,
        &push(vec![text(1, 256, 1, at + 11_000_000, "future")]),
    );
    assert_eq!(world.texts(0), ["future"]);
}

#[test]
fn a_reaction_to_a_message_is_given_and_taken_back() {
    let mut world = World::new(3, 1);
    world.say(0, "Up the hill");
    world.run(300);
    let react = |reaction: u8| ChatInput::ReactTo {
        message: id(0, 256, 1),
        reaction,
    };
    world.input(1, react(3));
    world.input(2, react(3));
    world.input(2, react(0));
    world.input(2, react(5));
    world.run(300);
    let reactions = world.tab(2, &Tab::Group)[0].reactions.clone();
    let count = |reaction, names: &[&str], is_own| ReactionCount {
        reaction,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        is_own,
    };
    assert_eq!(
        reactions,
        [count(0, &["Carl"], true), count(3, &["Ben", "Carl"], true)]
    );
    world.input(2, react(3));
    world.run(300);
    let reactions = world.tab(0, &Tab::Group)[0].reactions.clone();
    assert_eq!(
        reactions,
        [count(0, &["Carl"], false), count(3, &["Ben"], false)]
    );
}

#[test]
fn five_reactions_in_ten_seconds_are_sent() {
    let mut world = World::new(2, 1);
    let react = |to| ChatInput::React { to, reaction: 1 };
    for number in 0..12 {
        world.input(0, react((number % 2 == 0).then(|| peer(1))));
        world.run(100);
    }
    let reacted = |world: &World, index: usize| {
        let events = world.pages[index].events.iter();
        let reacted = events.filter(|event| matches!(event, ChatOutput::Reacted(_)));
        reacted.count()
    };
    assert_eq!((reacted(&world, 0), reacted(&world, 1)), (5, 5));
    world.run(10_000);
    world.input(0, react(None));
    world.run(100);
    assert_eq!(reacted(&world, 1), 6);
    let expected = GroupReaction {
        from: peer(0),
        name: "Ana".into(),
        to: None,
        reaction: 1,
    };
    assert_eq!(
        world.pages[1].events.last(),
        Some(&ChatOutput::Reacted(expected))
    );
    // A page that sends more is not followed.
    let message = ChatMessage::Reaction(Reaction {
        reaction: 0,
        to: None,
    });
    world.run(60_000);
    let before = reacted(&world, 1);
    (0..1_000).for_each(|_| world.inject(0, 1, &message.encode()));
    assert_eq!(reacted(&world, 1) - before, 6);
}

#[test]
fn a_rider_is_typing_for_four_seconds_or_until_it_sends() {
    let mut world = World::new(3, 1);
    let typing = |tab, has_text| ChatInput::Typing { tab, has_text };
    world.input(0, typing(Tab::Group, true));
    world.run(100);
    assert_eq!(world.typing(1, &Tab::Group), ["Ana"]);
    world.run(4_100);
    assert!(world.typing(1, &Tab::Group).is_empty());
    // While the rider goes on typing, the mark stays.
    for _ in 0..20 {
        world.input(0, typing(Tab::Group, true));
        world.run(400);
        assert_eq!(world.typing(1, &Tab::Group), ["Ana"]);
    }
    world.say(0, "Done");
    world.run(100);
    assert!(world.typing(1, &Tab::Group).is_empty());
    world.input(0, typing(Tab::Group, true));
    world.run(100);
    world.input(0, typing(Tab::Group, false));
    world.run(100);
    assert!(world.typing(1, &Tab::Group).is_empty());
    // Privately, only the other rider sees it.
    world.input(1, ChatInput::OpenPrivate(peer(0)));
    world.input(2, ChatInput::OpenPrivate(peer(0)));
    world.input(0, typing(Tab::Private(peer(1)), true));
    world.run(100);
    assert_eq!(world.typing(1, &Tab::Private(peer(0))), ["Ana"]);
    assert!(world.typing(1, &Tab::Group).is_empty());
    assert!(world.typing(2, &Tab::Private(peer(0))).is_empty());
}

#[test]
fn presence_is_sent_on_a_change_and_to_newcomers() {
    let mut world = World::new(2, 1);
    assert_eq!(
        world.presence(0, 1).map(|one| one.presence),
        Some(Presence::Waiting)
    );
    world.run(10_000);
    world.input(1, ChatInput::SetPresence(Presence::Riding));
    world.run(2_000);
    let riding = world.presence(0, 1).unwrap();
    assert_eq!(riding.presence, Presence::Riding);
    world.run(10_000);
    let late = world.join();
    world.run(2_000);
    let seen = world.presence(late, 1).unwrap();
    assert_eq!(seen.presence, Presence::Riding);
    assert!(seen.since.since(riding.since) < Duration::from_millis(100));
    world.set_away(1, true);
    world.run(5_000);
    let away = world.presence(0, 1).unwrap();
    let wall = WallTime::from_unix_ms(1_700_000_000_000 + world.now);
    assert_eq!(
        away.away_since.map(|since| wall.since(since)),
        Some(Duration::from_secs(5))
    );
    // Many changes are few messages.
    world.set_away(1, false);
    world.run(5_000);
    world.frames.clear();
    for number in 0..100 {
        let next = [Presence::Riding, Presence::Hidden][number % 2];
        world.input(1, ChatInput::SetPresence(next));
        world.run(20);
    }
    world.run(1_000);
    assert!(world.frames.len() <= 10, "{}", world.frames.len());
    assert_eq!(
        world.presence(0, 1).map(|one| one.presence),
        Some(Presence::Hidden)
    );
}

#[test]
fn an_avatar_is_sent_once_per_change_and_to_each_newcomer() {
    let mut world = World::new(2, 1);
    let mut webp = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x7f\xc0\x1f\0\0".to_vec();
    webp.resize(MAX_PICTURE_BYTES, 7);
    let picture = Avatar::Picture(webp.clone().into());
    world.frames.clear();
    world.input(0, ChatInput::SetAvatar(picture.clone()));
    // What is no picture, or too large, is not taken.
    world.input(
        0,
        ChatInput::SetAvatar(Avatar::Picture(vec![1; 100].into())),
    );
    world.run(500);
    assert_eq!(
        world.presence(1, 0).map(|one| one.avatar),
        Some(picture.clone())
    );
    assert_eq!(
        world.presence(0, 0).map(|one| one.avatar),
        Some(picture.clone())
    );
    let late = world.join();
    world.run(500);
    assert_eq!(
        world.presence(late, 0).map(|one| one.avatar),
        Some(picture.clone())
    );
    world.set_away(1, true);
    world.run(1_000);
    world.set_away(1, false);
    world.run(1_000);
    let avatars = world
        .frames
        .iter()
        .filter(|frame| frame.payload.len() > MAX_PICTURE_BYTES);
    assert_eq!(avatars.clone().count(), 2);
    assert!(
        avatars
            .clone()
            .all(|frame| frame.class == DeliveryClass::Bulk)
    );
    // It is there after a reload of either side, from what the browsers have kept.
    world.reload(0, true);
    world.run(6_000);
    assert_eq!(
        world.presence(1, 0).map(|one| one.avatar),
        Some(picture.clone())
    );
    world.reload(1, false);
    world.run(1_000);
    assert_eq!(world.presence(1, 0).map(|one| one.avatar), Some(picture));
}

#[test]
fn a_rider_who_is_hidden_is_not_seen_and_is_again_later() {
    let mut world = World::new(3, 1);
    world.say(0, "Look");
    world.say(1, "I am loud");
    world.run(300);
    let react = ChatInput::ReactTo {
        message: id(0, 256, 1),
        reaction: 1,
    };
    world.input(1, react);
    world.run(300);
    world.input(2, ChatInput::Hide(peer(1), true));
    let arrived = world.arrived(2);
    world.say(1, "louder");
    world.input(
        1,
        ChatInput::React {
            to: None,
            reaction: 1,
        },
    );
    let typing = ChatInput::Typing {
        tab: Tab::Group,
        has_text: true,
    };
    world.input(1, typing);
    world.run(300);
    assert_eq!(world.texts(2), ["Look"]);
    assert!(world.tab(2, &Tab::Group)[0].reactions.is_empty());
    assert!(world.typing(2, &Tab::Group).is_empty());
    assert_eq!(world.arrived(2), arrived);
    let events = &world.pages[2].events;
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, ChatOutput::Reacted(_)))
    );
    assert_eq!(world.pages[2].view.unread, 1);
    assert_eq!(world.texts(0).len(), 3);
    // It is kept over a reload.
    world.run(3_000);
    world.reload(2, true);
    world.run(3_000);
    assert_eq!(world.texts(2), ["Look"]);
    assert!(world.presence(2, 1).unwrap().is_hidden);
    world.input(2, ChatInput::Hide(peer(1), false));
    assert_eq!(world.texts(2).len(), 3);
}

#[test]
fn the_host_removes_a_message_for_everyone_and_others_cannot() {
    let mut world = World::new(3, 1);
    world.say(1, "rude");
    world.run(300);
    let message = world.first_id(0);
    world.input(2, ChatInput::Remove(message.clone()));
    world.run(300);
    // Carl claims to be the host of the first epoch, and of another.
    for (number, epoch) in [(1, 1), (2, 2)] {
        let content = Content::Remove(message.clone(), epoch);
        let remove = entry(2, 256, number, world.micros(), content);
        world.inject(2, 0, &push(vec![remove.sign(&key(2))]));
    }
    assert_eq!(world.texts(0), ["rude"]);
    world.input(0, ChatInput::Remove(message));
    world.run(300);
    for index in 0..3 {
        assert_eq!(world.texts(index), ["(removed)"]);
    }
}

#[test]
fn the_host_removes_an_own_message_that_can_no_longer_be_deleted() {
    let mut world = World::new(2, 1);
    world.say(0, "mistake");
    world.run(700_000);
    let message = world.first_id(0);
    world.input(0, ChatInput::Delete(message.clone()));
    assert_eq!(world.rejections(0), [Rejection::TooLate]);
    world.input(0, ChatInput::Remove(message));
    world.run(300);
    assert_eq!(
        (world.texts(0), world.texts(1)),
        (vec!["(removed)".into()], vec!["(removed)".into()])
    );
}

#[test]
fn the_host_switches_the_chat_off_and_on() {
    let mut world = World::new(3, 1);
    world.input(1, ChatInput::SwitchOn(false));
    world.say(1, "before");
    world.run(300);
    assert!(!world.pages[0].view.is_off);
    world.input(0, ChatInput::SwitchOn(false));
    world.run(300);
    assert!((0..3).all(|index| world.pages[index].view.is_off));
    assert!(!world.pages[1].view.tabs[0].can_send);
    world.say(1, "while it is off");
    assert_eq!(world.rejections(1), [Rejection::Off]);
    // A page that does not keep to it is not shown.
    world.run(6_000);
    let rude = text(1, 256, 2, world.micros(), "rude");
    world.inject(1, 0, &push(vec![rude]));
    assert_eq!(world.texts(0), ["before"]);
    // A newcomer learns of it, also after many messages.
    let late = world.join();
    world.run(2_000);
    assert!(world.pages[late].view.is_off);
    world.input(0, ChatInput::SwitchOn(true));
    world.run(300);
    assert!((0..4).all(|index| !world.pages[index].view.is_off));
    // The newest host decides: a decision of an older epoch has no effect.
    world.terms.push(HostTerm {
        epoch: 2,
        peer: peer(2),
        sign_key: key(2).public(),
    });
    world.host = 2;
    world.update_members();
    world.input(2, ChatInput::SwitchOn(false));
    world.run(300);
    assert!(world.pages[1].view.is_off);
    let old = entry(0, 256, 3, world.micros(), Content::Switch(true, 1));
    world.inject(0, 1, &push(vec![old.sign(&key(0))]));
    assert!(world.pages[1].view.is_off);
    world.input(0, ChatInput::SwitchOn(true));
    world.run(300);
    assert!(world.pages[1].view.is_off);
}

#[test]
fn what_arrives_while_the_chat_is_off_is_not_shown_whatever_its_date() {
    let mut world = World::new(3, 1);
    world.say(1, "kept");
    world.run(300);
    let before = world.micros();
    world.run(1_000);
    world.input(0, ChatInput::SwitchOn(false));
    world.run(300);
    // What was on its way is shown.
    world.inject(1, 2, &push(vec![text(1, 256, 2, before, "on its way")]));
    world.run(10_000);
    let edit = Content::Edit(id(1, 256, 1), "rude".into());
    let react = Content::React(id(1, 256, 1), 1, true);
    let late = vec![
        text(1, 256, 3, before, "dated back"),
        entry(1, 256, 4, before, edit).sign(&key(1)),
        entry(1, 256, 5, before, react).sign(&key(1)),
    ];
    world.inject(1, 2, &push(late));
    let arrived = world.arrived(2);
    let shown = ["kept", "on its way"];
    assert_eq!(world.texts(2), shown);
    assert!(world.tab(2, &Tab::Group)[0].reactions.is_empty());
    world.run(3_000);
    world.reload(2, true);
    world.run(5_000);
    assert_eq!(world.texts(2), shown);
    assert_eq!(world.arrived(2), 0);
    assert_eq!(arrived, 2);
    // It is not passed on either.
    world.pages[1].is_member = false;
    world.update_members();
    let late = world.join();
    world.run(5_000);
    assert!(world.texts(late).iter().all(|text| text != "dated back"));
    assert!(world.texts(late).contains(&"kept".to_owned()));
    // What was late, but honest, is there when the chat is on again.
    world.input(0, ChatInput::SwitchOn(true));
    world.run(300);
    assert_eq!(world.texts(2), ["rude", "on its way", "dated back"]);
}

#[test]
fn an_edit_that_is_dated_back_has_no_effect() {
    let mut world = World::new(3, 1);
    let at = world.micros();
    for to in [0, 2] {
        world.inject(1, to, &push(vec![text(1, 256, 1, at, "said")]));
    }
    // Another page load, so that the times of its first log do not bind the author.
    world.pages[1].incarnation = 2;
    world.update_members();
    world.run(15 * 60_000);
    let change = |number, content| entry(1, 512, number, at + 1_000_000, content).sign(&key(1));
    let edit = change(1, Content::Edit(id(1, 256, 1), "never said".into()));
    let delete = change(2, Content::Delete(id(1, 256, 1)));
    world.inject(1, 0, &push(vec![edit.clone(), delete.clone()]));
    assert_eq!(world.texts(0), ["said"]);
    // Neither through another rider, nor after a reload, nor for a newcomer who asks others.
    world.inject_answer(1, 2, &answer(vec![], vec![edit, delete]));
    world.run(3_000);
    world.reload(0, true);
    world.run(120_000);
    assert_eq!(
        (world.texts(0), world.texts(2)),
        (vec!["said".into()], vec!["said".into()])
    );
    world.pages[1].is_member = false;
    world.update_members();
    let late = world.join();
    world.run(60_000);
    assert_eq!(world.texts(late), ["said"]);
}

#[test]
fn an_edit_of_a_rider_who_was_away_for_half_an_hour_is_taken() {
    let mut world = World::new(3, 1);
    world.say(1, "Helo");
    world.run(1_000);
    world.set_away(1, true);
    world.run(60_000);
    let edit = ChatInput::Edit {
        message: id(1, 256, 1),
        text: "Hello".into(),
    };
    world.input(1, edit);
    world.run(29 * 60_000);
    assert_eq!(world.texts(0), ["Helo"]);
    world.set_away(1, false);
    world.run(60_000);
    assert_eq!(
        (world.texts(0), world.texts(2)),
        (vec!["Hello".into()], vec!["Hello".into()])
    );
}

#[test]
fn an_edit_contradicts_no_later_entry_of_its_author() {
    // Written in a later page load, it cannot be older than what the earlier one has written.
    let mut world = World::new(2, 1);
    world.pages[1].incarnation = 2;
    world.update_members();
    let at = world.micros() - 3_600_000_000;
    let late = world.micros() - 60_000_000;
    let first = text(1, 256, 1, at, "said");
    let second = text(1, 256, 2, late, "later");
    let edit = Content::Edit(id(1, 256, 1), "never said".into());
    let edit = entry(1, 512, 1, at + 1_000_000, edit).sign(&key(1));
    world.inject_answer(1, 0, &answer(vec![], vec![first, edit, second]));
    assert_eq!(world.texts(0), ["said", "later"]);
}

#[test]
fn a_former_host_removes_nothing_and_switches_nothing() {
    let mut world = World::new(3, 1);
    world.say(2, "keep this");
    world.run(300);
    let before = world.micros();
    world.terms.push(HostTerm {
        epoch: 2,
        peer: peer(2),
        sign_key: key(2).public(),
    });
    world.host = 2;
    world.update_members();
    world.run(30_000);
    let old = [Content::Remove(id(2, 256, 1), 1), Content::Switch(false, 1)];
    let old: Vec<_> = (1..)
        .zip(old)
        .map(|(number, content)| entry(0, 256, number, before, content).sign(&key(0)))
        .collect();
    world.inject(0, 1, &push(old.clone()));
    assert_eq!(world.texts(1), ["keep this"]);
    assert!(!world.pages[1].view.is_off);
    // Nor after a reload.
    world.run(3_000);
    world.reload(1, true);
    world.inject_answer(0, 1, &answer(vec![], old));
    world.run(3_000);
    assert_eq!(world.texts(1), ["keep this"]);
    assert!(!world.pages[1].view.is_off);
}

#[test]
fn what_a_host_has_removed_stays_removed_under_the_next_host() {
    let mut world = World::new(3, 1);
    world.say(1, "rude");
    world.run(300);
    world.set_away(2, true);
    world.input(0, ChatInput::Remove(id(1, 256, 1)));
    world.run(1_000);
    world.terms.push(HostTerm {
        epoch: 2,
        peer: peer(1),
        sign_key: key(1).public(),
    });
    world.host = 1;
    world.update_members();
    world.run(60_000);
    world.set_away(2, false);
    let late = world.join();
    world.run(30_000);
    for index in [0, 1, 2, late] {
        assert_eq!(world.texts(index), ["(removed)"], "{index}");
    }
}

#[test]
fn a_decision_to_switch_off_outlives_the_messages_around_it() {
    let mut world = World::new(2, 1);
    world.input(0, ChatInput::SwitchOn(false));
    world.run(300);
    // Entries that the own page would not send.
    let at = world.micros();
    for number in 1..=210 {
        let at = at + i64::from(number) * 100_000;
        world.run(100);
        world.inject(1, 0, &push(vec![text(1, 256, number, at, "rude")]));
    }
    let late = world.join();
    world.run(20_000);
    assert!(world.pages[0].view.is_off && world.pages[late].view.is_off);
}

#[test]
fn a_reload_keeps_messages_marks_tabs_and_what_is_read() {
    let mut world = World::new(2, 1);
    world.say(0, "one");
    world.whisper(0, 1, "two");
    world.input(1, ChatInput::Shown(Some(Tab::Group)));
    world.run(3_000);
    let before = world.pages[0].view.tabs.clone();
    world.reload(0, true);
    assert_eq!(world.pages[0].view.tabs, before);
    let row = world.tab(0, &Tab::Group)[0].clone();
    assert!(row.is_own && row.can_change);
    assert_eq!(
        row.marks.clone().map(|marks| marks.read),
        Some(vec!["Ben".to_owned()])
    );
    world.run(3_000);
    // Edits of messages from before are possible, and numbers go on in a log of their own.
    let edit = ChatInput::Edit {
        message: row.id.clone(),
        text: "ONE".into(),
    };
    world.input(0, edit);
    world.say(0, "three");
    world.run(1_000);
    assert_eq!(world.texts(1), ["ONE", "three"]);
    world.pages[1].shows = 0;
    world.reload(1, true);
    assert_eq!(world.pages[1].view.unread, 1);
    assert_eq!(world.texts(1), ["ONE", "three"]);
}

#[test]
fn a_page_that_is_reloaded_without_storage_gets_its_own_messages_back() {
    let mut world = World::new(2, 1);
    world.say(0, "mine");
    world.run(500);
    world.reload(0, false);
    world.run(3_000);
    assert_eq!(world.texts(0), ["mine"]);
    let row = world.tab(0, &Tab::Group)[0].clone();
    assert!(row.is_own && row.is_verified && row.marks.is_none());
    world.say(0, "more");
    world.run(500);
    assert_eq!(world.texts(1), ["mine", "more"]);
}

#[test]
fn what_is_stored_is_written_rarely_and_forgotten_after_a_day() {
    let mut world = World::new(1, 1);
    let mut stores = 0;
    for number in 0..100 {
        world.pages[0].stored = None;
        world.say(0, &format!("{number}"));
        world.run(100);
        stores += u32::from(world.pages[0].stored.is_some());
    }
    assert!(stores <= 6, "{stores}");
    world.run(3_000);
    world.pages[0].stored = None;
    world.run(60_000);
    assert_eq!(world.pages[0].stored, None);
    world.say(0, "last");
    world.run(3_000);
    let stored = world.pages[0].stored.clone().unwrap();
    assert!(StoredChat::decode(&stored).is_some());
    world.now += 23 * 3_600 * 1_000;
    world.reload(0, true);
    assert_eq!(world.texts(0).len(), 101);
    world.now += 3_600 * 1_000;
    world.pages[0].stored = Some(stored.clone());
    world.reload(0, true);
    assert!(world.texts(0).is_empty());
    // Another version, or a part of it.
    for damaged in [vec![0x82, 9], stored[..stored.len() / 2].to_vec()] {
        world.pages[0].stored = Some(damaged);
        world.reload(0, true);
        assert!(world.texts(0).is_empty());
    }
}

#[test]
fn a_message_is_deleted_when_it_is_24_hours_old() {
    let mut world = World::new(2, 1);
    world.say(0, "old");
    world.whisper(0, 1, "secret");
    world.run(3_600_000);
    world.say(1, "newer");
    world.run(23 * 3_600_000 - 1_000);
    assert_eq!(world.texts(0), ["old", "newer"]);
    world.run(1_000);
    for index in 0..2 {
        assert_eq!(world.texts(index), ["newer"], "{index}");
        assert!(world.private_texts(index, 1 - index).is_empty());
    }
    world.run(3_000);
    let stored = world.pages[0].stored.clone().unwrap();
    assert!(!stored.windows(6).any(|part| part == b"secret"));
    // Nor does it come back from a page that still has it.
    let old = world.micros() - 24 * 3_600_000_000;
    world.inject(1, 0, &push(vec![text(1, 256, 2, old, "again")]));
    assert_eq!(world.texts(0), ["newer"]);
    // What is too old when it is loaded is deleted then.
    world.run(22 * 3_600_000);
    world.now += 2 * 3_600_000;
    world.reload(0, true);
    world.run(3_000);
    assert!(world.texts(0).is_empty());
    let stored = world.pages[0].stored.clone().unwrap();
    assert!(!stored.windows(5).any(|part| part == b"newer"));
}

#[test]
fn messages_wait_until_group_time_is_known() {
    let mut world = World::empty(1);
    (0..2).for_each(|_| _ = world.add());
    world.pages[0].knows_time = false;
    world.update_members();
    world.run(1_000);
    world.say(0, "early");
    world.run(5_000);
    assert!(world.texts(1).is_empty());
    world.pages[0].knows_time = true;
    world.input(0, ChatInput::Shown(None));
    world.run(500);
    assert_eq!(world.texts(1), ["early"]);
    // Afterwards, the last reading goes on.
    world.pages[0].knows_time = false;
    world.say(0, "later");
    world.run(500);
    assert_eq!(world.texts(1), ["early", "later"]);
}

#[test]
fn an_idle_chat_only_asks_one_rider_every_half_minute() {
    let mut world = World::new(4, 1);
    world.say(0, "Hello");
    world.run(60_000);
    world.frames.clear();
    world.run(600_000);
    // Ten minutes are 20 questions and 20 answers of each rider.
    assert!(world.frames.len() <= 4 * 44, "{}", world.frames.len());
    assert!(world.frames.iter().all(|frame| frame.payload.len() < 300));
    // Alone, there is nothing to do.
    let mut world = World::new(1, 1);
    world.run(5_000);
    assert_eq!(world.pages[0].chat.poll_timeout(), None);
    assert_eq!(Chat::new(key(0), 1).poll_timeout(), None);
}

#[test]
fn rows_that_did_not_change_are_shared() {
    let mut world = World::new(2, 1);
    world.say(0, "one");
    world.run(500);
    let before = world.tab(1, &Tab::Group);
    world.say(0, "two");
    world.run(500);
    let after = world.tab(1, &Tab::Group);
    assert!(Arc::ptr_eq(&before[0], &after[0]));
    // An input without effect shows nothing.
    let shows = world.pages[1].shows;
    let now = world.clocks(1);
    world.pages[1].chat.handle_timeout(now);
    assert_eq!(world.pages[1].shows, shows);
}

#[test]
fn a_page_without_a_group_sends_nothing() {
    let mut chat = Chat::new(key(0), 1);
    let now = ExchangeNow {
        own: Now::default(),
        group: None,
    };
    let send = ChatInput::Send {
        tab: Tab::Group,
        text: "alone".into(),
    };
    chat.handle(now, send);
    let gone = ExchangeOutput::Chat(ChatOutput::Rejected(Rejection::Gone));
    assert_eq!(chat.poll_output(), Some(gone));
    for input in [
        ChatInput::Edit {
            message: id(0, 256, 1),
            text: "x".into(),
        },
        ChatInput::Delete(id(0, 256, 1)),
        ChatInput::Remove(id(0, 256, 1)),
        ChatInput::ReactTo {
            message: id(0, 256, 1),
            reaction: 0,
        },
        ChatInput::React {
            to: None,
            reaction: 0,
        },
        ChatInput::Typing {
            tab: Tab::Group,
            has_text: true,
        },
        ChatInput::Shown(Some(Tab::Group)),
        ChatInput::OpenPrivate(peer(1)),
        ChatInput::Hide(peer(1), true),
        ChatInput::SetPresence(Presence::Riding),
        ChatInput::SetAvatar(Avatar::Emoji("🚴".into())),
        ChatInput::SwitchOn(false),
    ] {
        chat.handle(now, input);
    }
    while let Some(output) = chat.poll_output() {
        assert!(!matches!(output, ExchangeOutput::Send { .. }), "{output:?}");
    }
    chat.receive(now, &peer(1), &push(vec![]));
    assert_eq!(chat.poll_timeout(), None);
}

/// Sends messages of a hostile page for a while. Returns the largest memory of the page of rider 0.
fn flood(world: &mut World, seconds: u64, mut make: impl FnMut(&World, u64) -> Vec<u8>) -> usize {
    let mut most = 0;
    for count in 0..seconds * 50 {
        let payload = make(world, count);
        world.inject_answer(1, 0, &payload);
        world.run(20);
        if count % 50 == 0 {
            most = most.max(world.pages[0].chat.memory());
        }
    }
    most.max(world.pages[0].chat.memory())
}

#[test]
fn a_flood_of_valid_messages_is_held_to_the_rate_and_the_bounds() {
    let mut world = World::new(2, 1);
    world.records_frames = false;
    let long = "🚴".repeat(500);
    let most = flood(&mut world, 20, |world, count| {
        let at = world.micros();
        let number = count as u32 + 1;
        push(vec![text(1, 256, number, at, &long)])
    });
    // Of 50 per second, those that break the rate are refused, and their successors wait for them.
    assert!(
        (40..=200).contains(&world.texts(0).len()),
        "{}",
        world.texts(0).len()
    );
    assert!(most < 2 * 1024 * 1024, "{most}");
    // At the allowed rate, and as edits, which do not count as messages.
    let mut world = World::new(2, 1);
    world.records_frames = false;
    world.inject(1, 0, &push(vec![text(1, 256, 1, world.micros(), "edited")]));
    let most = flood(&mut world, 60, |world, count| {
        let at = world.micros();
        let number = (count / 3) as u32 + 2;
        let content = Content::Edit(id(1, 256, 1), long.clone());
        push(vec![entry(1, 256, number, at, content).sign(&key(1))])
    });
    assert!(most < 4 * 1024 * 1024, "{most}");
}

#[test]
fn a_flood_of_logs_private_messages_and_gaps_is_bounded() {
    let mut world = World::new(2, 1);
    world.records_frames = false;
    world.pages[1].incarnation = 5_000;
    world.update_members();
    let long = "🚴".repeat(500);
    let most = flood(&mut world, 50, |world, count| {
        let (at, count) = (world.micros(), count as u32);
        match count % 4 {
            // A log for each page load, public and private.
            0 => push(vec![text(1, count << 8, 1, at, &long)]),
            1 => {
                let private = Entry {
                    to: Some(peer(0)),
                    ..entry(1, count << 8 | 1, 1, at, Content::Text(long.clone()))
                };
                push(vec![private.sign(&key(1))])
            }
            // Entries without predecessors.
            2 => push(vec![text(1, 256, count + 2, at, &long)]),
            // Authors that do not exist.
            _ => {
                let rider = 10 + count as usize % 200;
                let claims = vec![author_with(rider, key(rider).public())];
                answer(claims, vec![text(rider, 256, count, at, &long)])
            }
        }
    });
    assert!(most < 2 * 1024 * 1024, "{most}");
    let view = &world.pages[0].view;
    assert!(view.tabs.len() <= 2);
    // Honest messages still arrive.
    world.say(0, "still works");
    world.run(300);
    assert_eq!(
        world.texts(1).last().map(String::as_str),
        Some("still works")
    );
}

#[test]
fn a_flood_of_questions_causes_few_answers() {
    let mut world = World::new(2, 1);
    for number in 0..100 {
        world.say(0, &format!("{number} {}", "x".repeat(450)));
        world.run(100);
    }
    world.run(5_000);
    world.frames.clear();
    let question = ChatMessage::Have(Have::default()).encode();
    for _ in 0..1_000 {
        world.inject(1, 0, &question);
        world.run(10);
    }
    let bytes: usize = world
        .frames
        .iter()
        .filter(|frame| frame.from == 0)
        .map(|frame| frame.payload.len())
        .sum();
    // 16 at once and one in two seconds, of 48 KiB.
    assert!(bytes < 22 * 50 * 1024, "{bytes}");
    assert!(world.pages[0].chat.rejected() > 900);
}

#[test]
fn forged_entries_cost_their_sender_its_signature_checks() {
    let mut world = World::new(3, 1);
    let at = world.micros();
    let forged: Vec<_> = (1..=50)
        .map(|number| entry(1, 256, number, at, Content::Text("x".into())).sign(&key(5)))
        .collect();
    for _ in 0..100 {
        world.inject(1, 0, &push(forged.clone()));
    }
    // Then nothing of this sender is checked for a while; other riders are not concerned.
    world.inject(1, 0, &push(vec![text(1, 256, 1, at, "mine")]));
    assert!(world.texts(0).is_empty());
    world.say(2, "Hello");
    world.run(300);
    assert_eq!(world.texts(0), ["Hello"]);
}

#[test]
fn receipts_for_what_was_not_sent_have_no_effect() {
    let mut world = World::new(3, 1);
    world.say(0, "one");
    let lie = ChatMessage::Receipts(vec![
        Receipt {
            log: 256,
            first: 1,
            last: u32::MAX,
            read: u32::MAX,
        },
        Receipt {
            log: 999,
            first: 0,
            last: 0,
            read: 0,
        },
    ]);
    world.inject(1, 0, &lie.encode());
    assert!(world.marks(0, 0).delivered.is_empty());
    let have = ChatMessage::Have(Have {
        logs: vec![LogRanges {
            author: peer(0),
            log: 256,
            ranges: vec![(u32::MAX, 0), (0, u32::MAX)],
        }],
    });
    world.inject(1, 0, &have.encode());
    assert!(world.marks(0, 0).delivered.is_empty());
    world.run(500);
    assert_eq!(world.marks(0, 0).delivered, ["Ben", "Carl"]);
}

#[test]
fn messages_of_a_hidden_rider_are_not_read() {
    let mut world = World::new(2, 1);
    world.input(1, ChatInput::Hide(peer(0), true));
    world.input(1, ChatInput::Shown(Some(Tab::Group)));
    world.say(0, "Hello?");
    world.run(500);
    let marks = world.marks(0, 0);
    assert_eq!((marks.delivered.len(), marks.read.len()), (1, 0));
    world.input(1, ChatInput::Hide(peer(0), false));
    world.run(500);
    assert_eq!(world.marks(0, 0).read, ["Ben"]);
}

#[test]
fn a_log_counts_once_in_a_message_of_receipts() {
    let mut world = World::new(3, 1);
    world.say(0, "one");
    let receipt = |read| Receipt {
        log: 256,
        first: 1,
        last: 1,
        read,
    };
    let receipts = ChatMessage::Receipts(vec![receipt(0), receipt(1)]);
    world.inject(1, 0, &receipts.encode());
    let marks = world.marks(0, 0);
    assert_eq!((marks.delivered.len(), marks.read.len()), (1, 0));
    world.inject(1, 0, &ChatMessage::Receipts(vec![receipt(1)]).encode());
    assert_eq!(world.marks(0, 0).read, ["Ben"]);
}

#[test]
fn bytes_that_are_no_message_and_strangers_are_dropped() {
    let mut world = World::new(2, 1);
    world.inject(1, 0, &[0x83, 1, 8, 0xff]);
    world.inject(1, 0, &[]);
    world.inject(1, 0, &[0x83, 1, 15, 0x80]);
    assert_eq!(world.pages[0].chat.rejected(), 3);
    let now = world.clocks(0);
    let hello = push(vec![text(7, 256, 1, world.micros(), "stranger")]);
    world.pages[0].chat.receive(now, &peer(7), &hello);
    assert!(world.texts(0).is_empty());
}

#[test]
fn clocks_at_the_ends_of_their_ranges_do_no_harm() {
    let last = ExchangeNow {
        own: Now {
            moment: Moment::from_origin(Duration::MAX),
            wall: WallTime::from_unix_ms(u64::MAX),
        },
        group: Some(GroupTime(i64::MAX)),
    };
    let first = ExchangeNow {
        own: Now::default(),
        group: Some(GroupTime(i64::MIN)),
    };
    let members = Arc::new(GroupMembers {
        me: peer(0),
        incarnation: Incarnation(u32::MAX),
        name: name(0),
        others: vec![GroupMember {
            peer: peer(1),
            incarnation: Incarnation(u32::MAX),
            name: name(1),
            sign_key: key(1).public(),
            link: LinkState::Direct,
            is_rider: true,
        }],
        host: None,
        host_terms: Arc::new(Vec::new()),
        relay_bytes_per_second: 0,
        max_file_bytes: None,
        max_cameras: None,
        companions: Vec::new(),
        tunnel_origin: None,
        has_webrtc: true,
        allows_direct_links: true,
        ice_servers: Vec::new(),
        is_over: false,
    });
    for now in [first, last] {
        let mut chat = Chat::new(key(0), u64::MAX);
        chat.set_members(now, Arc::clone(&members));
        chat.handle(now, ChatInput::Loaded(Vec::new()));
        for tab in [Tab::Group, Tab::Private(peer(1))] {
            chat.handle(now, ChatInput::Shown(Some(tab.clone())));
            let text = "x".to_owned();
            chat.handle(now, ChatInput::Send { tab, text });
        }
        for at in [i64::MIN, 0, i64::MAX] {
            chat.receive(
                now,
                &peer(1),
                &push(vec![text(1, u32::MAX << 8, u32::MAX, at, "x")]),
            );
        }
        chat.handle_timeout(now);
        chat.handle_timeout(last);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn entries_in_any_order_make_the_same_rows(
        kinds in proptest::collection::vec((1usize..4, 0u8..6, 1u32..8), 1..20),
        order in any::<u64>(),
    ) {
        let start = World::new(4, 1).micros() - 100_000_000;
        let mut numbers = [0; 4];
        let mut entries = Vec::new();
        for (step, (author, kind, target)) in kinds.into_iter().enumerate() {
            numbers[author] += 1;
            let target = id(1 + target as usize % 3, 256, target);
            let content = match kind {
                0 | 1 => Content::Text(format!("{author} {step}")),
                2 => Content::Edit(EntryId { author: peer(author), ..target }, format!("edit {step}")),
                3 => Content::Delete(EntryId { author: peer(author), ..target }),
                4 => Content::React(target, 1, step % 2 == 0),
                _ => Content::Remove(target, 1),
            };
            let at = start + step as i64 * 1_000_000;
            let entry = entry(author, 256, numbers[author], at, content);
            entries.push((author, entry.sign(&key(author))));
        }
        let mut rows = Vec::new();
        for shuffled in [false, true] {
            let mut world = World::new(4, 1);
            let mut random = super::testing::Random::new(order);
            let mut left: Vec<_> = entries.iter().chain(&entries).cloned().collect();
            while !left.is_empty() {
                let place = if shuffled { random.below(left.len()) } else { 0 };
                let (author, signed) = left.remove(place);
                // As history, from the author or from another rider.
                let from = if shuffled && random.chance(50) { 1 + author % 3 } else { author };
                world.inject_answer(from, 0, &answer(vec![], vec![signed]));
            }
            world.run(21_000);
            rows.push(world.tab(0, &Tab::Group));
        }
        prop_assert_eq!(&rows[0], &rows[1]);
    }

    #[test]
    fn no_altered_message_makes_a_chat_panic(
        changes in proptest::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()),
            1..100,
        ),
    ) {
        let mut world = World::new(3, 1);
        world.say(0, "one");
        world.whisper(1, 0, "two");
        world.input(1, ChatInput::React { to: None, reaction: 1 });
        let avatar = ChatInput::SetAvatar(Avatar::Emoji("🚴".into()));
        world.input(1, avatar);
        world.run(3_000);
        let frames: Vec<_> = world.frames.iter().map(|frame| frame.payload.clone()).collect();
        for (frame, place, byte) in changes {
            let mut payload = frames[frame.index(frames.len())].clone();
            let place = place.index(payload.len());
            payload[place] = byte;
            world.inject(1, 0, &payload);
            world.inject(0, 1, &payload);
            world.run(50);
        }
        prop_assert!(world.pages[0].chat.memory() < 100_000);
        let stored = world.pages[0].stored.clone().unwrap_or_default();
        world.pages[0].stored = Some(stored);
        world.reload(0, true);
    }

    #[test]
    fn no_damaged_storage_makes_a_chat_panic(place in any::<prop::sample::Index>(), byte: u8) {
        let mut world = World::new(2, 1);
        world.say(0, "one");
        world.whisper(0, 1, "two");
        world.input(0, ChatInput::Hide(peer(1), true));
        world.run(3_000);
        let mut stored = world.pages[0].stored.clone().unwrap();
        let place = place.index(stored.len());
        stored[place] = byte;
        world.pages[0].stored = Some(stored);
        world.reload(0, true);
        world.run(3_000);
        world.say(0, "three");
        world.run(3_000);
    }
}

#[test]
fn a_rider_who_missed_more_than_the_history_gets_the_newest_part_in_order() {
    // The rider who is asked first is the author, or another one.
    for author in [0, 1] {
        missed_history(author);
    }
}

fn missed_history(author: usize) {
    let mut world = World::new(3, 1);
    world.say(author, "first");
    world.run(1_000);
    world.set_away(2, true);
    for number in 0..300 {
        world.say(author, &format!("{number}"));
        world.run(500);
    }
    world.say(1 - author, "Welcome back");
    world.run(1_000);
    world.set_away(2, false);
    world.run(5_000);
    assert_eq!(world.texts(2), world.texts(1));
    assert_eq!(world.texts(2).len(), MAX_MESSAGES);
    let arrived = world.pages[2]
        .events
        .iter()
        .filter_map(|event| match event {
            ChatOutput::Arrived(row) if row.id.author == peer(author) => Some(row.id.number),
            _ => None,
        });
    let arrived: Vec<u32> = arrived.collect();
    assert!(arrived.is_sorted(), "{arrived:?}");
    assert_eq!(world.pages[2].chat.rejected(), 0);
}
