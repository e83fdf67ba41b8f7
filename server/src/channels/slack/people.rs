//! Who somebody in Slack is.

use std::sync::Arc;
use std::time::Duration;

use hitl_core::{EventKey, Known, KnownKind, Namespaces, Principal, Rights, Role};
use hitl_proto::visible;
use serde_json::Value;

use super::api::Slack;
use super::press::Press;
use super::{SlackConfig, SlackPerson, TEXT_CHARS_MAX};

/// Longest that Slack may take to say who somebody is: within 3 s it wants to know that a press has come.
const LOOK_LIMIT: Duration = Duration::from_millis(1_500);

/// A member of the workspace whom this channel lets answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    id: String,
    name: String,
}

/// Why a press does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The settings of the channel do not name them.
    NotNamed,
    /// Slack does not say who it is. Why.
    NotSaid(String),
}

impl Person {
    /// Who has done `press`: whom the settings name, or else whoever has a confirmed address in one of the domains.
    ///
    /// # Errors
    /// [`Unknown`].
    pub(crate) async fn find(
        config: &SlackConfig,
        slack: &Slack,
        press: &Press,
    ) -> Result<Self, Unknown> {
        if let Some(named) = config.people.iter().find(|person| person.user == press.user) {
            return Ok(Self::named(named, press));
        }
        if config.email_domains.is_empty() {
            return Err(Unknown::NotNamed);
        }
        let fields = [("user", press.user.as_str())];
        let said = tokio::time::timeout(LOOK_LIMIT, slack.ask("users.info", &fields)).await;
        let said =
            said.map_err(|_| Unknown::NotSaid("Slack took too long to say it".to_owned()))?;
        let said = said.map_err(|error| Unknown::NotSaid(error.reason))?;
        Self::of_profile(&said["user"], &config.email_domains, press).ok_or(Unknown::NotNamed)
    }

    fn named(SlackPerson { name, principal, .. }: &SlackPerson, press: &Press) -> Self {
        let id = if principal.is_empty() { id(press) } else { principal.clone() };
        Self { id, name: name.clone() }
    }

    /// A full member of the same workspace, who is no program.
    fn of_profile(user: &Value, domains: &[String], press: &Press) -> Option<Self> {
        let is_same = user["id"] == press.user.as_str() && user["team_id"] == press.team.as_str();
        let is_barred =
            ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"]
                .into_iter()
                .any(|flag| user[flag].as_bool().unwrap_or(false));
        let is_confirmed = user["is_email_confirmed"] == true;
        let email = user["profile"]["email"].as_str()?.to_ascii_lowercase();
        let domain = email.rsplit_once('@')?.1;
        let is_in_domain = domains.iter().any(|known| known == domain);
        let is_text = email.chars().count() <= TEXT_CHARS_MAX && visible::line(&email) == email;
        (is_same && !is_barred && is_confirmed && is_in_domain && is_text)
            .then(|| Self { id: id(press), name: email })
    }

    /// The principal, who may answer this event and do nothing else.
    pub(crate) fn principal(&self, key: &EventKey) -> Principal {
        let roles = [Role::Responder].into_iter().collect();
        let namespaces = Namespaces::Only([key.namespace.clone()].into());
        Principal::Known(Arc::new(Known {
            kind: KnownKind::Person,
            id: self.id.clone(),
            name: self.name.clone(),
            rights: Rights::of(roles, namespaces),
            groups: Vec::new(),
            until: None,
        }))
    }

    /// The name that is recorded.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// The id of somebody whom nothing but Slack knows.
fn id(press: &Press) -> String {
    format!("slack:{}#{}", press.team, press.user)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn press() -> Press {
        Press {
            user: "U1".to_owned(),
            team: "T1".to_owned(),
            conversation: "C1".to_owned(),
            ts: "1.2".to_owned(),
            key: EventKey {
                namespace: "team".parse().unwrap(),
                id: hitl_core::EventId::from_bytes([1; 16]),
            },
            number: 0,
        }
    }

    fn profile() -> Value {
        json!({"id": "U1", "team_id": "T1", "deleted": false, "is_email_confirmed": true,
            "profile": {"email": "Ann@Example.com"}})
    }

    fn of(user: &Value) -> Option<Person> {
        Person::of_profile(user, &["example.com".to_owned()], &press())
    }

    #[test]
    fn a_member_with_a_confirmed_address_of_the_domain_is_known_by_it() {
        let person = of(&profile()).unwrap();
        assert_eq!((person.name(), person.id.as_str()), ("ann@example.com", "slack:T1#U1"));
        let Principal::Known(known) = person.principal(&press().key) else { panic!() };
        assert!(known.rights.hold(Role::Responder, &press().key.namespace));
        assert!(!known.rights.hold(Role::Admin, &press().key.namespace));
        assert!(!known.rights.hold(Role::Responder, &"other".parse().unwrap()));
    }

    #[test]
    fn guests_programs_strangers_and_addresses_that_nobody_confirmed_are_not_known() {
        for (member, value) in [
            ("deleted", json!(true)),
            ("is_bot", json!(true)),
            ("is_restricted", json!(true)),
            ("is_ultra_restricted", json!(true)),
            ("is_stranger", json!(true)),
            ("is_email_confirmed", json!(false)),
            ("is_email_confirmed", Value::Null),
            ("team_id", json!("T2")),
            ("id", json!("U2")),
            ("profile", json!({})),
            ("profile", json!({"email": "ann@example.com.evil.org"})),
            ("profile", json!({"email": "ann@notexample.com"})),
            ("profile", json!({"email": "example.com"})),
            ("profile", json!({"email": "ann\u{202E}@example.com"})),
        ] {
            let mut user = profile();
            user[member] = value.clone();
            assert_eq!(of(&user), None, "{member}: {value}");
        }
    }

    #[test]
    fn whom_the_settings_name_has_one_id_by_every_way() {
        let named = SlackPerson {
            user: "U1".to_owned(),
            name: "Ann".to_owned(),
            principal: "https://issuer#1".to_owned(),
        };
        assert_eq!(Person::named(&named, &press()).id, "https://issuer#1");
        let named = SlackPerson { principal: String::new(), ..named };
        assert_eq!(Person::named(&named, &press()).id, "slack:T1#U1");
    }
}
