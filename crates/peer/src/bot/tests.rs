use super::*;

const fn secs(count: u64) -> Moment {
    Moment::from_origin(Duration::from_secs(count))
}

fn id(text: &str) -> PeerId {
    text.parse().unwrap()
}

fn rider() -> SimulatedRider {
    SimulatedRider {
        name: "Ada".parse().unwrap(),
        ftp: Ftp::new(250).unwrap(),
        bias: Bias::new(95),
        ready_after: Duration::from_secs(2),
    }
}

fn workout() -> Arc<Workout> {
    let all = ride::workout::library::all();
    Arc::new(all.into_iter().next().unwrap().workout)
}

fn host() -> Bot {
    let plan = HostPlan {
        workout: workout(),
        patience: Duration::from_secs(60),
    };
    Bot::new(rider(), Some(plan))
}

fn row(peer: &str, is_self: bool, ready: bool) -> Row {
    Row {
        id: 0,
        peer: id(peer),
        is_self,
        number: 1,
        name: peer.to_owned(),
        shares_name: false,
        ftp: None,
        ready,
        trainer: Default::default(),
        is_host: is_self,
        link: LinkState::Direct,
        stale: false,
        metrics: Default::default(),
        link_stats: Default::default(),
        trace: Default::default(),
    }
}

/// Lobby of a host who has shared a workout.
fn lobby() -> View {
    View {
        stage: Stage::Lobby,
        riders: vec![row("ada", true, true), row("ben", false, true)],
        is_host: true,
        ready: true,
        workout: Some(workout()),
        connection: ServerConnection::Online,
        ..View::default()
    }
}

fn bots() -> Vec<PeerId> {
    vec![id("ada"), id("ben")]
}

fn actions(bot: &mut Bot, now: Moment, view: &View) -> Vec<Action> {
    bot.update(now, view, &[], &bots());
    std::iter::from_fn(|| bot.poll_action()).collect()
}

fn starts(bot: &mut Bot, now: Moment, view: &View) -> bool {
    actions(bot, now, view).contains(&Action::Intend(Intent::Start))
}

#[test]
fn a_bot_joins_with_its_name_and_the_simulator() {
    let mut bot = Bot::new(rider(), None);
    let view = View {
        stage: Stage::EnterName,
        ..View::default()
    };
    let expected = [
        Intent::Join(rider().name, rider().ftp),
        Intent::SimulateTrainer,
        Intent::SetBias(rider().bias),
    ];
    let expected = expected.map(Action::Intend);
    assert_eq!(actions(&mut bot, secs(0), &view), expected);
    assert!(!bot.has_joined());
}

#[test]
fn a_bot_gets_ready_after_a_while() {
    let mut bot = Bot::new(rider(), None);
    let mut view = lobby();
    (view.is_host, view.ready) = (false, false);
    assert_eq!(actions(&mut bot, secs(10), &view), []);
    assert!(bot.has_joined());
    assert_eq!(bot.poll_timeout(), Some(secs(12)));
    let ready = Action::Intend(Intent::SetReady(true));
    assert_eq!(actions(&mut bot, secs(12), &view), [ready]);
    view.ready = true;
    assert_eq!(actions(&mut bot, secs(13), &view), []);
}

#[test]
fn a_host_with_a_plan_shares_the_workout() {
    let mut bot = host();
    let mut view = lobby();
    view.workout = None;
    let shared = Action::Intend(Intent::ShareWorkout(workout()));
    for (second, expected) in [(5, Some(&shared)), (6, None), (9, Some(&shared))] {
        let done = actions(&mut bot, secs(second), &view);
        assert_eq!(done.first(), expected, "second {second}");
    }
}

#[test]
fn a_host_starts_when_all_guests_are_ready() {
    let mut bot = host();
    let mut view = lobby();
    assert!(!starts(&mut bot, secs(10), &view));
    view.riders.push(row("cem", false, false));
    view.riders.push(row("dora", false, true));
    assert!(!starts(&mut bot, secs(20), &view));
    view.riders[2].ready = true;
    assert!(starts(&mut bot, secs(21), &view));
}

#[test]
fn a_host_starts_without_guests_after_a_while() {
    let mut bot = host();
    let view = lobby();
    assert!(!starts(&mut bot, secs(10), &view));
    assert_eq!(bot.poll_timeout(), Some(secs(70)));
    assert!(!starts(&mut bot, secs(69), &view));
    assert!(starts(&mut bot, secs(70), &view));
}

#[test]
fn guests_who_are_not_ready_delay_the_start_once() {
    let mut bot = host();
    let mut view = lobby();
    assert!(!starts(&mut bot, secs(10), &view));
    view.riders.push(row("cem", false, false));
    assert!(!starts(&mut bot, secs(50), &view));
    view.riders.push(row("dora", false, false));
    assert!(!starts(&mut bot, secs(100), &view));
    assert!(starts(&mut bot, secs(110), &view));
}

#[test]
fn a_guest_who_is_away_is_not_waited_for() {
    let mut bot = host();
    let mut view = lobby();
    view.riders.push(row("cem", false, true));
    view.riders.push(row("dora", false, false));
    view.riders[3].link = LinkState::Away;
    assert!(starts(&mut bot, secs(10), &view));
}

#[test]
fn a_host_without_a_plan_makes_a_guest_the_host() {
    let mut bot = Bot::new(rider(), None);
    let mut view = lobby();
    assert_eq!(actions(&mut bot, secs(10), &view), []);
    view.riders.push(row("cem", false, false));
    view.riders.push(row("dora", false, false));
    let handed = Action::Intend(Intent::HandOver(id("cem")));
    let first = actions(&mut bot, secs(11), &view);
    assert_eq!(first.first(), Some(&handed));
    assert_eq!(actions(&mut bot, secs(12), &view), []);
    // The server was restarting, for example.
    view.connection = ServerConnection::Lost { attempt: 1 };
    assert_eq!(actions(&mut bot, secs(16), &view), []);
    view.connection = ServerConnection::Online;
    assert_eq!(actions(&mut bot, secs(17), &view), [handed]);
}

#[test]
fn a_guest_who_gives_the_role_back_is_not_made_host_again() {
    let mut bot = Bot::new(rider(), None);
    let mut view = lobby();
    view.riders.push(row("cem", false, false));
    let to = |guest| Action::Intend(Intent::HandOver(id(guest)));
    assert_eq!(actions(&mut bot, secs(10), &view), [to("cem")]);
    view.is_host = false;
    assert_eq!(actions(&mut bot, secs(11), &view), []);
    view.is_host = true;
    assert_eq!(actions(&mut bot, secs(20), &view), []);
    view.riders.push(row("dora", false, false));
    assert_eq!(actions(&mut bot, secs(21), &view), [to("dora")]);
}

#[test]
fn a_bot_declines_files() {
    let transfer = |is_sending, state| TransferView {
        id: TransferId(7),
        peer: id("cem"),
        peer_name: "Cem".to_owned(),
        is_sending,
        name: "ride.fit".to_owned(),
        size: 10,
        transferred: 0,
        rate: None,
        time_left: None,
        is_relayed: false,
        state,
    };
    let mut bot = Bot::new(rider(), None);
    let mut view = lobby();
    view.stage = Stage::Riding;
    let offered = transfer(false, TransferState::Offered);
    bot.update(secs(1), &view, &[offered], &bots());
    assert_eq!(bot.poll_action(), Some(Action::Decline(TransferId(7))));
    for other in [
        transfer(true, TransferState::Offered),
        transfer(false, TransferState::Running),
    ] {
        bot.update(secs(2), &view, &[other], &bots());
        assert_eq!(bot.poll_action(), None);
    }
}

#[test]
fn the_end_of_a_ride_is_noticed() {
    let mut view = lobby();
    assert_eq!(end(&view), None);
    view.stage = Stage::Ended;
    assert_eq!(end(&view), None);
    view.connection = ServerConnection::Idle;
    assert_eq!(end(&view), Some(End::CannotJoin(JoinError::Closed)));
    view.connection = ServerConnection::Alone;
    assert_eq!(end(&view), Some(End::Forgotten));
    view.stage = Stage::CannotJoin(JoinError::Kicked);
    assert_eq!(end(&view), Some(End::CannotJoin(JoinError::Kicked)));
    view.stage = Stage::Left;
    assert_eq!(end(&view), Some(End::Left));
}
