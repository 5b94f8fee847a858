//! Rides in which links break or go over the server, the server is lost, messages are lost, pages are
//! reloaded, and other riders become host, on virtual time.

use std::collections::{BTreeMap, BTreeSet};

use ride::chat::{ChatMessage, Content};

use super::{
    testing::{Random, World, peer, texts},
    *,
};

/// Messages that were sent in a ride.
#[derive(Debug, Default)]
struct Sent {
    /// Texts to the group, by their authors.
    group: BTreeMap<usize, Vec<String>>,
    /// Private texts, by their authors and receivers.
    private: BTreeMap<(usize, usize), Vec<String>>,
    /// Own private texts that a browser without storage has lost in a reload.
    lost: BTreeSet<(usize, String)>,
    /// Number of texts to the group that a host has removed.
    removed: usize,
}

fn ride(seed: u64) {
    let mut random = Random::new(seed);
    let riders = match random.below(20) {
        0 => 12,
        1..=3 => 6,
        more => 2 + more % 3,
    };
    let mut world = World::empty(random.next());
    world.jitter = [0, 40, 400][random.below(3)];
    world.loss = [0, 50, 100][random.below(3)];
    let late = random.below(2);
    for _ in 0..riders - late.min(riders - 2) {
        world.add();
    }
    world.update_members();
    world.run(random.below(2_000) as u64);
    let mut sent = Sent::default();
    let (mut count, steps) = (0, 10 + random.below(20));
    for _ in 0..steps {
        let index = random.below(world.pages.len());
        let other = (index + 1 + random.below(world.pages.len() - 1)) % world.pages.len();
        let is_there = world.pages[index].is_open && world.pages[index].is_member;
        match random.below(18) {
            0..=4 if is_there => {
                count += 1;
                let text = format!("{index}:{count}");
                world.say(index, &text);
                sent.group.entry(index).or_default().push(text);
            }
            5 | 6 if is_there && world.pages[other].is_member => {
                count += 1;
                let text = format!("secret {index}>{other}:{count}");
                world.whisper(index, other, &text);
                sent.private.entry((index, other)).or_default().push(text);
            }
            7 | 8 => world.set_broken(index, other, random.chance(70)),
            13 => world.set_relayed(index, other, random.chance(70)),
            14 | 15 => world.is_server_gone = random.chance(50),
            16 if is_there => world.set_host(index),
            17 => remove(&mut world, &mut random, &mut sent),
            // Without the server, no page joins or returns.
            9..=12 if world.is_server_gone => {}
            9 if is_there => {
                // A page that is closed at once loses what it has not stored or sent.
                world.run(3_000);
                world.reload(index, true);
            }
            10 if is_there => {
                // The page is closed, or its rider drops out of the ride, for up to half an hour.
                world.run(3_000);
                world.pages[index].is_open = false;
                world.pages[index].is_member = random.chance(50);
            }
            10 | 11 if !is_there => {
                world.pages[index].is_member = true;
                world.reload(index, true);
            }
            12 if is_there && everything_is_delivered(&world, index) => {
                world.reload(index, false);
                // Own private messages are lost, and those that their author has lost as well.
                for ((from, to), texts) in &sent.private {
                    let is_lost = |text: &&String| {
                        *from == index
                            || *to == index && sent.lost.contains(&(*from, (*text).clone()))
                    };
                    let lost: Vec<_> = texts.iter().filter(is_lost).cloned().collect();
                    sent.lost.extend(lost.into_iter().map(|text| (index, text)));
                }
            }
            _ if world.pages.len() < riders && !world.is_server_gone => _ = world.join(),
            _ => react(&mut world, &mut random, index),
        }
        world.update_members();
        let pause = [10, 100, 1_000, 60_000][random.below(4)];
        world.run(random.below(pause) as u64);
    }
    heal(&mut world);
    check(&world, &sent, seed);
}

/// Tells whether a browser holds nothing that no other one holds.
fn everything_is_delivered(world: &World, index: usize) -> bool {
    let rows = world.pages[index]
        .view
        .tabs
        .iter()
        .flat_map(|tab| &tab.messages);
    let mut marks = rows.filter_map(|row| row.marks.as_ref());
    let all = || world.pages.iter().enumerate();
    all().all(|(other, page)| {
        page.is_open && page.is_member && world.texts(other) == world.texts(index)
    }) && marks.all(|marks| marks.delivered == marks.present)
}

fn react(world: &mut World, random: &mut Random, index: usize) {
    let rows = world.tab(index, &Tab::Group);
    if rows.is_empty() || !world.pages[index].is_open || !world.pages[index].is_member {
        return;
    }
    let row = &rows[random.below(rows.len())];
    let message = row.id.clone();
    let reaction = random.below(5) as u8;
    world.input(index, ChatInput::ReactTo { message, reaction });
}

/// The host removes a message. A page that hears of it from the host alone, long after another one has
/// become the host, cannot know that it was in time: so all who are there have a link to it.
fn remove(world: &mut World, random: &mut Random, sent: &mut Sent) {
    let host = world.host;
    let others = (0..world.pages.len()).filter(|other| *other != host);
    let mut there = others.filter(|other| world.pages[*other].is_member);
    let is_there = world.pages[host].is_open && world.pages[host].is_member;
    let rows = world.tab(host, &Tab::Group);
    if !is_there || rows.is_empty() || !there.all(|other| world.is_linked(host, other)) {
        return;
    }
    let row = &rows[random.below(rows.len())];
    if let MessageState::Text { text, .. } = &row.state {
        for texts in sent.group.values_mut() {
            texts.retain(|one| one != text);
        }
        sent.removed += 1;
        world.input(host, ChatInput::Remove(row.id.clone()));
        world.run(2_000);
    }
}

fn heal(world: &mut World) {
    world.is_server_gone = false;
    for index in 0..world.pages.len() {
        for other in 0..index {
            world.set_broken(index, other, false);
        }
        if !world.pages[index].is_open || !world.pages[index].is_member {
            world.pages[index].is_member = true;
            world.reload(index, true);
        }
    }
    world.update_members();
    world.run(60_000);
}

fn check(world: &World, sent: &Sent, seed: u64) {
    let all: BTreeSet<&String> = sent.group.values().flatten().collect();
    let reference = world.tab(0, &Tab::Group);
    let ids = |rows: &[Arc<MessageRow>]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    let reactions = |rows: &[Arc<MessageRow>]| {
        let of = |row: &Arc<MessageRow>| {
            let counts = row.reactions.iter();
            counts
                .map(|one| (one.reaction, one.names.clone()))
                .collect::<Vec<_>>()
        };
        rows.iter().map(of).collect::<Vec<_>>()
    };
    for index in 0..world.pages.len() {
        let rows = world.tab(index, &Tab::Group);
        let mut shown = texts(&rows);
        let before = shown.len();
        shown.retain(|text| text != "(removed)");
        assert_eq!(
            before - shown.len(),
            sent.removed,
            "seed {seed}: removed at {index}"
        );
        let unique: BTreeSet<&String> = shown.iter().collect();
        assert_eq!(
            unique.len(),
            shown.len(),
            "seed {seed}: twice at {index}: {shown:?}"
        );
        assert_eq!(unique, all, "seed {seed}: not all at {index}");
        assert_eq!(ids(&rows), ids(&reference), "seed {seed}: order at {index}");
        assert_eq!(
            reactions(&rows),
            reactions(&reference),
            "seed {seed}: reactions at {index}"
        );
        for (author, texts) in &sent.group {
            let start = format!("{author}:");
            let theirs = shown.iter().filter(|text| text.starts_with(&start));
            assert!(
                theirs.eq(texts),
                "seed {seed}: order of {author} at {index}: {shown:?}"
            );
        }
        for other in (0..world.pages.len()).filter(|other| *other != index) {
            let theirs = |from, to| sent.private.get(&(from, to)).cloned().unwrap_or_default();
            let shown = world.private_texts(index, other);
            for (from, to) in [(index, other), (other, index)] {
                let start = format!("secret {from}>{to}:");
                let part = shown.iter().filter(|text| text.starts_with(&start));
                let part: Vec<_> = part.cloned().collect();
                let lost = |text: &String| sent.lost.contains(&(index, text.clone()));
                let theirs = theirs(from, to).into_iter().filter(|text| !lost(text));
                let theirs: Vec<_> = theirs.collect();
                assert_eq!(part, theirs, "seed {seed}: {from} to {to} at {index}");
            }
        }
        for row in rows.iter().filter(|row| row.is_own) {
            let marks = row
                .marks
                .as_ref()
                .map(|marks| (&marks.present, &marks.delivered));
            assert!(
                marks.is_none_or(|(present, delivered)| present == delivered),
                "seed {seed}: marks at {index}: {row:?}"
            );
        }
        let mut newest: BTreeMap<(PeerId, u32), u32> = BTreeMap::new();
        for event in &world.pages[index].events {
            if let ChatOutput::Arrived(row) = event {
                let key = (row.id.author.clone(), row.id.log);
                let before = newest.insert(key, row.id.number);
                assert!(
                    before < Some(row.id.number),
                    "seed {seed}: {row:?} late at {index}"
                );
            }
        }
        assert!(world.pages[index].chat.memory() < 512 * 1024);
        assert_eq!(
            world.pages[index].chat.rejected(),
            0,
            "seed {seed}: at {index}"
        );
    }
    for frame in &world.frames {
        if let Ok(ChatMessage::Entries(entries)) = ChatMessage::decode(&frame.payload) {
            for signed in &entries.entries {
                let entry = signed.read().unwrap();
                let is_secret = match &entry.content {
                    Some(Content::Text(text)) => text.starts_with("secret"),
                    _ => false,
                };
                assert!(!is_secret || entry.to.is_some());
                if let Some(to) = &entry.to {
                    assert_eq!(entry.id.author, peer(frame.from), "seed {seed}");
                    assert_eq!(*to, peer(frame.to), "seed {seed}");
                }
            }
        }
    }
}

/// Rides with seeds of one residue class, so that tests run side by side.
fn rides(of: u64) {
    (0..500).filter(|seed| seed % 4 == of).for_each(ride);
}

#[test]
fn messages_arrive_exactly_once_in_rides_with_broken_links_and_reloads_0() {
    rides(0);
}

#[test]
fn messages_arrive_exactly_once_in_rides_with_broken_links_and_reloads_1() {
    rides(1);
}

#[test]
fn messages_arrive_exactly_once_in_rides_with_broken_links_and_reloads_2() {
    rides(2);
}

#[test]
fn messages_arrive_exactly_once_in_rides_with_broken_links_and_reloads_3() {
    rides(3);
}
