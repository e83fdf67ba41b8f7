//! What each party has of one measure.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Measure, OverQuota, Party, Quota, Quotas};

/// See the module. Parties that have nothing, or no quota, are not in it.
#[derive(Debug)]
pub struct Tally {
    measure: Measure,
    quotas: Quotas,
    /// In how many units one of the measure is counted.
    units: u64,
    has: HashMap<Party, u64>,
}

impl Tally {
    /// Of `measure`, counted in `units` for one, within `quotas`.
    pub fn new(measure: Measure, units: u64, quotas: Quotas) -> Self {
        Self { measure, quotas, units, has: HashMap::new() }
    }

    /// Adds `units` to what each of `parties` has.
    ///
    /// # Errors
    /// [`OverQuota`] if that is more than one of them may have; then nothing is added.
    pub fn add(
        &mut self,
        parties: impl Iterator<Item = Party> + Clone,
        units: u64,
    ) -> Result<(), OverQuota> {
        self.check(parties.clone(), units)?;
        self.add_anyway(parties, units);
        Ok(())
    }

    /// Whether each of `parties` may have `units` more.
    ///
    /// # Errors
    /// [`OverQuota`] if not.
    pub fn check(
        &self,
        mut parties: impl Iterator<Item = Party>,
        units: u64,
    ) -> Result<(), OverQuota> {
        parties.try_for_each(|party| {
            let (quota, max) = self.max(&party);
            let fits = self.has(&party).saturating_add(units) <= max.saturating_mul(self.units);
            if fits { Ok(()) } else { Err(OverQuota { quota, max }) }
        })
    }

    /// Adds `units` to what each of `parties` has, whatever they have already.
    pub(super) fn add_anyway(&mut self, parties: impl Iterator<Item = Party>, units: u64) {
        for party in parties {
            if self.max(&party).1 != Quotas::NONE {
                *self.has.entry(party).or_default() += units;
            }
        }
    }

    /// Takes `units` away from what each of `parties` has.
    pub fn remove(&mut self, parties: impl Iterator<Item = Party>, units: u64) {
        for party in parties {
            if let Entry::Occupied(mut has) = self.has.entry(party) {
                *has.get_mut() = has.get().saturating_sub(units);
                if *has.get() == 0 {
                    has.remove();
                }
            }
        }
    }

    /// What `party` has, in units; nothing if it has no quota.
    pub fn has(&self, party: &Party) -> u64 {
        self.has.get(party).copied().unwrap_or(0)
    }

    /// Notes that `party` has `units`.
    pub(super) fn set(&mut self, party: Party, units: u64) {
        self.has.remove(&party);
        self.add_anyway(std::iter::once(party), units);
    }

    /// Every party that has something.
    pub(super) fn parties(&self) -> impl Iterator<Item = &Party> {
        self.has.keys()
    }

    /// The quota of `party`, and its size.
    pub(super) fn max(&self, party: &Party) -> (Quota, u64) {
        let quota = Quota { measure: self.measure, scope: party.scope() };
        (quota, self.quotas.max(quota))
    }
}

#[cfg(test)]
mod tests {
    use hitl_core::Namespace;

    use super::*;
    use crate::quotas::Scope;

    #[test]
    fn what_one_may_not_have_is_given_to_none_of_those_it_would_count_for() {
        let party = |name: &str| Party::Namespace(name.parse::<Namespace>().unwrap());
        let quotas = Quotas::none().with(Measure::Waits, Scope::Namespace, 2);
        let mut tally = Tally::new(Measure::Waits, 24, quotas);
        let (one, other) = (party("one"), party("other"));
        tally.add(std::iter::once(one.clone()), 40).unwrap();
        let both = [other.clone(), one.clone()];
        let refused = tally.add(both.clone().into_iter(), 9).unwrap_err();
        assert_eq!((refused.max, tally.has(&one), tally.has(&other)), (2, 40, 0));
        tally.add(both.clone().into_iter(), 8).unwrap();
        tally.remove(both.into_iter(), 8);
        tally.remove(std::iter::once(one), 40);
        assert_eq!(tally.parties().count(), 0);
    }
}
