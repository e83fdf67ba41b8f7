//! What it means that TLS failed, and what to do about it.

use std::io;

use rustls::{CertificateError, PeerIncompatible};

use crate::endpoint::Endpoint;
use crate::error::Error;

/// How rustls begins to say what the peer has refused. The rest is the name of an alert.
const ALERT: &str = "received fatal alert: ";
/// What is said of a port that speaks TLS to whoever does not.
const TLS_WANTED: &str = "this port speaks TLS";

/// Why `endpoint` and this client do not agree on TLS.
pub(crate) fn explain(endpoint: &Endpoint, error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    Error::no_server(match inner {
        Some(rustls::Error::InvalidCertificate(why)) => of_certificate(endpoint, why),
        Some(rustls::Error::AlertReceived(alert)) => {
            of_alert(&endpoint.to_string(), &format!("{alert:?}"))
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            format!(
                "{endpoint} does not speak TLS: use http:// if it is to be reached in plain text"
            )
        }
        Some(rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)) => {
            format!("{endpoint} speaks neither TLS 1.3 nor TLS 1.2")
        }
        Some(other) => format!("TLS with {endpoint} failed: {other}"),
        None => {
            return Error::unavailable(format!(
                "cannot reach the hitl server at {endpoint}: the connection broke before TLS was agreed on: {error}"
            ));
        }
    })
}

/// The same of a connection that was agreed on: in TLS 1.3 a server refuses a client after that. `root` is what its
/// first call failed with, in the words of rustls or of the server. None if TLS has nothing to do with it.
pub(crate) fn explain_later(endpoint: &str, root: &str) -> Option<Error> {
    if let Some((_, alert)) = root.split_once(ALERT) {
        return Some(Error::no_server(of_alert(endpoint, alert)));
    }
    root.contains(TLS_WANTED).then(|| {
        Error::no_server(format!(
            "{endpoint} speaks TLS, and the endpoint is plain http: use https://"
        ))
    })
}

fn of_certificate(endpoint: &Endpoint, why: &CertificateError) -> String {
    let of = format!("the certificate of the server at {endpoint}");
    match why {
        CertificateError::UnknownIssuer => format!(
            "{of} is signed by an authority that is not trusted here: give the certificate of that authority as `ca`, \
             or its file in HITL_CA"
        ),
        CertificateError::NotValidForName => {
            format!("{of} is not for the name {}: {OTHER_NAME}", endpoint.host_name())
        }
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "{of} is not for the name {}, but for {}: {OTHER_NAME}",
            endpoint.host_name(),
            presented.join(", ")
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!(
                "{of} has expired: give the server another, or look at the clock of this machine"
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("{of} is not valid yet: look at the clock of this machine")
        }
        other => format!("{of} is not usable: {other}"),
    }
}

const OTHER_NAME: &str =
    "use an endpoint with a name that it is for, or give the server a certificate for this one";

/// What a server says by the alert of this name.
fn of_alert(endpoint: &str, alert: &str) -> String {
    match alert {
        "CertificateRequired" => format!(
            "the server at {endpoint} wants a certificate of the client: give it as `cert` and its key as `key`, or \
             their files in HITL_CERT and HITL_KEY"
        ),
        "UnknownCA"
        | "BadCertificate"
        | "CertificateExpired"
        | "CertificateRevoked"
        | "CertificateUnknown"
        | "UnsupportedCertificate"
        | "AccessDenied"
        | "DecryptError" => format!(
            "the server at {endpoint} refused the certificate of this client ({alert}): give one that it trusts as \
             `cert` and its key as `key`, or their files in HITL_CERT and HITL_KEY"
        ),
        "NoApplicationProtocol" => {
            format!("{endpoint} does not speak HTTP/2, so it is no hitl server")
        }
        other => format!("the server at {endpoint} ended TLS: {other}"),
    }
}
