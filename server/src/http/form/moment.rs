//! An instant, entered as a day, a time and how far that is ahead of UTC.
//!
//! The three boxes are sent under names of their own, and become the one text that the input asks for. The script puts
//! the reader's own time zone first; without it the boxes say UTC until the reader picks another offset.

use super::entry::Entry;
use super::fields::Control;

/// What the three boxes of a field are called.
const PARTS: [&str; 3] = ["date:", "time:", "offset:"];

/// Every offset that is in use, and what it is called.
const OFFSETS: [(&str, &str); 39] = [
    ("Z", "UTC"),
    ("-12:00", "UTC \u{2212}12:00"),
    ("-11:00", "UTC \u{2212}11:00"),
    ("-10:00", "UTC \u{2212}10:00"),
    ("-09:30", "UTC \u{2212}9:30"),
    ("-09:00", "UTC \u{2212}9:00"),
    ("-08:00", "UTC \u{2212}8:00"),
    ("-07:00", "UTC \u{2212}7:00"),
    ("-06:00", "UTC \u{2212}6:00"),
    ("-05:00", "UTC \u{2212}5:00"),
    ("-04:00", "UTC \u{2212}4:00"),
    ("-03:30", "UTC \u{2212}3:30"),
    ("-03:00", "UTC \u{2212}3:00"),
    ("-02:00", "UTC \u{2212}2:00"),
    ("-01:00", "UTC \u{2212}1:00"),
    ("+01:00", "UTC +1:00"),
    ("+02:00", "UTC +2:00"),
    ("+03:00", "UTC +3:00"),
    ("+03:30", "UTC +3:30"),
    ("+04:00", "UTC +4:00"),
    ("+04:30", "UTC +4:30"),
    ("+05:00", "UTC +5:00"),
    ("+05:30", "UTC +5:30"),
    ("+05:45", "UTC +5:45"),
    ("+06:00", "UTC +6:00"),
    ("+06:30", "UTC +6:30"),
    ("+07:00", "UTC +7:00"),
    ("+08:00", "UTC +8:00"),
    ("+08:45", "UTC +8:45"),
    ("+09:00", "UTC +9:00"),
    ("+09:30", "UTC +9:30"),
    ("+10:00", "UTC +10:00"),
    ("+10:30", "UTC +10:30"),
    ("+11:00", "UTC +11:00"),
    ("+12:00", "UTC +12:00"),
    ("+12:45", "UTC +12:45"),
    ("+13:00", "UTC +13:00"),
    ("+13:45", "UTC +13:45"),
    ("+14:00", "UTC +14:00"),
];

/// Whether a box of that name is part of an instant, and of which field.
pub(super) fn field(name: &str) -> Option<&str> {
    PARTS.iter().find_map(|part| name.strip_prefix(part))
}

/// The three boxes of the field `name`, filled in from `entry`.
pub(super) fn control(name: &str, entry: &Entry) -> Control {
    let [day, time, offset] = PARTS.map(|part| entry.text(&format!("{part}{name}")).to_owned());
    let mut offsets: Vec<_> =
        OFFSETS.iter().map(|(offset, name)| ((*offset).to_owned(), (*name).to_owned())).collect();
    // The script sends the offset of the reader's zone, which may be none of these. It must come back as it was.
    if !offset.is_empty() && !offsets.iter().any(|(known, _)| *known == offset) {
        offsets.push((offset.clone(), format!("UTC {offset}")));
    }
    Control::Moment { day, time, offset, offsets }
}

/// What was entered, with the three boxes of each instant as one text.
pub(super) fn joined(entry: &Entry) -> Vec<(String, String)> {
    let (parts, mut whole): (Vec<_>, Vec<_>) =
        entry.0.iter().cloned().partition(|(name, _)| field(name).is_some());
    for (name, day) in &parts {
        let Some(name) = name.strip_prefix(PARTS[0]) else { continue };
        let [time, offset] = [PARTS[1], PARTS[2]].map(|part| entry.text(&format!("{part}{name}")));
        if !(day.is_empty() && time.is_empty()) {
            // Browsers leave out seconds that are zero.
            let seconds = if time.len() == "00:00".len() { ":00" } else { "" };
            whole.push((name.to_owned(), format!("{day}T{time}{seconds}{offset}")));
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pairs: &[(&str, &str)]) -> Entry {
        Entry(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn three_boxes_are_one_instant() {
        let given = entry(&[
            ("date:value.at", "2026-12-06"),
            ("time:value.at", "02:00"),
            ("offset:value.at", "+01:00"),
            ("value.name", "Zo\u{eb}"),
        ]);
        let joined = joined(&given);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            joined,
            [pair("value.name", "Zo\u{eb}"), pair("value.at", "2026-12-06T02:00:00+01:00")]
        );
    }

    #[test]
    fn boxes_that_are_empty_are_no_answer_and_half_an_instant_is_a_wrong_one() {
        let boxes = |day: &str, time: &str| {
            joined(&entry(&[("date:value", day), ("time:value", time), ("offset:value", "Z")]))
        };
        assert_eq!(boxes("", ""), []);
        assert_eq!(boxes("2026-12-06", ""), [("value".to_owned(), "2026-12-06TZ".to_owned())]);
        assert_eq!(boxes("2026-12-06", "02:00:30")[0].1, "2026-12-06T02:00:30Z");
    }

    #[test]
    fn an_offset_that_is_on_no_list_comes_back() {
        let given = entry(&[("date:value", "1900-01-01"), ("offset:value", "+00:19")]);
        let Control::Moment { offset, offsets, .. } = control("value", &given) else { panic!() };
        assert!(offset == "+00:19" && offsets.iter().any(|(known, _)| *known == offset));
    }

    #[test]
    fn every_offset_is_one_that_an_instant_may_have() {
        for (offset, _) in OFFSETS {
            let instant = format!("2026-12-06T02:00:00{offset}");
            assert!(hitl_core::StrFormat::DateTime.accepts(&instant), "{instant}");
        }
    }
}
