//! Who counts as one person, whatever the door.
//!
//! A person is known by the credential: a token, a sign-in and a certificate have ids, a link has the name that it was
//! made for, and the local server has one user. Where no credential is asked for, people are who they say they are.
//! Whoever bears the name of somebody who has voted already counts as that somebody, since a person may come once by a
//! link and once signed in. That may leave out one of two people with one name; it never counts one person twice.

use crate::event::Responder;
use crate::lookalike::seen;
use crate::principal::{CredentialKind, Proof};

/// One person. Two of them are told apart by [`Person::is`].
#[derive(Clone, Debug)]
pub struct Person {
    key: String,
    /// As it is seen, in lower case; empty if there is none.
    name: String,
}

impl Person {
    /// Who `responder` is; `None` if that is nobody in particular, such as whoever holds a link that was made for
    /// nobody.
    pub fn of(responder: &Responder) -> Option<Self> {
        let claimed = Proof {
            known_by: CredentialKind::None,
            id: String::new(),
            name: responder.name.clone(),
        };
        let proof = match &responder.proof {
            Some(proof) if proof.known_by != CredentialKind::None => proof,
            _ => &claimed,
        };
        let name = seen(&proof.name).to_lowercase();
        let kind = match proof.known_by {
            CredentialKind::Owner => {
                return Some(Self { key: "owner".to_owned(), name: String::new() });
            }
            CredentialKind::None => "claimed",
            CredentialKind::Link => "link",
            CredentialKind::Token => "token",
            CredentialKind::Person => "person",
            CredentialKind::ClientCertificate => "certificate",
        };
        let id = if proof.id.is_empty() { &name } else { &proof.id };
        (!id.is_empty()).then(|| Self { key: format!("{kind}:{id}"), name: name.clone() })
    }

    /// Whether both are one person.
    pub fn is(&self, other: &Self) -> bool {
        self.key == other.key || !self.name.is_empty() && self.name == other.name
    }

    /// What tells this person from all others that are known in the same way.
    pub fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Channel;

    fn person(claimed: &str, proof: Option<(CredentialKind, &str, &str)>) -> Option<Person> {
        let proof = proof.map(|(known_by, id, name)| Proof {
            known_by,
            id: id.to_owned(),
            name: name.to_owned(),
        });
        let responder = Responder::claimed(claimed.to_owned(), Channel::Grpc, String::new());
        Person::of(&Responder { proof, ..responder })
    }

    #[test]
    fn one_person_is_one_whatever_the_door() {
        use CredentialKind::{Link, None as Nothing, Owner, Person as SignedIn, Token};
        let cases = [
            (Some((SignedIn, "1", "Ada")), Some((Link, "", "ada ")), true),
            (Some((SignedIn, "1", "Ada")), Some((SignedIn, "1", "Lovelace")), true),
            (Some((SignedIn, "1", "Ada")), Some((SignedIn, "2", "Bob")), false),
            (Some((Token, "1", "Ada")), Some((SignedIn, "1", "Bob")), false),
            (Some((Token, "1", "ada")), Some((SignedIn, "2", "ADA")), true),
            (Some((Owner, "", "")), Some((Owner, "", "")), true),
            (Some((Owner, "", "")), Some((Link, "", "ada")), false),
            (Some((Nothing, "", "")), Some((Link, "", "said")), true),
        ];
        for (one, other, is_one) in cases {
            let [one, other] = [one, other].map(|proof| person("said", proof).unwrap());
            assert_eq!((one.is(&other), other.is(&one)), (is_one, is_one), "{one:?} {other:?}");
        }
    }

    #[test]
    fn whoever_holds_a_link_for_nobody_is_nobody_in_particular() {
        assert!(person("Ada", Some((CredentialKind::Link, "", ""))).is_none());
        assert!(person(" ", Some((CredentialKind::None, "", ""))).is_none());
        assert!(person("", None).is_none());
        assert!(person("Ada", None).is_some());
    }
}
