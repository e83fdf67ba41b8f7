//! Lends a [`Disk`] to a virtual machine by the protocol of network block devices, over a Unix socket.
//!
//! The protocol is "doc/proto.md" of the NBD project: the handshake "fixed newstyle", and of the commands those that a
//! disk with a cache needs. Requests are carried out one by one, so a flush covers every write that was answered.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::disk::{Disk, PowerGone};

const GREETING: u64 = u64::from_be_bytes(*b"NBDMAGIC");
const OPTION: u64 = u64::from_be_bytes(*b"IHAVEOPT");
const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
const REQUEST: u32 = 0x2560_9513;
const REPLY: u32 = 0x6744_6698;

/// Flags of the handshake: "fixed newstyle", and no padding.
const HANDSHAKE_FLAGS: u16 = 1 | 2;
/// Flags of the export: it has flags, and it can be flushed.
const EXPORT_FLAGS: u16 = 1 | 4;

const OPTION_ABORT: u32 = 2;
const OPTION_GO: u32 = 7;
const REPLY_ACK: u32 = 1;
const REPLY_INFO: u32 = 3;
const REPLY_UNSUPPORTED: u32 = (1 << 31) | 1;
const INFO_EXPORT: u16 = 0;

const READ: u16 = 0;
const WRITE: u16 = 1;
const DISCONNECT: u16 = 2;
const FLUSH: u16 = 3;

/// Far more than the data of an option has, and the most that a request may read or write.
const OPTION_BYTES_MAX: usize = 4 << 10;
const REQUEST_BYTES_MAX: usize = 32 << 20;

/// A disk that is lent. It ends with its connections when it is dropped.
#[derive(Debug)]
pub(crate) struct LentDisk {
    disk: Arc<Mutex<Disk>>,
    /// Counts the times that the power has failed under a connection.
    failures: watch::Receiver<u64>,
    _tasks: JoinSet<()>,
}

impl LentDisk {
    /// Lends `disk` of `size` bytes at the socket `path`.
    pub(crate) fn lend(disk: Disk, size: u64, path: &Path) -> Result<Self> {
        let listener = UnixListener::bind(path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        let disk = Arc::new(Mutex::new(disk));
        let (failed, failures) = watch::channel(0);
        let mut tasks = JoinSet::new();
        let lent = disk.clone();
        tasks.spawn(async move {
            // One machine at a time: the next one connects when the last one is gone.
            while let Ok((stream, _)) = listener.accept().await {
                if let Err(error) = serve(stream, size, &lent, &failed).await {
                    eprintln!("the disk's connection broke: {error:#}");
                }
            }
        });
        Ok(Self { disk, failures, _tasks: tasks })
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    /// Returns once the power has failed.
    pub(crate) async fn failed(&self) {
        let mut failures = self.failures.clone();
        // The sender goes only with `self`.
        let _ = failures.wait_for(|_| self.disk().is_off()).await;
    }
}

async fn serve(
    mut stream: UnixStream,
    size: u64,
    disk: &Mutex<Disk>,
    failed: &watch::Sender<u64>,
) -> Result<()> {
    if !shake_hands(&mut stream, size).await? {
        return Ok(());
    }
    loop {
        let Some(request) = Request::read(&mut stream).await? else { return Ok(()) };
        ensure!(request.offset.checked_add(request.length as u64).is_some_and(|end| end <= size));
        let Ok(data) = carry_out(request.what, request.offset, request.length, disk) else {
            failed.send_modify(|failures| *failures += 1);
            // Neither a reply nor an error: the machine goes before it could notice anything.
            until_gone(stream).await;
            return Ok(());
        };
        stream.write_u32(REPLY).await?;
        stream.write_u32(0).await?;
        stream.write_u64(request.handle).await?;
        stream.write_all(&data).await?;
    }
}

/// Says what the disk is. False if the other side only wanted to know.
async fn shake_hands(stream: &mut UnixStream, size: u64) -> Result<bool> {
    stream.write_u64(GREETING).await?;
    stream.write_u64(OPTION).await?;
    stream.write_u16(HANDSHAKE_FLAGS).await?;
    stream.read_u32().await?;
    loop {
        ensure!(stream.read_u64().await? == OPTION, "an option begins with its magic number");
        let option = stream.read_u32().await?;
        let length = stream.read_u32().await? as usize;
        ensure!(length <= OPTION_BYTES_MAX, "an option of {length} bytes");
        let mut data = vec![0; length];
        stream.read_exact(&mut data).await?;
        match option {
            OPTION_GO => {
                let mut export = INFO_EXPORT.to_be_bytes().to_vec();
                export.extend(size.to_be_bytes());
                export.extend(EXPORT_FLAGS.to_be_bytes());
                reply_to_option(stream, option, REPLY_INFO, &export).await?;
                reply_to_option(stream, option, REPLY_ACK, &[]).await?;
                return Ok(true);
            }
            OPTION_ABORT => {
                reply_to_option(stream, option, REPLY_ACK, &[]).await?;
                return Ok(false);
            }
            _ => reply_to_option(stream, option, REPLY_UNSUPPORTED, &[]).await?,
        }
    }
}

async fn reply_to_option(
    stream: &mut UnixStream,
    option: u32,
    reply: u32,
    data: &[u8],
) -> Result<()> {
    stream.write_u64(OPTION_REPLY).await?;
    stream.write_u32(option).await?;
    stream.write_u32(reply).await?;
    stream.write_u32(u32::try_from(data.len())?).await?;
    stream.write_all(data).await?;
    Ok(())
}

struct Request {
    what: What,
    handle: u64,
    offset: u64,
    length: usize,
}

enum What {
    Read,
    Write(Vec<u8>),
    Flush,
}

impl Request {
    /// The next request, or `None` if there is none any more.
    async fn read(stream: &mut UnixStream) -> Result<Option<Self>> {
        let magic = match stream.read_u32().await {
            Ok(magic) => magic,
            // A machine that is killed says no farewell.
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        ensure!(magic == REQUEST, "a request begins with its magic number");
        let _flags = stream.read_u16().await?;
        let command = stream.read_u16().await?;
        let handle = stream.read_u64().await?;
        let offset = stream.read_u64().await?;
        let length = stream.read_u32().await? as usize;
        ensure!(length <= REQUEST_BYTES_MAX, "a request of {length} bytes");
        let what = match command {
            READ => What::Read,
            WRITE => {
                let mut data = vec![0; length];
                match stream.read_exact(&mut data).await {
                    Ok(_) => What::Write(data),
                    Err(error) if is_gone(&error) => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
            FLUSH => What::Flush,
            DISCONNECT => return Ok(None),
            other => bail!("a command {other} that was not offered"),
        };
        Ok(Some(Self { what, handle, offset, length }))
    }
}

/// Returns what the reply carries.
fn carry_out(
    what: What,
    offset: u64,
    length: usize,
    disk: &Mutex<Disk>,
) -> Result<Vec<u8>, PowerGone> {
    let mut disk = lock(disk);
    match what {
        What::Read => {
            let mut data = vec![0; length];
            disk.read(offset, &mut data)?;
            Ok(data)
        }
        What::Write(data) => disk.write(offset, data).map(|()| Vec::new()),
        What::Flush => disk.flush().map(|()| Vec::new()),
    }
}

async fn until_gone(mut stream: UnixStream) {
    let mut ignored = vec![0; 64 << 10];
    while stream.read(&mut ignored).await.is_ok_and(|length| length > 0) {}
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}
