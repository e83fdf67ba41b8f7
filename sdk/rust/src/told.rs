//! Tells people where to answer, on stderr.

use std::sync::atomic::{AtomicUsize, Ordering};

use hitl_proto::{v1, visible};

use crate::waits;

/// Whoever asks for thousands of answers tells people in a way of their own.
const LINES_MAX: usize = 20;

/// What a client has told of its events.
#[derive(Debug)]
pub(crate) struct Telling {
    left: AtomicUsize,
}

impl Telling {
    pub(crate) fn new(is_wanted: bool) -> Self {
        Self { left: AtomicUsize::new(if is_wanted { LINES_MAX } else { 0 }) }
    }

    /// Says where to answer, unless the event has ended.
    pub(crate) fn tell(&self, event: &v1::Event) {
        for line in self.lines(event) {
            eprintln!("hitl: {line}");
        }
    }

    fn lines(&self, event: &v1::Event) -> Vec<String> {
        if waits::is_final(event) {
            return Vec::new();
        }
        let take = |left: usize| left.checked_sub(1);
        let Ok(left) = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) else {
            return Vec::new();
        };
        let (name, id, link) = (&event.name, &event.id, &event.form_url);
        let place = if link.is_empty() {
            format!("(event {})", visible::line(id))
        } else {
            format!("at {}", visible::line(link))
        };
        let mut lines = vec![format!("\"{}\" waits for an answer {place}", visible::line(name))];
        if left == 1 {
            let last = "if more events wait for answers, they are not told of here";
            lines.push(last.to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> v1::Event {
        let link = "http://h/form/1".to_owned();
        v1::Event { id: "1".to_owned(), name: "n".to_owned(), form_url: link, ..Default::default() }
    }

    #[test]
    fn a_link_is_told_and_else_the_event() {
        let told = Telling::new(true);
        assert_eq!(told.lines(&event()), ["\"n\" waits for an answer at http://h/form/1"]);
        let bare = v1::Event { form_url: String::new(), ..event() };
        assert_eq!(told.lines(&bare), ["\"n\" waits for an answer (event 1)"]);
    }

    #[test]
    fn nothing_is_told_of_thousands_nor_of_what_has_ended_nor_where_it_is_not_wanted() {
        let told = Telling::new(true);
        let lines: Vec<_> = (0..30).flat_map(|_| told.lines(&event())).collect();
        assert_eq!(lines.len(), LINES_MAX + 1);
        let ended = v1::Event { state: v1::EventState::Answered.into(), ..event() };
        assert!(Telling::new(true).lines(&ended).is_empty());
        assert!(Telling::new(false).lines(&event()).is_empty());
    }
}
