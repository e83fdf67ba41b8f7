//! When those who were asked are told again, and when others are told.
//!
//! Both are fixed when the event is created, so that what is due follows from the request alone: whatever crashes in
//! between, each alarm has the same time and the same number.

use serde::{Deserialize, Serialize};

use crate::event::Request;
use crate::id::Namespace;
use crate::limits;
use crate::rejection::Violation;
use crate::time::Timestamp;

/// An instant in the time that an event waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// So many milliseconds before the deadline.
    BeforeDeadlineMs(i64),
    /// So many milliseconds after the creation.
    AfterCreateMs(i64),
}

/// Whom to tell of an event that has waited for too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// When that is.
    pub at: Moment,
    /// The channels that are told, by name, whatever their rules; those whose rules match if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
}

/// All that is asked for of this kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alarms {
    /// When those who were asked are told again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<Moment>,
    /// When others are told, and who.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
}

/// Something that is due while an event waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm<'a> {
    /// When.
    pub time: Timestamp,
    /// Tells it apart from the other alarms of its event: 1 or more, and the same for ever.
    pub number: u16,
    /// Whom to tell: nobody else for a reminder.
    pub escalation: Option<&'a Escalation>,
}

/// What is added to the index of an escalation for its number, so that it is none of a reminder's.
const ESCALATIONS_FROM: u16 = 101;

/// The number of the first alarm that somebody has rung, rather than the clock. All larger ones are such.
pub const RUNG_FROM: u16 = 1_000;

impl Moment {
    /// The instant, for an event that waits from `create` to `deadline`.
    pub fn of(self, create: Timestamp, deadline: Timestamp) -> Timestamp {
        match self {
            Self::BeforeDeadlineMs(ms) => deadline.plus_ms(ms.saturating_neg()),
            Self::AfterCreateMs(ms) => create.plus_ms(ms),
        }
    }
}

impl Alarms {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.reminders.is_empty() && self.escalations.is_empty()
    }
}

/// Every alarm of `request`, in the order in which they are due.
pub fn schedule(request: &Request) -> Vec<Alarm<'_>> {
    let Alarms { reminders, escalations } = &request.alarms;
    let time = |at: Moment| at.of(request.create_time, request.deadline);
    let numbers = |from: u16| (from..).take(limits::REMINDERS_MAX.max(limits::ESCALATIONS_MAX));
    let reminders = reminders.iter().zip(numbers(1));
    let reminders =
        reminders.map(|(at, number)| Alarm { time: time(*at), number, escalation: None });
    let escalations = escalations.iter().zip(numbers(ESCALATIONS_FROM));
    let escalations = escalations.map(|(escalation, number)| Alarm {
        time: time(escalation.at),
        number,
        escalation: Some(escalation),
    });
    let mut alarms: Vec<_> = reminders.chain(escalations).collect();
    alarms.sort_by_key(|alarm| (alarm.time, alarm.number));
    alarms
}

/// The names of the channels to which `request` was escalated until `time`.
pub fn escalated_to(request: &Request, time: Timestamp) -> Vec<&str> {
    let alarms = schedule(request).into_iter().filter(|alarm| alarm.time <= time);
    let escalations = alarms.filter_map(|alarm| alarm.escalation);
    escalations.flat_map(|escalation| &escalation.channels).map(String::as_str).collect()
}

/// Records what is wrong with these.
pub(crate) fn check(
    broken: &mut Vec<Violation>,
    Alarms { reminders, escalations }: &Alarms,
    [create, deadline]: [Timestamp; 2],
) {
    for (field, count, max) in [
        ("reminders", reminders.len(), limits::REMINDERS_MAX),
        ("escalations", escalations.len(), limits::ESCALATIONS_MAX),
    ] {
        if count > max {
            broken.push(Violation::new(field, format!("must be at most {max}")));
        }
    }
    let mut lies_between = |field: String, at: Moment| {
        let (Moment::BeforeDeadlineMs(ms) | Moment::AfterCreateMs(ms)) = at;
        let time = at.of(create, deadline);
        if ms <= 0 || time <= create || time >= deadline {
            broken.push(Violation::new(field, "must lie between the creation and the deadline"));
        }
    };
    for (at, moment) in reminders.iter().enumerate().take(limits::REMINDERS_MAX) {
        lies_between(format!("reminders[{at}]"), *moment);
    }
    for (at, escalation) in escalations.iter().enumerate().take(limits::ESCALATIONS_MAX) {
        lies_between(format!("escalations[{at}]"), escalation.at);
    }
    for (at, escalation) in escalations.iter().enumerate().take(limits::ESCALATIONS_MAX) {
        let channels = &escalation.channels;
        if channels.len() > limits::ESCALATION_CHANNELS_MAX {
            let message = format!("must be at most {}", limits::ESCALATION_CHANNELS_MAX);
            broken.push(Violation::new(format!("escalations[{at}].channels"), message));
        } else if channels.iter().any(|name| name.parse::<Namespace>().is_err()) {
            // Both are names of the same form.
            let message = "must be names of channels: lower-case letters, digits and hyphens";
            broken.push(Violation::new(format!("escalations[{at}].channels"), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{Expiration, Spec, create, tests::spec};
    use crate::id::EventId;
    use crate::rejection::Rejection;

    const TTL_MS: i64 = 3_600_000;

    fn asked(reminders: Vec<Moment>, escalations: Vec<Escalation>) -> Result<Request, Rejection> {
        let spec = Spec {
            expiration: Expiration::TtlMs(TTL_MS),
            alarms: Alarms { reminders, escalations },
            ..spec()
        };
        let now = Timestamp::from_ms(1_000).unwrap();
        create(spec, Namespace::default(), EventId::from_bytes([1; 16]), now)
    }

    fn escalation(at: Moment, channels: &[&str]) -> Escalation {
        Escalation { at, channels: channels.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn alarms_come_in_the_order_of_their_times_whatever_the_order_in_which_they_were_asked_for() {
        let reminders = vec![Moment::BeforeDeadlineMs(60_000), Moment::AfterCreateMs(60_000)];
        let escalations = vec![escalation(Moment::AfterCreateMs(120_000), &["boss"])];
        let request = asked(reminders, escalations).unwrap();
        let alarms = schedule(&request);
        let shown: Vec<_> = alarms
            .iter()
            .map(|alarm| (alarm.time.ms() - 1_000, alarm.number, alarm.escalation.is_some()))
            .collect();
        assert_eq!(shown, [(60_000, 2, false), (120_000, 101, true), (TTL_MS - 60_000, 1, false)]);
        assert_eq!(alarms[1].escalation.unwrap().channels, ["boss"]);
        let escalated = |ms: i64| escalated_to(&request, Timestamp::from_ms(1_000 + ms).unwrap());
        assert_eq!(escalated(119_999), Vec::<&str>::new());
        assert_eq!(escalated(120_000), ["boss"]);
    }

    #[test]
    fn an_alarm_that_could_never_ring_is_refused() {
        let fields = |reminders, escalations| match asked(reminders, escalations) {
            Err(Rejection::InvalidRequest(broken)) => {
                broken.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        for ms in [0, -1, TTL_MS, TTL_MS + 1, i64::MAX, i64::MIN] {
            for at in [Moment::BeforeDeadlineMs(ms), Moment::AfterCreateMs(ms)] {
                assert_eq!(fields(vec![at], Vec::new()), ["reminders[0]"], "{at:?}");
                let escalations = vec![escalation(at, &[])];
                assert_eq!(fields(Vec::new(), escalations), ["escalations[0]"], "{at:?}");
            }
        }
        let good = Moment::AfterCreateMs(1);
        assert_eq!(fields(vec![good; 11], Vec::new()), ["reminders"]);
        assert_eq!(fields(Vec::new(), vec![escalation(good, &[]); 6]), ["escalations"]);
        let escalations = vec![escalation(good, &["No Name"]), escalation(good, &["a"; 11])];
        let expected = ["escalations[0].channels", "escalations[1].channels"];
        assert_eq!(fields(Vec::new(), escalations), expected);
    }
}
