//! What a token says, and whether that holds for us, now.

use hitl_core::Timestamp;
use serde_json::{Map, Value};

/// How far the clocks of issuer and server may be apart: a minute.
pub(super) const SKEW_S: i64 = 60;

/// Longest subject. The specification allows 255 characters.
const SUBJECT_BYTES_MAX: usize = 255;

/// Name of the claim that only logout tokens have.
const EVENTS: &str = "events";
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The claims of a token with a good signature.
#[derive(Clone, Debug)]
pub(super) struct Claims(pub(super) Map<String, Value>);

/// What a token is for. Each is refused where another is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    /// It is shown with a call.
    Bearer,
    /// It came back from a sign-in that was begun with this nonce.
    Identity { nonce: &'a str },
    /// It tells that a person has signed out elsewhere.
    Logout,
}

impl Claims {
    /// The text of the claim `name`; empty if it is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Who it is about.
    pub(super) fn subject(&self) -> &str {
        self.text("sub")
    }

    /// The session at the issuer; empty if it says none.
    pub(super) fn session(&self) -> &str {
        self.text("sid")
    }

    /// Takes what `more` says beyond this. What is said already stays, and another's claims are not taken.
    pub(super) fn add(&mut self, more: Map<String, Value>) -> Result<(), &'static str> {
        if more.get("sub").and_then(Value::as_str) != Some(self.subject()) {
            return Err("the issuer's userinfo is about somebody else");
        }
        for (name, value) in more {
            self.0.entry(name).or_insert(value);
        }
        Ok(())
    }

    /// Whether the claims are those of a token of this `kind` that `issuer` made for `audience`, and hold at `now`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn check(
        &self,
        kind: Kind<'_>,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        if self.text("iss") != issuer {
            return Err("another issuer made it");
        }
        if !self.is_for(audience) {
            return Err("it is for another audience");
        }
        self.check_times(kind, now)?;
        if self.subject().len() > SUBJECT_BYTES_MAX {
            return Err("its subject is too long");
        }
        match kind {
            Kind::Logout => self.check_logout(),
            Kind::Bearer | Kind::Identity { .. } if self.0.contains_key(EVENTS) => {
                Err("it is a logout token")
            }
            Kind::Bearer | Kind::Identity { .. } if self.subject().is_empty() => {
                Err("it names no subject")
            }
            Kind::Bearer => Ok(()),
            Kind::Identity { nonce } => self.check_identity(nonce, audience),
        }
    }

    fn is_for(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(only)) => only == audience,
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        }
    }

    /// Until when it is good; `None` if that is farther away than any instant.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let end_s = self.seconds("exp").ok()??.saturating_add(SKEW_S);
        Timestamp::from_ms(end_s.checked_mul(1000)?)
    }

    fn check_times(&self, kind: Kind<'_>, now: Timestamp) -> Result<(), &'static str> {
        let now_s = now.ms().div_euclid(1000);
        match (self.seconds("exp")?, kind) {
            (Some(expiry), _) if now_s >= expiry.saturating_add(SKEW_S) => {
                return Err("it has expired");
            }
            (Some(_), _) => {}
            // Older issuers leave it out of logout tokens, which then hold as long as any does that is new.
            (None, Kind::Logout) => {}
            (None, _) => return Err("it never expires"),
        }
        if self.seconds("nbf")?.is_some_and(|begin| now_s < begin.saturating_sub(SKEW_S)) {
            return Err("it does not hold yet");
        }
        let issued = self.seconds("iat")?;
        if issued.is_some_and(|issued| now_s < issued.saturating_sub(SKEW_S)) {
            return Err("it was made in the future");
        }
        if matches!(kind, Kind::Logout) {
            let age = issued.map(|issued| now_s.saturating_sub(issued));
            return match age {
                Some(age) if age <= LOGOUT_AGE_S => Ok(()),
                _ => Err("it does not say that it was made just now"),
            };
        }
        Ok(())
    }

    /// A time in whole seconds. Some issuers write fractions.
    fn seconds(&self, name: &str) -> Result<Option<i64>, &'static str> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let whole = value.as_i64();
        let seconds = whole.or_else(|| {
            value.as_f64().filter(|s| (0.0..1e12).contains(s)).map(|seconds| seconds as i64)
        });
        seconds.map(Some).ok_or("one of its times is no number")
    }

    fn check_identity(&self, nonce: &str, client: &str) -> Result<(), &'static str> {
        if nonce.is_empty() || self.text("nonce") != nonce {
            return Err("it was made for another sign-in");
        }
        let authorized = self.0.get("azp").and_then(Value::as_str);
        if authorized.is_some_and(|authorized| authorized != client) {
            return Err("it was made for another client");
        }
        Ok(())
    }

    fn check_logout(&self) -> Result<(), &'static str> {
        let events = self.0.get(EVENTS).and_then(Value::as_object);
        if !events.is_some_and(|events| events.contains_key(LOGOUT)) {
            return Err("it is no logout token");
        }
        if self.0.contains_key("nonce") {
            return Err("a logout token has no nonce");
        }
        if self.subject().is_empty() && self.session().is_empty() {
            return Err("it does not say who has signed out");
        }
        Ok(())
    }
}

/// Oldest logout token that is taken: five minutes.
const LOGOUT_AGE_S: i64 = 300;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://issuer.example";
    const NOW_S: i64 = 1_800_000_000;

    fn claims(changes: &Value) -> Claims {
        let mut claims =
            json!({"iss": ISSUER, "aud": "us", "sub": "ann", "exp": NOW_S + 10, "iat": NOW_S});
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        let Value::Object(claims) = claims else { unreachable!() };
        Claims(claims)
    }

    fn check(kind: Kind<'_>, changes: &Value) -> Result<(), &'static str> {
        let now = Timestamp::from_ms(NOW_S * 1000).unwrap();
        claims(changes).check(kind, ISSUER, "us", now)
    }

    #[test]
    fn a_token_holds_for_its_audience_from_its_issuer_and_in_its_time_within_a_minute() {
        for good in [
            json!({}),
            json!({"aud": ["them", "us"]}),
            json!({"exp": NOW_S - 59}),
            json!({"exp": f64::from(1_800_000_100) + 0.5}),
            json!({"nbf": NOW_S + 60}),
            json!({"iat": NOW_S + 60}),
            json!({"iat": null}),
        ] {
            assert_eq!(check(Kind::Bearer, &good), Ok(()), "{good}");
        }
        for bad in [
            json!({"iss": "https://issuer.example/"}),
            json!({"iss": null}),
            json!({"aud": "them"}),
            json!({"aud": ["them"]}),
            json!({"aud": null}),
            json!({"aud": {"us": "us"}}),
            json!({"exp": NOW_S - 60}),
            json!({"exp": null}),
            json!({"exp": "1900000000"}),
            json!({"exp": -1e300}),
            json!({"nbf": NOW_S + 61}),
            json!({"nbf": "soon"}),
            json!({"iat": NOW_S + 61}),
            json!({"sub": null}),
            json!({"sub": ""}),
            json!({"sub": 7}),
            json!({"sub": "x".repeat(256)}),
        ] {
            assert!(check(Kind::Bearer, &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_identity_is_that_of_the_sign_in_that_was_begun() {
        let identity = Kind::Identity { nonce: "n" };
        assert_eq!(check(identity, &json!({"nonce": "n"})), Ok(()));
        assert_eq!(check(identity, &json!({"nonce": "n", "azp": "us"})), Ok(()));
        for bad in [json!({}), json!({"nonce": "m"}), json!({"nonce": "n", "azp": "them"})] {
            assert!(check(identity, &bad).is_err(), "{bad}");
        }
        assert!(check(Kind::Identity { nonce: "" }, &json!({"nonce": ""})).is_err());
    }

    #[test]
    fn a_logout_token_is_that_and_nothing_else() {
        let logout = json!({"events": {LOGOUT: {}}});
        assert_eq!(check(Kind::Logout, &logout), Ok(()));
        assert!(check(Kind::Bearer, &logout).is_err());
        let with = |name: &str, value: Value| {
            let mut changed = logout.clone();
            changed[name] = value;
            check(Kind::Logout, &changed)
        };
        assert_eq!(with("sub", json!("")), Err("it does not say who has signed out"));
        assert!(with("nonce", json!("n")).is_err());
        assert!(with("events", json!({"other": {}})).is_err());
        assert!(with("iat", json!(NOW_S - 301)).is_err());
        assert!(with("iat", Value::Null).is_err());
        assert!(check(Kind::Logout, &json!({})).is_err());
    }

    #[test]
    fn userinfo_adds_to_a_token_and_changes_nothing_in_it() {
        let mut own = claims(&json!({}));
        let more = json!({"sub": "ann", "iss": "https://evil.example", "groups": ["a"]});
        own.add(more.as_object().unwrap().clone()).unwrap();
        assert_eq!((own.text("iss"), own.0["groups"].clone()), (ISSUER, json!(["a"])));
        assert!(own.add(json!({"sub": "bob"}).as_object().unwrap().clone()).is_err());
        assert!(own.add(Map::new()).is_err());
    }
}
