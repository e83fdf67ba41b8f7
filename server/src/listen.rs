//! Where the server listens: at one address for all, or at one for programs and one for people.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, bail};
use tokio::net::TcpListener;

use crate::config::ServeArgs;
use crate::http::Audience;
use crate::local::Claim;

/// The listeners of a server.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// For programs, and for people too if they have none of their own.
    pub(crate) programs: TcpListener,
    pub(crate) people: Option<TcpListener>,
}

impl Listeners {
    /// Listens where `args` say, or where the local server is to be.
    ///
    /// # Errors
    /// An address is taken, or must not be listened on in plain text.
    pub(crate) async fn open(args: &ServeArgs, claim: Option<&Claim>) -> anyhow::Result<Self> {
        refuse_plain_text(args.listen(), args)?;
        let programs = match claim {
            Some(claim) if args.local && args.listen.is_none() => claim.listen().await?,
            _ => {
                let help = format!("is another server there? {}", args.other_port());
                bind(args.listen(), &help).await?
            }
        };
        let people = match args.tls.pages_listen {
            Some(address) => {
                refuse_plain_text(address, args)?;
                Some(bind(address, "give another with --pages-listen").await?)
            }
            None => None,
        };
        Ok(Self { programs, people })
    }

    /// Whom the first of them serves.
    pub(crate) fn audience(&self) -> Audience {
        if self.people.is_some() { Audience::Programs } else { Audience::All }
    }

    /// Where programs reach this server from this machine.
    ///
    /// # Errors
    /// The listener has no address, which does not happen.
    pub(crate) fn url(&self, args: &ServeArgs) -> anyhow::Result<String> {
        url(&self.programs, args)
    }

    /// The same for people, if they have a listener of their own.
    ///
    /// # Errors
    /// As [`Listeners::url`].
    pub(crate) fn url_for_people(&self, args: &ServeArgs) -> anyhow::Result<Option<String>> {
        self.people.as_ref().map(|listener| url(listener, args)).transpose()
    }
}

async fn bind(address: SocketAddr, help: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}: {help}"))
}

fn url(listener: &TcpListener, args: &ServeArgs) -> anyhow::Result<String> {
    Ok(format!("{}://{}", args.tls.scheme(), reachable(listener.local_addr()?)))
}

/// Without TLS, what is asked and answered stays on this machine, unless something else secures it.
fn refuse_plain_text(address: SocketAddr, args: &ServeArgs) -> anyhow::Result<()> {
    let is_allowed = args.tls.tls_cert.is_some() || args.tls.plain_text || args.insecure;
    if !address.ip().is_loopback() && !is_allowed {
        bail!(
            "will not listen on {address} in plain text: whoever is on the way could read what is said, tokens too, \
             and so anyone could read and answer everything. Give --tls-cert and --tls-key; or listen on loopback, \
             such as 127.0.0.1; or give --plain-text if something in front of this server does the TLS, or \
             --insecure to ask nobody for a token"
        );
    }
    Ok(())
}

/// The address under which a server that listens on `bound` is reached from this machine.
fn reachable(bound: SocketAddr) -> SocketAddr {
    match bound.ip() {
        ip if !ip.is_unspecified() => bound,
        ip if ip.is_ipv4() => SocketAddr::from((Ipv4Addr::LOCALHOST, bound.port())),
        _ => SocketAddr::from((Ipv6Addr::LOCALHOST, bound.port())),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn args(flags: &[&str]) -> ServeArgs {
        let line = ["hitl"].iter().chain(flags);
        Line::try_parse_from(line).unwrap().args
    }

    #[test]
    fn plain_text_does_not_leave_this_machine_unless_something_else_secures_it() {
        let tls = ["--tls-cert", "server.pem", "--tls-key", "server.key"];
        for address in ["0.0.0.0:4485", "[::]:4485", "192.0.2.1:4485"] {
            let judge = |flags: &[&str]| refuse_plain_text(address.parse().unwrap(), &args(flags));
            let refused = judge(&[]).unwrap_err().to_string();
            assert!(refused.contains(address) && refused.contains("--tls-cert"), "{refused}");
            for flags in [&tls[..], &["--plain-text"], &["--insecure"]] {
                judge(flags).unwrap();
            }
        }
        for address in ["127.0.0.1:4485", "[::1]:4485"] {
            refuse_plain_text(address.parse().unwrap(), &args(&[])).unwrap();
        }
    }

    #[tokio::test]
    async fn each_listener_is_reached_by_its_own_url() {
        let flags = ["--listen", "127.0.0.1:0", "--pages-listen", "127.0.0.1:0"];
        let (one, both) = (args(&flags[..2]), args(&flags));
        let listeners = Listeners::open(&one, None).await.unwrap();
        assert_eq!(listeners.audience(), Audience::All);
        assert_eq!(listeners.url_for_people(&one).unwrap(), None);
        let listeners = Listeners::open(&both, None).await.unwrap();
        assert_eq!(listeners.audience(), Audience::Programs);
        let people = listeners.url_for_people(&both).unwrap().unwrap();
        assert!(people.starts_with("http://127.0.0.1:"), "{people}");
        assert_ne!(people, listeners.url(&both).unwrap());
    }

    #[test]
    fn an_address_that_is_everywhere_is_reached_on_loopback() {
        for (bound, reached) in [
            ("0.0.0.0:4485", "127.0.0.1:4485"),
            ("[::]:4485", "[::1]:4485"),
            ("192.0.2.1:4485", "192.0.2.1:4485"),
        ] {
            assert_eq!(reachable(bound.parse().unwrap()).to_string(), reached);
        }
    }
}
