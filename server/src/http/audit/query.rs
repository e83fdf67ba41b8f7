//! What of the audit is asked for. It stands in the address, so that a view can be kept and sent to others.

use hitl_core::{AuditFilter, AuditKind, Namespace, Namespaces, Timestamp};

const DAY_MS: i64 = 86_400_000;
/// Longest value that is looked at.
const VALUE_CHARS_MAX: usize = 200;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The name of a kind; empty for all.
    pub(super) kind: String,
    /// Of whom; empty for all.
    pub(super) who: String,
    /// The namespace as it was typed.
    pub(super) typed_namespace: String,
    pub(super) namespace: Option<Namespace>,
    /// The first and the last day, such as 2026-11-22, in UTC.
    pub(super) from: String,
    pub(super) to: String,
    /// What is not understood; empty if all of it is.
    pub(super) complaint: String,
    /// Where the page before ended.
    pub(super) page_token: String,
}

impl Wanted {
    /// What `query` asks for.
    pub(super) fn of(query: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value: String = value.trim().chars().take(VALUE_CHARS_MAX).collect();
            match &*name {
                "kind" => wanted.kind = value,
                "who" => wanted.who = value,
                "namespace" => wanted.typed_namespace = value,
                "from" => wanted.from = value,
                "to" => wanted.to = value,
                "page" => wanted.page_token = value,
                _ => {}
            }
        }
        wanted.check();
        wanted
    }

    /// Leaves out what is not understood, and says so.
    fn check(&mut self) {
        if !self.typed_namespace.is_empty() {
            self.namespace = self.typed_namespace.parse().ok();
            if self.namespace.is_none() {
                self.complaint = format!("{} is no namespace.", self.typed_namespace);
            }
        }
        if !self.kind.is_empty() && AuditKind::named(&self.kind).is_none() {
            self.complaint = format!("{} is no kind of entry.", self.kind);
            self.kind.clear();
        }
        for text in [&mut self.from, &mut self.to] {
            if !text.is_empty() && day(text).is_none() {
                self.complaint = format!("{text} is no day such as 2026-11-22.");
                text.clear();
            }
        }
    }

    /// The filter for these `namespaces`.
    pub(super) fn filter(&self, namespaces: Namespaces) -> AuditFilter {
        AuditFilter {
            kinds: AuditKind::named(&self.kind).into_iter().collect(),
            principal: Some(self.who.clone()).filter(|who| !who.is_empty()),
            namespaces,
            since: day(&self.from),
            before: day(&self.to).map(|day| day.plus_ms(DAY_MS)),
        }
    }

    /// The address of the page that `token` begins, relative to the first.
    pub(super) fn address_of(&self, token: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let asked = [
            ("kind", &self.kind),
            ("who", &self.who),
            ("namespace", &self.typed_namespace),
            ("from", &self.from),
            ("to", &self.to),
        ];
        query.extend_pairs(asked.into_iter().filter(|(_, value)| !value.is_empty()));
        format!("audit?{}", query.append_pair("page", token).finish())
    }
}

/// When a day begins, in UTC.
fn day(text: &str) -> Option<Timestamp> {
    if text.len() != 10 {
        return None;
    }
    format!("{text}T00:00:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_in_its_address() {
        let query = "kind=refusal&who=ci&namespace=team-1&from=2026-11-22&to=2026-11-23&page=p+1";
        let wanted = Wanted::of(query);
        assert_eq!(wanted.complaint, "");
        assert_eq!(
            (wanted.page_token.as_str(), wanted.address_of("p 1")),
            ("p 1", format!("audit?{query}"))
        );
        let filter = wanted.filter(Namespaces::All);
        assert_eq!(filter.kinds, [AuditKind::Refusal]);
        assert_eq!(filter.principal.as_deref(), Some("ci"));
        let span_ms = filter.before.unwrap().ms_since(filter.since.unwrap());
        assert_eq!(span_ms, 2 * DAY_MS);
        assert_eq!(Wanted::of("").filter(Namespaces::All), AuditFilter::default());
    }

    #[test]
    fn what_is_not_understood_is_said_and_left_out() {
        for (query, said) in [
            ("kind=nothing", "nothing is no kind"),
            ("namespace=No", "No is no namespace"),
            ("from=22.11.2026", "22.11.2026 is no day"),
            ("to=2026-13-01", "2026-13-01 is no day"),
        ] {
            let wanted = Wanted::of(query);
            assert!(wanted.complaint.contains(said), "{}", wanted.complaint);
            assert_eq!(wanted.filter(Namespaces::All), AuditFilter::default());
        }
    }
}
