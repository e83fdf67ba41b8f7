//! The program that libFuzzer drives: `HITL_FUZZ_TARGET=form fuzz fuzz/corpus/form`.
//!
//! One program for all targets, since linking the server is most of its build.

#![no_main]

use std::sync::OnceLock;

use hitl_fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        TARGET.get_or_init(chosen);
    },
    |input: &[u8]| {
        TARGET.get().expect("it was chosen at the start").run(input);
    }
);

fn chosen() -> Target {
    let name = std::env::var("HITL_FUZZ_TARGET").unwrap_or_default();
    let names = Target::names();
    Target::named(&name).unwrap_or_else(|| panic!("HITL_FUZZ_TARGET={name} is none of {names:?}"))
}
