use super::*;
use std::os::unix::fs::{PermissionsExt, chown};

use rustix::process::geteuid;
use uuid::Uuid;

const LIFE: Duration = Duration::from_secs(3_600);

/// A file in a folder of its own, which is removed at the end.
struct TestFile(PathBuf);

impl TestFile {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("gruppetto-journal-{}", Uuid::new_v4()));
        fs::create_dir(&folder).expect("a folder");
        Self(folder.join("secret.rides"))
    }

    fn open(&self) -> RideJournal {
        RideJournal::open(Some(self.0.clone()), secret(), LIFE)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).expect("a file")
    }

    fn write(&self, content: &[u8]) {
        fs::write(&self.0, content).expect("writes");
        self.set_mode(0o600);
    }

    fn set_mode(&self, mode: u32) {
        fs::set_permissions(&self.0, fs::Permissions::from_mode(mode)).expect("a mode");
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().expect("a folder"));
    }
}

fn secret() -> Secret {
    Secret::from_text("a secret for tests alone")
}

fn code() -> SessionCode {
    "brave-otter-0042".parse().expect("a code")
}

fn peer(name: &str) -> PeerId {
    name.parse().expect("a peer id")
}

/// Banned, left, and returned after leaving.
fn record_all(journal: &RideJournal) {
    let code = code();
    journal.record_change(&code, &StandingChange::Banned(peer("ana")));
    journal.record_change(&code, &StandingChange::Left(peer("ben")));
    journal.record_change(&code, &StandingChange::Left(peer("cleo")));
    journal.record_change(&code, &StandingChange::Returned(peer("cleo")));
}

fn standings(journal: &RideJournal) -> [Standing; 4] {
    ["ana", "ben", "cleo", "dora"].map(|name| journal.standing(&code(), &peer(name)))
}

const ALL: [Standing; 4] = [
    Standing::Banned,
    Standing::Left,
    Standing::Member,
    Standing::Member,
];

#[tokio::test]
async fn endings_bans_and_leaves_are_known_after_a_restart() {
    let file = TestFile::new();
    let journal = file.open();
    assert!(!journal.has_ended(&code()));
    record_all(&journal);
    journal.record_end(&code());
    journal.flushed().await;
    drop(journal);
    let journal = file.open();
    assert!(journal.has_ended(&code()));
    assert_eq!(standings(&journal), ALL);
    let other = "calm-heron-0001".parse().expect("a code");
    assert!(!journal.has_ended(&other));
    assert_eq!(journal.standing(&other, &peer("ana")), Standing::Member);
}

#[tokio::test]
async fn the_file_is_private_and_reveals_neither_codes_nor_ids() {
    let file = TestFile::new();
    let journal = file.open();
    record_all(&journal);
    journal.record_end(&code());
    journal.flushed().await;
    let mode = fs::metadata(&file.0).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = file.text();
    assert_eq!(text.lines().count(), 5);
    for private in ["otter", "0042", "ana", "ben"] {
        assert!(!text.contains(private), "{text}");
    }
    let other = Secret::from_text("quite another secret");
    let journal = RideJournal::open(Some(file.0.clone()), other, LIFE);
    assert!(!journal.has_ended(&code()), "it is another secret's");
}

#[tokio::test]
async fn records_expire_with_the_tokens_from_before_and_dead_lines_are_removed() {
    let file = TestFile::new();
    let journal = RideJournal::open(Some(file.0.clone()), secret(), Duration::ZERO);
    record_all(&journal);
    assert_eq!(standings(&journal), ALL, "in memory they are kept");
    journal.flushed().await;
    drop(journal);
    let journal = file.open();
    assert_eq!(standings(&journal), [Standing::Member; 4]);
    journal.record_end(&code());
    journal.flushed().await;
    assert_eq!(file.text().lines().count(), 1);
}

#[tokio::test]
async fn records_of_a_machine_without_a_clock_are_kept_when_it_gets_the_time() {
    let file = TestFile::new();
    let journal = RideJournal::open(Some(file.0.clone()), secret(), Duration::ZERO);
    record_all(&journal);
    journal.flushed().await;
    // With the expiry of those lines, as after a start in 1970.
    let expired = file.text();
    drop(journal);
    let journal = file.open();
    for line in expired.lines().filter_map(Line::parse) {
        lock(&journal.shared.state).records.apply(line);
    }
    journal.wall_clock_was_set();
    journal.flushed().await;
    drop(journal);
    assert_eq!(standings(&file.open()), ALL);
}

#[tokio::test]
async fn unreadable_lines_are_skipped_and_removed() {
    let file = TestFile::new();
    let journal = file.open();
    record_all(&journal);
    journal.flushed().await;
    drop(journal);
    let mut content = file.text().into_bytes();
    content.extend_from_slice(b"\xff\xfe\nbanned soon 00\nended 1 2 3 4\n\nbanned 17");
    file.write(&content);
    let journal = file.open();
    assert_eq!(standings(&journal), ALL);
    journal.record_end(&code());
    journal.flushed().await;
    let text = file.text();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().all(|line| Line::parse(line).is_some()));
}

#[tokio::test]
async fn the_file_and_the_memory_are_bounded() {
    let file = TestFile::new();
    let line = |event, number: u128| {
        let line = Line {
            event,
            expires: u64::MAX,
            tag: number.to_be_bytes(),
        };
        let mut text = String::new();
        line.write_to(&mut text);
        text
    };
    let mut text = line(Event::Banned, 7);
    (0..MAX_LEFT as u128 + 10).for_each(|number| text += &line(Event::Left, number));
    // A member who leaves and joins again in a loop.
    let loops = 2 * MAX_LINES as u128;
    (0..loops).for_each(|number| text += &line(Event::Left, number % 2));
    text += &line(Event::Banned, 8);
    file.write(text.as_bytes());
    let journal = file.open();
    {
        let state = lock(&journal.shared.state);
        let records = &state.records;
        assert!(records.banned.contains(&8_u128.to_be_bytes()));
        assert!(records.lines().count() <= MAX_LINES / 2);
    }
    journal.record_end(&code());
    journal.flushed().await;
    assert!(file.text().lines().count() <= MAX_LINES / 2);
}

#[test]
fn leaves_do_not_displace_bans_and_the_oldest_ones_are_dropped_first() {
    let mut records = Records::default();
    let line = |event, number: usize| Line {
        event,
        expires: 1,
        tag: (number as u128).to_be_bytes(),
    };
    records.apply(line(Event::Banned, 1));
    (0..=MAX_LEFT).for_each(|number| records.apply(line(Event::Left, number)));
    assert!(records.banned.contains(&1_u128.to_be_bytes()));
    assert!(!records.left.contains(&0_u128.to_be_bytes()));
    assert_eq!(records.lines().count(), MAX_LEFT + 1);
    assert_eq!(MAX_ENDED + MAX_BANNED + MAX_LEFT, 20_000);
}

#[tokio::test]
async fn a_file_that_others_may_change_is_neither_used_nor_written() {
    let file = TestFile::new();
    let journal = file.open();
    record_all(&journal);
    journal.flushed().await;
    drop(journal);
    let before = file.text();
    let is_ignored = async |why: &str| {
        let journal = file.open();
        assert_eq!(standings(&journal), [Standing::Member; 4], "{why}");
        record_all(&journal);
        journal.flushed().await;
        assert_eq!(standings(&journal), ALL, "{why}: it works in memory");
    };
    file.set_mode(0o644);
    is_ignored("others may read it").await;
    file.set_mode(0o600);
    // Only root can give a file away.
    if geteuid().is_root() {
        chown(&file.0, Some(12_345), None).expect("another owner");
        is_ignored("it belongs to another user").await;
        chown(&file.0, Some(0), None).expect("the owner");
    }
    assert_eq!(file.text(), before);
    fs::remove_file(&file.0).expect("removes");
    let made = std::process::Command::new("mkfifo").arg(&file.0).status();
    assert!(made.expect("mkfifo").success());
    is_ignored("a FIFO, which blocks nothing").await;
    fs::remove_file(&file.0).expect("removes");
    fs::create_dir(&file.0).expect("a folder");
    is_ignored("a folder").await;
}

#[tokio::test]
async fn after_a_failed_write_the_whole_file_is_written_as_soon_as_possible() {
    let file = TestFile::new();
    let journal = file.open();
    journal.record_change(&code(), &StandingChange::Banned(peer("ana")));
    journal.flushed().await;
    // In place of a full disk.
    fs::remove_file(&file.0).expect("removes");
    fs::create_dir(&file.0).expect("a folder");
    record_all(&journal);
    journal.flushed().await;
    assert_eq!(standings(&journal), ALL);
    assert!(file.0.is_dir());
    fs::remove_dir(&file.0).expect("removes");
    journal.record_end(&code());
    journal.flushed().await;
    drop(journal);
    let journal = file.open();
    assert_eq!(standings(&journal), ALL);
    assert!(journal.has_ended(&code()));
}

#[test]
fn without_a_lasting_secret_there_is_no_file() {
    let config = clap::Parser::parse_from(["gruppetto", "--secret-file", "/dev/null/secret"]);
    let secret = Secret::load(&config).expect("a secret");
    let file = TestFile::new();
    let journal = RideJournal::open(Some(file.0.clone()), secret, LIFE);
    record_all(&journal);
    assert_eq!(standings(&journal), ALL);
    assert!(!file.0.exists());
}
