//! What a server does to be the local one.

use std::fs::File;

use anyhow::{Context, bail};
use tokio::net::TcpListener;

use super::dir::DataDir;
use super::lock::Lock;
use super::state::{self, State, by_kill};
use super::{PORT_DEFAULT, address};

/// The right to be the local server of a data directory, for as long as this lives.
#[derive(Debug)]
pub struct Claim {
    dir: DataDir,
    /// The file that says where this server is, locked.
    published: Option<File>,
    _lock: Lock,
}

impl Claim {
    /// Takes the right from whoever started this process, else for itself.
    ///
    /// # Errors
    /// Another server has it.
    pub fn take(dir: DataDir) -> anyhow::Result<Self> {
        let lock = match Lock::inherited(&dir) {
            Some(lock) => lock,
            None => match Lock::try_take(&dir)? {
                Some(lock) => lock,
                None => bail!(
                    "another local server keeps its data in {}: use it, or end it{}",
                    dir.path().display(),
                    by_kill(&dir),
                ),
            },
        };
        lock.note(&std::process::id().to_string())?;
        Ok(Self { dir, published: None, _lock: lock })
    }

    /// Listens on the port that the server before this one had, since links that people were given have it; else on
    /// ours; else, both being taken, on any that is free.
    ///
    /// # Errors
    /// There is none.
    pub async fn listen(&self) -> anyhow::Result<TcpListener> {
        for port in State::last_port(&self.dir).into_iter().chain([PORT_DEFAULT]) {
            if let Ok(listener) = TcpListener::bind(address(port)).await {
                return Ok(listener);
            }
        }
        TcpListener::bind(address(0)).await.context("cannot listen on any port of 127.0.0.1")
    }

    /// Says where this server is, once it serves, and with which token its owner calls it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&mut self, endpoint: String, token: String) -> anyhow::Result<()> {
        self.published = Some(State::ours(endpoint, token).publish(&self.dir)?);
        Ok(())
    }

    /// Takes the file away, so that nobody finds a server that is about to end. The lock is kept until the end.
    pub fn withdraw(&mut self) {
        if let Some(file) = self.published.take() {
            state::withdraw(&self.dir, &file);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.withdraw();
    }
}
