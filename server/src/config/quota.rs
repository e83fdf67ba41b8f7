//! Quotas: `--quota NAME=NUMBER`, and what they are without it.

use hitl_service::WATCHES_MAX;
use hitl_service::quotas::{Measure, Quota, Quotas, Scope};

use crate::size::parse_bytes;

/// Calls a second of one credential.
const CALLS: u64 = 2_000;
/// Events of one credential, and of one namespace, that are pending.
const EVENTS_OF_CREDENTIAL: u64 = 100_000;
const EVENTS_OF_NAMESPACE: u64 = 1_000_000;
/// Bytes of them.
const BYTES_OF_CREDENTIAL: u64 = 1 << 30;
const BYTES_OF_NAMESPACE: u64 = 10 << 30;

/// The size that one quota is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaRule {
    quota: Quota,
    max: u64,
}

/// The quotas of a server that takes so many connections and waits, with what `rules` say. Without a rule, a quarter of
/// the connections, waits and watches is left to others, whoever takes the rest.
pub fn quotas(rules: &[QuotaRule], connections_max: usize, waits_max: usize) -> Quotas {
    let mut quotas = Quotas::none()
        .with(Measure::Calls, Scope::Credential, CALLS)
        .with(Measure::PendingEvents, Scope::Credential, EVENTS_OF_CREDENTIAL)
        .with(Measure::PendingEvents, Scope::Namespace, EVENTS_OF_NAMESPACE)
        .with(Measure::PendingBytes, Scope::Credential, BYTES_OF_CREDENTIAL)
        .with(Measure::PendingBytes, Scope::Namespace, BYTES_OF_NAMESPACE);
    for quota in Quota::all() {
        let whole = match quota.measure {
            Measure::Connections => connections_max,
            Measure::Waits => waits_max,
            Measure::Watches => WATCHES_MAX,
            Measure::Calls | Measure::PendingEvents | Measure::PendingBytes => continue,
        };
        quotas.set(quota, (whole - whole / 4) as u64);
    }
    for rule in rules {
        quotas.set(rule.quota, rule.max);
    }
    quotas
}

/// A rule such as `waits-per-credential=500`, `pending-bytes-per-namespace=4GiB` or `calls-per-credential=none`.
pub fn parse_quota(text: &str) -> Result<QuotaRule, String> {
    let (name, size) = text.split_once('=').ok_or("give NAME=NUMBER or NAME=none")?;
    let quota: Quota = name.parse()?;
    let max = match size {
        "none" => Quotas::NONE,
        bytes if quota.measure == Measure::PendingBytes => parse_bytes(bytes)?,
        number => number.parse().map_err(|_| format!("`{number}` is no number, and not `none`"))?,
    };
    if max == 0 {
        return Err("nobody could do anything: give 1 or more, or `none`".to_owned());
    }
    Ok(QuotaRule { quota, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max(quotas: &Quotas, name: &str) -> u64 {
        quotas.max(name.parse().unwrap())
    }

    #[test]
    fn a_quarter_is_left_to_others_unless_a_rule_says_otherwise() {
        let quotas = quotas(&[parse_quota("waits-per-address=none").unwrap()], 640, 3);
        assert_eq!(max(&quotas, "connections-per-credential"), 480);
        assert_eq!(max(&quotas, "connections-per-address"), 480);
        assert_eq!(max(&quotas, "waits-per-namespace"), 3);
        assert_eq!(max(&quotas, "waits-per-address"), Quotas::NONE);
        assert_eq!(max(&quotas, "watches-per-credential"), 750);
        assert_eq!(max(&quotas, "calls-per-credential"), CALLS);
        assert_eq!(max(&quotas, "calls-per-address"), Quotas::NONE);
    }

    #[test]
    fn rules_are_read_and_what_is_wrong_with_one_is_said() {
        let rule = parse_quota("pending-bytes-per-namespace=4GiB").unwrap();
        assert_eq!(
            (rule.quota.to_string().as_str(), rule.max),
            ("pending-bytes-per-namespace", 4 << 30)
        );
        assert_eq!(parse_quota("calls-per-credential=7").unwrap().max, 7);
        for (wrong, reason) in [
            ("", "NAME=NUMBER"),
            ("waits-per-person=5", "take one of connections-per-credential,"),
            ("waits-per-address=many", "`many` is no number"),
            ("waits-per-address=0", "1 or more"),
            ("calls-per-credential=5MiB", "is no number"),
        ] {
            let error = parse_quota(wrong).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
