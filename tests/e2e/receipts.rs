//! Receipts: what a stranger can verify with tools of somebody else, through a rotation of the keys, and without a
//! server.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value as Json;
use support::stores::Kind;

use crate::shell::Shell;
use crate::site::{Site, config, soon, start};

/// What comes before the 32 bytes of an Ed25519 key in the form that `openssl` reads (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An event that was asked and ended at the command line, and its receipt in a file of this name.
async fn receipt(shell: &Shell, ask: &[&str], end: &[&str], file: &str) -> String {
    let id = shell.out(&[&["ask", "Deploy?", "--detach"], ask].concat()).await.trim().to_owned();
    if let Some((verb, rest)) = end.split_first() {
        shell.out(&[&[*verb, &id], rest].concat()).await;
    } else {
        // It times out.
        shell.run(&["wait", &id]).await;
    }
    let receipt = shell.out(&["receipt", &id]).await;
    std::fs::write(shell.dir().join(file), receipt).expect("it can be written");
    id
}

fn json(file: &Path) -> Json {
    let text = std::fs::read_to_string(file).expect("it can be read");
    serde_json::from_str(&text).expect("it is JSON")
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}"))
}

/// What `openssl` says to the receipt and the keys in these files, by the recipe of docs/receipts.md. `text` is
/// verified in place of that of the receipt.
fn openssl(dir: &Path, receipt: &str, keys: &str, text_given: Option<&str>) -> bool {
    let (receipt, keys) = (json(&dir.join(receipt)), json(&dir.join(keys)));
    let said = text_given.unwrap_or_else(|| text(&receipt, "text"));
    let all = keys["keys"].as_array().expect("a JWK set");
    let key = all.iter().find(|key| key["kid"] == receipt["keyId"]).expect("the key is there");
    let x = BASE64_URL_SAFE_NO_PAD.decode(text(key, "x")).expect("it is in base64url");
    let signature = BASE64_STANDARD.decode(text(&receipt, "signature")).expect("it is in base64");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(dir.join(name), bytes).expect("it can be written");
    };
    write("text", said.as_bytes());
    write("key.der", &[&SPKI[..], &x].concat());
    write("signature", &signature);
    let digest = ["dgst", "-sha256", "-binary", "text"];
    let digest = Command::new("openssl").args(digest).current_dir(dir).output();
    write("message", &[&b"hitl receipt v1\0"[..], &digest.expect("openssl runs").stdout].concat());
    let verify =
        "pkeyutl -verify -rawin -pubin -keyform DER -inkey key.der -sigfile signature -in message";
    let verify = Command::new("openssl").args(verify.split(' ')).current_dir(dir).output();
    verify.expect("openssl runs").status.success()
}

#[tokio::test]
async fn a_stranger_verifies_the_receipt_of_every_kind_of_end_and_finds_what_was_changed() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let keys = shell.out(&["receipt-key", "list"]).await;
    std::fs::write(shell.dir().join("keys.json"), &keys).expect("it can be written");
    let well_known = site.http.get(format!("{}/.well-known/hitl-receipt-keys.json", site.url));
    let well_known = well_known.send().await.expect("a reply").text().await.expect("a text");
    assert_eq!(keys.trim(), well_known);

    let late: &[&str] = &["--timeout", "1s"];
    let default: &[&str] = &["--timeout", "1s", "--type", "int", "--default", "-7"];
    let ends: [(&[&str], &[&str], &str); 5] = [
        (&["--type", "int"], &["answer", "9007199254740993", "--as", "Ann"], "9007199254740993"),
        (&[], &["decline", "--reason", "not today", "--as", "Ann"], "not today"),
        (&[], &["cancel", "--reason", "no need"], "no need"),
        (late, &[], "EVENT_STATE_TIMED_OUT"),
        (default, &[], "\"-7\""),
    ];
    for (ask, end, said) in ends {
        receipt(&shell, ask, end, "receipt.json").await;
        let receipt = json(&shell.dir().join("receipt.json"));
        let signed = text(&receipt, "text");
        assert!(signed.contains(said), "{signed}");
        assert!(openssl(shell.dir(), "receipt.json", "keys.json", None), "{signed}");
        let changed = signed.replacen(said, "somebody else's", 1);
        assert!(!openssl(shell.dir(), "receipt.json", "keys.json", Some(&changed)), "{changed}");
    }
}

#[tokio::test]
async fn receipts_outlive_their_server_and_a_new_key() {
    let (mut server, site) = start(config().kind(Kind::Embedded)).await;
    let shell = Shell::at(&site.url);
    let yes = ["answer", "yes", "--as", "Ann"];
    let old = receipt(&shell, &["--type", "bool"], &yes, "old.json").await;
    server.terminate().await.expect("it ends");
    let store = server.dir().join("store").display().to_string();
    let rotated = shell.run(&["receipt-key", "rotate", "--store", &store]).await;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    server.restart().await.expect("it starts again");
    let new_id = rotated.out.trim();

    let shell = Shell::at(&server.endpoint());
    receipt(&shell, &["--type", "bool"], &yes, "new.json").await;
    assert_eq!(text(&json(&shell.dir().join("new.json")), "keyId"), new_id);
    // The server has kept the old key, and makes the old receipt once more, byte for byte.
    let again = shell.out(&["receipt", &old]).await;
    std::fs::write(shell.dir().join("old.json"), &again).expect("it can be written");
    assert_ne!(text(&json(&shell.dir().join("old.json")), "keyId"), new_id);
    let keys = shell.out(&["receipt-key", "list"]).await;
    std::fs::write(shell.dir().join("keys.json"), keys).expect("it can be written");
    for file in ["old.json", "new.json"] {
        shell.out(&["receipt", "verify", file]).await;
    }
    server.terminate().await.expect("it ends");

    for file in ["old.json", "new.json"] {
        let said = shell.out(&["receipt", "verify", file, "--keys", "keys.json"]).await;
        assert!(
            said.contains("The receipt is valid") && said.contains("gave the name \"Ann\""),
            "{said}"
        );
        assert!(openssl(shell.dir(), file, "keys.json", None), "{file}");
    }
    let deep = ["store", "check", "--deep", &store];
    let checked = shell.run(&deep).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[tokio::test]
async fn what_is_not_valid_is_an_error_that_says_why() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let yes = ["answer", "yes"];
    let id = receipt(&shell, &["--type", "bool"], &yes, "receipt.json").await;
    let keys = shell.out(&["receipt-key", "list"]).await;
    std::fs::write(shell.dir().join("keys.json"), keys).expect("it can be written");
    std::fs::write(shell.dir().join("none.json"), "{\"keys\":[]}").expect("it can be written");
    let good = std::fs::read_to_string(shell.dir().join("receipt.json")).expect("it was written");
    let key_id = text(&json(&shell.dir().join("receipt.json")), "keyId").to_owned();
    for (name, bad) in [
        ("changed.json", good.replacen("Deploy?", "Delete?", 1)),
        ("cut.json", good[..good.len() / 2].to_owned()),
        ("forged.json", good.replace(&key_id, &key_id.to_lowercase())),
    ] {
        assert_ne!(bad, good);
        std::fs::write(shell.dir().join(name), bad).expect("it can be written");
    }
    let other = "0".repeat(32);
    let cases: [(&[&str], &str); 5] = [
        (&["changed.json", "--keys", "keys.json"], "signature does not fit"),
        (&["cut.json", "--keys", "keys.json"], "not a whole one"),
        (&["forged.json", "--keys", "keys.json"], "not among the"),
        (&["receipt.json", "--keys", "none.json"], "not among the 0 keys"),
        (&["receipt.json", "--keys", "keys.json", "--event", &other], "of another event"),
    ];
    for (args, why) in cases {
        let done = soon("the verdict", shell.run(&[&["receipt", "verify"], args].concat())).await;
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{args:?}: {done:?}");
        assert!(done.err.contains(why), "{args:?}: {done:?}");
    }
    let this = ["receipt", "verify", "receipt.json", "--keys", "keys.json", "--event", &id];
    shell.out(&this).await;

    let open = shell.out(&["ask", "Deploy?", "--detach"]).await;
    let early = shell.run(&["receipt", open.trim()]).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.err.contains("has not ended"), "{early:?}");
}
