//! Texts for values, in the language of the page.

use leptos::prelude::*;
use leptos_i18n::I18nContext;
use protocol::peer::{LinkState, MemberRole};
use ride::{
    library::Focus,
    rider::{Bias, Ftp, FtpError, NameError, TrainerKind},
    trainer::{ControlProblem, DeviceKind},
    workout::{Interval, IntervalKind, Target, Workout, Zone, design::NewBlock, watts},
};

use super::{error_text, format};
use crate::{
    browser::{clock::time_of_day, page},
    i18n::*,
    state::{
        CommandRejection, DeviceState, EndedBy, HostAction, JoinError, Notice, PairingFailure,
        RideState, ServerConnection, WorkoutFileError,
    },
};

/// Access to the texts.
pub type Texts = I18nContext<Locale>;

/// Error in a field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// The name is invalid.
    Name(NameError),
    /// The FTP is invalid.
    Ftp(FtpError),
    /// The code is empty.
    NoCode,
    /// The code is invalid.
    NotACode,
}

/// Error message beside a field.
pub fn field_error(i18n: Texts, error: FieldError) -> &'static str {
    match error {
        FieldError::Name(NameError::Empty) => t_string!(i18n, rider.name_empty),
        FieldError::Name(NameError::TooLong { .. }) => t_string!(i18n, rider.name_long),
        FieldError::Name(NameError::Markup) => t_string!(i18n, rider.name_markup),
        FieldError::Name(NameError::Hidden) => t_string!(i18n, rider.name_hidden),
        FieldError::Ftp(_) => t_string!(i18n, rider.ftp_bad),
        FieldError::NoCode => t_string!(i18n, rider.code_empty),
        FieldError::NotACode => t_string!(i18n, rider.code_bad),
    }
}

/// Explains why a ride cannot be joined, and what to do.
pub fn join_error(i18n: Texts, error: JoinError) -> &'static str {
    match error {
        JoinError::NoSuchRide => t_string!(i18n, join_error.no_such_ride),
        JoinError::Full => t_string!(i18n, join_error.full),
        JoinError::Locked => t_string!(i18n, join_error.locked),
        JoinError::Kicked => t_string!(i18n, join_error.kicked),
        JoinError::Closed => t_string!(i18n, join_error.closed),
        JoinError::NotACode => t_string!(i18n, join_error.not_a_code),
        JoinError::Unreachable => t_string!(i18n, server.unreachable),
        JoinError::Outdated => t_string!(i18n, join_error.outdated),
        JoinError::TooManyRides => t_string!(i18n, server.too_many),
        JoinError::Dismissed => t_string!(i18n, bridge.dismissed),
        JoinError::Other => t_string!(i18n, join_error.other),
    }
}

/// Explains why a workout file was not shared.
pub fn workout_file_error(i18n: Texts, error: WorkoutFileError) -> AnyView {
    match error {
        WorkoutFileError::TooLarge => t!(i18n, errors.file.too_large).into_any(),
        WorkoutFileError::Unreadable => t!(i18n, chooser.unreadable).into_any(),
        WorkoutFileError::Invalid(error) => error_text::workout_file(i18n, error),
        WorkoutFileError::PartUnavailable => t!(i18n, part.file_failed).into_any(),
    }
}

/// What a built-in workout trains.
pub fn focus(i18n: Texts, focus: Focus) -> &'static str {
    match focus {
        Focus::Recovery => t_string!(i18n, focus.recovery),
        Focus::Endurance => t_string!(i18n, focus.endurance),
        Focus::Tempo => t_string!(i18n, focus.tempo),
        Focus::SweetSpot => t_string!(i18n, focus.sweet_spot),
        Focus::Threshold => t_string!(i18n, focus.threshold),
        Focus::OverUnders => t_string!(i18n, focus.over_unders),
        Focus::Vo2Max => t_string!(i18n, focus.vo2_max),
        Focus::Anaerobic => t_string!(i18n, focus.anaerobic),
        Focus::Sprint => t_string!(i18n, focus.sprint),
        Focus::Test => t_string!(i18n, focus.test),
    }
}

/// Kind of a block that is added to a design.
pub fn new_block(i18n: Texts, block: NewBlock) -> &'static str {
    match block {
        NewBlock::Warmup => t_string!(i18n, kind.warmup),
        NewBlock::Endurance => t_string!(i18n, focus.endurance),
        NewBlock::Tempo => t_string!(i18n, focus.tempo),
        NewBlock::Threshold => t_string!(i18n, focus.threshold),
        NewBlock::Vo2Max => t_string!(i18n, focus.vo2_max),
        NewBlock::Cooldown => t_string!(i18n, kind.cooldown),
        NewBlock::Steady => t_string!(i18n, kind.steady),
        NewBlock::Ramp => t_string!(i18n, kind.ramp),
        NewBlock::Repeat => t_string!(i18n, designer.repeat),
        NewBlock::FreeRide => t_string!(i18n, kind.free),
    }
}

/// Name of a rider, or words for it while it is unknown (empty).
pub fn rider_name(i18n: Texts, name: String) -> String {
    if name.is_empty() {
        t_string!(i18n, rider.unnamed).to_owned()
    } else {
        name
    }
}

/// Text of a notice.
pub fn notice(i18n: Texts, notice: Notice) -> AnyView {
    let named = |name| rider_name(i18n, name);
    match notice {
        Notice::FtpSaved(ftp) => t!(i18n, notice.ftp_saved, ftp).into_any(),
        Notice::Joined(name) => t!(i18n, notice.joined, name = named(name)).into_any(),
        Notice::Left(name) => t!(i18n, notice.left, name = named(name)).into_any(),
        Notice::ResumedElsewhere => t!(i18n, rides.under_way).into_any(),
        Notice::Gone(name) => t!(i18n, notice.gone, name = named(name)).into_any(),
        Notice::Kicked(name) => t!(i18n, notice.kicked, name = named(name)).into_any(),
        Notice::Locked => t!(i18n, notice.locked).into_any(),
        Notice::Unlocked => t!(i18n, notice.unlocked).into_any(),
        Notice::Closed => t!(i18n, notice.closed).into_any(),
        Notice::CommandRejected(rejection) => {
            (move || command_rejection(i18n, rejection)).into_any()
        }
        Notice::NewHost(name) => t!(i18n, notice.new_host, name = named(name)).into_any(),
        Notice::YouAreHost => t!(i18n, notice.you_are_host).into_any(),
        Notice::LinkCopied => t!(i18n, notice.copied).into_any(),
        Notice::CopyFailed => t!(i18n, notice.copy_failed).into_any(),
        Notice::WorkoutShared(name) => t!(i18n, notice.shared, name).into_any(),
        Notice::NotPaired(DeviceKind::Trainer, failure) => {
            (move || trainer_failure(i18n, failure)).into_any()
        }
        Notice::NotPaired(_, failure) => (move || sensor_failure(i18n, failure)).into_any(),
        Notice::ChangeRejected(refused) => error_text::rejected_change(i18n, refused),
        Notice::HostActed(name, action) => host_action(i18n, named(name), action),
        Notice::NewerVersion => t!(i18n, notice.newer_version).into_any(),
    }
}

fn host_action(i18n: Texts, name: String, action: HostAction) -> AnyView {
    match action {
        HostAction::Skipped => t!(i18n, notice.skipped, name).into_any(),
        HostAction::WentBack(number) => t!(i18n, notice.went_back, name, number).into_any(),
        HostAction::Extended => t!(i18n, notice.extended, name).into_any(),
        HostAction::Cancelled => t!(i18n, notice.cancelled, name).into_any(),
    }
}

/// Says who ended the ride, and when.
pub fn ended_by(i18n: Texts, end: EndedBy) -> AnyView {
    match end {
        EndedBy::Me(at) => t!(i18n, summary.ended_by_you, time = time_of_day(at)).into_any(),
        EndedBy::Rider(name, at) => {
            let (name, time) = (rider_name(i18n, name), time_of_day(at));
            t!(i18n, summary.ended_by, name, time).into_any()
        }
    }
}

/// Explains why the server rejected a command, and what to do.
fn command_rejection(i18n: Texts, rejection: CommandRejection) -> &'static str {
    match rejection {
        CommandRejection::NoServer => t_string!(i18n, command_rejected.no_server),
        CommandRejection::NotHost => t_string!(i18n, command_rejected.not_host),
        CommandRejection::NotFirstHost => t_string!(i18n, command_rejected.not_first_host),
        CommandRejection::NotConnected => t_string!(i18n, command_rejected.not_connected),
        CommandRejection::TooManyBans => t_string!(i18n, command_rejected.too_many_bans),
    }
}

/// State of the server connection: what happened, what still works, and what is
/// being done.
pub fn server_connection(i18n: Texts, state: RideState) -> AnyView {
    match state.connection.get() {
        ServerConnection::Idle => t!(i18n, connection.idle).into_any(),
        ServerConnection::Online => t!(i18n, connection.online).into_any(),
        ServerConnection::Lost { attempt } => {
            let problem = if state.depends_on_relay() {
                t!(i18n, connection.lost_group).into_any()
            } else {
                t!(i18n, connection.lost).into_any()
            };
            (problem, " ", t!(i18n, connection.reconnecting, attempt)).into_any()
        }
        ServerConnection::Alone => t!(i18n, connection.alone).into_any(),
        ServerConnection::PeersOnly => t!(i18n, connection.peers_only).into_any(),
    }
}

/// Name of a link state.
pub fn link(i18n: Texts, link: LinkState) -> &'static str {
    match link {
        LinkState::Connecting => t_string!(i18n, link.connecting),
        LinkState::Relayed => t_string!(i18n, link.relayed),
        LinkState::Direct => t_string!(i18n, link.direct),
        LinkState::Away => t_string!(i18n, link.away),
    }
}

/// Name of a kind of trainer.
pub fn trainer_kind(i18n: Texts, kind: TrainerKind) -> &'static str {
    match kind {
        TrainerKind::None => t_string!(i18n, trainer.kind_none),
        TrainerKind::Simulated => t_string!(i18n, trainer.kind_simulated),
        TrainerKind::Bluetooth => t_string!(i18n, trainer.kind_bluetooth),
    }
}

/// Name of a member who does not ride, with its number.
pub fn other_member(i18n: Texts, role: MemberRole, number: u32) -> String {
    let name = match role {
        MemberRole::Rider | MemberRole::Companion => t_string!(i18n, manage_riders.companion),
        MemberRole::Spectator => t_string!(i18n, manage_riders.spectator),
        MemberRole::Coach => t_string!(i18n, manage_riders.coach),
        MemberRole::Bridge => t_string!(i18n, manage_riders.bridge),
    };
    format!("{name} {number}")
}

/// State of the own trainer.
pub fn trainer(i18n: Texts, state: DeviceState) -> AnyView {
    match state {
        DeviceState::None => t!(i18n, trainer.none).into_any(),
        DeviceState::Simulated => t!(i18n, trainer.simulated).into_any(),
        DeviceState::Connecting => t!(i18n, trainer.connecting).into_any(),
        DeviceState::Connected(name) => t!(i18n, trainer.connected, name).into_any(),
        DeviceState::Lost(name) => t!(i18n, trainer.lost, name).into_any(),
        DeviceState::Silent(name) => t!(i18n, trainer.silent, name).into_any(),
        DeviceState::Uncontrolled(name, problem) => control_problem(i18n, name, problem),
        DeviceState::Failed(failure) => (move || trainer_failure(i18n, failure)).into_any(),
    }
}

/// Explains why a trainer measures and does not follow the target.
fn control_problem(i18n: Texts, name: String, problem: ControlProblem) -> AnyView {
    match problem {
        ControlProblem::MeasuresOnly => t!(i18n, trainer.measures_only, name).into_any(),
        ControlProblem::Unsupported => t!(i18n, trainer.takes_no_target, name).into_any(),
        ControlProblem::Rejected => t!(i18n, trainer.uncontrolled, name).into_any(),
        ControlProblem::NoAnswer => t!(i18n, trainer.no_answer, name).into_any(),
        ControlProblem::NotPermitted => t!(i18n, trainer.not_permitted, name).into_any(),
        ControlProblem::StopsWhenControlled => t!(i18n, trainer.stops, name).into_any(),
    }
}

fn trainer_failure(i18n: Texts, failure: PairingFailure) -> &'static str {
    match failure {
        PairingFailure::Unsupported if page::is_ios() => {
            t_string!(i18n, trainer.unsupported_ios)
        }
        PairingFailure::Unsupported => t_string!(i18n, trainer.unsupported),
        PairingFailure::Cancelled => t_string!(i18n, trainer.cancelled),
        PairingFailure::Disabled => t_string!(i18n, trainer.disabled),
        PairingFailure::Denied => t_string!(i18n, trainer.denied),
        PairingFailure::AdapterOff => t_string!(i18n, trainer.adapter_off),
        PairingFailure::PartUnavailable => t_string!(i18n, part.screen_failed),
        PairingFailure::WrongKind => t_string!(i18n, trainer.not_a_trainer),
        PairingFailure::Unreachable => t_string!(i18n, trainer.unreachable),
        PairingFailure::Taken => t_string!(i18n, trainer.taken),
    }
}

/// Kind of a device.
pub fn device_kind(i18n: Texts, kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Trainer => t_string!(i18n, trainer.heading),
        DeviceKind::PowerMeter => t_string!(i18n, devices.power_meter),
        DeviceKind::HeartRate => t_string!(i18n, devices.heart_rate),
        DeviceKind::Cadence => t_string!(i18n, devices.cadence),
    }
}

/// Button that pairs a device.
pub fn pair(i18n: Texts, kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Trainer => t_string!(i18n, trainer.pair),
        DeviceKind::PowerMeter => t_string!(i18n, devices.pair_power_meter),
        DeviceKind::HeartRate => t_string!(i18n, devices.pair_heart_rate),
        DeviceKind::Cadence => t_string!(i18n, devices.pair_cadence),
    }
}

/// State of a sensor.
pub fn sensor(i18n: Texts, state: DeviceState) -> AnyView {
    match state {
        DeviceState::None | DeviceState::Simulated => t!(i18n, devices.none).into_any(),
        DeviceState::Connecting => t!(i18n, devices.connecting).into_any(),
        DeviceState::Connected(name) | DeviceState::Uncontrolled(name, _) => {
            t!(i18n, trainer.connected, name).into_any()
        }
        DeviceState::Lost(name) => t!(i18n, devices.lost, name).into_any(),
        DeviceState::Silent(name) => t!(i18n, devices.silent, name).into_any(),
        DeviceState::Failed(failure) => (move || sensor_failure(i18n, failure)).into_any(),
    }
}

fn sensor_failure(i18n: Texts, failure: PairingFailure) -> &'static str {
    match failure {
        PairingFailure::Cancelled => t_string!(i18n, devices.cancelled),
        PairingFailure::WrongKind => t_string!(i18n, devices.wrong_kind),
        PairingFailure::Unreachable => t_string!(i18n, devices.unreachable),
        PairingFailure::Taken => t_string!(i18n, devices.taken),
        // These concern all devices.
        other => trainer_failure(i18n, other),
    }
}

/// Value of the `data-state` attribute of a device.
pub fn state_name(device: &DeviceState) -> &'static str {
    match device {
        DeviceState::None => "none",
        DeviceState::Connecting => "connecting",
        DeviceState::Simulated | DeviceState::Connected(_) | DeviceState::Uncontrolled(..) => {
            "works"
        }
        DeviceState::Silent(_) | DeviceState::Lost(_) | DeviceState::Failed(_) => "failed",
    }
}

/// Name of a power zone.
pub fn zone(i18n: Texts, zone: Zone) -> &'static str {
    match zone.number() {
        1 => t_string!(i18n, workout.zone_1),
        2 => t_string!(i18n, workout.zone_2),
        3 => t_string!(i18n, workout.zone_3),
        4 => t_string!(i18n, workout.zone_4),
        5 => t_string!(i18n, workout.zone_5),
        6 => t_string!(i18n, workout.zone_6),
        _ => t_string!(i18n, workout.zone_7),
    }
}

/// Name of an interval, or of its kind if it has none.
pub fn interval(i18n: Texts, interval: &Interval) -> String {
    if interval.name.is_empty() {
        kind(i18n, interval.kind).to_owned()
    } else {
        interval.name.clone()
    }
}

/// Purpose of an interval.
pub fn kind(i18n: Texts, kind: IntervalKind) -> &'static str {
    match kind {
        IntervalKind::Warmup => t_string!(i18n, kind.warmup),
        IntervalKind::Steady => t_string!(i18n, kind.steady),
        IntervalKind::Ramp => t_string!(i18n, kind.ramp),
        IntervalKind::Work => t_string!(i18n, kind.work),
        IntervalKind::Rest => t_string!(i18n, kind.rest),
        IntervalKind::Cooldown => t_string!(i18n, kind.cooldown),
        IntervalKind::FreeRide => t_string!(i18n, kind.free),
        IntervalKind::MaxEffort => t_string!(i18n, kind.max),
    }
}

/// Target of an interval: watts at this FTP, percent of FTP, and the cadence if
/// the interval has one.
pub fn target(i18n: Texts, interval: &Interval, state: RideState) -> impl IntoView + use<> {
    let target = interval.target;
    let power = move || match target {
        Target::Power { from, to } => {
            power(i18n, from, to, state.ftp.get(), Bias::new(state.bias.get()))
        }
        Target::Free => t_string!(i18n, riding.no_target).to_owned(),
        Target::Max => t_string!(i18n, riding.all_out).to_owned(),
    };
    let cadence = interval
        .cadence
        .map(|cadence| t!(i18n, riding.cadence_target, cadence));
    (power, " ", cadence)
}

fn power(i18n: Texts, from: f32, to: f32, ftp: u16, bias: Bias) -> String {
    let ftp = Ftp::new(ftp).unwrap_or_default();
    let (low, high) = (bias.apply(watts(from, ftp)), bias.apply(watts(to, ftp)));
    let (from, to) = (format::percent(from), format::percent(to));
    let (watt, percent) = (t_string!(i18n, unit.watts), t_string!(i18n, unit.percent));
    if from == to {
        format!("{low} {watt} · {from} {percent}")
    } else {
        format!("{low} → {high} {watt} · {from} → {to} {percent}")
    }
}

/// Text alternative of a workout profile.
pub fn profile(i18n: Texts, workout: &Workout) -> impl IntoView + use<> {
    let peak = workout
        .bars()
        .iter()
        .map(|bar| bar.from.max(bar.to))
        .fold(0.0, f32::max);
    t!(
        i18n,
        workout.profile_desc,
        name = workout.name().to_owned(),
        duration = format::duration(workout.duration()),
        count = workout.intervals().len(),
        peak = format::percent(peak)
    )
}
