package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.hitl.Scripted.Step;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.Risk;
import dev.hitl.v1.WaitEventsResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class EvidenceTest {
    @Test
    void whatIsShownIsSentInOrderAndFactsOneAfterTheOtherAreOneItem() throws InvalidProtocolBufferException {
        try (Client client = new Client(new Config().endpoint("h"))) {
            CreateEventRequest request = client.event("ship", "Ship it?", Input.bool())
                    .title("Ship 2.4?")
                    .risk(Risk.RISK_HIGH)
                    .requireConfirmation()
                    .fact("Version", "2.4")
                    .fact("Tests", "passed")
                    .evidence(
                            Evidence.text("Log", "all\nwell").note("ci.log"),
                            Evidence.code("Query", "select 1", "sql"),
                            Evidence.json("Plan", "{}"),
                            Evidence.diff("app.toml", "a", "b"),
                            Evidence.unifiedDiff("Patch", "--- a"),
                            Evidence.table("Costs", List.of("item", "price"), List.of(List.of("disk", "1.5"))),
                            Evidence.link("Build", "https://ci.example.org/7", "build 7"),
                            Evidence.facts("More", Map.of("Owner", "Ann")))
                    .fact("Last", "one")
                    .request();
            var expected = CreateEventRequest.newBuilder();
            JsonFormat.parser().merge("""
                    {"name": "ship", "prompt": "Ship it?", "input": {"bool": {}},
                     "title": "Ship 2.4?", "risk": "RISK_HIGH", "requireConfirmation": true, "evidence": [
                      {"facts": {"facts": [
                        {"label": "Version", "value": "2.4"}, {"label": "Tests", "value": "passed"}]}},
                      {"title": "Log", "note": "ci.log", "text": {"text": "all\\nwell"}},
                      {"title": "Query", "code": {"code": "select 1", "language": "sql"}},
                      {"title": "Plan", "json": {"json": "{}"}},
                      {"title": "app.toml", "diff": {"texts": {"before": "a", "after": "b"}}},
                      {"title": "Patch", "diff": {"unified": "--- a"}},
                      {"title": "Costs", "table": {
                        "columns": ["item", "price"], "rows": [{"cells": ["disk", "1.5"]}]}},
                      {"title": "Build", "link": {"url": "https://ci.example.org/7", "label": "build 7"}},
                      {"title": "More", "facts": {"facts": [{"label": "Owner", "value": "Ann"}]}},
                      {"facts": {"facts": [{"label": "Last", "value": "one"}]}}]}""", expected);
            assertEquals(expected.build(), request);
        }
    }

    @Test
    void aCommentGoesWithAnAnswer() {
        var request = Answer.json("7").comment("gladly").request;
        assertEquals(List.of("7", "gladly"), List.of(request.getJson(), request.getComment()));
    }

    @Test
    void aCommentComesWithTheValueForWhoeverAsksForIt() throws Exception {
        WaitEventsResponse.Builder ended = Scripted.answered("e", 7).toBuilder();
        ended.getEventBuilder().getResponseBuilder().setComment("gladly");
        try (Scripted server = new Scripted(Step.stream(ended.build()));
                Client client = server.client()) {
            var details = client.event("n", "?", Input.integer()).idempotencyKey("e").create().awaitDetailsAsync();
            server.timer.runUntil(details);
            assertEquals(7, details.get().value());
            assertEquals("gladly", details.get().response().getComment());
            assertTrue(details.get().response().hasValue());
        }
    }
}
