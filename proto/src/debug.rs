//! What `{:?}` prints of an event: everything but its links.
//!
//! Debug output ends in logs and bug reports, and whoever has a link can answer.

use std::fmt;

use crate::v1::Event;

/// Stands for a link, so that nobody takes it for missing.
const SECRET: &str = "(secret)";

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart whole, so that a new field must be decided on here.
        let Self {
            id,
            namespace,
            name,
            prompt,
            prompt_format: _,
            input,
            scope,
            labels,
            on_timeout,
            idempotency_key,
            create_time,
            deadline,
            state: _,
            response,
            form_url,
            api_url,
        } = self;
        f.debug_struct("Event")
            .field("id", id)
            .field("namespace", namespace)
            .field("name", name)
            .field("prompt", prompt)
            .field("prompt_format", &self.prompt_format())
            .field("input", input)
            .field("scope", scope)
            .field("labels", labels)
            .field("on_timeout", on_timeout)
            .field("idempotency_key", idempotency_key)
            .field("create_time", create_time)
            .field("deadline", deadline)
            .field("state", &self.state())
            .field("response", response)
            .field("form_url", &hidden(form_url))
            .field("api_url", &hidden(api_url))
            .finish()
    }
}

fn hidden(link: &str) -> &'static str {
    if link.is_empty() { "" } else { SECRET }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{CreateEventResponse, ListEventsResponse};

    #[test]
    fn no_message_prints_the_links_of_its_event() {
        let event = Event {
            id: "0192f0c1".to_owned(),
            prompt: "Deploy?".to_owned(),
            form_url: "http://127.0.0.1:4485/form/0192f0c1/TOKEN".to_owned(),
            api_url: "http://127.0.0.1:4485/v1/links/0192f0c1/TOKEN".to_owned(),
            ..Default::default()
        };
        let created = CreateEventResponse { event: Some(event.clone()), existed: false };
        let listed = ListEventsResponse { events: vec![event.clone()], ..Default::default() };
        for shown in [format!("{event:?}"), format!("{created:#?}"), format!("{listed:?}")] {
            assert!(!shown.contains("TOKEN") && !shown.contains("4485"), "{shown}");
            assert!(shown.contains("Deploy?") && shown.contains(SECRET), "{shown}");
        }
    }
}
