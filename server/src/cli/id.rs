//! Events by the start of their ids, as people type them.

use anyhow::bail;
use hitl::Client;
use hitl::v1::{Event, EventState, ListEventsRequest};

use super::terminal;

/// Digits of a whole id.
const DIGITS: usize = 32;
/// The fewest digits that stand for an id. Fewer would mean another event tomorrow.
pub(super) const DIGITS_MIN: usize = 6;
/// Events that are looked at: all that wait, then the latest of those that ended.
const LOOKED_AT_MAX: usize = 2_000;
const PAGE_SIZE: i32 = 500;
/// Events that an error names.
const NAMED_MAX: usize = 5;

/// The id that `text` stands for: a whole one, or the start of just one of the events that wait or ended lately. What
/// can be neither is returned as it is, for the server to refuse.
///
/// # Errors
/// No event's id starts so, or several do; and those of listing events.
pub(super) async fn resolve(client: &Client, text: &str) -> anyhow::Result<String> {
    if !is_start(text) {
        return Ok(text.to_owned());
    }
    let mut found: Vec<Event> = Vec::new();
    let mut looked_at = 0;
    let mut request = ListEventsRequest {
        state: EventState::Unspecified.into(),
        page_size: PAGE_SIZE,
        ..Default::default()
    };
    while looked_at < LOOKED_AT_MAX {
        let page = client.list(request.clone()).await?;
        looked_at += page.events.len();
        found.extend(page.events.into_iter().filter(|event| event.id.starts_with(text)));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    match &found[..] {
        [event] => Ok(event.id.clone()),
        [] => bail!(
            "no event has an id that starts with {text}, of the {looked_at} that wait or ended last: `hitl list \
             --state any` shows them"
        ),
        several => {
            bail!("{} events have an id that starts with {text}:{}", several.len(), named(several))
        }
    }
}

fn is_start(text: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (DIGITS_MIN..DIGITS).contains(&text.len()) && text.bytes().all(is_hex)
}

fn named(events: &[Event]) -> String {
    let lines = events
        .iter()
        .take(NAMED_MAX)
        .map(|event| format!("\n{}  {}", event.id, terminal::one_line(&event.prompt, 40)));
    let more = events.len().saturating_sub(NAMED_MAX);
    let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
    lines.collect::<String>() + &rest
}

/// How many digits tell these ids apart: the same number for all, and at least [`DIGITS_MIN`].
pub(super) fn digits_that_differ<'a>(ids: impl Iterator<Item = &'a str>) -> usize {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let shared = |pair: &[&str]| {
        let (one, other) = (pair[0].bytes(), pair[1].bytes());
        one.zip(other).take_while(|(a, b)| a == b).count() + 1
    };
    ids.windows(2).map(shared).max().unwrap_or(0).max(DIGITS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_with_as_many_digits_as_tell_them_apart() {
        let digits = |ids: &[&str]| digits_that_differ(ids.iter().copied());
        assert_eq!(digits(&[]), DIGITS_MIN);
        assert_eq!(digits(&["0192f0c1a7e4", "1192f0c1a7e4"]), DIGITS_MIN);
        assert_eq!(digits(&["0192f0c1a7e4", "0192f0c1b7e4", "0192f0c1a8e4"]), 10);
    }

    #[test]
    fn only_some_digits_are_taken_for_the_start_of_an_id() {
        assert!(is_start("0192f0"));
        for text in ["0192f", "0192F0", "nonsense", "", &"0".repeat(DIGITS)] {
            assert!(!is_start(text), "{text}");
        }
    }
}
