//! Patterns: what a str must look like, compiled once and matched within a bounded amount of work.
//!
//! Time is linear in the text whatever the pattern, but the factor is the size of the compiled
//! pattern: `.{0,900}` has thousands of states, and a text of 250 kB meets each of them at every
//! byte. So matching is tried with an automaton that is built while it runs, which takes one step
//! a byte for nearly every pattern there is and gives up when it does not. Only then are the
//! states followed one by one, and that is bounded: [`Work`] is what the matching of one answer
//! may take.

mod dialect;
mod hint;
mod work;

use std::sync::{Arc, LazyLock};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use regex_automata::Input;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};

use crate::limits;
pub(crate) use work::{TooMuchWork, Work};

/// Memory that the automaton of one match may take. It goes when the match is done.
const AUTOMATON_BYTES_MAX: usize = 1024 * 1024;
/// How often it may be emptied before it counts as no help, if it served fewer bytes for each of its states than this.
const AUTOMATON_REFILLS: usize = 1;
const AUTOMATON_BYTES_PER_STATE: usize = 100;

/// About how many patterns are remembered; so few that the largest one fits into the share of memory that they are
/// remembered in.
const CACHE_PATTERNS: usize = 256;
/// What an entry takes beside its states.
const ENTRY_BYTES: usize = 2_048;

/// Compiled patterns by their text.
///
/// What a pattern compiles to depends on its text alone, so that it can be remembered here without
/// anybody being able to tell, but by the time it takes.
static CACHE: LazyLock<Cache<String, Arc<Pattern>, ByBytes>> = LazyLock::new(|| {
    Cache::with_weighter(CACHE_PATTERNS, limits::PATTERN_CACHE_BYTES_MAX, ByBytes)
});

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    pikevm: PikeVM,
    automaton: Option<DFA>,
    foreign: Vec<String>,
}

impl Pattern {
    /// The pattern that `text` writes down.
    ///
    /// # Errors
    /// Why it is none, and what to write instead where that is known.
    pub(crate) fn of(text: &str) -> Result<Arc<Self>, String> {
        CACHE.get_or_insert_with(text, || Self::compile(text).map(Arc::new))
    }

    /// What it says that only this engine reads the way it does, each with what to write instead.
    pub(crate) fn foreign(&self) -> &[String] {
        &self.foreign
    }

    /// Memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.nfa().memory_usage()
    }

    /// Longest text, in bytes, that it can be matched against whatever the text is.
    pub(crate) fn text_bytes_max(&self) -> u64 {
        limits::MATCH_STEPS_MAX / self.states()
    }

    /// Whether it is found anywhere in `text`.
    ///
    /// # Errors
    /// That it would take more work than is left. Whether it does depends on the pattern and the texts alone.
    pub(crate) fn is_found_in(&self, text: &str, work: &mut Work) -> Result<bool, TooMuchWork> {
        let input = Input::new(text).earliest(true);
        if let Some(automaton) = &self.automaton {
            let mut states = automaton.create_cache();
            if let Ok(found) = automaton.try_search_fwd(&mut states, &input) {
                return Ok(found.is_some());
            }
        }
        work.take(self.states(), text.len())?;
        Ok(self.pikevm.is_match(&mut self.pikevm.create_cache(), input))
    }

    fn compile(text: &str) -> Result<Self, String> {
        let dialect::Reading { hir, foreign } = dialect::read(text)?;
        let config = Config::new()
            .nfa_size_limit(Some(limits::PATTERN_COMPILED_BYTES_MAX))
            .which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_from_hir(&hir).map_err(|_| {
            "it is too large: repeat less, or bound the length by max_length (maxLength in a schema)"
        })?;
        let automaton = DFA::config()
            .cache_capacity(AUTOMATON_BYTES_MAX)
            .minimum_cache_clear_count(Some(AUTOMATON_REFILLS))
            .minimum_bytes_per_state(Some(AUTOMATON_BYTES_PER_STATE));
        // One that does not even hold its first states is no help.
        let automaton = DFA::builder().configure(automaton).build_from_nfa(nfa.clone()).ok();
        let pikevm = PikeVM::new_from_nfa(nfa).map_err(|error| error.to_string())?;
        Ok(Self { pikevm, automaton, foreign })
    }

    fn nfa(&self) -> &NFA {
        self.pikevm.get_nfa()
    }

    fn states(&self) -> u64 {
        u64::try_from(self.nfa().states().len().max(1)).unwrap_or(u64::MAX)
    }
}

/// Weighs what is remembered.
#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<String, Arc<Pattern>> for ByBytes {
    fn weight(&self, text: &String, pattern: &Arc<Pattern>) -> u64 {
        let foreign: usize = pattern.foreign.iter().map(String::len).sum();
        u64::try_from(ENTRY_BYTES + text.len() + foreign + pattern.bytes()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
