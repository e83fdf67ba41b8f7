//! Whom an event is for, and how many of them have to agree.

use serde::{Deserialize, Serialize};

use crate::create::one_line;
use crate::limits;
use crate::lookalike::is_blank;
use crate::rejection::Violation;

/// Somebody whom an event is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// The principal with this name or this id.
    Person(String),
    /// Everybody in this group.
    Group(String),
}

impl Assignee {
    /// The name of the person or the group.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::Group(name) => name,
        }
    }

    /// Records what is wrong with it, where it stands in `field`.
    pub fn check(&self, broken: &mut Vec<Violation>, field: &str) {
        one_line(broken, field, self.name(), limits::NAME_CHARS_MAX);
        if is_blank(self.name()) {
            broken.push(Violation::new(field, "must have a name that can be seen"));
        }
    }
}

/// How many people have to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// So many distinct people have to give the same value.
    pub required: u32,
    /// Whether one decline ends the event.
    pub decline_ends: bool,
}

/// Records every rule that `assignees` and `quorum` break.
pub(crate) fn check(broken: &mut Vec<Violation>, assignees: &[Assignee], quorum: Option<Quorum>) {
    if assignees.len() > limits::ASSIGNEES_MAX {
        let message = format!("must be at most {}: use a group for more", limits::ASSIGNEES_MAX);
        broken.push(Violation::new("assignees", message));
    }
    for (at, assignee) in assignees.iter().take(limits::ASSIGNEES_MAX).enumerate() {
        let field = format!("assignees[{at}]");
        assignee.check(broken, &field);
        if assignees[..at].contains(assignee) {
            let message = format!("names {:?} again", assignee.name());
            broken.push(Violation::new(field, message));
        }
    }
    let Some(Quorum { required, .. }) = quorum else { return };
    if !(1..=limits::REQUIRED_MAX).contains(&required) {
        let message = format!("must lie between 1 and {}", limits::REQUIRED_MAX);
        broken.push(Violation::new("quorum.required", message));
    }
    let is_known = !assignees.is_empty()
        && assignees.iter().all(|assignee| matches!(assignee, Assignee::Person(_)));
    if is_known && usize::try_from(required).is_ok_and(|required| required > assignees.len()) {
        let message = format!(
            "is more than the {} people whom the event is for: it could never be reached",
            assignees.len()
        );
        broken.push(Violation::new("quorum.required", message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(names: &[&str]) -> Vec<Assignee> {
        names.iter().map(|name| Assignee::Person((*name).to_owned())).collect()
    }

    fn fields(assignees: &[Assignee], required: Option<u32>) -> Vec<String> {
        let mut broken = Vec::new();
        let quorum = required.map(|required| Quorum { required, decline_ends: true });
        check(&mut broken, assignees, quorum);
        broken.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn names_can_be_seen_and_stand_there_once() {
        assert_eq!(
            fields(&people(&["ada", "", "bob", "ada"]), None),
            ["assignees[1]", "assignees[3]"]
        );
        let both = [Assignee::Person("sre".into()), Assignee::Group("sre".into())];
        assert_eq!(fields(&both, None), Vec::<String>::new());
        let many: Vec<_> = (0..101).map(|n| Assignee::Person(n.to_string())).collect();
        assert_eq!(fields(&many, None), ["assignees"]);
        assert_eq!(fields(&many[..100], None), Vec::<String>::new());
    }

    #[test]
    fn a_quorum_can_be_reached() {
        assert_eq!(fields(&[], Some(0)), ["quorum.required"]);
        assert_eq!(fields(&[], Some(limits::REQUIRED_MAX)), Vec::<String>::new());
        assert_eq!(fields(&[], Some(limits::REQUIRED_MAX + 1)), ["quorum.required"]);
        assert_eq!(fields(&people(&["ada", "bob"]), Some(2)), Vec::<String>::new());
        assert_eq!(fields(&people(&["ada", "bob"]), Some(3)), ["quorum.required"]);
        assert_eq!(fields(&[Assignee::Group("sre".into())], Some(3)), Vec::<String>::new());
    }
}
