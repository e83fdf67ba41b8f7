//! Receipts over HTTP.

use hitl_receipt::{KeySet, Receipt, SigningKey};

use super::*;

#[tokio::test]
async fn a_receipt_is_fetched_and_verified_with_the_keys_of_the_well_known_place() {
    let key = SigningKey::from_seed(&[3; 32]);
    let world = World::signing_with(Some(key)).await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());

    let early = world.get(&format!("{at}/receipt")).await;
    assert_eq!(
        (early.status, early.reason().as_str()),
        (StatusCode::CONFLICT, "ERROR_REASON_NO_RECEIPT")
    );
    assert!(early.text.contains("has not ended"), "{}", early.text);

    world.post(&format!("{at}/answer"), &json!({"json": "9223372036854775807"})).await;
    let receipt = world.get(&format!("{at}/receipt")).await;
    assert_eq!(receipt.status, StatusCode::OK, "{}", receipt.text);
    let keys = world.get("/.well-known/hitl-receipt-keys.json").await;
    assert_eq!(keys.header("content-type"), "application/jwk-set+json");
    let said = Receipt::from_json(&receipt.text)
        .unwrap()
        .verify(&KeySet::from_json(&keys.text).unwrap())
        .unwrap();
    assert_eq!(said.event_id(), event["id"]);
    assert_eq!(said.json()["response"]["value"]["int"], "9223372036854775807");
    let listed = world.get("/v1/receipt-keys").await.json();
    assert_eq!(listed["keys"][0]["id"], receipt.json()["receipt"]["keyId"]);

    let unknown = world.get(&format!("/v1/events/{}/receipt", "0".repeat(32))).await;
    assert_eq!(unknown.reason(), "ERROR_REASON_EVENT_NOT_FOUND");
}

#[tokio::test]
async fn an_event_that_ended_before_receipts_existed_has_none_and_says_why() {
    let world = World::signing_with(None).await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    world.post(&format!("{at}/cancel"), &json!({})).await;
    let none = world.get(&format!("{at}/receipt")).await;
    assert_eq!(none.reason(), "ERROR_REASON_NO_RECEIPT");
    assert!(none.text.contains("ended before its server signed receipts"), "{}", none.text);
    assert_eq!(world.get("/.well-known/hitl-receipt-keys.json").await.text, "{\"keys\":[]}");
}
