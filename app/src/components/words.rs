//! Values in words, in the language of the page.

use leptos::prelude::*;
use leptos_i18n::I18nContext;
use protocol::peer::LinkState;
use ride::{
    rider::{Ftp, FtpError, NameError, TrainerKind},
    workout::{Interval, Kind, Target, Workout, Zone, watts},
};

use super::{faults, format};
use crate::{
    i18n::*,
    state::{
        Connection, Decision, Denial, FileProblem, Notice, Refusal, RideState, TrainerFailure,
        TrainerState,
    },
};

/// The way to the texts.
pub type Texts = I18nContext<Locale>;

/// What is wrong with a field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The name.
    Name(NameError),
    /// The FTP.
    Ftp(FtpError),
    /// No code was typed.
    NoCode,
    /// What was typed is not a code.
    NotACode,
}

/// The sentence beside the field.
pub fn fault(i18n: Texts, fault: Fault) -> &'static str {
    match fault {
        Fault::Name(NameError::Empty) => t_string!(i18n, rider.name_empty),
        Fault::Name(NameError::TooLong { .. }) => t_string!(i18n, rider.name_long),
        Fault::Name(NameError::Markup) => t_string!(i18n, rider.name_markup),
        Fault::Name(NameError::Hidden) => t_string!(i18n, rider.name_hidden),
        Fault::Ftp(_) => t_string!(i18n, rider.ftp_bad),
        Fault::NoCode => t_string!(i18n, rider.code_empty),
        Fault::NotACode => t_string!(i18n, rider.code_bad),
    }
}

/// Why a ride cannot be joined, and what to do.
pub fn refusal(i18n: Texts, refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoSuchRide => t_string!(i18n, refused.no_such_ride),
        Refusal::Full => t_string!(i18n, refused.full),
        Refusal::Locked => t_string!(i18n, refused.locked),
        Refusal::Removed => t_string!(i18n, refused.removed),
        Refusal::Closed => t_string!(i18n, refused.closed),
        Refusal::NotACode => t_string!(i18n, refused.not_a_code),
        Refusal::Unreachable => t_string!(i18n, refused.unreachable),
        Refusal::Outdated => t_string!(i18n, refused.outdated),
        Refusal::TooMany => t_string!(i18n, server.too_many),
        Refusal::Other => t_string!(i18n, refused.other),
    }
}

/// Why a workout file was not shared.
pub fn file_problem(i18n: Texts, problem: FileProblem) -> AnyView {
    match problem {
        FileProblem::TooLarge => t!(i18n, chooser.too_large).into_any(),
        FileProblem::Unreadable => t!(i18n, chooser.unreadable).into_any(),
        FileProblem::Refused(error) => faults::file(i18n, error),
    }
}

/// What happened, in a sentence.
pub fn notice(i18n: Texts, notice: Notice) -> AnyView {
    match notice {
        Notice::Joined(name) => t!(i18n, notice.joined, name).into_any(),
        Notice::Left(name) => t!(i18n, notice.left, name).into_any(),
        Notice::Gone(name) => t!(i18n, notice.gone, name).into_any(),
        Notice::Removed(name) => t!(i18n, notice.removed, name).into_any(),
        Notice::Locked => t!(i18n, notice.locked).into_any(),
        Notice::Unlocked => t!(i18n, notice.unlocked).into_any(),
        Notice::Closed => t!(i18n, notice.closed).into_any(),
        Notice::Denied(denial) => (move || denied(i18n, denial)).into_any(),
        Notice::NewHost(name) => t!(i18n, notice.new_host, name).into_any(),
        Notice::YouAreHost => t!(i18n, notice.you_are_host).into_any(),
        Notice::LinkCopied => t!(i18n, notice.copied).into_any(),
        Notice::CopyFailed => t!(i18n, notice.copy_failed).into_any(),
        Notice::WorkoutShared(name) => t!(i18n, notice.shared, name).into_any(),
        Notice::Ignored(what) => t!(i18n, notice.ignored, what).into_any(),
        Notice::Refused(refused) => faults::wish(i18n, refused),
        Notice::Decided(name, decision) => decided(i18n, name, decision),
        Notice::Newer => t!(i18n, notice.newer).into_any(),
    }
}

fn decided(i18n: Texts, name: String, decision: Decision) -> AnyView {
    match decision {
        Decision::Skipped => t!(i18n, notice.skipped, name).into_any(),
        Decision::WentBack(number) => t!(i18n, notice.went_back, name, number).into_any(),
        Decision::Extended => t!(i18n, notice.extended, name).into_any(),
        Decision::Cancelled => t!(i18n, notice.cancelled, name).into_any(),
    }
}

/// Why the server does not do what was wished, and what to do.
fn denied(i18n: Texts, denial: Denial) -> &'static str {
    match denial {
        Denial::NoServer => t_string!(i18n, denied.no_server),
        Denial::NotHost => t_string!(i18n, denied.not_host),
        Denial::NotFirstHost => t_string!(i18n, denied.not_first_host),
        Denial::NotConnected => t_string!(i18n, denied.not_connected),
        Denial::TooManyRemoved => t_string!(i18n, denied.too_many_removed),
    }
}

/// How the own socket is: what happened, what still works, what is being done.
pub fn connection(i18n: Texts, state: RideState) -> AnyView {
    match state.connection.get() {
        Connection::Idle => t!(i18n, connection.idle).into_any(),
        Connection::Online => t!(i18n, connection.online).into_any(),
        Connection::Lost { attempt } if state.has_lost_everybody() => {
            t!(i18n, connection.lost_group, attempt).into_any()
        }
        Connection::Lost { attempt } => t!(i18n, connection.lost, attempt).into_any(),
        Connection::Alone => t!(i18n, connection.alone).into_any(),
        Connection::Unserved => t!(i18n, connection.unserved).into_any(),
    }
}

/// The word for a link.
pub fn link(i18n: Texts, link: LinkState) -> &'static str {
    match link {
        LinkState::Connecting => t_string!(i18n, link.connecting),
        LinkState::Relayed => t_string!(i18n, link.relayed),
        LinkState::Direct => t_string!(i18n, link.direct),
        LinkState::Away => t_string!(i18n, link.away),
    }
}

/// What a rider rides on.
pub fn trainer_kind(i18n: Texts, kind: TrainerKind) -> &'static str {
    match kind {
        TrainerKind::None => t_string!(i18n, trainer.word_none),
        TrainerKind::Simulated => t_string!(i18n, trainer.word_simulated),
        TrainerKind::Bluetooth => t_string!(i18n, trainer.word_bluetooth),
    }
}

/// How the own trainer is.
pub fn trainer(i18n: Texts, state: TrainerState) -> AnyView {
    match state {
        TrainerState::None => t!(i18n, trainer.none).into_any(),
        TrainerState::Simulated => t!(i18n, trainer.simulated).into_any(),
        TrainerState::Connecting => t!(i18n, trainer.connecting).into_any(),
        TrainerState::Connected(name) => t!(i18n, trainer.connected, name).into_any(),
        TrainerState::Lost(name) => t!(i18n, trainer.lost, name).into_any(),
        TrainerState::Uncontrolled(name) => t!(i18n, trainer.uncontrolled, name).into_any(),
        TrainerState::Failed(failure) => (move || trainer_failure(i18n, failure)).into_any(),
    }
}

fn trainer_failure(i18n: Texts, failure: TrainerFailure) -> &'static str {
    match failure {
        TrainerFailure::Unsupported => t_string!(i18n, trainer.unsupported),
        TrainerFailure::Cancelled => t_string!(i18n, trainer.cancelled),
        TrainerFailure::NotATrainer => t_string!(i18n, trainer.not_a_trainer),
    }
}

/// The zone's name.
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

/// An interval's own name, or the word for its kind.
pub fn interval(i18n: Texts, interval: &Interval) -> String {
    if interval.name.is_empty() {
        kind(i18n, interval.kind).to_owned()
    } else {
        interval.name.clone()
    }
}

fn kind(i18n: Texts, kind: Kind) -> &'static str {
    match kind {
        Kind::Warmup => t_string!(i18n, kind.warmup),
        Kind::Steady => t_string!(i18n, kind.steady),
        Kind::Ramp => t_string!(i18n, kind.ramp),
        Kind::Work => t_string!(i18n, kind.work),
        Kind::Rest => t_string!(i18n, kind.rest),
        Kind::Cooldown => t_string!(i18n, kind.cooldown),
        Kind::FreeRide => t_string!(i18n, kind.free),
        Kind::MaxEffort => t_string!(i18n, kind.max),
    }
}

/// What an interval asks for: watts for this FTP, the percentage, and the
/// cadence if it says one.
pub fn target(i18n: Texts, interval: &Interval, ftp: Signal<u16>) -> impl IntoView + use<> {
    let target = interval.target;
    let power = move || match target {
        Target::Power { from, to } => power(i18n, from, to, ftp.get()),
        Target::Free => t_string!(i18n, riding.no_target).to_owned(),
        Target::Max => t_string!(i18n, riding.all_out).to_owned(),
    };
    let cadence = interval
        .cadence
        .map(|cadence| t!(i18n, riding.cadence_target, cadence));
    (power, " ", cadence)
}

fn power(i18n: Texts, from: f32, to: f32, ftp: u16) -> String {
    let ftp = Ftp::new(ftp).unwrap_or_default();
    let (low, high) = (watts(from, ftp, 1.0), watts(to, ftp, 1.0));
    let (from, to) = (format::percent(from), format::percent(to));
    let (watt, percent) = (t_string!(i18n, unit.watts), t_string!(i18n, unit.percent));
    if from == to {
        format!("{low} {watt} · {from} {percent}")
    } else {
        format!("{low} → {high} {watt} · {from} → {to} {percent}")
    }
}

/// The profile as a sentence, for those who do not see it.
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
