package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.hitl.v1.Event;
import dev.hitl.v1.Responder;
import dev.hitl.v1.Response;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.protobuf.StatusProto;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrorTest {
    static StatusRuntimeException status(Status.Code code, String reason, String domain) {
        var violation =
                BadRequest.FieldViolation.newBuilder().setField("value").setDescription("must be at least 0");
        var delay = com.google.protobuf.Duration.newBuilder().setSeconds(3);
        return StatusProto.toStatusRuntimeException(
                com.google.rpc.Status.newBuilder()
                        .setCode(code.value())
                        .setMessage("what happened")
                        .addDetails(
                                Any.pack(
                                        ErrorInfo.newBuilder()
                                                .setReason(reason)
                                                .setDomain(domain)
                                                .putMetadata("state", "EVENT_STATE_ANSWERED")
                                                .build()))
                        .addDetails(Any.pack(BadRequest.newBuilder().addFieldViolations(violation).build()))
                        .addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()))
                        .build());
    }

    private static HitlException of(StatusRuntimeException status) {
        return HitlException.of(status.getStatus(), status.getTrailers(), "http://x");
    }

    @Test
    void theServersDetailsAreKept() {
        HitlException error =
                of(status(Status.Code.FAILED_PRECONDITION, "ERROR_REASON_EVENT_ALREADY_FINAL", "hitl.v1"));
        assertEquals(HitlException.Kind.CONFLICT, error.kind());
        assertEquals("ERROR_REASON_EVENT_ALREADY_FINAL", error.reason());
        assertEquals("what happened", error.getMessage());
        assertEquals(Map.of("state", "EVENT_STATE_ANSWERED"), error.metadata());
        assertEquals(
                List.of(new HitlException.FieldViolation("value", "must be at least 0")),
                error.fieldViolations());
        assertEquals(Duration.ofSeconds(3), error.retryDelay());
        assertFalse(error.isRetryable());
    }

    @Test
    void anInternalErrorOfTheServerIsNotALostConnection() {
        HitlException ours = of(status(Status.Code.INTERNAL, "R", "hitl.v1"));
        assertEquals(HitlException.Kind.INTERNAL, ours.kind());
        assertFalse(ours.isRetryable());
        HitlException lost = of(status(Status.Code.INTERNAL, "R", "proxy"));
        assertEquals(HitlException.Kind.UNAVAILABLE, lost.kind());
        assertTrue(lost.isRetryable());
    }

    @Test
    void anErrorThatIsNotOursSaysItsRootAndWhatToDo() {
        Status refused =
                Status.UNAVAILABLE
                        .withDescription("io exception")
                        .withCause(new RuntimeException(new ConnectException("Connection refused")));
        String message = HitlException.of(refused, new Metadata(), "http://x").getMessage();
        assertTrue(message.startsWith("cannot reach the hitl server at http://x: Connection refused."), message);
        assertTrue(message.contains("HITL_ENDPOINT"), message);
        HitlException other = HitlException.of(Status.UNIMPLEMENTED, null, "http://x");
        assertEquals(HitlException.Kind.INTERNAL, other.kind());
        HitlException denied = HitlException.of(Status.PERMISSION_DENIED, null, "http://x");
        assertEquals(HitlException.Kind.DENIED, denied.kind());
        assertFalse(denied.isRetryable());
    }

    /** As gRPC has it: the garbled text of a name, which is no text. */
    @Test
    void aReplyThatCannotBeReadIsNotALostConnection() {
        byte[] garbled = {0x1a, 1, (byte) 0xff};
        var stream = new java.io.ByteArrayInputStream(garbled);
        var unreadable =
                assertThrows(
                        StatusRuntimeException.class,
                        () -> ProtoUtils.marshaller(Event.getDefaultInstance()).parse(stream));
        Status cancelled = Status.CANCELLED.withDescription("Failed to read message.").withCause(unreadable);
        HitlException error = HitlException.of(cancelled, null, "http://x");
        assertEquals(HitlException.Kind.INTERNAL, error.kind());
        assertFalse(error.isRetryable());
        assertTrue(error.getMessage().contains("cannot be read"), error.getMessage());
    }

    @Test
    void anOutcomeTellsWhoWhenAndWhy() {
        Response response =
                Response.newBuilder()
                        .setReason("not today")
                        .setTime(Timestamp.getDefaultInstance())
                        .setResponder(Responder.newBuilder().setName("Ada"))
                        .build();
        Event event = Event.newBuilder().setName("deploy").setResponse(response).build();
        HitlException error = HitlException.outcome(HitlException.Kind.DECLINED, event);
        assertEquals(
                "\"deploy\" was declined by \"Ada\" (1970-01-01T00:00:00Z): not today", error.getMessage());
        assertEquals("not today", error.response().getReason());
    }
}
