//! TLS on the port: the certificate of this server, which clients may prove who they are, and how both change while the
//! server runs.
//!
//! A connection takes the configuration as it is at its beginning, and keeps it. So a reload ends no stream, and holds
//! for the authority of the clients as well as for our own certificate.

mod client;
mod files;
mod handshake;
mod metrics;
mod reload;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;

pub use client::ClientCertificate;
pub use files::{ClientAuthority, TlsFiles};
pub use reload::Keeper;

pub(super) use handshake::{Secured, secure};
pub(super) use wire::Wire;

use metrics::TlsMetrics;

/// What new connections of one listener are accepted with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls {
    current: Arc<RwLock<Configs>>,
    callers: Callers,
    metrics: TlsMetrics,
}

/// Who calls at a listener.
#[derive(Clone, Copy, Debug)]
enum Callers {
    /// Programs, and people too if they have no listener of their own: asked for a certificate if there is an authority
    /// for those of clients.
    Programs,
    /// People: a browser would ask them to choose a certificate, which they have not.
    People,
}

/// One certificate of ours, as it is shown to both kinds of callers.
#[derive(Clone, Debug)]
struct Configs {
    programs: Arc<ServerConfig>,
    people: Arc<ServerConfig>,
}

impl Tls {
    fn new(configs: Configs, metrics: TlsMetrics) -> Self {
        Self { current: Arc::new(RwLock::new(configs)), callers: Callers::Programs, metrics }
    }

    /// The same for a listener where only people call, who are not asked for a certificate.
    pub fn for_people(&self) -> Self {
        Self { callers: Callers::People, ..self.clone() }
    }

    fn config(&self) -> Arc<ServerConfig> {
        let configs = self.current.read().unwrap_or_else(PoisonError::into_inner);
        match self.callers {
            Callers::Programs => configs.programs.clone(),
            Callers::People => configs.people.clone(),
        }
    }

    fn replace(&self, configs: Configs) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = configs;
    }
}
