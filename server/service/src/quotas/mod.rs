//! How much of a server one credential, one namespace or one address may have.
//!
//! The budget of the server says how much there is; a quota says how much of it one party gets, so that none takes what
//! another needs. Whoever holds something counts for each party that they are of: the credential that they have, the
//! namespace in which they act, and the address from which they come.

mod look;
mod pending;
mod tally;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use hitl_core::{Namespace, Principal, Proof};
use sha2::{Digest, Sha256};

pub(crate) use pending::Pending;
pub use tally::Tally;

/// The bits of an IPv6 address that tell one customer of a provider from another.
const IPV6_PREFIX_BITS: u32 = 64;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Connections at a time.
    Connections,
    /// Waits at a time; of those that share a stream [`SHARING`](crate::SHARING) count as one.
    Waits,
    /// Watches at a time.
    Watches,
    /// Calls a second, the beginnings of waits and the entries of batches too.
    Calls,
    /// Pending events.
    PendingEvents,
    /// Bytes of pending events.
    PendingBytes,
}

/// For whom it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For each token, person, program and link.
    Credential,
    /// For each namespace.
    Namespace,
    /// For each address, or each 64-bit prefix of IPv6.
    Address,
}

/// One of the quotas: what is counted for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub measure: Measure,
    /// For whom.
    pub scope: Scope,
}

/// The size of each quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas([u64; MEASURES.len() * SCOPES.len()]);

const MEASURES: [(Measure, &str); 6] = [
    (Measure::Connections, "connections"),
    (Measure::Waits, "waits"),
    (Measure::Watches, "watches"),
    (Measure::Calls, "calls"),
    (Measure::PendingEvents, "pending-events"),
    (Measure::PendingBytes, "pending-bytes"),
];

const SCOPES: [(Scope, &str); 3] = [
    (Scope::Credential, "credential"),
    (Scope::Namespace, "namespace"),
    (Scope::Address, "address"),
];

/// A credential, told from all others. Nothing else is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credential([u8; 16]);

/// Somebody for whom something is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// Whoever has this credential.
    Credential(Credential),
    /// Whoever acts in this namespace.
    Namespace(Namespace),
    /// Whoever comes from this address.
    Address(IpAddr),
}

/// For whom what a caller takes is counted, besides the namespace that it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Payer {
    credential: Option<Credential>,
    address: Option<IpAddr>,
}

/// A quota is used up, so the call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct OverQuota {
    /// Which.
    pub quota: Quota,
    /// Its size.
    pub max: u64,
}

impl Quota {
    /// Every quota that there is. A connection is in no namespace, and a watch may be over many.
    pub fn all() -> impl Iterator<Item = Self> {
        let each = MEASURES.into_iter().flat_map(|(measure, _)| {
            SCOPES.into_iter().map(move |(scope, _)| Self { measure, scope })
        });
        each.filter(|quota| {
            let is_nowhere = matches!(quota.measure, Measure::Connections | Measure::Watches);
            !(is_nowhere && quota.scope == Scope::Namespace)
        })
    }

    fn index(self) -> usize {
        self.measure as usize * SCOPES.len() + self.scope as usize
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, measure) = MEASURES[self.measure as usize];
        let (_, scope) = SCOPES[self.scope as usize];
        write!(f, "{measure}-per-{scope}")
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all().find(|quota| quota.to_string() == text).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(|quota| quota.to_string()).collect();
            format!("there is no quota `{text}`: take one of {}", names.join(", "))
        })
    }
}

impl Quotas {
    /// The size of a quota that is not there.
    pub const NONE: u64 = u64::MAX;

    /// No quota at all.
    pub const fn none() -> Self {
        Self([Self::NONE; MEASURES.len() * SCOPES.len()])
    }

    /// These, with another size of one.
    #[must_use]
    pub fn with(mut self, measure: Measure, scope: Scope, max: u64) -> Self {
        self.set(Quota { measure, scope }, max);
        self
    }

    /// Gives `quota` another size.
    pub fn set(&mut self, quota: Quota, max: u64) {
        self.0[quota.index()] = max;
    }

    /// The size of `quota`; [`Quotas::NONE`] if there is none.
    pub fn max(&self, quota: Quota) -> u64 {
        self.0[quota.index()]
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self::none()
    }
}

impl Credential {
    /// What `proof` proves; none where nothing had to be proved, and none of the user of this machine, whose server it
    /// is.
    pub(crate) fn of_proof(proof: &Proof) -> Option<Self> {
        use hitl_core::CredentialKind::{
            ClientCertificate, Link, None as Nothing, Owner, Person, Token,
        };
        match proof.known_by {
            Nothing | Owner => None,
            Token => Some(Self::hashed("token", &proof.id)),
            Person => Some(Self::hashed("person", &proof.id)),
            ClientCertificate => Some(Self::hashed("certificate", &proof.id)),
            Link => Some(Self::hashed("link", &proof.name)),
        }
    }

    fn of(principal: &Principal) -> Option<Self> {
        match principal {
            Principal::Link(holder) => {
                Some(Self::hashed("link", &format!("{}/{}", holder.key, holder.responder)))
            }
            known => Self::of_proof(&known.proof()),
        }
    }

    fn hashed(kind: &str, id: &str) -> Self {
        let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(id).finalize();
        Self(*hash.first_chunk().expect("a SHA-256 has 32 bytes"))
    }
}

impl Payer {
    /// Whoever calls as `principal` from `address`, if that is known.
    pub fn new(principal: &Principal, address: Option<IpAddr>) -> Self {
        Self { credential: Credential::of(principal), address: address.map(of_one_customer) }
    }

    /// Whoever comes from `address`, with a credential that is not known yet.
    pub fn from_address(address: IpAddr) -> Self {
        Self { credential: None, address: Some(of_one_customer(address)) }
    }

    pub(crate) fn of_credential(credential: Option<Credential>) -> Self {
        Self { credential, address: None }
    }

    /// Both together, as far as either is known. What `later` says counts.
    pub(crate) fn or(self, later: Self) -> Self {
        Self {
            credential: later.credential.or(self.credential),
            address: later.address.or(self.address),
        }
    }

    /// The credential, if there is one that counts.
    pub fn credential(&self) -> Option<Credential> {
        self.credential
    }

    /// For whom what this takes is counted, in `namespace` if it is in one.
    pub fn parties<'a>(
        &self,
        namespace: Option<&'a Namespace>,
    ) -> impl Iterator<Item = Party> + Clone + use<'a> {
        let credential = self.credential.map(Party::Credential);
        let address = self.address.map(Party::Address);
        let namespace = namespace.cloned().map(Party::Namespace);
        credential.into_iter().chain(namespace).chain(address)
    }
}

/// `address`, or the prefix of it that one customer has.
fn of_one_customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => {
            let prefix = u128::from(long) >> IPV6_PREFIX_BITS << IPV6_PREFIX_BITS;
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        short @ IpAddr::V4(_) => short,
    }
}

impl Party {
    /// Which of its quotas counts for it.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Credential(_) => Scope::Credential,
            Self::Namespace(_) => Scope::Namespace,
            Self::Address(_) => Scope::Address,
        }
    }
}

impl OverQuota {
    /// When to try again.
    pub fn retry_after(&self) -> Duration {
        Duration::from_secs(match self.quota.measure {
            Measure::Calls => 1,
            Measure::Connections | Measure::Waits | Measure::Watches => 2,
            Measure::PendingEvents | Measure::PendingBytes => 10,
        })
    }
}

impl fmt::Display for OverQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (quota, max) = (self.quota, self.max);
        let (_, who) = SCOPES[quota.scope as usize];
        let (what, mend) = match quota.measure {
            Measure::Connections => ("connections at this server", "close some"),
            Measure::Waits => ("waits at this server", "share streams of waits, or end some"),
            Measure::Watches => ("watches at this server", "end some"),
            Measure::Calls => ("calls a second at this server", "call more slowly"),
            Measure::PendingEvents => ("pending events", "have some answered or cancel some"),
            Measure::PendingBytes => {
                ("bytes of pending events", "ask for less, have some answered or cancel some")
            }
        };
        write!(
            f,
            "this {who} has the {max} {what} that one may have: {mend}, or start the server with a larger \
             --quota {quota}=NUMBER"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quota_is_read_as_it_is_shown_and_no_other_is() {
        assert_eq!(Quota::all().count(), 16);
        for quota in Quota::all() {
            assert_eq!(quota.to_string().parse(), Ok(quota));
        }
        for none in ["connections-per-namespace", "waits", "waits-per-person", ""] {
            let error = none.parse::<Quota>().unwrap_err();
            assert!(error.contains("waits-per-credential, waits-per-namespace"), "{error}");
        }
    }

    #[test]
    fn an_error_says_which_quota_is_used_up_its_size_and_the_flag_that_raises_it() {
        for quota in Quota::all() {
            let error = OverQuota { quota, max: 17 }.to_string();
            let flag = format!("--quota {quota}=NUMBER");
            assert!(error.contains("the 17 ") && error.ends_with(&flag), "{error}");
        }
    }

    #[test]
    fn all_addresses_of_one_customer_count_as_one_and_those_of_two_do_not() {
        let payer = |text: &str| Payer::from_address(text.parse().unwrap());
        assert_eq!(payer("2001:db8::1"), payer("2001:db8::ffff:1:2:3"));
        assert_ne!(payer("2001:db8::1"), payer("2001:db8:0:1::1"));
        assert_eq!(payer("::ffff:192.0.2.7"), payer("192.0.2.7"));
        assert_ne!(payer("192.0.2.7"), payer("192.0.2.8"));
    }

    #[test]
    fn nobody_has_a_credential_where_none_is_asked_for() {
        let payer = |principal| Payer::new(principal, None).credential();
        assert_eq!(payer(&Principal::Anyone), None);
        assert_eq!(payer(&Principal::Owner), None);
    }
}
