//! How many may wait, and how the places are shared when they are all taken.
//!
//! Whoever has few waits gets a place from whoever has most, so that nobody can take the places of all others: the
//! newest wait of the other is ended, and its client comes back when there is room.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::Notify;

/// Waits that an owner keeps however few others have.
const KEPT: usize = 16;

/// Among whom the places are shared: the connections, by their numbers. Waits that come by none share one owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owner(pub u64);

/// The places, taken and free.
#[derive(Debug)]
pub(crate) struct Seats {
    max: usize,
    taken: usize,
    owners: HashMap<Owner, BTreeMap<u64, Arc<Notify>>>,
    next: u64,
}

/// One place that is taken.
#[derive(Debug)]
pub(crate) struct Seat {
    owner: Owner,
    number: u64,
    lost: Arc<Notify>,
}

impl Seats {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, taken: 0, owners: HashMap::new(), next: 0 }
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// A place for a wait of `owner`; `None` if all are taken and none can be taken from somebody else.
    pub(crate) fn take(&mut self, owner: Owner) -> Option<Seat> {
        if self.taken >= self.max {
            self.free_one_for(owner)?;
        }
        self.taken += 1;
        let number = self.next;
        self.next += 1;
        let lost = Arc::new(Notify::new());
        self.owners.entry(owner).or_default().insert(number, lost.clone());
        Some(Seat { owner, number, lost })
    }

    /// Gives the place back, unless somebody else has it by now.
    pub(crate) fn leave(&mut self, seat: &Seat) {
        let Some(seats) = self.owners.get_mut(&seat.owner) else { return };
        if seats.remove(&seat.number).is_some() {
            self.taken -= 1;
        }
        if seats.is_empty() {
            self.owners.remove(&seat.owner);
        }
    }

    /// Ends the newest wait of whoever has most of them, if that is more than twice what `owner` has.
    fn free_one_for(&mut self, owner: Owner) -> Option<()> {
        let own = self.owners.get(&owner).map_or(0, BTreeMap::len);
        let most = self.owners.values_mut().max_by_key(|seats| seats.len())?;
        if most.len() <= KEPT || most.len() <= 2 * (own + 1) {
            return None;
        }
        let (_, lost) = most.pop_last()?;
        self.taken -= 1;
        // Kept until it is looked at, so that it is not missed.
        lost.notify_one();
        Some(())
    }
}

impl Seat {
    /// Completes when somebody else has this place.
    pub(crate) async fn lost(&self) {
        self.lost.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn two_who_took_all_places_leave_room_for_a_third() {
        let mut seats = Seats::new(100);
        let held: Vec<_> = (0..100).map(|n| seats.take(Owner(n % 2)).unwrap()).collect();
        assert!(seats.take(Owner(0)).is_none(), "who has most gets no more");
        let third: Vec<_> = (0..100).map_while(|_| seats.take(Owner(2))).collect();
        // Until the most that another has is no longer more than twice as much.
        assert_eq!((third.len(), seats.taken()), (20, 100));
        let lost: Vec<_> =
            held.iter().filter(|seat| seat.lost().now_or_never().is_some()).collect();
        assert_eq!(lost.len(), 20);
        assert!(lost.iter().all(|seat| seat.number >= 80), "the newest go first");
        for seat in held.iter().chain(&third) {
            seats.leave(seat);
        }
        assert_eq!((seats.taken(), seats.owners.len()), (0, 0));
    }

    #[test]
    fn a_few_waits_are_nobodys_to_take() {
        let mut seats = Seats::new(KEPT);
        let held: Vec<_> = (0..KEPT).map(|_| seats.take(Owner(1)).unwrap()).collect();
        assert!(seats.take(Owner(2)).is_none());
        seats.leave(&held[0]);
        assert!(seats.take(Owner(2)).is_some());
    }
}
