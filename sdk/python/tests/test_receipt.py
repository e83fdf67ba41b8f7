import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Servers

import hitl

LISTED = json.loads((Path(__file__).parents[2] / "receipts.json").read_text("utf-8"))
KEYS = {name: hitl.KeySet.from_json(json.dumps(keys)) for name, keys in LISTED["keys"].items()}
GOOD = LISTED["cases"][0]


@pytest.mark.parametrize("case", LISTED["cases"], ids=lambda case: case["name"])
def test_every_receipt_is_judged_as_in_every_other_language(case: dict[str, Any]) -> None:
    receipt = hitl.Receipt.from_json(json.dumps(case["receipt"]))
    if says := case.get("says"):
        said = receipt.verify(KEYS[case["keys"]])
        assert said.event_id == says["eventId"]
        assert said.namespace == says["namespace"]
        assert said.state == says["state"]
        assert said.time == says["time"]
        assert said.json["response"]["value"] == {"int": "7"}
    else:
        with pytest.raises(hitl.Invalid) as refused:
            receipt.verify(KEYS[case["keys"]])
        assert case["refused"] in str(refused.value)


@pytest.mark.parametrize("case", LISTED["refusedKeys"], ids=lambda case: case["name"])
def test_keys_that_are_not_what_they_say_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(hitl.Invalid) as refused:
        hitl.KeySet.from_json(json.dumps(case["set"]))
    assert case["refused"] in str(refused.value)


def test_a_receipt_and_its_keys_survive_their_json() -> None:
    receipt = hitl.Receipt.from_json(json.dumps({"receipt": GOOD["receipt"]}))
    assert hitl.Receipt.from_json(receipt.to_json()) == receipt
    assert hitl.KeySet.from_json(KEYS["both"].to_json()) == KEYS["both"]
    assert json.loads(KEYS["both"].to_json()) == LISTED["keys"]["both"]


@pytest.mark.parametrize("junk", ["", "[]", "null", "{}", '{"receipt": {}}', "[" * 100_000])
def test_what_is_no_receipt_is_refused(junk: str) -> None:
    with pytest.raises(hitl.Invalid, match="no receipt"):
        hitl.Receipt.from_json(junk)
    with pytest.raises(hitl.Invalid, match="JWK set"):
        hitl.KeySet.from_json(junk)


def test_more_keys_than_any_deployment_has_are_refused() -> None:
    with pytest.raises(hitl.Invalid, match="500"):
        hitl.KeySet(number.to_bytes(32, "big") for number in range(501))


def test_without_the_package_that_verifies_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install hitl-sdk\[receipts\]"):
        hitl.Receipt.from_json(json.dumps(GOOD["receipt"])).verify(KEYS["both"])


def test_a_server_signs_what_ended_and_nothing_else(local: int, servers: Servers) -> None:
    client = hitl.Client()
    event = client.event("ship", int, prompt="How many?")
    with pytest.raises(hitl.Conflict) as pending:
        client.receipt(event.id)
    assert pending.value.reason == "ERROR_REASON_NO_RECEIPT"
    client.cancel(event.id, "not today")
    said = client.receipt(event.id).verify(client.receipt_keys())
    assert (said.event_id, said.state) == (event.id, "EVENT_STATE_CANCELLED")
    assert said.json["response"]["reason"] == "not today"
