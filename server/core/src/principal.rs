//! Who calls, and how that was proved.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{EventKey, Namespace};
use crate::rights::Rights;
use crate::time::Timestamp;
use crate::token::TokenId;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever reaches a server that asks for no credential.
    Anyone,
    /// The user of this machine, who has the token that the local server made for itself.
    Owner,
    /// Who has a token, or has signed in.
    Known(Arc<Known>),
    /// Whoever has a link to one event.
    Link(LinkHolder),
}

/// A principal with rights of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Token or person.
    pub kind: KnownKind,
    /// Stays the same through rotation of the token, and through changes of a person's name.
    pub id: String,
    /// What it is called. Not unique.
    pub name: String,
    /// What it may do where.
    pub rights: Rights,
    /// The groups of a person.
    pub groups: Vec<String>,
    /// Until when the credential is good, if it says that itself. Of a token the store is asked.
    pub until: Option<Timestamp>,
}

/// What proved who a [`Known`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownKind {
    /// This token.
    Token(TokenId),
    /// A token that no store has: that of the file for the admin.
    File,
    /// The sign-in of a person.
    Person,
    /// A token that an issuer has given to a program in its own name.
    Program,
    /// The certificate that a client has shown.
    Certificate,
}

/// Who has a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkHolder {
    /// The one event that it is for.
    pub key: EventKey,
    /// Whom it was made for; empty if for whoever holds it.
    pub responder: String,
}

/// The namespaces in which a principal has its roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Namespaces {
    /// Every one, those that do not exist yet too.
    All,
    /// These.
    Only(BTreeSet<Namespace>),
}

/// A set of things that a principal may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Creates events, and follows and cancels them.
    Requester,
    /// Answers and declines.
    Responder,
    /// Gets the links of events.
    Notifier,
    /// Looks, and changes nothing.
    Auditor,
    /// Everything that the others may.
    Admin,
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(u8);

/// What proves who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// Nothing: the server asked for no credential.
    None,
    /// A link.
    Link,
    /// A token.
    Token,
    /// The sign-in of a person.
    Person,
    /// The local server's own token.
    Owner,
    /// The certificate of a client.
    ClientCertificate,
}

/// Who somebody was proved to be, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// By what.
    pub known_by: CredentialKind,
    /// The id of the principal. Empty if the credential has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name that was proved. Empty if none was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Requester, Self::Responder, Self::Notifier, Self::Auditor, Self::Admin];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Roles {
    /// Whether `role` is one of them.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether there is any.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles, one by one.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl From<Vec<Role>> for Roles {
    fn from(roles: Vec<Role>) -> Self {
        roles.into_iter().collect()
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.iter().collect()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl Namespaces {
    /// Whether `namespace` is one of them.
    pub fn contains(&self, namespace: &Namespace) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.contains(namespace),
        }
    }
}

impl Principal {
    /// The token that proved it, if one did.
    pub fn token_id(&self) -> Option<TokenId> {
        match self {
            Self::Known(known) => match known.kind {
                KnownKind::Token(id) => Some(id),
                KnownKind::File
                | KnownKind::Person
                | KnownKind::Program
                | KnownKind::Certificate => None,
            },
            Self::Anyone | Self::Owner | Self::Link(_) => None,
        }
    }

    /// Who this was proved to be.
    pub fn proof(&self) -> Proof {
        let proof = |known_by| Proof { known_by, id: String::new(), name: String::new() };
        match self {
            Self::Anyone => proof(CredentialKind::None),
            Self::Owner => proof(CredentialKind::Owner),
            Self::Link(holder) => {
                Proof { name: holder.responder.clone(), ..proof(CredentialKind::Link) }
            }
            Self::Known(known) => {
                let known_by = match known.kind {
                    KnownKind::Token(_) | KnownKind::File | KnownKind::Program => {
                        CredentialKind::Token
                    }
                    KnownKind::Person => CredentialKind::Person,
                    KnownKind::Certificate => CredentialKind::ClientCertificate,
                };
                Proof { known_by, id: known.id.clone(), name: known.name.clone() }
            }
        }
    }
}

impl Proof {
    /// Whether both are of one principal, which has an id to tell that by.
    pub fn is_of_same_principal(&self, other: &Self) -> bool {
        !self.id.is_empty() && self.known_by == other.known_by && self.id == other.id
    }
}
