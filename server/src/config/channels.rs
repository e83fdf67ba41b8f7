//! The flags of channels: where messages may go, and which programs may send them.

use std::path::PathBuf;

use clap::Args;
use hitl_core::{Namespace, Namespaces};
use ipnet::IpNet;

/// How people and programs are told.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Channels")]
pub struct ChannelArgs {
    /// Network to which channels may send beside the public internet, also without TLS, such as 10.1.0.0/16 or
    /// 127.0.0.1. Addresses of one's own networks are refused otherwise. May be repeated.
    #[arg(
        long = "channel-allow-network",
        env = "HITL_CHANNEL_ALLOW_NETWORK",
        value_name = "NETWORK",
        value_delimiter = ',',
        value_parser = parse_network
    )]
    pub allowed_networks: Vec<IpNet>,

    /// Directory whose programs channels of the kind `exec` may run. Without it they run none.
    #[arg(long = "channel-exec-dir", env = "HITL_CHANNEL_EXEC_DIR", value_name = "DIRECTORY")]
    pub exec_dir: Option<PathBuf>,

    /// Namespace whose requesters may have a webhook called when their events end (on_end); '*' is all. May be
    /// repeated. [default: none]
    #[arg(
        long = "on-end-namespace",
        env = "HITL_ON_END_NAMESPACE",
        value_name = "NAMESPACE",
        value_delimiter = ',',
        value_parser = parse_namespace
    )]
    pub on_end: Vec<Where>,
}

/// A namespace, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// All.
    Everywhere,
    /// This one.
    In(Namespace),
}

impl ChannelArgs {
    /// In which namespaces requesters may be told of the end of their events.
    pub fn on_end(&self) -> Namespaces {
        let mut some = std::collections::BTreeSet::new();
        for place in &self.on_end {
            match place {
                Where::Everywhere => return Namespaces::All,
                Where::In(namespace) => some.insert(namespace.clone()),
            };
        }
        Namespaces::Only(some)
    }
}

/// A network such as `10.0.0.0/8`, or one address.
fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok();
    let one = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    network
        .or_else(one)
        .ok_or_else(|| "must be a network such as 10.0.0.0/8, or an address".to_owned())
}

fn parse_namespace(text: &str) -> Result<Where, String> {
    match text {
        "*" => Ok(Where::Everywhere),
        name => name.parse().map(Where::In).map_err(|_| format!("`{name}` is no namespace")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses_are_read() {
        assert_eq!(parse_network("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(parse_network("127.0.0.1").unwrap().to_string(), "127.0.0.1/32");
        assert_eq!(parse_network("fd00::/8").unwrap().to_string(), "fd00::/8");
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0"] {
            assert!(parse_network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn namespaces_are_all_or_those_that_are_named() {
        let on_end = |names: &[&str]| {
            let on_end = names.iter().map(|name| parse_namespace(name).unwrap()).collect();
            ChannelArgs { on_end, ..ChannelArgs::default() }.on_end()
        };
        assert_eq!(on_end(&[]), Namespaces::Only([].into()));
        assert_eq!(on_end(&["a"]), Namespaces::Only(["a".parse().unwrap()].into()));
        assert_eq!(on_end(&["a", "*"]), Namespaces::All);
        assert!(parse_namespace("No").is_err());
    }
}
