//! Keys as the service makes them, from a fixed seed.

/// One caller's keys.
pub(crate) struct Keys {
    state: u64,
    random: bool,
    count: u64,
}

impl Keys {
    pub(crate) fn new(random: bool) -> Self {
        Self::for_caller(0, random)
    }

    pub(crate) fn for_caller(caller: usize, random: bool) -> Self {
        Self { state: 0x9e37_79b9_7f4a_7c15 ^ (caller as u64) << 32, random, count: 0 }
    }

    /// 32 hex digits: a hash, or the time first as in a UUIDv7.
    pub(crate) fn event(&mut self) -> String {
        self.count += 1;
        let high = if self.random { self.next() } else { self.count << 16 };
        format!("{high:016x}{:016x}", self.next())
    }

    /// Some due time of 13 digits.
    pub(crate) fn millis(&mut self) -> u64 {
        1_795_341_900_000 + self.next() % 60_000
    }

    /// SplitMix64: enough for spreading keys.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
