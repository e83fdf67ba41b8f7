//! Instants in the time that an event waits, as options say them: `1h-before` the deadline, `10m-after` the creation.

use std::str::FromStr;
use std::time::Duration;

use hitl::v1::{Escalation, Reminder, escalation, reminder};

/// When a reminder or an escalation is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Before(Duration),
    After(Duration),
}

/// An instant, and the channels that are told then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raised {
    at: Moment,
    channels: Vec<String>,
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "is a time before the deadline or after the creation, such as 1h-before or 10m-after"
                .to_owned()
        };
        let (time, way) = text.rsplit_once('-').ok_or_else(wrong)?;
        let time = humantime::parse_duration(time).map_err(|_| wrong())?;
        match way {
            "before" => Ok(Self::Before(time)),
            "after" => Ok(Self::After(time)),
            _ => Err(wrong()),
        }
    }
}

impl FromStr for Raised {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (at, channels) = text.split_once('=').unwrap_or((text, ""));
        let channels = channels.split(',').filter(|name| !name.is_empty());
        Ok(Self { at: at.parse()?, channels: channels.map(str::to_owned).collect() })
    }
}

/// `time` as the API has it. What is longer than that holds is beyond what the server accepts: it says so.
fn duration(time: Duration) -> prost_types::Duration {
    time.try_into().unwrap_or(prost_types::Duration { seconds: i64::MAX, nanos: 0 })
}

impl From<Moment> for Reminder {
    fn from(moment: Moment) -> Self {
        let at = match moment {
            Moment::Before(time) => reminder::At::BeforeDeadline(duration(time)),
            Moment::After(time) => reminder::At::AfterCreate(duration(time)),
        };
        Self { at: Some(at) }
    }
}

impl From<Raised> for Escalation {
    fn from(Raised { at, channels }: Raised) -> Self {
        let at = match at {
            Moment::Before(time) => escalation::At::BeforeDeadline(duration(time)),
            Moment::After(time) => escalation::At::AfterCreate(duration(time)),
        };
        Self { at: Some(at), channels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_before_the_deadline_or_after_the_creation() {
        let hour = Duration::from_secs(3_600);
        assert_eq!("1h-before".parse(), Ok(Moment::Before(hour)));
        assert_eq!("1h 30m-after".parse(), Ok(Moment::After(hour + hour / 2)));
        for wrong in ["", "1h", "before", "-before", "1x-before", "1h-later", "1h-before=x"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_escalation_names_the_channels_that_are_told() {
        let raised: Raised = "30m-after=boss,pager".parse().unwrap();
        assert_eq!(raised.channels, ["boss", "pager"]);
        assert_eq!("30m-after".parse::<Raised>().unwrap().channels, Vec::<String>::new());
        assert!("boss".parse::<Raised>().is_err());
    }
}
