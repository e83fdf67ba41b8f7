//! Whether a request comes from Slack: signatures of version v0, by the signing secret of the app.

use std::time::Duration;

use hitl_core::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far the time of a request may be from ours, in either direction. What is older may be somebody's copy.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// Digits of a signature.
const DIGITS: usize = 64;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Forged {
    /// A header is missing, or is nothing that Slack sends.
    #[error("it has no signature of Slack's")]
    Unsigned,
    /// It was signed too long ago, or in the future.
    #[error("it was signed more than 5 minutes ago, or our clock is wrong")]
    Stale,
    /// It was signed with another secret, or is not what was signed.
    #[error("the signature is not of this body by the signing secret of this channel")]
    Wrong,
}

/// Checks that `body` was signed at `time`, as the header says, with `secret`, and not long before `now`.
///
/// # Errors
/// [`Forged`].
pub(crate) fn check(
    secret: &str,
    time: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Forged> {
    let (time, signature) = time.zip(signature).ok_or(Forged::Unsigned)?;
    // As it was signed: a number that is written otherwise is another text.
    if secret.is_empty() || time.len() > 12 || !time.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Forged::Unsigned);
    }
    let seconds: i64 = time.parse().map_err(|_| Forged::Unsigned)?;
    if now.ms().div_euclid(1000).abs_diff(seconds) > WINDOW.as_secs() {
        return Err(Forged::Stale);
    }
    let digits = signature.strip_prefix("v0=").ok_or(Forged::Unsigned)?;
    let expected = bytes(digits).ok_or(Forged::Unsigned)?;
    // In constant time.
    mac(secret, time, body).verify_slice(&expected).map_err(|_| Forged::Wrong)
}

fn mac(secret: &str, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
    for part in [b"v0:", time.as_bytes(), b":", body] {
        mac.update(part);
    }
    mac
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.len() != DIGITS || !digits.bytes().all(is_hex) {
        return None;
    }
    (0..DIGITS).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIME: &str = "1531420618";
    const BODY: &[u8] =
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&\
channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&\
command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F\
T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.\
803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000).unwrap()
    }

    fn judged(time: &str, signature: &str, body: &[u8], now: i64) -> Result<(), Forged> {
        check(SECRET, Some(time), Some(signature), body, at(now))
    }

    #[test]
    fn what_slack_signs_is_taken_within_five_minutes() {
        for now in [1_531_420_618, 1_531_420_318, 1_531_420_918] {
            assert_eq!(judged(TIME, SIGNATURE, BODY, now), Ok(()), "{now}");
        }
        for now in [1_531_420_317, 1_531_420_919, 0] {
            assert_eq!(judged(TIME, SIGNATURE, BODY, now), Err(Forged::Stale), "{now}");
        }
    }

    #[test]
    fn no_byte_may_be_another() {
        let now = 1_531_420_618;
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 1;
            assert_eq!(judged(TIME, SIGNATURE, &body, now), Err(Forged::Wrong), "{at}");
        }
        assert_eq!(judged("1531420619", SIGNATURE, BODY, now), Err(Forged::Wrong));
        let other = SIGNATURE.replace("a211", "a212");
        assert_eq!(judged(TIME, &other, BODY, now), Err(Forged::Wrong));
        let other = check("another", Some(TIME), Some(SIGNATURE), BODY, at(now));
        assert_eq!(other, Err(Forged::Wrong));
    }

    #[test]
    fn what_is_no_signature_is_told_apart_from_a_wrong_one() {
        let now = 1_531_420_618;
        for signature in ["", "v0=", "v1=00", &SIGNATURE[..66], &SIGNATURE.to_uppercase()] {
            assert_eq!(judged(TIME, signature, BODY, now), Err(Forged::Unsigned), "{signature}");
        }
        for time in ["", "+1531420618", " 1531420618", "99999999999999999999", "1531420618.0"] {
            assert_eq!(judged(time, SIGNATURE, BODY, now), Err(Forged::Unsigned), "{time}");
        }
        assert_eq!(check(SECRET, None, Some(SIGNATURE), BODY, at(now)), Err(Forged::Unsigned));
        // A channel without a secret takes nothing, whatever is signed with no secret.
        assert_eq!(check("", Some(TIME), Some(SIGNATURE), BODY, at(now)), Err(Forged::Unsigned));
    }
}
