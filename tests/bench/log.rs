//! One log with group commit, as small as it can be: no index, no checksums, no recovery.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use tokio::sync::{mpsc, oneshot};

/// More than the callers of any figure, so that every waiting record shares the next sync.
const MOST_IN_A_BATCH: usize = 4_096;

type Record = (Vec<u8>, oneshot::Sender<()>);

/// The way to the thread that owns the file.
pub(crate) struct Log(mpsc::Sender<Record>);

impl Log {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let (sender, records) = mpsc::channel(MOST_IN_A_BATCH);
        let file = File::create_new(path)?;
        std::thread::spawn(move || write(file, records));
        Ok(Self(sender))
    }

    /// Returns when `record` is durable.
    pub(crate) async fn append(&self, record: Vec<u8>) {
        let (done, durable) = oneshot::channel();
        let sent = self.0.send((record, done)).await;
        sent.expect("the writer lives as long as the log");
        durable.await.expect("a baseline whose disk fails has no figures");
    }
}

fn write(mut file: File, mut records: mpsc::Receiver<Record>) {
    let (mut batch, mut bytes) = (Vec::new(), Vec::new());
    while records.blocking_recv_many(&mut batch, MOST_IN_A_BATCH) > 0 {
        bytes.clear();
        for (record, _) in &batch {
            bytes.extend_from_slice(&(record.len() as u64).to_le_bytes());
            bytes.extend_from_slice(record);
        }
        file.write_all(&bytes).expect("the log can be written");
        file.sync_data().expect("the log can be synced");
        for (_, done) in batch.drain(..) {
            // A caller that has gone needs no reply.
            let _ = done.send(());
        }
    }
}
