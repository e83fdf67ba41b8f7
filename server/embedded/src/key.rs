//! Keys in the engine. One tag byte keeps the objects apart from the store's own entries, so
//! that no path, whatever it contains, can reach those.

use std::ops::Bound;

use object_store::path::{DELIMITER_BYTE, Path};

use crate::error::StoreError;

const OBJECT: u8 = b'o';

/// The format of everything in the directory; see `engine`.
pub(crate) const FORMAT: &[u8] = b"mformat";
/// No version at or above this has been given out; see `versions`.
pub(crate) const VERSIONS: &[u8] = b"mversions";
/// Something always stands here: before everything else, and behind it. See [`reclaim`](crate::reclaim).
pub(crate) const EDGES: [&[u8]; 2] = [b"a", b"z"];
/// Nothing ever stands here.
pub(crate) const NOTHING: &[u8] = b"mformat\0";

pub(crate) type Key = fjall::Slice;
pub(crate) type KeyRange = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The key of the object at `path`.
pub(crate) fn of(path: &Path) -> Key {
    Key::from(prefixed(path))
}

/// The path of the object at `key`.
pub(crate) fn path(key: &[u8]) -> Result<Path, StoreError> {
    let raw = key
        .strip_prefix(&[OBJECT])
        .and_then(|raw| std::str::from_utf8(raw).ok())
        .ok_or(StoreError::Record("its key is not that of an object"))?;
    Path::parse(raw).map_err(|_| StoreError::Record("its key is not a path"))
}

/// What every object below the directory `prefix` starts with.
pub(crate) fn directory(prefix: Option<&Path>) -> Vec<u8> {
    match prefix.filter(|path| !path.is_root()) {
        None => vec![OBJECT],
        Some(path) => {
            let mut start = prefixed(path);
            start.push(DELIMITER_BYTE);
            start
        }
    }
}

/// All keys that start with `start`, which must not be empty and not end in 0xff.
pub(crate) fn starting_with(start: &[u8]) -> KeyRange {
    (Bound::Included(start.to_vec()), Bound::Excluded(after(start)))
}

/// The keys of `range` after the object at `offset`, which need not exist.
pub(crate) fn after_offset(range: KeyRange, offset: &Path) -> KeyRange {
    let offset = prefixed(offset);
    match &range.0 {
        Bound::Included(start) if *start > offset => range,
        _ => (Bound::Excluded(offset), range.1),
    }
}

/// A key next to `key` that no object can have: no path has this character.
pub(crate) fn unused_after(key: &[u8]) -> Key {
    Key::from([key, b"\0"].concat())
}

/// The first key after all those that start with `start`.
pub(crate) fn after(start: &[u8]) -> Vec<u8> {
    let mut end = start.to_vec();
    let last = end.last_mut().expect("a prefix has its tag byte at least");
    *last += 1;
    end
}

fn prefixed(path: &Path) -> Vec<u8> {
    let raw = path.as_ref().as_bytes();
    let mut key = Vec::with_capacity(raw.len() + 2);
    key.push(OBJECT);
    key.extend_from_slice(raw);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_its_path_back() {
        for raw in ["a", "a/b c/d", "%48/x", "🙀/😀.parquet", "m", "mformat"] {
            let expected = Path::parse(raw).unwrap();
            assert_eq!(path(&of(&expected)).unwrap(), expected);
        }
        assert!(path(FORMAT).is_err());
    }

    #[test]
    fn a_directory_ends_at_its_delimiter() {
        let (start, end) = starting_with(&directory(Some(&Path::from("a/b"))));
        assert_eq!(start, Bound::Included(b"oa/b/".to_vec()));
        assert_eq!(end, Bound::Excluded(b"oa/b0".to_vec()));
        assert_eq!(directory(None), directory(Some(&Path::from("/"))));
    }
}
