//! Idempotency keys: from the run where there is one, else random.
//!
//! The n-th event of a name in a run always gets the same key. That is what makes a program that
//! crashed and starts again from its beginning meet the events it had created.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Numbers of one (namespace, run, name).
#[derive(Debug, Default)]
struct Numbers {
    issued: u64,
    /// Issued, but given back because nothing was created.
    returned: BTreeSet<u64>,
}

type Series = (String, String, String);

/// How many events of each name were asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<Mutex<HashMap<Series, Numbers>>>);

/// One count for the whole process, since several clients may serve one run.
pub(crate) static PROCESS: LazyLock<Counts> = LazyLock::new(Counts::default);

/// Says how-many-th event of its name this is. Unless kept, its number goes to the next one: a
/// create that failed and is repeated by the program must not change what later events are.
#[derive(Debug)]
pub(crate) struct Ticket {
    counts: Counts,
    series: Series,
    number: u64,
    kept: bool,
}

impl Counts {
    /// The place of the next event of this name.
    pub(crate) fn ticket(&self, namespace: &str, run_id: &str, name: &str) -> Ticket {
        let series = (namespace.to_owned(), run_id.to_owned(), name.to_owned());
        let number = self.with_numbers(&series, |numbers| {
            numbers.returned.pop_first().unwrap_or_else(|| {
                numbers.issued += 1;
                numbers.issued
            })
        });
        Ticket { counts: self.clone(), series, number, kept: false }
    }

    fn with_numbers<R>(&self, series: &Series, change: impl FnOnce(&mut Numbers) -> R) -> R {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(numbers) = all.get_mut(series) {
            return change(numbers);
        }
        change(all.entry(series.clone()).or_default())
    }
}

impl Ticket {
    pub(crate) fn key(&self) -> String {
        let (_, run_id, name) = &self.series;
        of_run(run_id, name, self.number)
    }

    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.kept {
            let number = self.number;
            self.counts.with_numbers(&self.series, |numbers| numbers.returned.insert(number));
        }
    }
}

/// The key of the n-th event of a name in a run, `run-` and the SHA-256 of run id, name and number, one
/// a line: the same in every language.
pub(crate) fn of_run(run_id: &str, name: &str, number: u64) -> String {
    let digest = Sha256::digest(format!("{run_id}\n{name}\n{number}"));
    format!("run-{}", hex(&digest))
}

/// The id that the server gives to the event of a key: a UUID of the version that is for ids of one's
/// own.
pub(crate) fn event_id(namespace: &str, key: &str) -> String {
    let digest = Sha256::digest(format!("{namespace}\0{key}"));
    let mut id: [u8; 16] = *digest.first_chunk().expect("a SHA-256 has 32 bytes");
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    hex(&id)
}

/// A key that no other call has.
pub(crate) fn once() -> String {
    hex(&random::<16>())
}

/// Bytes from the system's source of randomness.
///
/// # Panics
/// If the system has none, without which two questions could share one answer.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    bytes
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(run_id: &str, name: &str) -> String {
        let ticket = PROCESS.ticket("default", run_id, name);
        let key = ticket.key();
        ticket.keep();
        key
    }

    #[test]
    fn the_derivation_never_changes() {
        // printf 'r\nn\n1' | sha256sum
        let expected = "run-b1782565ffd03f55c14560a1cd6def44fa03e5808e228626e97a8192ac01eff7";
        assert_eq!(PROCESS.ticket("default", "r", "n").key(), expected);
    }

    #[test]
    fn each_event_of_a_run_has_its_own_key() {
        let keys = [kept("k1", "a"), kept("k1", "a"), kept("k1", "b"), kept("k2", "a")];
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn a_number_that_made_no_event_goes_to_the_next_one() {
        let (first, second) = (PROCESS.ticket("n", "k3", "a"), PROCESS.ticket("n", "k3", "a"));
        let key = first.key();
        drop(first);
        second.keep();
        assert_eq!(PROCESS.ticket("n", "k3", "a").key(), key);
    }

    #[test]
    fn the_id_of_a_key_is_a_uuid_made_of_its_hash() {
        let hash = hex(&Sha256::digest("default\0key"));
        let id = event_id("default", "key");
        assert_eq!(
            (&id[12..13], &id[..12], &id[13..16], &id[17..]),
            ("8", &hash[..12], &hash[13..16], &hash[17..32])
        );
    }

    #[test]
    fn without_a_run_no_two_keys_are_alike() {
        assert_ne!(once(), once());
    }
}
