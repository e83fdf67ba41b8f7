//! Values, times and spans in words for people.

use hitl_core::{Input, Timestamp, Value};

use super::review;

/// One part of a value: a field of an object, or the whole of anything else.
pub(super) struct Shown {
    /// What the part is called; empty if there is only one.
    pub(super) title: String,
    /// Its content, each in a line of its own.
    pub(super) lines: Vec<String>,
}

/// An instant for a page.
pub(in crate::http) struct When {
    /// For programs.
    pub(in crate::http) machine: String,
    /// For people.
    pub(in crate::http) human: String,
}

/// `value` in the words in which `input` asked for it.
pub(super) fn shown(input: &Input, value: &Value) -> Vec<Shown> {
    if let Value::Review(decided) = value {
        return review::shown(decided);
    }
    let (Input::Object(object), Value::Object(members)) = (input, value) else {
        return vec![Shown { title: String::new(), lines: lines(input, value) }];
    };
    let fields = object.fields().unwrap_or_default();
    let given = fields.iter().filter_map(|field| {
        let value = members.get(&field.name)?;
        Some(Shown { title: field.label().to_owned(), lines: lines(&field.input, value) })
    });
    given.collect()
}

fn lines(input: &Input, value: &Value) -> Vec<String> {
    match (input, value) {
        (Input::Bool(input), Value::Bool(truth)) => vec![input.label(*truth).to_owned()],
        (Input::Choice(input), Value::Choice(selected)) => {
            let title = |value: &String| {
                let option = input.options.iter().find(|option| option.value == *value);
                option.map_or(value.as_str(), |option| option.title()).to_owned()
            };
            selected.iter().map(title).collect()
        }
        (_, Value::Str(text)) => vec![text.clone()],
        (_, other) => vec![other.to_json().to_string()],
    }
}

/// `value` in one line.
pub(in crate::http) fn summary(input: &Input, value: &Value) -> String {
    let parts = shown(input, value).into_iter().map(|part| match part.title.as_str() {
        "" => part.lines.join(", "),
        title => format!("{title}: {}", part.lines.join(", ")),
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// `instant` for a page, in UTC: the server cannot know where the reader is.
pub(in crate::http) fn when(instant: Timestamp) -> When {
    let human = instant.utc().format("%H:%M UTC on %-d %B %Y").to_string();
    When { machine: instant.to_string(), human }
}

/// How much time is left, for a page.
pub(in crate::http) struct TimeLeft {
    /// In words.
    pub(in crate::http) left: String,
    /// How urgent it is, as a class of the style sheet; empty if it is not.
    pub(in crate::http) tone: &'static str,
    /// How much of all the time it is, in steps of five.
    pub(in crate::http) percent: i64,
}

/// How much of the time from `since` to `until` is left `now`.
pub(in crate::http) fn time_left(since: Timestamp, until: Timestamp, now: Timestamp) -> TimeLeft {
    let (left, all) = (until.ms_since(now).max(0), until.ms_since(since).max(1));
    let tone = match left {
        ..LATE_MS => "late",
        _ if left < SOON_MS || left < all / 5 => "soon",
        _ => "",
    };
    // An event lasts a year at most, so this cannot overflow.
    let percent = (left * 20 + all - 1) / all * 5;
    TimeLeft { left: span(left), tone, percent: percent.min(100) }
}

/// A question with less time than this is urgent.
const SOON_MS: i64 = 600_000;
/// A question with less time than this is nearly too late.
const LATE_MS: i64 = 120_000;

/// A span of time, as finely as a person would say it: to the second only when it is short.
pub(super) fn span(ms: i64) -> String {
    in_units(ms, |count, unit| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    })
}

/// The same in few characters, for lists: 2 h 13 min.
pub(in crate::http) fn short_span(ms: i64) -> String {
    in_units(ms, |count, unit| match unit {
        "minute" => format!("{count} min"),
        unit => format!("{count} {}", &unit[..1]),
    })
}

fn in_units(ms: i64, say: impl Fn(i64, &str) -> String) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = match seconds {
        0..60 => [(seconds, "second"), (0, "")],
        60..3_600 => [(minutes, "minute"), (0, "")],
        3_600..86_400 => [(hours, "hour"), (minutes, "minute")],
        _ => [(days, "day"), (hours, "hour")],
    };
    let said = parts.iter().enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    said.map(|(_, (count, unit))| say(*count, unit)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_finely_as_a_person_would() {
        let cases = [
            (-5, "0 seconds"),
            (999, "0 seconds"),
            (1_000, "1 second"),
            (61_000, "1 minute"),
            (3_599_000, "59 minutes"),
            (3_600_000, "1 hour"),
            (5_400_000, "1 hour 30 minutes"),
            (90_061_000, "1 day 1 hour"),
            (172_800_000, "2 days"),
        ];
        for (ms, words) in cases {
            assert_eq!(span(ms), words);
        }
        for (ms, words) in [
            (41_000, "41 s"),
            (61_000, "1 min"),
            (5_400_000, "1 h 30 min"),
            (90_061_000, "1 d 1 h"),
        ] {
            assert_eq!(short_span(ms), words);
        }
    }

    #[test]
    fn what_is_left_says_how_urgent_it_is() {
        let at = |minutes: i64| Timestamp::from_ms(1_795_354_620_000 + minutes * 60_000).unwrap();
        let left = |of: i64, now: i64| time_left(at(0), at(of), at(now));
        let cases = [
            (60, 0, "1 hour", "", 100),
            (60, 45, "15 minutes", "", 25),
            (60, 51, "9 minutes", "soon", 15),
            (600, 500, "1 hour 40 minutes", "soon", 20),
            (60, 59, "1 minute", "late", 5),
            (60, 70, "0 seconds", "late", 0),
        ];
        for (of, now, words, tone, percent) in cases {
            let time = left(of, now);
            assert_eq!((time.left.as_str(), time.tone, time.percent), (words, tone, percent));
        }
    }

    #[test]
    fn instants_are_said_in_utc() {
        let when = when(Timestamp::from_ms(1_795_354_620_000).unwrap());
        assert_eq!(when.machine, "2026-11-22T13:37:00.000Z");
        assert_eq!(when.human, "13:37 UTC on 22 November 2026");
    }
}
