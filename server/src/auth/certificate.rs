//! From the certificate of a client to who calls: programs that have one need no token.
//!
//! Nobody may do anything that no rule says. A rule names a certificate by a name in it that its authority vouches for,
//! of one kind, and gives roles, in some namespaces or all. Rules only ever give, so their order means nothing.

use std::str::FromStr;
use std::sync::Arc;

use hitl_core::{Known, KnownKind, Principal, Right, Rights, Timestamp};

use super::oidc::right;
use crate::net::tls::ClientCertificate;

/// Which certificates get roles, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRule {
    name: Name,
    right: Right,
}

/// A name in a certificate. The first kinds are the better ones: of several names that have a rule the first is the
/// principal's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Uri(String),
    Email(String),
    Dns(String),
    Common(String),
}

impl FromStr for CertificateRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Names may have an equals sign in them; roles and namespaces have none.
        let (name, what) = text.rsplit_once('=').ok_or(
            "must be NAME=ROLE, or NAME=ROLE@NAMESPACE, such as `spiffe://example.org/ci=requester@team-a`",
        )?;
        Ok(Self { name: name.parse()?, right: right(what)? })
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = match text.strip_prefix("cn:") {
            Some(name) => Self::Common(name.to_owned()),
            None if text.contains("://") => Self::Uri(text.to_owned()),
            None if text.contains('@') => Self::Email(text.to_owned()),
            None => Self::Dns(text.to_owned()),
        };
        if name.text().is_empty() {
            return Err("names no certificate: a name is one such as spiffe://example.org/ci, \
                        ci@example.org, ci.example.org or cn:ci"
                .to_owned());
        }
        Ok(name)
    }
}

impl Name {
    fn text(&self) -> &str {
        let (Self::Uri(text) | Self::Email(text) | Self::Dns(text) | Self::Common(text)) = self;
        text
    }

    fn is_of(&self, certificate: &ClientCertificate) -> bool {
        match self {
            Self::Uri(name) => certificate.uri_names.contains(name),
            Self::Email(name) => {
                certificate.email_names.iter().any(|given| given.eq_ignore_ascii_case(name))
            }
            Self::Dns(name) => {
                certificate.dns_names.iter().any(|given| given.eq_ignore_ascii_case(name))
            }
            Self::Common(name) => certificate.common_names.contains(name),
        }
    }
}

/// Whoever has this `certificate` at `now`, as `rules` say; none if it has no name with a rule, or is not good any
/// more.
pub(super) fn holder(
    rules: &[CertificateRule],
    certificate: &ClientCertificate,
    now: Timestamp,
) -> Option<Principal> {
    let until = certificate.until.filter(|until| now < *until)?;
    let mine = || rules.iter().filter(move |rule| rule.name.is_of(certificate));
    let name = mine().map(|rule| &rule.name).min()?;
    Some(Principal::Known(Arc::new(Known {
        kind: KnownKind::Certificate,
        id: format!("certificate#{}", name.text()),
        name: name.text().to_owned(),
        rights: mine().map(|rule| rule.right.clone()).collect::<Rights>(),
        groups: Vec::new(),
        until: Some(until),
    })))
}

#[cfg(test)]
mod tests {
    use hitl_core::{CredentialKind, Namespace, Role};

    use super::*;

    const UNTIL_MS: i64 = 2_000_000_000_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn certificate() -> ClientCertificate {
        ClientCertificate {
            dns_names: vec!["ci.example.org".to_owned()],
            uri_names: vec!["spiffe://example.org/ci".to_owned()],
            email_names: vec!["ci@example.org".to_owned()],
            common_names: vec!["CI, team=a".to_owned()],
            until: Some(at(UNTIL_MS)),
            sha256: [0; 32],
        }
    }

    fn rules(texts: &[&str]) -> Vec<CertificateRule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn holder_by(texts: &[&str], certificate: &ClientCertificate) -> Option<Principal> {
        holder(&rules(texts), certificate, at(UNTIL_MS - 1))
    }

    #[test]
    fn a_name_of_each_kind_gives_its_roles_in_its_namespaces() {
        for name in ["ci.EXAMPLE.org", "spiffe://example.org/ci", "ci@example.org", "cn:CI, team=a"]
        {
            let rule = format!("{name}=requester,auditor@team-a,team-b");
            let Some(Principal::Known(known)) = holder_by(&[&rule], &certificate()) else {
                panic!("{name} has a rule");
            };
            let holds = |role, namespace: &str| {
                known.rights.hold(role, &namespace.parse::<Namespace>().unwrap())
            };
            assert!(holds(Role::Requester, "team-a") && holds(Role::Auditor, "team-b"), "{name}");
            assert!(!holds(Role::Requester, "default") && !holds(Role::Admin, "team-a"), "{name}");
            assert_eq!(known.until, Some(at(UNTIL_MS)));
            let proof = Principal::Known(known).proof();
            assert_eq!(proof.known_by, CredentialKind::ClientCertificate);
            assert!(name.to_lowercase().contains(&proof.name.to_lowercase()), "{proof:?}");
        }
    }

    #[test]
    fn a_name_of_one_kind_is_not_taken_for_one_of_another() {
        let mut other = certificate();
        other.common_names =
            ["ci.other.org", "spiffe://other.org/ci", "ci@other.org"].map(str::to_owned).to_vec();
        other.dns_names.push("CI, team=b".to_owned());
        for name in ["ci.other.org", "spiffe://other.org/ci", "ci@other.org", "cn:CI, team=b"] {
            assert_eq!(holder_by(&[&format!("{name}=admin")], &other), None, "{name}");
        }
    }

    #[test]
    fn a_certificate_without_a_rule_or_past_its_time_is_nobodys() {
        assert_eq!(holder_by(&[], &certificate()), None);
        assert_eq!(holder_by(&["spiffe://example.org/ci/other=admin"], &certificate()), None);
        let rules = rules(&["ci.example.org=admin"]);
        assert_eq!(holder(&rules, &certificate(), at(UNTIL_MS)), None);
        let unreadable = ClientCertificate { until: None, ..certificate() };
        assert_eq!(holder(&rules, &unreadable, at(0)), None);
    }

    #[test]
    fn several_rules_add_up_and_name_one_principal() {
        let given = ["cn:CI, team=a=auditor@team-a", "spiffe://example.org/ci=requester@team-b"];
        let of = |texts: &[&str]| match holder_by(texts, &certificate()) {
            Some(Principal::Known(known)) => known,
            _ => panic!("it has a rule"),
        };
        let known = of(&given);
        assert_eq!(known.rights.iter().count(), 2);
        assert_eq!(known.id, "certificate#spiffe://example.org/ci");
        assert_eq!(of(&[given[1], given[0]]).id, known.id, "in whichever order");
    }

    #[test]
    fn a_rule_that_is_not_understood_is_refused_with_the_reason() {
        for (text, said) in [
            ("ci.example.org", "NAME=ROLE"),
            ("=admin", "names no certificate"),
            ("cn:=admin", "names no certificate"),
            ("ci.example.org=boss", "`boss` is no role"),
            ("ci.example.org=admin@No", "`No` is no namespace"),
        ] {
            let error = text.parse::<CertificateRule>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
