//! From what an issuer says of a person to what that person may do here.
//!
//! Nobody may do anything that no rule says. A rule names whom it is for by a group, a proven mail address, the domain
//! of an organisation, or the id of a program's client, and gives roles, in some namespaces or all. Rules only ever
//! give, so their order means nothing.

use std::str::FromStr;

use hitl_core::{Namespace, Namespaces, Right, Rights, Role};

use super::claims::Claims;
use serde_json::Value;

/// Most groups of one person that are looked at, and the longest name of one. An issuer that says more is cut short,
/// which can only take rights away.
const GROUPS_MAX: usize = 2_000;
const GROUP_BYTES_MAX: usize = 256;

/// Who gets roles, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    who: Who,
    right: Right,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Everybody,
    Group(String),
    /// In lower case.
    Email(String),
    /// In lower case.
    Domain(String),
    Client(String),
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Names of groups may have an equals sign in them, as those of LDAP do; roles and namespaces have none.
        let (who, what) = text
            .rsplit_once('=')
            .ok_or("must be WHO=ROLE, or WHO=ROLE@NAMESPACE, such as `approvers=responder@prod`")?;
        Ok(Self { who: who.parse()?, right: right(what)? })
    }
}

/// The right that is written as `ROLE,ROLE@NAMESPACE,NAMESPACE`; in all namespaces if none is named.
pub(in crate::auth) fn right(text: &str) -> Result<Right, String> {
    let (roles, namespaces) = match text.split_once('@') {
        Some((roles, namespaces)) => (roles, Some(namespaces)),
        None => (text, None),
    };
    let roles = roles.split(',').map(role).collect::<Result<_, _>>()?;
    let namespaces = match namespaces {
        Some(names) => Namespaces::Only(names.split(',').map(namespace).collect::<Result<_, _>>()?),
        None => Namespaces::All,
    };
    Ok(Right { roles, namespaces })
}

fn role(text: &str) -> Result<Role, String> {
    let named = Role::ALL.into_iter().find(|role| format!("{role:?}").to_lowercase() == text);
    named.ok_or_else(|| {
        format!("`{text}` is no role: there are requester, responder, notifier, auditor and admin")
    })
}

fn namespace(text: &str) -> Result<Namespace, String> {
    text.parse().map_err(|_| format!("`{text}` is no namespace"))
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let who = match text.split_once(':') {
            _ if text == "*" => Self::Everybody,
            Some(("group", name)) => Self::Group(name.to_owned()),
            Some(("email", address)) => Self::Email(address.to_lowercase()),
            Some(("domain", name)) => Self::Domain(name.to_lowercase()),
            Some(("client", id)) => Self::Client(id.to_owned()),
            _ => Self::Group(text.to_owned()),
        };
        match &who {
            Self::Group(name) | Self::Email(name) | Self::Domain(name) | Self::Client(name)
                if name.is_empty() =>
            {
                Err("names nobody: `*` is everybody whom the issuer knows".to_owned())
            }
            _ => Ok(who),
        }
    }
}

/// How claims are read.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Claims that list groups.
    pub groups_claims: Vec<String>,
    /// The claim with the name to show; empty for the first of the usual ones.
    pub name_claim: String,
    /// Who gets what.
    pub rules: Vec<Rule>,
}

/// A person, or a program, as far as an issuer or a proxy vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
    pub(super) rights: Rights,
    /// Whether it is a program that calls in its own name.
    pub(super) is_program: bool,
}

impl Mapping {
    /// Whom `claims` are about.
    pub(super) fn describe(&self, claims: &Claims) -> Described {
        let groups = self.groups(claims);
        let is_program = client(claims).is_some();
        Described {
            name: self.name(claims),
            rights: self.rights(claims, &groups),
            groups,
            is_program,
        }
    }

    /// Whom a proxy names by a name and groups alone.
    pub fn rights_of_groups(&self, groups: &[String]) -> Rights {
        self.rights(&Claims(serde_json::Map::new()), groups)
    }

    fn rights(&self, claims: &Claims, groups: &[String]) -> Rights {
        let email = proven_email(claims);
        let applies = |rule: &&Rule| match &rule.who {
            Who::Everybody => true,
            Who::Group(name) => groups.contains(name),
            Who::Email(address) => email.as_ref() == Some(address),
            Who::Domain(name) => claims.text("hd").eq_ignore_ascii_case(name),
            Who::Client(id) => client(claims) == Some(id.as_str()),
        };
        self.rules.iter().filter(applies).map(|rule| rule.right.clone()).collect()
    }

    /// The groups of all claims that list some, those first that a rule names: what is kept of a long list is cut off
    /// at its end.
    fn groups(&self, claims: &Claims) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for name in &self.groups_claims {
            let said = claim(claims, name);
            let texts: Vec<&str> = match said {
                Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
                // OAuth's own lists are words in one text.
                Some(Value::String(words)) if matches!(name.as_str(), "scope" | "scp") => {
                    words.split(' ').collect()
                }
                Some(Value::String(one)) => vec![one],
                _ => Vec::new(),
            };
            let usable = |text: &&&str| !text.is_empty() && text.len() <= GROUP_BYTES_MAX;
            groups.extend(texts.iter().filter(usable).map(|text| (*text).to_owned()));
        }
        groups.truncate(GROUPS_MAX);
        let is_named = |group: &String| {
            self.rules.iter().any(|rule| matches!(&rule.who, Who::Group(name) if name == group))
        };
        groups.sort_by_key(|group| !is_named(group));
        groups.dedup();
        groups
    }

    fn name(&self, claims: &Claims) -> String {
        let email = proven_email(claims).unwrap_or_default();
        let usual = [claims.text("name"), claims.text("preferred_username"), email.as_str()];
        let chosen = claim(claims, &self.name_claim).and_then(Value::as_str).into_iter();
        let named = chosen.chain(usual).map(str::trim).find(|name| !name.is_empty());
        let name = named.unwrap_or(claims.subject());
        name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
    }
}

/// Longest name that is shown.
const NAME_CHARS_MAX: usize = 200;

/// The claim with this very name, or else the one that it leads to from dot to dot, as `realm_access.roles`.
fn claim<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let whole = claims.0.get(name);
    whole.or_else(|| {
        let mut parts = name.split('.');
        let first = claims.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    })
}

/// The mail address, in lower case, if the issuer says that it is the person's own: with some issuers anybody can write
/// any address into a profile.
fn proven_email(claims: &Claims) -> Option<String> {
    let is_proven = match claims.0.get("email_verified") {
        Some(Value::Bool(proven)) => *proven,
        Some(Value::String(proven)) => proven == "true",
        _ => false,
    };
    let email = claims.text("email");
    (is_proven && !email.is_empty()).then(|| email.to_lowercase())
}

/// The id of the client if it calls in its own name, and not a person's: then it is the subject itself (RFC 9068), or
/// the issuer says so in a way of its own.
fn client(claims: &Claims) -> Option<&str> {
    let names = ["client_id", "azp", "appid"].map(|name| claims.text(name));
    let id = names.into_iter().find(|name| !name.is_empty())?;
    let is_own = id == claims.subject()
        || claims.text("idtyp") == "app"
        || claims.text("preferred_username").starts_with("service-account-");
    is_own.then_some(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping(rules: &[&str]) -> Mapping {
        Mapping {
            groups_claims: vec!["groups".to_owned(), "realm_access.roles".to_owned()],
            name_claim: String::new(),
            rules: rules.iter().map(|rule| rule.parse().unwrap()).collect(),
        }
    }

    fn describe(rules: &[&str], claims: Value) -> Described {
        let Value::Object(claims) = claims else { unreachable!() };
        mapping(rules).describe(&Claims(claims))
    }

    /// Whether these rules let these claims answer in the namespace `prod`, and in another.
    fn answers(rules: &[&str], claims: Value) -> [bool; 2] {
        let rights = describe(rules, claims).rights;
        ["prod", "other"].map(|name| rights.hold(Role::Responder, &name.parse().unwrap()))
    }

    #[test]
    fn a_rule_gives_its_roles_in_its_namespaces_and_no_others() {
        let ann = json!({"sub": "ann", "groups": ["approvers", "CN=ops,OU=x"]});
        assert_eq!(answers(&["approvers=responder@prod"], ann.clone()), [true, false]);
        assert_eq!(answers(&["group:approvers=auditor,responder"], ann.clone()), [true, true]);
        assert_eq!(answers(&["CN=ops,OU=x=responder@prod,more"], ann.clone()), [true, false]);
        assert_eq!(answers(&["approvers=auditor", "other=responder"], ann.clone()), [false, false]);
        assert_eq!(answers(&["*=responder@other"], ann.clone()), [false, true]);
        assert_eq!(answers(&[], ann.clone()), [false, false]);
        // What two rules give is not mixed: a role is held where its own rule gives it.
        let rules = ["approvers=responder@prod", "approvers=auditor@other"];
        assert_eq!(answers(&rules, ann), [true, false]);
    }

    #[test]
    fn groups_are_found_where_the_usual_issuers_put_them() {
        let rules = ["approvers=responder@prod"];
        for (claims, expected) in [
            (json!({"realm_access": {"roles": ["approvers"]}}), true),
            (json!({"realm_access.roles": ["approvers"]}), true),
            (json!({"groups": "approvers"}), true),
            (json!({"groups": "approvers others"}), false),
            (json!({"groups": ["Approvers"]}), false),
            (json!({"groups": [["approvers"], {"name": "approvers"}, 7]}), false),
            (json!({"groups": {"approvers": true}}), false),
            (json!({"roles": ["approvers"]}), false),
        ] {
            assert_eq!(answers(&rules, claims.clone()), [expected, false], "{claims}");
        }
    }

    #[test]
    fn only_a_proven_mail_address_is_believed() {
        let rules = ["email:Ann@Example.com=responder@prod"];
        for (proven, expected) in [
            (json!(true), true),
            (json!("true"), true),
            (json!(false), false),
            (json!(null), false),
        ] {
            let claims = json!({"email": "ann@example.COM", "email_verified": proven});
            assert_eq!(answers(&rules, claims), [expected, false], "{proven}");
        }
        assert_eq!(answers(&rules, json!({"email": "ann@example.com"})), [false, false]);
        let of_domain = ["domain:example.com=responder@prod"];
        assert_eq!(answers(&of_domain, json!({"hd": "Example.com"})), [true, false]);
        let guest = json!({"email": "ann@example.com", "email_verified": true});
        assert_eq!(answers(&of_domain, guest), [false, false]);
    }

    #[test]
    fn a_program_is_told_from_a_person_who_uses_it() {
        let rules = ["client:ci=responder@prod"];
        for (claims, expected) in [
            (json!({"sub": "ci", "client_id": "ci"}), true),
            (json!({"sub": "0f", "azp": "ci", "preferred_username": "service-account-ci"}), true),
            (json!({"sub": "0f", "appid": "ci", "idtyp": "app"}), true),
            (json!({"sub": "ann", "azp": "ci"}), false),
            (json!({"sub": "ci"}), false),
        ] {
            assert_eq!(answers(&rules, claims.clone())[0], expected, "{claims}");
            assert_eq!(describe(&rules, claims).is_program, expected);
        }
    }

    #[test]
    fn a_name_is_found_whatever_the_issuer_says() {
        let name = |claims| describe(&[], claims).name;
        assert_eq!(name(json!({"sub": "1", "name": " Ann\n Lee "})), "Ann Lee");
        assert_eq!(name(json!({"sub": "1", "name": "", "preferred_username": "ann"})), "ann");
        assert_eq!(name(json!({"sub": "1", "email": "a@x", "email_verified": true})), "a@x");
        assert_eq!(name(json!({"sub": "1", "email": "a@x"})), "1");
        let chosen = Mapping { name_claim: "nick".to_owned(), ..mapping(&[]) };
        let claims = json!({"sub": "1", "name": "Ann", "nick": "annie"});
        assert_eq!(chosen.name(&Claims(claims.as_object().unwrap().clone())), "annie");
    }

    #[test]
    fn groups_that_a_rule_names_come_first() {
        let claims = json!({"sub": "1", "groups": ["a", "b", "x".repeat(300), "c"]});
        assert_eq!(describe(&["c=auditor"], claims).groups, ["c", "a", "b"]);
    }

    #[test]
    fn a_rule_that_says_nothing_clear_is_refused() {
        for bad in [
            "",
            "x",
            "=responder",
            "x=",
            "x=boss",
            "x=responder@",
            "x=responder@A b",
            "email:=auditor",
        ] {
            bad.parse::<Rule>().unwrap_err();
        }
    }
}
