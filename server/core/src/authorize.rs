//! What each principal may do: one pure rule for every door.
//!
//! It sees the namespace and never whether the event is there, so that whoever may not look learns nothing from the
//! refusal.

use std::collections::BTreeSet;

use crate::id::{EventKey, Namespace};
use crate::principal::{Known, Namespaces, Principal, Role};

/// The roles that let a principal list events and look at them.
const LISTING: [Role; 4] = [Role::Requester, Role::Responder, Role::Auditor, Role::Admin];
/// The roles that let a principal read the audit.
const AUDITING: [Role; 2] = [Role::Auditor, Role::Admin];

/// What a principal wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Create an event in this namespace.
    Create(&'a Namespace),
    /// List or watch the events of this namespace.
    List(&'a Namespace),
    /// Look at this event, or wait for its end.
    Look(&'a EventKey),
    /// Answer or decline this event.
    Respond(&'a EventKey),
    /// Say something about this event in its thread.
    Comment(&'a EventKey),
    /// Cancel this event.
    Cancel(&'a EventKey),
    /// Be shown the links of the events of this namespace, make others, and end them.
    HandOutLinks(&'a Namespace),
    /// Make, list and end tokens.
    ManageTokens,
    /// Make, change, list, try and remove channels, look at deliveries and have them made again.
    ManageChannels,
    /// Read the audit of this namespace, or all of it, what is about no namespace too.
    ReadAudit(Option<&'a Namespace>),
    /// Be told who it is itself.
    KnowItself,
}

/// The principal may not do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A link is not valid for that.
    Link,
    /// The server asks for no credential, so nobody may do what would outlast that.
    Anyone,
    /// The roles of the principal do not let it.
    Role,
}

impl Denied {
    /// Why, as the audit says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "a link is not valid for that",
            Self::Anyone => "this server asks for no credential",
            Self::Role => "the roles do not allow it",
        }
    }
}

impl<'a> Action<'a> {
    /// What it is called in the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::List(_) => "list",
            Self::Look(_) => "look",
            Self::Respond(_) => "respond",
            Self::Comment(_) => "comment",
            Self::Cancel(_) => "cancel",
            Self::HandOutLinks(_) => "hand out links",
            Self::ManageTokens => "manage tokens",
            Self::ManageChannels => "manage channels",
            Self::ReadAudit(_) => "read the audit",
            Self::KnowItself => "know itself",
        }
    }

    /// The namespace that it is about, if it is about one.
    pub fn namespace(self) -> Option<&'a Namespace> {
        match self {
            Self::Create(namespace) | Self::List(namespace) | Self::HandOutLinks(namespace) => {
                Some(namespace)
            }
            Self::Look(key) | Self::Respond(key) | Self::Comment(key) | Self::Cancel(key) => {
                Some(&key.namespace)
            }
            Self::ReadAudit(namespace) => namespace,
            Self::ManageTokens | Self::ManageChannels | Self::KnowItself => None,
        }
    }

    /// The event that it is about, if it is about one.
    pub fn event(self) -> Option<&'a EventKey> {
        match self {
            Self::Look(key) | Self::Respond(key) | Self::Comment(key) | Self::Cancel(key) => {
                Some(key)
            }
            Self::Create(_)
            | Self::List(_)
            | Self::HandOutLinks(_)
            | Self::ReadAudit(_)
            | Self::ManageTokens
            | Self::ManageChannels
            | Self::KnowItself => None,
        }
    }
}

impl Principal {
    /// Whether this principal may do that.
    ///
    /// # Errors
    /// [`Denied`] if not.
    pub fn authorize(&self, action: Action<'_>) -> Result<(), Denied> {
        match self {
            Self::Owner => Ok(()),
            Self::Anyone => match action {
                Action::ManageTokens | Action::ManageChannels => Err(Denied::Anyone),
                _ => Ok(()),
            },
            Self::Link(holder) => match action {
                Action::Look(key) | Action::Respond(key) | Action::Comment(key)
                    if *key == holder.key =>
                {
                    Ok(())
                }
                _ => Err(Denied::Link),
            },
            Self::Known(known) => {
                if known.may(action) {
                    Ok(())
                } else {
                    Err(Denied::Role)
                }
            }
        }
    }

    /// The namespaces whose events this principal may list.
    pub fn visible(&self) -> Namespaces {
        match self {
            Self::Owner | Self::Anyone => Namespaces::All,
            Self::Link(_) => Namespaces::Only(BTreeSet::new()),
            Self::Known(known) => known.rights.namespaces_of(&LISTING),
        }
    }

    /// The namespaces whose audit this principal may read.
    pub fn audited(&self) -> Namespaces {
        match self {
            Self::Owner | Self::Anyone => Namespaces::All,
            Self::Link(_) => Namespaces::Only(BTreeSet::new()),
            Self::Known(known) => known.rights.namespaces_of(&AUDITING),
        }
    }
}

impl Known {
    fn may(&self, action: Action<'_>) -> bool {
        use Role::{Admin, Notifier, Requester, Responder};
        let (namespace, roles): (&Namespace, &[Role]) = match action {
            Action::KnowItself => return true,
            Action::ManageTokens | Action::ManageChannels => {
                return self.rights.hold_everywhere(Admin);
            }
            Action::ReadAudit(None) => {
                return AUDITING.iter().any(|role| self.rights.hold_everywhere(*role));
            }
            Action::ReadAudit(Some(namespace)) => (namespace, &AUDITING),
            Action::Create(namespace) => (namespace, &[Requester, Admin]),
            Action::List(namespace) => (namespace, &LISTING),
            Action::Look(key) => (&key.namespace, &LISTING),
            Action::Respond(key) => (&key.namespace, &[Responder, Admin]),
            Action::Comment(key) => (&key.namespace, &[Requester, Responder, Admin]),
            Action::Cancel(key) => (&key.namespace, &[Requester, Admin]),
            Action::HandOutLinks(namespace) => (namespace, &[Notifier, Admin]),
        };
        roles.iter().any(|role| self.rights.hold(*role, namespace))
    }
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
