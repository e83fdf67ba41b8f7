//! The real server over a store with a fault, which tests must find. `HITL_PLANTED_FAULT` names it.

use std::process::ExitCode;

use hitl_server::{app, cli};
use hitl_store::{Durability, Options};
use support::planted::{Fault, VARIABLE};

/// Nothing is synced. No layer around a store could do that.
const NO_SYNC: &str = "no-sync";

fn main() -> ExitCode {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let name = std::env::var(VARIABLE).unwrap_or_default();
    let options = match (name.as_str(), Fault::named(&name)) {
        (NO_SYNC, _) => Options { durability: Durability::Buffered, ..app::store_options() },
        (_, Some(fault)) => {
            Options { layer: Box::new(move |store| fault.over(store)), ..app::store_options() }
        }
        (_, None) => {
            let names: Vec<_> = Fault::ALL.map(Fault::name).into();
            eprintln!("{VARIABLE}={name} is no fault: name {NO_SYNC} or one of {names:?}");
            return ExitCode::from(2);
        }
    };
    cli::main(options)
}
