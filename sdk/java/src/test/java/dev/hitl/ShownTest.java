package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.Responder;
import dev.hitl.v1.Response;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShownTest {
    /** Every hidden character once, of each range the first and the last. */
    private static final String HIDDEN =
            "\0\u001b\u001f\u007f\u0080\u009f\u00ad\u061c\u180e\u200b\u200f\u2028\u202e\u2060\u2069\ufeff"
                    + Character.toString(0xE0000)
                    + Character.toString(0xE007F)
                    + "\n\r\t";

    private static final String ESCAPED =
            "\\u{0}\\u{1B}\\u{1F}\\u{7F}\\u{80}\\u{9F}\\u{AD}\\u{61C}\\u{180E}\\u{200B}\\u{200F}\\u{2028}\\u{202E}"
                    + "\\u{2060}\\u{2069}\\u{FEFF}\\u{E0000}\\u{E007F}\\n\\r\\t";

    private static boolean isShown(String text) {
        return text.codePoints().noneMatch(Shown::isHidden);
    }

    /** What a program prints of an exception that nothing catches, but for the line breaks that are Java's. */
    private static String printed(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text, true));
        return text.toString().replaceAll("\n(\tat |Caused by|\t\\.\\.\\.)", "").strip();
    }

    @Test
    void hiddenCharactersAreShownInOneLine() {
        assertEquals(ESCAPED, Shown.oneLine(HIDDEN));
        String plain = "Zoë, 日本語 👍 \\n";
        assertEquals(plain, Shown.oneLine(plain));
    }

    @Test
    void noExceptionHasHiddenCharactersWhoeverWroteThem() {
        var violation = BadRequest.FieldViolation.newBuilder().setField(HIDDEN).setDescription(HIDDEN);
        var refusal =
                StatusProto.toStatusRuntimeException(
                        com.google.rpc.Status.newBuilder()
                                .setCode(Status.Code.INVALID_ARGUMENT.value())
                                .setMessage(HIDDEN)
                                .addDetails(Any.pack(ErrorInfo.newBuilder().setDomain("hitl.v1").build()))
                                .addDetails(Any.pack(BadRequest.newBuilder().addFieldViolations(violation).build()))
                                .build());
        HitlException refused = HitlException.of(refusal.getStatus(), refusal.getTrailers(), "http://x");
        Response response =
                Response.newBuilder()
                        .setReason("no\n\"deploy\" was answered" + HIDDEN)
                        .setResponder(Responder.newBuilder().setName(HIDDEN))
                        .build();
        var event = dev.hitl.v1.Event.newBuilder().setName(HIDDEN).setResponse(response).build();
        HitlException declined = HitlException.outcome(HitlException.Kind.DECLINED, event);
        var errors =
                List.of(
                        refused,
                        declined,
                        HitlException.of(Status.UNAVAILABLE.withDescription(HIDDEN), null, "http://x"),
                        HitlException.of(Status.PERMISSION_DENIED.withDescription(HIDDEN), null, "http://x"),
                        assertThrows(HitlException.class, () -> Endpoint.parse("http://" + HIDDEN)),
                        assertThrows(
                                HitlException.class,
                                () -> Input.choice(InputTest.Region.class).read(Values.of(List.of(HIDDEN)))));
        for (HitlException error : errors) {
            assertTrue(isShown(error.getMessage()), error.getMessage());
            assertTrue(isShown(printed(error)), printed(error));
        }
        var field = refused.fieldViolations().get(0);
        assertTrue(isShown(field.toString()), field.toString());
        assertEquals(HIDDEN, field.field());
        assertEquals(HIDDEN, declined.response().getResponder().getName());
        HitlException log = HitlException.noServer("it ends:\n" + HIDDEN, null);
        assertTrue(isShown(log.getMessage().replaceAll("[\n\t]", "")), log.getMessage());
    }

    @Test
    void anAnswerReachesTheProgramAsItWasWritten() {
        assertEquals(HIDDEN, Input.text().read(Values.of(HIDDEN)));
    }

    @Test
    void nothingPrintsTheLinksOfAnEvent() {
        var record =
                dev.hitl.v1.Event.newBuilder()
                        .setId("0123")
                        .setName("deploy" + HIDDEN)
                        .setFormUrl("http://host:1/form/secret")
                        .setApiUrl("http://host:1/api/secret");
        try (Client client = new Client(new Config().endpoint("http://host:1"))) {
            CreateEventResponse reply = CreateEventResponse.newBuilder().setEvent(record).build();
            Event<Long> event = Event.of(client, Input.integer(), reply);
            assertFalse(event.toString().contains("secret"), event.toString());
            assertEquals("event 0123 \"deploy" + ESCAPED + "\"", event.toString());
            assertEquals("hitl client of http://host:1, namespace \"default\"", client.toString());
        }
    }
}
