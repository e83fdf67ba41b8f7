//! Whether the files that are written are still those that a restart will find.
//!
//! A file that was deleted can be written to and synced as long as it is open: everything would be acknowledged, and
//! nothing would be there afterwards. So after each sync, and before anybody is told, the store checks that the names
//! in the directory still lead to the files that it has open. That costs a few microseconds beside the sync.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Directories and files by the names under which they were opened.
#[derive(Debug)]
pub struct Place {
    /// Each is held open, so that its number is not given to another.
    opened: Vec<(PathBuf, File)>,
    journal: Option<Mutex<Journal>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Id {
    device: u64,
    number: u64,
}

/// The journal that is written at present: the one with the highest number.
#[derive(Debug)]
struct Journal {
    dir: PathBuf,
    /// When the directory had last gained or lost a file.
    dir_changed: (i64, i64),
    number: u64,
    file: File,
}

impl Place {
    /// What these names lead to now.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> io::Result<Self> {
        let open = |path: PathBuf| File::open(&path).map(|file| (path, file));
        let opened = paths.into_iter().map(open).collect::<io::Result<_>>()?;
        Ok(Self { opened, journal: None })
    }

    /// Watches over the newest journal in `dir` as well.
    pub(crate) fn with_journal(mut self, dir: &Path) -> io::Result<Self> {
        let newest = newest_journal(dir)?;
        let (number, path) = newest.ok_or_else(|| io::Error::other("it has no journal"))?;
        let dir_changed = changed(&fs::metadata(dir)?);
        let journal = Journal { dir: dir.to_owned(), dir_changed, number, file: File::open(path)? };
        self.journal = Some(Mutex::new(journal));
        Ok(self)
    }

    /// # Errors
    /// What is not there any more, in words for a person.
    pub fn check(&self) -> Result<(), String> {
        for (path, file) in &self.opened {
            let lost = |error| format!("{} is lost: {error}", path.display());
            let opened = Id::of(&file.metadata().map_err(lost)?);
            match fs::metadata(path) {
                Ok(meta) if Id::of(&meta) == opened => {}
                Ok(_) => {
                    return Err(format!("{} was replaced while it was in use", path.display()));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(format!(
                        "{} was deleted or moved away while it was in use",
                        path.display()
                    ));
                }
                Err(error) => return Err(lost(error)),
            }
        }
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal
            .check()
            .map_err(|error| format!("the journal in {}: {error}", journal.dir.display()))
    }
}

impl Journal {
    fn check(&mut self) -> io::Result<()> {
        let dir_changed = changed(&fs::metadata(&self.dir)?);
        let is_linked = self.file.metadata()?.nlink() > 0;
        if is_linked && dir_changed == self.dir_changed {
            return Ok(());
        }
        match newest_journal(&self.dir)? {
            Some((number, path)) if number > self.number => {
                self.number = number;
                self.file = File::open(path)?;
            }
            Some((number, path))
                if number == self.number
                    && Id::of(&fs::metadata(&path)?) == Id::of(&self.file.metadata()?) => {}
            _ => return Err(io::Error::other("it was deleted or replaced while it was in use")),
        }
        self.dir_changed = dir_changed;
        Ok(())
    }
}

impl Id {
    fn of(meta: &Metadata) -> Self {
        Self { device: meta.dev(), number: meta.ino() }
    }
}

fn changed(meta: &Metadata) -> (i64, i64) {
    (meta.mtime(), meta.mtime_nsec())
}

fn newest_journal(dir: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    let mut newest = None;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_journal = path.extension().is_some_and(|extension| extension == "jnl");
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number.filter(|_| is_journal) {
            newest = newest.max(Some((number, path)));
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dir: &Path) -> Place {
        Place::of([dir.to_owned()]).unwrap().with_journal(dir).unwrap()
    }

    #[test]
    fn a_journal_that_is_followed_by_another_is_no_loss_and_one_that_is_deleted_is() {
        let dir = tempfile::tempdir().unwrap();
        let journal = |number: u64| dir.path().join(format!("{number}.jnl"));
        fs::write(journal(9), "x").unwrap();
        let place = place(dir.path());
        place.check().unwrap();
        fs::write(journal(10), "x").unwrap();
        fs::remove_file(journal(9)).unwrap();
        place.check().unwrap();
        fs::remove_file(journal(10)).unwrap();
        assert!(place.check().unwrap_err().contains("deleted"));
        fs::write(journal(10), "x").unwrap();
        assert!(place.check().unwrap_err().contains("replaced"), "another file of that name");
    }

    #[test]
    fn a_directory_that_is_moved_deleted_or_replaced_is_a_loss() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        fs::create_dir(&here).unwrap();
        fs::write(here.join("0.jnl"), "x").unwrap();
        let place = place(&here);
        fs::rename(&here, &there).unwrap();
        assert!(place.check().unwrap_err().contains("moved away"));
        fs::create_dir(&here).unwrap();
        fs::write(here.join("0.jnl"), "x").unwrap();
        assert!(place.check().unwrap_err().contains("replaced"));
        fs::remove_dir_all(&here).unwrap();
        fs::rename(&there, &here).unwrap();
        place.check().unwrap();
    }
}
