//! Requests of the host: changes of the timeline, and commands to the server.

use clock::{Duration, GroupTime};
use protocol::signaling::{ErrorCode, HostCommand};
use ride::timeline::Change;

use crate::{api::Intent, view::CommandRejection};

/// Length of the countdown.
const COUNTDOWN: Duration = Duration::from_secs(10);
/// Time from the host's tap until the ride goes on after a pause.
const RESUME_DELAY: Duration = Duration::from_secs(3);
/// Delay of a change, as long as it takes to reach all riders, so that it happens at one moment and
/// no rider's time has to be set back.
const PROPAGATION_DELAY: Duration = Duration::from_millis(250);

/// Change of the timeline that an intent asks for at group time `now`; `None` for other intents.
pub(crate) fn change(intent: &Intent, now: GroupTime) -> Option<Change> {
    let soon = now.after(PROPAGATION_DELAY);
    // A workout has at most a few thousand intervals.
    let index = |interval: usize| u32::try_from(interval).unwrap_or(u32::MAX);
    Some(match intent {
        Intent::ShareWorkout(workout) => Change::Share((**workout).clone()),
        Intent::Start => Change::Start {
            at: now.after(COUNTDOWN),
        },
        Intent::CancelStart => Change::Cancel { at: now },
        Intent::Pause => Change::Pause { at: soon },
        Intent::Resume => Change::Resume {
            at: now.after(RESUME_DELAY),
        },
        Intent::Skip(from) => Change::Skip {
            at: soon,
            from: index(*from),
        },
        Intent::Back(from) => Change::Back {
            at: soon,
            from: index(*from),
        },
        Intent::Extend(interval) => Change::Extend {
            at: soon,
            interval: index(*interval),
        },
        Intent::End => Change::End { at: soon },
        _ => return None,
    })
}

/// Command to the server that an intent asks for; `None` for other intents.
pub(crate) fn command(intent: &Intent) -> Option<HostCommand> {
    Some(match intent {
        Intent::Lock(true) => HostCommand::Lock,
        Intent::Lock(false) => HostCommand::Unlock,
        Intent::HandOver(to) => HostCommand::HandOver { to: to.clone() },
        Intent::Kick { peer, reason } => HostCommand::Kick {
            peer: peer.clone(),
            reason: reason.clone(),
        },
        Intent::CloseRide => HostCommand::End,
        Intent::Reclaim => HostCommand::Reclaim,
        _ => return None,
    })
}

/// Reason for the rider why the server rejected a command.
pub(crate) fn rejection(code: ErrorCode) -> CommandRejection {
    match code {
        ErrorCode::NotFirstHost => CommandRejection::NotFirstHost,
        ErrorCode::NoSuchRider => CommandRejection::NotConnected,
        ErrorCode::TooManyBans => CommandRejection::TooManyBans,
        _ => CommandRejection::NotHost,
    }
}
