//! Files with secret keys: made for their owner alone, and refused if others can read them, since whoever has a key can
//! do what it is for: make links to every event, or sign receipts of what never happened. Other secrets in files are
//! held to the same.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hitl_store::random::{self, Random};

/// Longest file that is read: a key, and what surrounds it.
const FILE_BYTES_MAX: u64 = 1024;
/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// The key in `file`: 64 hexadecimal digits. If there is no such file it is made, readable by its owner alone.
///
/// # Errors
/// The file cannot be read or made, can be read by others, or holds no key.
pub(super) fn load_or_make(file: &Path, random: &dyn Random) -> io::Result<[u8; KEY_BYTES]> {
    load_or_make_text(file, random).and_then(|text| parse(text.trim()))
}

/// What is in `file`. If there is no such file it is made, with a key, readable by its owner alone.
///
/// # Errors
/// The file cannot be read or made, or can be read by others.
pub(super) fn load_or_make_text(file: &Path, random: &dyn Random) -> io::Result<String> {
    loop {
        match read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(file, random)?,
            read => return read,
        }
    }
}

/// Puts a new key in the place of the one in `file`, whole and durable, and returns it.
///
/// # Errors
/// The file cannot be written, or there is none to replace.
pub(super) fn replace(file: &Path, random: &dyn Random) -> io::Result<[u8; KEY_BYTES]> {
    load_existing(file)?;
    let new = random::bytes::<KEY_BYTES>(random);
    replace_text(file, &digits(&new), random)?;
    Ok(new)
}

/// Puts `text` in the place of what is in `file`, whole and durable.
///
/// # Errors
/// The file cannot be written.
pub(super) fn replace_text(file: &Path, text: &str, random: &dyn Random) -> io::Result<()> {
    let scratch = write_new(file, text, random)?;
    let renamed = std::fs::rename(&scratch, file);
    renamed.inspect_err(|_| drop(std::fs::remove_file(&scratch)))?;
    if let Some(directory) = file.parent().filter(|it| !it.as_os_str().is_empty()) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// The key in `file`, which is there.
///
/// # Errors
/// As [`load_or_make`], and if there is no such file.
pub(super) fn load_existing(file: &Path) -> io::Result<[u8; KEY_BYTES]> {
    parse(read(file)?.trim())
}

/// What is in `file`.
pub(super) fn read(file: &Path) -> io::Result<String> {
    let opened = File::open(file)?;
    refuse_exposed(file, &opened, "may do what it is the key to")?;
    let mut text = String::new();
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// The key that these 64 hexadecimal digits are.
///
/// # Errors
/// They are no such.
pub(super) fn parse(text: &str) -> io::Result<[u8; KEY_BYTES]> {
    let pair =
        |at: usize| text.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Vec<u8> = (0..KEY_BYTES).map_while(pair).collect();
    let bytes = bytes.try_into().ok().filter(|_| text.len() == 2 * KEY_BYTES);
    bytes.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "it must hold 64 hexadecimal digits")
    })
}

/// Writes a new key in a file of its own and then gives that its name, so that nobody ever
/// reads half a key; whoever comes second leaves the first one's.
fn make(file: &Path, random: &dyn Random) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let key = digits(&random::bytes::<KEY_BYTES>(random));
    let scratch = write_new(file, &key, random)?;
    let linked = std::fs::hard_link(&scratch, file);
    std::fs::remove_file(&scratch)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// `bytes` as hexadecimal digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `text` in a new file beside `file`.
fn write_new(file: &Path, text: &str, random: &dyn Random) -> io::Result<PathBuf> {
    let scratch = file.with_extension(digits(&random::bytes::<8>(random)));
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&scratch)?;
    let written = written.write_all(text.as_bytes()).and_then(|()| written.sync_all());
    written.inspect_err(|_| drop(std::fs::remove_file(&scratch)))?;
    Ok(scratch)
}

/// A file that root owns and gives to our group to read is how a secret is handed to a server, by Kubernetes for one:
/// nobody else is in that group, and we could not change it. `power` is what whoever has the key can do.
pub(crate) fn refuse_exposed(file: &Path, opened: &File, power: &str) -> io::Result<()> {
    let meta = opened.metadata()?;
    let us = rustix::process::geteuid().as_raw();
    let is_handed_over = meta.uid() == 0 && us != 0;
    let exposed = if is_handed_over { 0o037 } else { 0o077 };
    if meta.mode() & exposed == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("others can read it, and whoever can {power}: run `chmod 600 {}`", file.display()),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::auth::LinkKeys;
    use hitl_store::random::SystemRandom;

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/link.key");
        LinkKeys::load_or_make(&file, &SystemRandom).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!([mode(&file), mode(&directory.path().join("deep"))], [0o600, 0o700]);
        let set = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        for exposed in [0o604, 0o640, 0o660, 0o602, 0o777] {
            set(exposed);
            let refused = LinkKeys::load_or_make(&file, &SystemRandom).unwrap_err().to_string();
            let command = format!("`chmod 600 {}`", file.display());
            assert!(refused.contains(&command), "{exposed:o}: {refused}");
        }
        for private in [0o600, 0o400] {
            set(private);
            LinkKeys::load_or_make(&file, &SystemRandom).unwrap();
        }
    }

    #[test]
    fn a_key_is_replaced_whole_and_only_if_there_is_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("receipt.key");
        let absent = replace(&file, &SystemRandom).unwrap_err();
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
        let old = load_or_make(&file, &SystemRandom).unwrap();
        let new = replace(&file, &SystemRandom).unwrap();
        assert_ne!(old, new);
        assert_eq!(load_or_make(&file, &SystemRandom).unwrap(), new);
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1, "nothing is left beside it");
    }
}
