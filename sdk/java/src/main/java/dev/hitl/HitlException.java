package dev.hitl;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.hitl.v1.ErrorReason;
import dev.hitl.v1.Failure;
import dev.hitl.v1.Response;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Why a call failed, or why a wait ended without a value. One exception with a few kinds.
 *
 * <p>Its message is for people: hidden characters of what others wrote, such as line breaks and marks that
 * turn the direction of text, are shown as escapes in it.
 */
@SuppressWarnings("serial") // The collections within are serializable ones.
public final class HitlException extends RuntimeException {
    private static final long serialVersionUID = 1;
    /** The domain of every ErrorInfo that hitl sends. */
    private static final String DOMAIN = "hitl.v1";

    /** What went wrong, in the terms of what a caller can do about it. More kinds may be added. */
    public enum Kind {
        /** There is no such event in this namespace. */
        NOT_FOUND,
        /** The request, an answer, or the configuration breaks a rule: correct it. */
        INVALID,
        /** The event has ended, or the idempotency key belongs to a different request. */
        CONFLICT,
        /** The server does not know who calls. */
        UNAUTHENTICATED,
        /** The caller may not do this. */
        DENIED,
        /** The server is doing as much as it may: call again later. */
        EXHAUSTED,
        /** The server cannot be reached or cannot serve now; whether the call took effect is unknown. */
        UNAVAILABLE,
        /** A fault of the server or of this library. */
        INTERNAL,
        /** A person declined the event being waited for. */
        DECLINED,
        /** The event being waited for was cancelled by whoever asked. */
        CANCELLED,
        /** Nobody answered the event being waited for before its deadline, and it has no default. */
        TIMED_OUT
    }

    /**
     * A field that breaks a rule.
     *
     * @param field path of the field, such as {@code value} or {@code input.int.min}
     * @param description the rule that it breaks
     */
    public record FieldViolation(String field, String description) implements java.io.Serializable {
        /** The violation in one line, with hidden characters as escapes. */
        @Override
        public String toString() {
            return Shown.oneLine(field + ": " + description);
        }
    }

    private final Kind kind;
    private final boolean retryable;
    private String reason = "";
    private Map<String, String> metadata = Map.of();
    private List<FieldViolation> fieldViolations = List.of();
    private Duration retryDelay = Duration.ZERO;
    private Response response;
    private boolean isRefused;

    private HitlException(Kind kind, boolean retryable, String message, Throwable cause) {
        super(Shown.lines(message), cause);
        this.kind = kind;
        this.retryable = retryable;
    }

    /** What went wrong. */
    public Kind kind() {
        return kind;
    }

    /** Whether the same call may succeed later. It has been repeated for a while already. */
    public boolean isRetryable() {
        return retryable;
    }

    /**
     * Full name of the server's {@link dev.hitl.v1.ErrorReason}, such as {@code
     * ERROR_REASON_EVENT_NOT_FOUND}. Empty if the error is not the server's.
     */
    public String reason() {
        return reason;
    }

    /** The values that the message mentions, by the names that the reasons document. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The fields that break a rule, if the kind is {@link Kind#INVALID}. */
    public List<FieldViolation> fieldViolations() {
        return fieldViolations;
    }

    /**
     * How the event ended (its time, the reason given, by whom), if the kind is {@link Kind#DECLINED},
     * {@link Kind#CANCELLED} or {@link Kind#TIMED_OUT}; else null.
     */
    public Response response() {
        return response;
    }

    /** The same for another one who is told of it: where it is thrown is part of it. */
    HitlException copy() {
        HitlException copy = new HitlException(kind, retryable, getMessage(), getCause());
        copy.reason = reason;
        copy.metadata = metadata;
        copy.fieldViolations = fieldViolations;
        copy.retryDelay = retryDelay;
        copy.response = response;
        copy.isRefused = isRefused;
        return copy;
    }

    /** Whether nothing listened where the server should. */
    boolean isRefused() {
        return isRefused;
    }

    /** How long the server asks to wait before the next attempt. */
    Duration retryDelay() {
        return retryDelay;
    }

    static HitlException invalid(String format, Object... values) {
        return new HitlException(Kind.INVALID, false, format.formatted(values), null);
    }

    /** No answer was valid by a check of the program, which says what was wrong with the last one. */
    static HitlException notValid(String message, String why) {
        HitlException error = new HitlException(Kind.INVALID, false, Shown.oneLine(message), null);
        error.fieldViolations = List.of(new FieldViolation("value", why));
        return error;
    }

    static HitlException declined(String message) {
        return new HitlException(Kind.DECLINED, false, message, null);
    }

    static HitlException internal(String message, Throwable cause) {
        return new HitlException(Kind.INTERNAL, false, message, cause);
    }

    /** No local server, and repeating the call would not start one. */
    static HitlException noServer(String message, Throwable cause) {
        return new HitlException(Kind.UNAVAILABLE, false, message, cause);
    }

    static HitlException unavailable(String message, Throwable cause) {
        return new HitlException(Kind.UNAVAILABLE, true, message, cause);
    }

    /** Nobody listens where the server, or what leads there, should be. */
    static HitlException nobody(String message, Throwable cause) {
        HitlException error = unavailable(message, cause);
        error.isRefused = true;
        return error;
    }

    /** An event that ended without a value. Who ended it typed a name, if any: it is quoted, as given. */
    static HitlException outcome(Kind kind, dev.hitl.v1.Event event) {
        Response response = event.getResponse();
        StringBuilder message = new StringBuilder("\"" + event.getName() + "\" was ");
        message.append(
                switch (kind) {
                    case DECLINED -> "declined";
                    case CANCELLED -> "cancelled";
                    default -> "not answered before its deadline";
                });
        if (!response.getResponder().getName().isEmpty()) {
            message.append(" by \"").append(response.getResponder().getName()).append('"');
        }
        if (response.hasTime()) {
            var time = response.getTime();
            message.append(" (" + Instant.ofEpochSecond(time.getSeconds(), time.getNanos()) + ")");
        }
        if (!response.getReason().isEmpty()) {
            message.append(": ").append(response.getReason());
        }
        HitlException error = new HitlException(kind, false, Shown.oneLine(message.toString()), null);
        error.response = response;
        return error;
    }

    /** Reads what a call to {@code endpoint} ended with. */
    static HitlException of(Status received, Metadata trailers, String endpoint) {
        Status status = Shown.status(received);
        List<Any> details = List.of();
        if (trailers != null) {
            details = StatusProto.fromStatusAndTrailers(received, trailers).getDetailsList();
        }
        ErrorInfo info = detail(details, ErrorInfo.getDefaultInstance());
        if (!info.getDomain().equals(DOMAIN)) {
            return notOurs(status, endpoint);
        }
        Kind kind = kind(status.getCode());
        boolean retryable = kind == Kind.UNAVAILABLE || kind == Kind.EXHAUSTED;
        String message = status.getDescription() == null ? "" : status.getDescription();
        HitlException error = new HitlException(kind, retryable, message, status.asException());
        error.reason = info.getReason();
        error.metadata = info.getMetadataMap();
        error.fieldViolations =
                detail(details, BadRequest.getDefaultInstance()).getFieldViolationsList().stream()
                        .map(broken -> new FieldViolation(broken.getField(), broken.getDescription()))
                        .toList();
        var delay = detail(details, RetryInfo.getDefaultInstance()).getRetryDelay();
        error.retryDelay = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
        return error;
    }

    /** Reads why one part of a call failed. */
    static HitlException of(Failure failure) {
        Kind kind = kind(Status.fromCodeValue(failure.getCode()).getCode());
        boolean retryable = kind == Kind.UNAVAILABLE || kind == Kind.EXHAUSTED;
        HitlException error = new HitlException(kind, retryable, Shown.oneLine(failure.getMessage()), null);
        ErrorReason reason = failure.getReason();
        error.reason = reason == ErrorReason.UNRECOGNIZED ? "" : reason.name();
        error.metadata = failure.getMetadataMap();
        error.fieldViolations =
                failure.getFieldViolationsList().stream()
                        .map(broken -> new FieldViolation(broken.getField(), broken.getDescription()))
                        .toList();
        var delay = failure.getRetryAfter();
        error.retryDelay = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
        return error;
    }

    /** The first detail of the type of {@code absent}, else that. */
    private static <M extends Message> M detail(List<Any> details, M absent) {
        for (Any detail : details) {
            try {
                if (detail.isSameTypeAs(absent)) {
                    return detail.unpackSameTypeAs(absent);
                }
            } catch (InvalidProtocolBufferException unreadable) {
                // What cannot be read is as good as absent: the status says the rest.
            }
        }
        return absent;
    }

    /**
     * An error that no hitl server made: the connection, a proxy, or some other server. Each code that a
     * connection lost midway can show as is worth another attempt.
     */
    private static HitlException notOurs(Status status, String endpoint) {
        String root = status.getDescription();
        boolean isRefused = false;
        for (Throwable at = status.getCause(); at != null; at = at.getCause()) {
            if (at instanceof HitlException ours) {
                return ours;
            }
            if (at instanceof InvalidProtocolBufferException) {
                // It has arrived, so that to ask again would give the same.
                String unreadable = "%s: the server sent a reply that cannot be read: %s";
                return internal(unreadable.formatted(endpoint, Shown.oneLine(at.getMessage())), status.asException());
            }
            String help = Handshake.help(at);
            if (help != null) {
                return noServer("%s %s".formatted(endpoint, help), status.asException());
            }
            root = Shown.oneLine(at.getMessage() == null ? at.toString() : at.getMessage());
            isRefused |= at instanceof ConnectException && root.contains("onnection refused");
        }
        Throwable cause = status.asException();
        String lost = "cannot reach the hitl server at %s: %s. Check that it runs there, or set HITL_ENDPOINT to "
                + "where it does";
        return switch (status.getCode()) {
            case UNAVAILABLE, UNKNOWN, INTERNAL, CANCELLED, ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED -> {
                HitlException error = unavailable(lost.formatted(endpoint, root), cause);
                error.isRefused = isRefused;
                yield error;
            }
            case UNIMPLEMENTED -> {
                String other = "%s is not a hitl server, or one too old for this call: %s";
                yield internal(other.formatted(endpoint, root), cause);
            }
            default -> {
                String refused = "%s refused the call: %s".formatted(endpoint, root);
                yield new HitlException(kind(status.getCode()), false, refused, cause);
            }
        };
    }

    private static Kind kind(Status.Code code) {
        return switch (code) {
            case NOT_FOUND -> Kind.NOT_FOUND;
            case INVALID_ARGUMENT, OUT_OF_RANGE -> Kind.INVALID;
            case ALREADY_EXISTS, FAILED_PRECONDITION -> Kind.CONFLICT;
            case UNAUTHENTICATED -> Kind.UNAUTHENTICATED;
            case PERMISSION_DENIED -> Kind.DENIED;
            case RESOURCE_EXHAUSTED -> Kind.EXHAUSTED;
            case UNAVAILABLE -> Kind.UNAVAILABLE;
            default -> Kind.INTERNAL;
        };
    }
}
