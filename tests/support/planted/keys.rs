//! Which event a key of the store is of, as `{namespace}-{id}`.

use object_store::path::Path;

/// The event whose outcome stands at `path`.
pub(super) fn outcome(path: &Path) -> Option<String> {
    let event = path.as_ref().strip_prefix("events/")?.strip_suffix("/response.json")?;
    Some(event.replace('/', "-"))
}

/// The event whose end is announced at `path`.
pub(super) fn announced(path: &Path) -> Option<&str> {
    let (_, name) = path.as_ref().strip_prefix("resolved/")?.rsplit_once('/')?;
    name.split_once('-').map(|(_, event)| event)
}

/// The event whose timer stands at `path`.
pub(super) fn timed(path: &Path) -> Option<&str> {
    let (_, name) = path.as_ref().strip_prefix("timers/")?.rsplit_once('/')?;
    name.split_once("-expire-").map(|(_, event)| event)
}

/// The other record of the event whose records are `path` and that.
pub(super) fn beside(path: &Path, name: &'static str) -> Path {
    let mut parts: Vec<_> = path.parts().collect();
    parts.pop();
    parts.into_iter().collect::<Path>().join(name)
}
