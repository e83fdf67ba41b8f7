//! The cryptography of JWTs: `ring` verifies, and nothing here can sign.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature as scheme;
use signature::Verifier;

/// What a token may be signed with: public keys alone. An algorithm with a shared secret would let whoever reads the
/// issuer's public keys sign with them.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: refuse_to_sign,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has this process verify JWTs with `ring`. Doing so twice changes nothing.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

fn refuse_to_sign(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let fits = ALGORITHMS.contains(algorithm) && algorithm.family() == key.family();
    if !fits {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }))
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], proof: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let parameters = rsa(self.algorithm).ok_or_else(signature::Error::new)?;
                scheme::RsaPublicKeyComponents { n, e }.verify(parameters, message, proof)
            }
            DecodingKeyKind::SecretOrDer(point) => {
                let parameters = curve(self.algorithm).ok_or_else(signature::Error::new)?;
                scheme::UnparsedPublicKey::new(parameters, point).verify(message, proof)
            }
        };
        verified.map_err(|_| signature::Error::new())
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static scheme::RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &scheme::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &scheme::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &scheme::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &scheme::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &scheme::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &scheme::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn scheme::VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => &scheme::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &scheme::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &scheme::ED25519,
        _ => return None,
    })
}
