//! JWTs: no text but one that the issuer has signed is taken, and of those only what holds here and now.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_server::auth::oidc::subject_of;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::world::now;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "hitl";

/// What begins with `{` are the claims of a token that is signed; the rest stands in the place of a real token, or is
/// laid over it bit by bit if it begins with `^`.
pub(super) fn run(input: &[u8]) {
    let issuer = Issuer::new();
    if input.starts_with(b"{") {
        let said = issuer.judge(&issuer.sign(input));
        assert_eq!(said.is_ok(), said.is_ok_and(|subject| holds(input, &subject)));
        return;
    }
    let end_s = now().ms() / 1000 + 3_600;
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": end_s});
    let real = issuer.sign(claims.to_string().as_bytes());
    let made: Vec<u8> = match input.strip_prefix(b"^") {
        Some(mask) => {
            let mask = mask.iter().copied().chain(std::iter::repeat(0));
            real.bytes().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
        }
        None => input.to_vec(),
    };
    let Ok(made) = std::str::from_utf8(&made) else { return };
    assert_eq!(issuer.judge(made).ok().as_deref(), (made == real).then_some("ann"), "{made}");
}

/// Whether these claims are about `subject`, and are for us, now.
fn holds(claims: &[u8], subject: &str) -> bool {
    let Ok(claims) = serde_json::from_slice::<Value>(claims) else { return false };
    let is_ours = match &claims["aud"] {
        Value::Array(all) => all.iter().any(|one| one == AUDIENCE),
        one => one == AUDIENCE,
    };
    let now_s = now().ms() as f64 / 1000.0;
    let ends_later = claims["exp"].as_f64().is_some_and(|end_s| end_s + 61.0 > now_s);
    claims["iss"] == ISSUER && claims["sub"] == subject && is_ours && ends_later
}

/// An issuer with one key.
struct Issuer {
    key: Ed25519KeyPair,
    jwks: String,
}

impl Issuer {
    fn new() -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed has 32 bytes");
        let x = BASE64.encode(key.public_key().as_ref());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "one", "x": x});
        Self { key, jwks: json!({"keys": [jwk]}).to_string() }
    }

    fn sign(&self, claims: &[u8]) -> String {
        let head = BASE64.encode(br#"{"alg":"EdDSA","kid":"one","typ":"at+jwt"}"#);
        let message = format!("{head}.{}", BASE64.encode(claims));
        format!("{message}.{}", BASE64.encode(self.key.sign(message.as_bytes()).as_ref()))
    }

    fn judge(&self, token: &str) -> Result<String, String> {
        subject_of(token, self.jwks.as_bytes(), ISSUER, AUDIENCE, now())
    }
}
