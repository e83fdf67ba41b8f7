import pytest
from scripted import Message, serving

import hitl
from hitl import evidence, v1


def test_what_is_shown_is_sent_in_order() -> None:
    with serving([]) as (client, script):
        client.event(
            "ship",
            bool,
            title="Ship it?",
            risk="high",
            require_confirmation=True,
            facts={"Version": 2, "Tests": "all passed"},
            evidence=[
                evidence.text("Log", "all\nwell", note="ci.log"),
                evidence.code("Query", "select 1", "sql"),
                evidence.json("Plan", {"steps": ["ü", 1]}),
                evidence.diff("app.toml", "a\n", "b\n"),
                evidence.unified_diff("Patch", "--- a\n+++ b\n"),
                evidence.table("Costs", ["item", "price"], [["disk", 1.5], ("cpu", 2)]),
                evidence.link("Build", "https://ci.example.org/7", "build 7"),
                evidence.facts("More", [("Owner", "Ann")]),
            ],
        )
        sent = script.seen[0]
    assert (sent.title, sent.risk, sent.require_confirmation) == ("Ship it?", v1.RISK_HIGH, True)
    first, *others = sent.evidence
    assert [(fact.label, fact.value) for fact in first.facts.facts] == [
        ("Version", "2"),
        ("Tests", "all passed"),
    ]
    assert others == [
        v1.Evidence(title="Log", note="ci.log", text=v1.TextEvidence(text="all\nwell")),
        v1.Evidence(title="Query", code=v1.CodeEvidence(code="select 1", language="sql")),
        v1.Evidence(title="Plan", json=v1.JsonEvidence(json='{"steps": ["ü", 1]}')),
        v1.Evidence(
            title="app.toml",
            diff=v1.DiffEvidence(texts=v1.DiffTexts(before="a\n", after="b\n")),
        ),
        v1.Evidence(title="Patch", diff=v1.DiffEvidence(unified="--- a\n+++ b\n")),
        v1.Evidence(
            title="Costs",
            table=v1.TableEvidence(
                columns=["item", "price"],
                rows=[v1.TableRow(cells=["disk", "1.5"]), v1.TableRow(cells=["cpu", "2"])],
            ),
        ),
        v1.Evidence(
            title="Build",
            link=v1.LinkEvidence(url="https://ci.example.org/7", label="build 7"),
        ),
        v1.Evidence(
            title="More", facts=v1.FactsEvidence(facts=[v1.Fact(label="Owner", value="Ann")])
        ),
    ]


def test_what_cannot_be_shown_is_invalid_and_not_sent() -> None:
    with serving() as (client, script):
        with pytest.raises(hitl.Invalid, match="risk is 'grave': give low, medium or high"):
            client.event("ship", bool, risk="grave")  # type: ignore[arg-type]
        with pytest.raises(hitl.Invalid, match="cannot be sent"):
            evidence.text("\ud800", "text")
        for value in (float("nan"), object()):
            with pytest.raises(hitl.Invalid, match="cannot be shown as JSON"):
                evidence.json("Plan", value)
        with pytest.raises(hitl.Invalid):
            client.event("ship", bool, evidence=["text"])  # type: ignore[list-item]
        assert script.calls == 0


def test_a_comment_goes_with_an_answer_and_comes_with_the_value() -> None:
    response = v1.Response(state=v1.EVENT_STATE_ANSWERED, value=v1.Value(int=7), comment="gladly")
    ended = v1.Event(id="e", state=v1.EVENT_STATE_ANSWERED, response=response)
    asks_int = v1.Event(id="e", input=v1.Input(int=v1.IntInput()))
    with serving([], [asks_int], [Message(event=ended)]) as (client, script):
        client.answer("e", 7, comment="gladly")
        assert script.seen[0].comment == "gladly"
        details = client.attach("e", int).wait_details()
        assert (details.value, details.response.comment) == (7, "gladly")
