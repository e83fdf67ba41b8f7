//! Tells what is damaged in a store from what could not be read at the moment: repeating helps with one of the two.

use std::error::Error as StdError;
use std::io;

use object_store::Error as StoreError;
use object_store::path::Path;

use crate::disk;
use crate::error::Error;

/// What `error` means, which the store reported of the object at `path`, or of something that it names itself.
pub(crate) fn explain(path: Option<&Path>, error: StoreError) -> Error {
    if disk::is_full(&error) {
        return Error::DiskFull;
    }
    let Some(damage) = damage(&error) else {
        return Error::StoreUnavailable(Box::new(error));
    };
    let path = path.map(ToString::to_string).or(damage.what);
    let path = path.unwrap_or_else(|| "of a listing".to_owned());
    Error::RecordUnreadable { path, message: damage.message }
}

/// What stands at `path` and does not belong into a store.
pub(crate) fn foreign(path: &Path) -> Error {
    let message = "it is no key that hitl writes".to_owned();
    Error::RecordUnreadable { path: path.to_string(), message }
}

/// Whether the store has lost what it failed to give, and will fail again.
pub(crate) fn is_damage(error: &StoreError) -> bool {
    damage(error).is_some()
}

struct Damage {
    what: Option<String>,
    message: String,
}

fn damage(error: &StoreError) -> Option<Damage> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hitl_embedded::StoreError>() {
            let what = match error {
                hitl_embedded::StoreError::Damaged { what, .. } => Some(what.clone()),
                _ => None,
            };
            return error.is_damage().then(|| Damage { what, message: error.to_string() });
        }
        if let Some(error) = error.downcast_ref::<io::Error>()
            && is_of_the_disk(error)
        {
            return Some(Damage { what: None, message: error.to_string() });
        }
        cause = error.source();
    }
    None
}

/// Whether the disk, or the file system, gave up on what is stored there.
fn is_of_the_disk(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    const EBADMSG: i32 = 74;
    const EUCLEAN: i32 = 117;
    matches!(error.raw_os_error(), Some(EIO | EBADMSG | EUCLEAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(source: impl Into<Box<dyn StdError + Send + Sync>>) -> StoreError {
        StoreError::Generic { store: "s", source: source.into() }
    }

    #[test]
    fn what_the_disk_has_lost_is_no_outage() {
        let path = Path::from("events/n/1/request.json");
        let lost = explain(Some(&path), generic(io::Error::from_raw_os_error(5)));
        assert!(matches!(lost, Error::RecordUnreadable { path, .. } if path.contains("events/n")));
        for outage in [io::Error::from_raw_os_error(24), io::ErrorKind::TimedOut.into()] {
            let outage = explain(Some(&path), generic(outage));
            assert!(matches!(outage, Error::StoreUnavailable(_)), "{outage}");
        }
    }

    #[test]
    fn damage_that_the_embedded_store_found_names_what_it_found() {
        let damaged = hitl_embedded::StoreError::Damaged {
            what: "events/n/1/request.json".to_owned(),
            file: Some("db/keyspaces/1/tables/7".into()),
            reason: "checksum".to_owned(),
        };
        let error = explain(None, damaged.into()).to_string();
        for part in ["events/n/1/request.json", "tables/7", "checksum"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
