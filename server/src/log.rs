//! Where log lines go, and how many and how long they may be, since the lines that callers cause must not fill the
//! disk.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::Metadata;
use tracing::callsite::Identifier;
use tracing_subscriber::fmt::MakeWriter;

/// Longest line; what is beyond it is cut.
const LINE_BYTES_MAX: usize = 2 * 1024;
/// Lines that one place in the code may write at once, and how long it takes until it may write another.
const BURST: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);
/// Size at which a log file of the server's own is put aside. One is kept, so that two of them are the most.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// The log on standard error, within bounds.
#[derive(Debug)]
pub struct Log {
    places: Mutex<HashMap<Identifier, CallSite>>,
    file: Option<Mutex<LogFile>>,
}

/// What one place in the code has written lately.
#[derive(Debug)]
struct CallSite {
    /// Lines that it may still write.
    left: u32,
    since: Instant,
    /// Lines left out since the last one that was written.
    left_out: u64,
}

/// One line, or none if its place has written too many.
#[derive(Debug)]
pub struct Line<'a> {
    log: &'a Log,
    left_out: Option<u64>,
}

/// The file that standard error is, if it is ours to put aside.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    bytes: u64,
}

impl Log {
    /// The log on standard error. If that is the file `own`, it is put aside whenever it has 8 MiB.
    pub fn on_stderr(own: Option<PathBuf>) -> Self {
        let file = own.and_then(LogFile::if_stderr).map(Mutex::new);
        Self { places: Mutex::default(), file }
    }

    /// How many lines were left out before this one; `None` if this one is left out too.
    fn admit(&self, place: Identifier, now: Instant) -> Option<u64> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || CallSite { left: BURST, since: now, left_out: 0 };
        places.entry(place).or_insert_with(fresh).admit(now)
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        io::stderr().write_all(line)?;
        match &self.file {
            Some(file) => {
                file.lock().unwrap_or_else(PoisonError::into_inner).has_grown(line.len() as u64)
            }
            None => Ok(()),
        }
    }
}

impl CallSite {
    fn admit(&mut self, now: Instant) -> Option<u64> {
        let pauses = now.saturating_duration_since(self.since).as_millis() / PAUSE.as_millis();
        let regained = u32::try_from(pauses).unwrap_or(u32::MAX);
        if regained > 0 {
            self.left = self.left.saturating_add(regained).min(BURST);
            self.since = now;
        }
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { log: self, left_out: Some(0) }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line { log: self, left_out: self.admit(metadata.callsite(), Instant::now()) }
    }
}

impl Write for Line<'_> {
    /// The formatter writes a whole line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.left_out {
            None => {}
            Some(0) => self.log.write(&cut(line))?,
            Some(count) => {
                self.log.write(&cut(line))?;
                let note = format!("{count} more lines like this one were left out before it\n");
                self.log.write(note.as_bytes())?;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The line, cut to the most that it may have, and how much is missing.
fn cut(line: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if line.len() <= LINE_BYTES_MAX {
        return line.into();
    }
    let text = String::from_utf8_lossy(line);
    let kept = &text[..text.floor_char_boundary(LINE_BYTES_MAX)];
    format!("{kept}… ({} bytes cut)\n", text.len() - kept.len()).into_bytes().into()
}

impl LogFile {
    fn if_stderr(path: PathBuf) -> Option<Self> {
        let stderr = rustix::fs::fstat(io::stderr()).ok()?;
        let named = fs::metadata(&path).ok()?;
        let is_same = (named.dev(), named.ino()) == (stderr.st_dev, stderr.st_ino);
        is_same.then_some(Self { path, bytes: named.len() })
    }

    /// Counts what was written, and puts the file aside if it is long enough.
    fn has_grown(&mut self, bytes: u64) -> io::Result<()> {
        self.bytes += bytes;
        if self.bytes < FILE_BYTES_MAX {
            return Ok(());
        }
        let mut aside = self.path.clone().into_os_string();
        aside.push(".1");
        fs::rename(&self.path, aside)?;
        let file: File =
            OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)?;
        rustix::stdio::dup2_stdout(&file)?;
        rustix::stdio::dup2_stderr(&file)?;
        self.bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_writes_without_end_is_held_to_a_line_each_tenth_of_a_second() {
        let begun = Instant::now();
        let mut place = CallSite { left: BURST, since: begun, left_out: 0 };
        let at = |ms: u64| begun + Duration::from_millis(ms);
        let written = (0..1_000).filter_map(|_| place.admit(at(0))).count();
        assert_eq!(written, BURST as usize);
        assert_eq!(
            place.admit(at(PAUSE.as_millis() as u64)),
            Some(900),
            "it says how many are missing"
        );
        assert_eq!(place.admit(at(PAUSE.as_millis() as u64)), None);
        let later = (0..1_000).filter_map(|_| place.admit(at(3_600_000))).count();
        assert_eq!(later, BURST as usize, "what is not used is not saved up");
    }

    #[test]
    fn a_long_line_is_cut_between_letters_and_says_so() {
        let line = format!("{}\n", "é".repeat(5_000));
        let short = cut(line.as_bytes());
        let text = std::str::from_utf8(&short).unwrap();
        assert!(text.ends_with("bytes cut)\n") && text.len() < LINE_BYTES_MAX + 40, "{text}");
        assert_eq!(&*cut(b"short\n"), b"short\n");
    }
}
