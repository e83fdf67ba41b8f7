//! What somebody may do where.
//!
//! A role is held where it was given and nowhere else: an auditor of one namespace who answers in another may not
//! answer in the first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::Namespace;
use crate::principal::{Namespaces, Role, Roles};

/// Roles, and the namespaces in which they are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// What may be done.
    pub roles: Roles,
    /// Where.
    pub namespaces: Namespaces,
}

/// All that was given to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rights(Vec<Right>);

impl Rights {
    /// These `roles` in these `namespaces`.
    pub fn of(roles: Roles, namespaces: Namespaces) -> Self {
        [Right { roles, namespaces }].into_iter().collect()
    }

    /// Whether `role` is held in `namespace`.
    pub fn hold(&self, role: Role, namespace: &Namespace) -> bool {
        let gives =
            |right: &Right| right.roles.contains(role) && right.namespaces.contains(namespace);
        self.0.iter().any(gives)
    }

    /// Whether `role` is held in every namespace.
    pub fn hold_everywhere(&self, role: Role) -> bool {
        let gives =
            |right: &Right| right.roles.contains(role) && right.namespaces == Namespaces::All;
        self.0.iter().any(gives)
    }

    /// The namespaces in which one of `roles` is held.
    pub fn namespaces_of(&self, roles: &[Role]) -> Namespaces {
        let gives = |right: &&Right| roles.iter().any(|role| right.roles.contains(*role));
        let mut names = BTreeSet::new();
        for right in self.0.iter().filter(gives) {
            match &right.namespaces {
                Namespaces::All => return Namespaces::All,
                Namespaces::Only(some) => names.extend(some.iter().cloned()),
            }
        }
        Namespaces::Only(names)
    }

    /// Whether there is nothing that may be done.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rights, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Right> {
        self.0.iter()
    }
}

/// Rights that give nothing, or that were given before, are left out.
impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::default(), |mut all, right| {
            if !right.roles.is_empty() && !all.0.contains(&right) {
                all.0.push(right);
            }
            all
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(roles: &[Role], namespaces: Option<&str>) -> Right {
        let namespaces = match namespaces {
            None => Namespaces::All,
            Some(name) => Namespaces::Only([name.parse().unwrap()].into()),
        };
        Right { roles: roles.iter().copied().collect(), namespaces }
    }

    #[test]
    fn a_role_is_held_where_it_was_given_and_nowhere_else() {
        let given = [right(&[Role::Auditor], None), right(&[Role::Responder], Some("team"))];
        let rights: Rights = given.clone().into_iter().chain(given).collect();
        let holds = |role, name: &str| rights.hold(role, &name.parse().unwrap());
        assert_eq!(rights.iter().count(), 2);
        assert!(holds(Role::Auditor, "team") && holds(Role::Auditor, "other"));
        assert!(holds(Role::Responder, "team") && !holds(Role::Responder, "other"));
        assert!(!holds(Role::Admin, "team"));
        assert!(rights.hold_everywhere(Role::Auditor) && !rights.hold_everywhere(Role::Responder));
    }

    #[test]
    fn rights_that_give_nothing_are_none() {
        let nothing: Rights = [right(&[], None)].into_iter().collect();
        assert!(nothing.is_empty());
        let text = serde_json::to_string(&Rights::of(
            [Role::Admin].into_iter().collect(),
            Namespaces::All,
        ))
        .unwrap();
        assert_eq!(text, r#"[{"roles":["admin"],"namespaces":"all"}]"#);
        assert!(serde_json::from_str::<Rights>(&text).unwrap().hold_everywhere(Role::Admin));
    }
}
