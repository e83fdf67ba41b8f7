//! A file beside the directory of a store that says that there was a store, so that nobody makes an empty one there.
//!
//! A directory that was deleted, or whose disk is not mounted, looks like one that was never used. A server that
//! began anew there would call every event unknown. So a file beside it says that there was a store, and does not go
//! away with the disk if the directory is its mount point.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::open::OpenError;
use crate::url::StoreUrl;

/// The marker of the store in `directory`: `store.made` beside `store`.
pub fn beside(directory: &Path) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".made");
    directory.with_file_name(name)
}

/// Refuses a directory that has no store, if its marker or one of `signs` says that it had one.
pub(crate) fn check(url: &StoreUrl, signs: &[PathBuf]) -> Result<(), OpenError> {
    let Some(directory) = lost(url) else {
        return Ok(());
    };
    let marker = beside(directory);
    let sign = std::iter::once(&marker).chain(signs).find(|sign| sign.exists());
    sign.map_or(Ok(()), |sign| {
        Err(OpenError::Gone { directory: directory.to_owned(), sign: sign.clone() })
    })
}

/// Leaves the marker of the store at `url`, which was opened.
pub(crate) fn leave(url: &StoreUrl) {
    let (StoreUrl::Embedded(directory) | StoreUrl::Files(directory)) = url else {
        return;
    };
    let marker = beside(directory);
    match write(&marker, directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // The directory may be all that this user may write to.
        Err(error) => tracing::debug!(marker = %marker.display(), %error, "no marker is left"),
    }
}

/// The directory of the store at `url`, if there is no store in it.
fn lost(url: &StoreUrl) -> Option<&Path> {
    let (directory, part) = match url {
        StoreUrl::Embedded(directory) => (directory, "db"),
        StoreUrl::Files(directory) => (directory, "meta/format.json"),
        StoreUrl::Memory | StoreUrl::Bucket(_) => return None,
    };
    // What cannot be looked at says why when it is opened.
    let is_lost = matches!(directory.join(part).try_exists(), Ok(false));
    is_lost.then_some(directory)
}

fn write(marker: &Path, directory: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(marker)?;
    writeln!(
        file,
        "There is a hitl store in {}. As long as this file is here, no empty one is made in its place.",
        directory.display()
    )?;
    file.sync_all()?;
    fs::File::open(
        marker.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")),
    )?
    .sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_store_was_none_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store");
        let kinds = [
            (StoreUrl::Embedded(store.clone()), "db"),
            (StoreUrl::Files(store.clone()), "meta/format.json"),
        ];
        for (url, part) in kinds {
            check(&url, &[]).unwrap();
            fs::create_dir_all(store.join(part)).unwrap();
            leave(&url);
            check(&url, &[]).unwrap();
            fs::remove_dir_all(&store).unwrap();
            let refused = check(&url, &[]).unwrap_err().to_string();
            let marker = beside(&store).display().to_string();
            assert!(refused.contains("begin anew") && refused.contains(&marker), "{refused}");
            // The directory alone is what is left where a disk is not mounted.
            fs::create_dir(&store).unwrap();
            check(&url, &[]).unwrap_err();
            fs::remove_dir_all(&store).unwrap();
            fs::remove_file(beside(&store)).unwrap();
            check(&url, &[]).unwrap();
        }
    }

    #[test]
    fn a_link_key_says_so_as_well() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("store.link.key");
        let url = StoreUrl::Embedded(dir.path().join("store"));
        check(&url, std::slice::from_ref(&key)).unwrap();
        fs::write(&key, "x").unwrap();
        let refused = check(&url, std::slice::from_ref(&key)).unwrap_err().to_string();
        assert!(refused.contains("store.link.key"), "{refused}");
    }
}
