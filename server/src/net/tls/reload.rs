//! Takes other certificates when the files change.

use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::files::{Contents, TlsFiles};
use super::{Tls, TlsMetrics};

/// Time between two looks at the files. They are read whole, since there are ways to change one that leave its time.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Keeps what connections are accepted with as the files have it. Files that cannot be used change nothing.
pub struct Keeper {
    files: TlsFiles,
    tls: Tls,
    pub(super) metrics: TlsMetrics,
    used: Contents,
    /// Why the files could not be used at the last look.
    pub(super) trouble: Option<String>,
}

impl Keeper {
    /// Reads the files for the first time. How it fares later `registry` tells.
    ///
    /// # Errors
    /// They cannot be used; the message names the one that is wrong.
    pub fn load(files: TlsFiles, registry: &mut Registry) -> anyhow::Result<Self> {
        let (used, metrics) = (files.read()?, TlsMetrics::register(registry));
        let tls = Tls::new(files.configs(&used)?, metrics.clone());
        Ok(Self { files, tls, metrics, used, trouble: None })
    }

    /// What to accept connections with.
    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Looks at the files now and then, and at once after SIGHUP, until `shutdown`.
    pub async fn keep(mut self, shutdown: CancellationToken) {
        let mut hangup = signal(SignalKind::hangup()).expect("the runtime handles signals");
        while next_look(&mut hangup, &shutdown).await {
            let look = move || {
                self.look();
                self
            };
            self = tokio::task::spawn_blocking(look).await.expect("a look does not panic");
        }
    }

    pub(super) fn look(&mut self) {
        match self.try_look() {
            Ok(()) => {
                self.trouble = None;
                self.metrics.reload_failing.set(0);
            }
            Err(error) => {
                let trouble = format!("{error:#}");
                if self.trouble.as_ref() != Some(&trouble) {
                    tracing::error!(
                        trouble,
                        "the files of TLS have changed and cannot be used; what they had before is"
                    );
                }
                self.trouble = Some(trouble);
                self.metrics.reload_failing.set(1);
            }
        }
    }

    fn try_look(&mut self) -> anyhow::Result<()> {
        let contents = self.files.read()?;
        if contents == self.used {
            return Ok(());
        }
        self.tls.replace(self.files.configs(&contents)?);
        self.used = contents;
        self.metrics.reloads.inc();
        tracing::info!("other certificates are used, since the files of TLS have changed");
        Ok(())
    }
}

/// Returns when it is time to look; false at the shutdown.
async fn next_look(hangup: &mut Signal, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(LOOK_INTERVAL) => true,
        _ = hangup.recv() => true,
        () = shutdown.cancelled() => false,
    }
}
