//! A receipt is as it was signed, or it proves nothing.

use proptest::prelude::*;

use super::*;
use crate::SigningKey;

const TEXT: &str = concat!(
    r#"{"format":"hitl.receipt.v1","question":{"id":"07070707070707070707070707070707","namespace":"default","#,
    r#""prompt":"Ship ü?"},"response":{"responder":{"name":"Ann"},"state":"EVENT_STATE_ANSWERED","#,
    r#""time":"2026-11-22T13:37:01.023Z","value":{"int":"7"}}}"#
);

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn keys(of: &[u8]) -> KeySet {
    of.iter().map(|n| key(*n).public()).collect()
}

fn receipt(n: u8) -> Receipt {
    Receipt::new(TEXT.to_owned(), key(n).seal(1, TEXT)).unwrap()
}

#[test]
fn a_receipt_is_verified_with_its_key_and_says_what_was_signed() {
    let said = receipt(1).verify(&keys(&[1])).unwrap();
    assert_eq!(said.event_id(), "07070707070707070707070707070707");
    assert_eq!((said.namespace(), said.state()), ("default", "EVENT_STATE_ANSWERED"));
    assert_eq!(said.time(), "2026-11-22T13:37:01.023Z");
    assert_eq!(said.json()["response"]["value"]["int"], "7");
}

#[test]
fn a_receipt_of_before_a_rotation_is_verified_with_the_old_key() {
    for n in [1, 2] {
        receipt(n).verify(&keys(&[1, 2])).unwrap();
    }
    let refused = receipt(1).verify(&keys(&[2])).unwrap_err();
    assert!(matches!(refused, VerifyError::UnknownKey { count: 1, .. }), "{refused}");
}

#[test]
fn a_forged_name_of_the_key_is_refused() {
    let other = Receipt { key_id: key(2).id().to_owned(), ..receipt(1) };
    assert!(matches!(other.verify(&keys(&[1, 2])), Err(VerifyError::WrongSignature)));
    let unknown = Receipt { key_id: "x".to_owned(), ..receipt(1) };
    let refused = unknown.verify(&keys(&[1, 2])).unwrap_err().to_string();
    assert!(refused.contains("\"x\"") && refused.contains("2 keys"), "{refused}");
}

#[test]
fn another_algorithm_another_text_and_another_signature_are_refused() {
    let none = Receipt { algorithm: "none".to_owned(), ..receipt(1) };
    assert!(matches!(none.verify(&keys(&[1])), Err(VerifyError::UnknownAlgorithm(_))));
    let elsewhere = TEXT.replace("0707", "0808");
    let moved = Receipt { text: elsewhere, ..receipt(1) };
    assert!(matches!(moved.verify(&keys(&[1])), Err(VerifyError::WrongSignature)));
    for length in [0, 1, 63] {
        let mut cut = receipt(1);
        cut.signature.truncate(length);
        assert!(matches!(cut.verify(&keys(&[1])), Err(VerifyError::WrongSignature)));
    }
}

#[test]
fn what_is_signed_otherwise_is_no_receipt() {
    // The same key over the bare text, and over its bare hash.
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, TEXT.as_bytes());
    for message in [TEXT.as_bytes(), hash.as_ref()] {
        let signature = pair.sign(message).as_ref().to_vec();
        let bare = Receipt { signature, ..receipt(1) };
        assert!(matches!(bare.verify(&keys(&[1])), Err(VerifyError::WrongSignature)));
    }
    let newer = TEXT.replace("receipt.v1", "receipt.v9");
    let newer = Receipt::new(newer.clone(), key(1).seal(3, &newer)).unwrap();
    let refused = newer.verify(&keys(&[1])).unwrap_err().to_string();
    assert!(refused.contains("hitl.receipt.v9") && refused.contains("newer"), "{refused}");
}

#[test]
fn every_flipped_bit_of_the_text_and_of_the_signature_is_found() {
    for at in 0..TEXT.len() * 8 {
        let mut bytes = TEXT.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        // What is no text cannot even be written.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let forged = Receipt { text, ..receipt(1) };
        assert!(forged.verify(&keys(&[1])).is_err(), "bit {at}");
    }
    for at in 0..receipt(1).signature.len() * 8 {
        let mut forged = receipt(1);
        forged.signature[at / 8] ^= 1 << (at % 8);
        assert!(forged.verify(&keys(&[1])).is_err(), "bit {at}");
    }
}

#[test]
fn a_receipt_survives_its_json_bare_and_as_the_api_answers() {
    let json = receipt(1).to_json();
    assert_eq!(Receipt::from_json(&json).unwrap(), receipt(1));
    assert_eq!(Receipt::from_json(&format!("{{\"receipt\":{json}}}")).unwrap(), receipt(1));
    for junk in ["", "{}", "[]", "null", "{\"receipt\":{}}", "{\"receipt\":null}"] {
        Receipt::from_json(junk).unwrap_err();
    }
}

#[test]
fn a_seal_survives_its_json() {
    let seal = key(1).seal(1, TEXT);
    let json = serde_json::to_string(&seal).unwrap();
    assert_eq!(serde_json::from_str::<Seal>(&json).unwrap(), seal);
    let cut: Seal = serde_json::from_str(&json.replace("==", "")).unwrap();
    Receipt::new(TEXT.to_owned(), cut).unwrap_err();
}

#[test]
fn a_truncated_file_is_no_receipt() {
    let json = receipt(1).to_json();
    for length in 0..json.len() {
        if let Some(cut) = json.get(..length) {
            let refused = Receipt::from_json(cut).unwrap_err().to_string();
            assert!(refused.contains("not a whole one"), "{refused}");
        }
    }
}

proptest! {
    /// Whatever is done to one byte of the file, it says the same as before or proves nothing.
    #[test]
    fn a_changed_byte_of_the_file_proves_nothing_else(at in 0_usize..400, byte: u8) {
        let mut bytes = receipt(1).to_json().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes)
            && let Ok(read) = Receipt::from_json(&changed)
            && let Ok(said) = read.verify(&keys(&[1, 2]))
        {
            prop_assert_eq!(said, receipt(1).verify(&keys(&[1])).unwrap());
        }
    }
}
