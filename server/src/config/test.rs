//! The settings of a server for tests, which no environment changes.

use clap::builder::Resettable;
use clap::{Args, Command, FromArgMatches};

use super::ServeArgs;
use crate::local;

impl ServeArgs {
    /// Those of a server that keeps nothing, asks for no credential, and listens on this port of the loopback address.
    ///
    /// # Errors
    /// The flags do not fit together, which is a fault of ours.
    pub fn for_tests(port: u16) -> Result<Self, clap::Error> {
        let listen = local::address(port).to_string();
        // What is set for the servers of the machine is not for one that a test throws away.
        let command = Self::augment_args(Command::new("hitl"))
            .mut_args(|flag| flag.env(Resettable::<clap::builder::OsStr>::Reset));
        let flags = ["hitl", "--insecure", "--store", "memory://", "--listen", &listen];
        Self::from_arg_matches(&command.try_get_matches_from(flags)?)
    }
}

#[cfg(test)]
mod tests {
    use hitl_store::StoreUrl;

    use super::*;

    #[test]
    fn a_server_for_tests_is_reached_from_this_machine_alone_and_keeps_nothing() {
        let args = ServeArgs::for_tests(0).unwrap();
        assert!(args.listen().ip().is_loopback() && args.insecure);
        assert_eq!(args.store, Some(StoreUrl::Memory));
        assert!(args.public_url.is_none() && args.tls.tls_cert.is_none());
    }
}
