import hashlib

from hitl import key


def kept(run_id: str, name: str) -> str:
    return key.process.ticket("default", run_id, name).key


def test_the_derivation_never_changes() -> None:
    # printf 'r\nn\n1' | sha256sum
    expected = "run-b1782565ffd03f55c14560a1cd6def44fa03e5808e228626e97a8192ac01eff7"
    assert kept("r", "n") == expected


def test_each_event_of_a_run_has_its_own_key() -> None:
    keys = {kept("k1", "a"), kept("k1", "a"), kept("k1", "b"), kept("k2", "a")}
    assert len(keys) == 4


def test_a_number_that_made_no_event_goes_to_the_next_one() -> None:
    first, second = key.process.ticket("n", "k3", "a"), key.process.ticket("n", "k3", "a")
    assert first.key != second.key
    second.give_back()
    first.give_back()
    again, after = key.process.ticket("n", "k3", "a"), key.process.ticket("n", "k3", "a")
    assert (again.key, after.key) == (first.key, second.key)


def test_the_id_of_a_key_is_a_uuid_made_of_its_hash() -> None:
    # printf 'default\\0key' | sha256sum
    hashed = hashlib.sha256(b"default\0key").hexdigest()[:32]
    made = key.event_id("default", "key")
    assert (made[12], made[16] in "89ab") == ("8", True)
    assert (made[:12], made[13:16], made[17:]) == (hashed[:12], hashed[13:16], hashed[17:])


def test_without_a_run_no_two_keys_are_alike() -> None:
    assert key.once() != key.once()
    assert len(key.once()) == 32
