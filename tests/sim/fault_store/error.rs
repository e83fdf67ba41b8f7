//! What a store says when something went wrong.

use object_store::Error;
use object_store::path::Path;

pub(super) fn exists(path: &Path) -> Error {
    Error::AlreadyExists { path: path.to_string(), source: "409".into() }
}

pub(super) fn unmet(path: &Path) -> Error {
    Error::Precondition { path: path.to_string(), source: "412".into() }
}

pub(super) fn denied(path: &Path) -> Error {
    Error::PermissionDenied { path: path.to_string(), source: "403".into() }
}

pub(super) fn slow_down() -> Error {
    generic("503 SlowDown")
}

pub(super) fn broken() -> Error {
    generic("the connection broke")
}

pub(super) fn silent() -> Error {
    generic("no reply in time")
}

fn generic(why: &'static str) -> Error {
    Error::Generic { store: "simulated", source: why.into() }
}

pub(super) fn unused() -> Error {
    Error::NotImplemented {
        operation: "what hitl does not use".to_owned(),
        implementer: "FaultStore".to_owned(),
    }
}
