use core::time::Duration;

use clock::Moment;
use rustyfit::Decoder;

use super::*;
use crate::recording::Recorder;
use crate::rider::Ftp;
use crate::trainer::Reading;

/// 2027-01-15T08:00:00Z
const START: WallTime = WallTime::from_unix_ms(1_800_000_000_000);

/// Two minutes in three intervals with a pause of a minute in the second one.
fn recording() -> Recording {
    let mut recorder = Recorder::new(Moment::ZERO, START, "Opener".into(), Ftp::default());
    for quarter in 0..4 * 180 {
        let now = Moment::ZERO + Duration::from_millis(quarter * 250);
        let second = quarter / 4;
        match quarter {
            240 => recorder.pause(now),
            480 => recorder.resume(now),
            _ => {}
        }
        let reading = Reading {
            power: Some(100 + second as u16),
            cadence: Some(90),
            heart_rate: Some(120),
        };
        recorder.record(now, reading, Some(150), Some(second as u32 / 50));
    }
    recorder
        .finish(Moment::ZERO + Duration::from_secs(180))
        .clone()
}

fn decoded(bytes: &[u8]) -> Vec<Message> {
    let mut reader = FromStd::new(bytes);
    Decoder::new()
        .decode(&mut reader)
        .expect("a FIT file")
        .expect("a file")
        .messages
}

fn all<T: for<'a> From<&'a Message>>(messages: &[Message], num: typedef::MesgNum) -> Vec<T> {
    messages
        .iter()
        .filter(|message| message.num == num)
        .map(T::from)
        .collect()
}

fn written() -> Vec<Message> {
    decoded(&encode(&recording()).expect("a FIT file"))
}

#[test]
fn it_is_an_activity_of_indoor_cycling() {
    let messages = written();
    let file = &all::<mesgdef::FileId>(&messages, typedef::MesgNum::FILE_ID)[0];
    assert_eq!(file.r#type, typedef::File::ACTIVITY);
    let session = &all::<mesgdef::Session>(&messages, typedef::MesgNum::SESSION)[0];
    assert_eq!(
        (session.sport, session.sub_sport),
        (typedef::Sport::CYCLING, typedef::SubSport::INDOOR_CYCLING)
    );
    assert_eq!(
        all::<mesgdef::Activity>(&messages, typedef::MesgNum::ACTIVITY)[0].num_sessions,
        1
    );
}

#[test]
fn it_has_one_record_a_second() {
    let records: Vec<mesgdef::Record> = all(&written(), typedef::MesgNum::RECORD);
    assert_eq!(records.len(), 120);
    let start = records[0].timestamp.0;
    assert!((0..60).all(|n| records[n].timestamp.0 == start + n as u32));
    assert!((60..120).all(|n| records[n].timestamp.0 == start + 60 + n as u32));
    assert_eq!(
        (records[5].power, records[5].cadence, records[5].heart_rate),
        (105, 90, 120)
    );
}

#[test]
fn the_timer_stops_and_starts_around_a_pause() {
    let events: Vec<mesgdef::Event> = all(&written(), typedef::MesgNum::EVENT);
    let start = events[0].timestamp.0;
    let timer: Vec<_> = events
        .iter()
        .map(|event| (event.timestamp.0 - start, event.event_type))
        .collect();
    let (go, stop, end) = (
        typedef::EventType::START,
        typedef::EventType::STOP,
        typedef::EventType::STOP_ALL,
    );
    assert_eq!(timer, [(0, go), (60, stop), (120, go), (180, end)]);
}

#[test]
fn messages_stand_in_the_order_of_time() {
    let messages = written();
    let times: Vec<u32> = messages
        .iter()
        .filter_map(|message| match message.num {
            typedef::MesgNum::RECORD => Some(mesgdef::Record::from(message).timestamp.0),
            typedef::MesgNum::EVENT => Some(mesgdef::Event::from(message).timestamp.0),
            _ => None,
        })
        .collect();
    assert!(times.is_sorted());
}

#[test]
fn laps_follow_the_intervals_and_add_up_to_the_session() {
    let messages = written();
    let laps: Vec<mesgdef::Lap> = all(&messages, typedef::MesgNum::LAP);
    let session = &all::<mesgdef::Session>(&messages, typedef::MesgNum::SESSION)[0];
    let times: Vec<_> = laps
        .iter()
        .map(|lap| (lap.total_timer_time, lap.total_elapsed_time))
        .collect();
    assert_eq!(
        times,
        [
            (50_000, 50_000),
            (10_000, 70_000),
            (30_000, 30_000),
            (30_000, 30_000)
        ]
    );
    assert_eq!(session.num_laps, 4);
    assert_eq!(
        session.total_timer_time,
        laps.iter().map(|lap| lap.total_timer_time).sum::<u32>()
    );
    assert_eq!(
        session.total_elapsed_time,
        laps.iter().map(|lap| lap.total_elapsed_time).sum::<u32>()
    );
    assert_eq!(
        session.total_work,
        laps.iter().map(|lap| lap.total_work).sum::<u32>()
    );
}

#[test]
fn the_session_holds_the_figures_of_the_ride() {
    let session = &all::<mesgdef::Session>(&written(), typedef::MesgNum::SESSION)[0];
    // 100 to 159 W for a minute, 220 to 279 W for another.
    assert_eq!((session.avg_power, session.max_power), (190, 279));
    assert_eq!(session.total_work, 22_740);
    assert_eq!(
        (
            session.avg_cadence,
            session.avg_heart_rate,
            session.threshold_power
        ),
        (90, 120, 200)
    );
}

#[test]
fn what_was_not_measured_is_left_out() {
    let mut recording = recording();
    for sample in &mut recording.samples {
        (sample.power, sample.cadence, sample.heart_rate) = (None, None, None);
    }
    let messages = decoded(&encode(&recording).expect("a FIT file"));
    let session = &all::<mesgdef::Session>(&messages, typedef::MesgNum::SESSION)[0];
    assert_eq!(
        (session.avg_power, session.avg_cadence),
        (u16::MAX, u8::MAX)
    );
    assert_eq!(
        all::<mesgdef::Record>(&messages, typedef::MesgNum::RECORD)[0].power,
        u16::MAX
    );
}

#[test]
fn a_ride_without_laps_is_one_lap() {
    let recording = Recording {
        laps: vec![],
        ..recording()
    };
    let messages = decoded(&encode(&recording).expect("a FIT file"));
    assert_eq!(
        all::<mesgdef::Lap>(&messages, typedef::MesgNum::LAP).len(),
        1
    );
}

#[test]
fn a_ride_without_seconds_or_of_a_wrong_date_is_refused() {
    assert_eq!(
        encode(&Recording::new(START, String::new(), Ftp::default())),
        Err(FitError::Empty)
    );
    assert_eq!(
        encode(&Recording {
            started_at: WallTime::from_unix_ms(0),
            ..recording()
        }),
        Err(FitError::Date)
    );
    assert_eq!(
        encode(&Recording {
            finished_at: Some(WallTime::from_unix_ms(u64::MAX)),
            ..recording()
        }),
        Err(FitError::Date)
    );
}
