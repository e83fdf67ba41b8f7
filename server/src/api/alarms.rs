//! Reminders and escalations, from messages to the domain and back.

use hitl_core::Alarms;
use hitl_core::reminder::{Escalation, Moment};
use hitl_proto::v1;
use hitl_proto::v1::{escalation, reminder};

use super::from_proto::duration_ms;
use hitl_service::error::Error;

/// What is asked for.
pub(super) fn read(
    reminders: Vec<v1::Reminder>,
    escalations: Vec<v1::Escalation>,
) -> Result<Alarms, Error> {
    let reminders = reminders.into_iter().enumerate().map(|(at, asked)| {
        let field = format!("reminders[{at}]");
        match asked.at {
            Some(reminder::At::BeforeDeadline(time)) => before(&field, time),
            Some(reminder::At::AfterCreate(time)) => after(&field, time),
            None => Err(missing(&field)),
        }
    });
    let escalations = escalations.into_iter().enumerate().map(|(at, asked)| {
        let field = format!("escalations[{at}]");
        let moment = match asked.at {
            Some(escalation::At::BeforeDeadline(time)) => before(&field, time),
            Some(escalation::At::AfterCreate(time)) => after(&field, time),
            None => Err(missing(&field)),
        };
        Ok(Escalation { at: moment?, channels: asked.channels })
    });
    Ok(Alarms {
        reminders: reminders.collect::<Result<_, Error>>()?,
        escalations: escalations.collect::<Result<_, Error>>()?,
    })
}

fn before(field: &str, time: prost_types::Duration) -> Result<Moment, Error> {
    let ms = duration_ms(&format!("{field}.before_deadline"), Some(time))?;
    Ok(Moment::BeforeDeadlineMs(ms.unwrap_or_default()))
}

fn after(field: &str, time: prost_types::Duration) -> Result<Moment, Error> {
    let ms = duration_ms(&format!("{field}.after_create"), Some(time))?;
    Ok(Moment::AfterCreateMs(ms.unwrap_or_default()))
}

fn missing(field: &str) -> Error {
    Error::invalid(field, "must say when: give before_deadline or after_create")
}

/// The reminders among `alarms`.
pub(super) fn reminders(alarms: &Alarms) -> Vec<v1::Reminder> {
    let reminder = |at: &Moment| v1::Reminder {
        at: Some(match *at {
            Moment::BeforeDeadlineMs(ms) => reminder::At::BeforeDeadline(duration(ms)),
            Moment::AfterCreateMs(ms) => reminder::At::AfterCreate(duration(ms)),
        }),
    };
    alarms.reminders.iter().map(reminder).collect()
}

/// The escalations among `alarms`.
pub(super) fn escalations(alarms: &Alarms) -> Vec<v1::Escalation> {
    let escalation = |Escalation { at, channels }: &Escalation| v1::Escalation {
        at: Some(match *at {
            Moment::BeforeDeadlineMs(ms) => escalation::At::BeforeDeadline(duration(ms)),
            Moment::AfterCreateMs(ms) => escalation::At::AfterCreate(duration(ms)),
        }),
        channels: channels.clone(),
    };
    alarms.escalations.iter().map(escalation).collect()
}

fn duration(ms: i64) -> prost_types::Duration {
    let nanos = i32::try_from(ms % 1000 * 1_000_000).unwrap_or_default();
    prost_types::Duration { seconds: ms / 1000, nanos }
}
