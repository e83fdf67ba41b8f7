//! Waits that nobody needs: added to the stream of a client beside those that it holds, and removed again at once.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::sleep;

use super::common::Shared;
use super::lines::Lines;
use super::phase::Phase;
use crate::board::Fate;

/// Time between two messages. With two events in each, a client adds up to 25 a second, and removes as many.
const PACE: Duration = Duration::from_millis(80);

/// Has the stream of many waits of `lines` say much, for as long as there is load.
pub async fn pass_by(lines: Arc<Lines>, shared: Shared, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    while shared.phase.get() == Phase::Load {
        let events = [Fate::Contested, Fate::Watched];
        let events = events.map(|fate| shared.board.recent(&mut rng, fate));
        lines.pass_by(events.into_iter().flatten().map(|event| event.id));
        sleep(PACE).await;
    }
}
