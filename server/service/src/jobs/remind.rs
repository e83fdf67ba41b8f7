//! An alarm of an event that waits is due: those who were asked are told again, or others are told.
//!
//! Each event has the job of one alarm at a time, and the last thing that it does is to leave that of the next. What is
//! told has a number that follows from the alarm, so that doing the job twice tells once.

use hitl_core::reminder::{Alarm, schedule};
use hitl_core::{Request, Told};
use hitl_store::jobs::{Done, Job, Kind};

use crate::Service;
use crate::deliveries::{Notice, To};
use crate::error::Error;

/// The kind of the job; its number is that of the alarm.
pub(crate) const REMIND: Kind = Kind::new("remind");

/// How long an alarm without a request is kept: far longer than a create may take.
const ORPHAN_MS: i64 = 60_000;

/// The job of the first alarm of `request`, if it has any.
pub(crate) fn first(request: &Request) -> Option<Job> {
    schedule(request).first().map(|alarm| job(request, alarm))
}

fn job(request: &Request, alarm: &Alarm<'_>) -> Job {
    Job { due: alarm.time, kind: REMIND, key: request.key(), n: alarm.number.into() }
}

/// Owes what the alarm tells, and leaves the next one.
///
/// # Errors
/// Those of the store, and [`Error::ClockOff`]; the job has to be done again.
pub(crate) async fn run(service: Service, job: Job) -> Result<Done, Error> {
    let event = match service.read(&job.key).await {
        Ok(event) => event,
        // A create may have written the job and not the request yet.
        Err(Error::NotFound(_)) if service.now()?.ms_since(job.due) < ORPHAN_MS => {
            return Ok(Done::Left);
        }
        Err(Error::NotFound(_)) => return Ok(Done::Settled),
        Err(error) => return Err(error),
    };
    let now = service.now()?;
    if event.response.is_some() || event.is_overdue(now) {
        return Ok(Done::Settled);
    }
    let request = &*event.request;
    let alarms = schedule(request);
    let Some(at) = alarms.iter().position(|alarm| u64::from(alarm.number) == job.n) else {
        return Ok(Done::Settled);
    };
    let (alarm, later) = (&alarms[at], &alarms[at + 1..]);
    if !is_overtaken(alarm, later, now) {
        service.owe(&event, &notice(alarm)).await?;
    }
    Ok(later.first().map_or(Done::Settled, |next| Done::Then(self::job(request, next))))
}

/// Whether a reminder is not worth sending any more, since another one is due: a server that was down for long sends
/// one, and not all that it has missed. Each escalation tells somebody else, and is sent.
fn is_overtaken(alarm: &Alarm<'_>, later: &[Alarm<'_>], now: hitl_core::Timestamp) -> bool {
    let is_due = |other: &Alarm<'_>| other.escalation.is_none() && other.time <= now;
    alarm.escalation.is_none() && later.iter().any(is_due)
}

fn notice(alarm: &Alarm<'_>) -> Notice {
    let (told, to) = match alarm.escalation {
        None => (Told::Reminder, To::Matching),
        Some(escalation) if escalation.channels.is_empty() => (Told::Escalated, To::Matching),
        Some(escalation) => (Told::Escalated, To::Named(escalation.channels.clone())),
    };
    Notice { told, place: alarm.number, note: String::new(), to }
}
