package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import dev.hitl.v1.AnswerEventRequest;
import dev.hitl.v1.AnswerEventResponse;
import dev.hitl.v1.BatchAnswerEventsRequest;
import dev.hitl.v1.BatchAnswerEventsResponse;
import dev.hitl.v1.BatchCreateEventsRequest;
import dev.hitl.v1.BatchCreateEventsResponse;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.DeclineEventRequest;
import dev.hitl.v1.DeclineEventResponse;
import dev.hitl.v1.ErrorReason;
import dev.hitl.v1.Event;
import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.EventState;
import dev.hitl.v1.Failure;
import dev.hitl.v1.GetEventRequest;
import dev.hitl.v1.GetEventResponse;
import dev.hitl.v1.Heartbeat;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.ListEventsResponse;
import dev.hitl.v1.Response;
import dev.hitl.v1.Value;
import dev.hitl.v1.WaitEventsRequest;
import dev.hitl.v1.WaitEventsResponse;
import dev.hitl.v1.WatchEventsRequest;
import dev.hitl.v1.WatchEventsResponse;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A server in memory that does as a script says, and whose time is the test's. */
final class Scripted implements AutoCloseable {
    /**
     * What one call is answered with, once so many events are waited for: messages, what {@code reply} makes of each of
     * the events, then a status, or nothing more if that is null.
     */
    record Step(
            int after,
            List<WaitEventsResponse> messages,
            Function<String, WaitEventsResponse> reply,
            StatusRuntimeException end) {
        /** At once. */
        static Step refuse(StatusRuntimeException status) {
            return new Step(0, List.of(), null, status);
        }

        static Step stream(WaitEventsResponse... messages) {
            return cut(Status.OK.asRuntimeException(), messages);
        }

        static Step cut(StatusRuntimeException status, WaitEventsResponse... messages) {
            return new Step(1, Arrays.asList(messages), null, status);
        }

        static Step hang(WaitEventsResponse... messages) {
            return new Step(1, Arrays.asList(messages), null, null);
        }

        static Step reply(int after, Function<String, WaitEventsResponse> reply) {
            return new Step(after, List.of(), reply, null);
        }

        Step after(int count) {
            return new Step(count, messages, reply, end);
        }
    }

    /** As {@link Step}, for a watch. */
    record Watched(StatusRuntimeException end, WatchEventsResponse... messages) {}

    private static final Endpoint ENDPOINT = new Endpoint(false, "127.0.0.1", 1);

    final ManualTimer timer = new ManualTimer();
    final Queue<Step> steps = new ArrayDeque<>();
    /** What the next calls that change something fail with. */
    final Queue<StatusRuntimeException> failures = new ArrayDeque<>();
    /** What tells each such call, and its repetitions, from the others. */
    final List<String> keys = new ArrayList<>();
    /** What the next watches are answered with. */
    final Queue<Watched> watches = new ArrayDeque<>();
    /** What watches have asked for. */
    final List<WatchEventsRequest> watched = new ArrayList<>();
    /** The keys of the entries of each batch. */
    final List<List<String>> batches = new ArrayList<>();
    /** Says of an entry of the next batch, by its place and its name, why it fails; null if it does not. */
    BiFunction<Integer, String, Failure> failure = (place, name) -> null;
    /** What was added to and removed from streams of waits, by the id of the event, with + or - before it. */
    final List<String> waits = new ArrayList<>();
    /** What there is to get, by its id; without an entry the next step says. */
    final Map<String, Event> stored = new HashMap<>();
    /** By the token that each is asked for with. */
    final Map<String, ListEventsResponse> pages = new HashMap<>();
    /** The tokens of the pages that were asked for. */
    final List<String> listed = new ArrayList<>();
    /** The header {@code authorization} of each call, null without. */
    final List<String> bearers = Collections.synchronizedList(new ArrayList<>());
    /** All headers of the last call. */
    volatile Metadata headers;
    int calls;
    int cancelled;

    private final Server server;
    private final ManagedChannel channel;

    Scripted(Step... steps) throws IOException {
        this.steps.addAll(Arrays.asList(steps));
        String name = InProcessServerBuilder.generateName();
        server =
                InProcessServerBuilder.forName(name)
                        .directExecutor()
                        .addService(new Service())
                        .intercept(new EarlyHeaders())
                        .build()
                        .start();
        channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    }

    /** A client of this server and those, in this order, which are at ports from 1 on. */
    Client and(Scripted... others) {
        List<Lines.Line> lines = new ArrayList<>();
        lines.add(new Lines.Line(ENDPOINT, channel));
        for (Scripted other : others) {
            lines.add(new Lines.Line(new Endpoint(false, ENDPOINT.host(), lines.size() + 1), other.channel));
        }
        Config config = new Config().endpoint(ENDPOINT.url()).announce(false);
        return new Client(config.resolve(name -> null), lines, timer);
    }

    Client client() {
        return client(new Config());
    }

    Client client(Config config) {
        return client(config, timer);
    }

    Client client(Config.Settings settings) {
        return new Client(settings, List.of(new Lines.Line(ENDPOINT, channel)), timer);
    }

    Client client(Config config, Timer timer) {
        var settings = config.endpoint(ENDPOINT.url()).announce(false).resolve(name -> null);
        return new Client(settings, List.of(new Lines.Line(ENDPOINT, channel)), timer);
    }

    /** The services of the server, for another one that is reached in another way. */
    ServerServiceDefinition service() {
        return ServerInterceptors.intercept(new Service(), new EarlyHeaders());
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.shutdownNow();
    }

    static WaitEventsResponse event(String id, EventState state, Value value) {
        Event.Builder event = Event.newBuilder().setId(id).setState(state);
        if (value != null) {
            event.setResponse(Response.newBuilder().setState(state).setValue(value));
        }
        return WaitEventsResponse.newBuilder().setEvent(event).build();
    }

    static WaitEventsResponse answered(String id, long value) {
        return event(id, EventState.EVENT_STATE_ANSWERED, Values.of(value));
    }

    static WaitEventsResponse failed(String id, Status.Code code, ErrorReason reason) {
        var message = WaitEventsResponse.newBuilder();
        message.getFailedBuilder().getKeyBuilder().setNamespace("default").setEventId(id);
        message.getFailedBuilder().getFailureBuilder().setCode(code.value()).setReason(reason);
        return message.build();
    }

    static WaitEventsResponse heartbeat() {
        return WaitEventsResponse.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance()).build();
    }

    /** An error as hitl servers make it. */
    static StatusRuntimeException refusal(Status.Code code, String reason) {
        ErrorInfo info = ErrorInfo.newBuilder().setDomain("hitl.v1").setReason(reason).build();
        return StatusProto.toStatusRuntimeException(
                com.google.rpc.Status.newBuilder()
                        .setCode(code.value())
                        .setMessage(reason)
                        .addDetails(Any.pack(info))
                        .build());
    }

    static StatusRuntimeException lost() {
        return Status.UNAVAILABLE.withDescription("connection refused").asRuntimeException();
    }

    /** One stream of waits. */
    private final class Waiting implements StreamObserver<WaitEventsRequest> {
        private final Step step;
        private final StreamObserver<WaitEventsResponse> stream;
        private final List<String> added = new ArrayList<>();
        private boolean hasBegun;

        Waiting(Step step, StreamObserver<WaitEventsResponse> stream) {
            this.step = step;
            this.stream = stream;
        }

        @Override
        public void onNext(WaitEventsRequest request) {
            assertTrue(request.getAddCount() <= 1_000 && request.getRemoveCount() <= 1_000);
            request.getRemoveList().forEach(key -> waits.add("-" + key.getEventId()));
            request.getAddList().forEach(key -> waits.add("+" + key.getEventId()));
            request.getAddList().forEach(key -> added.add(key.getEventId()));
            begin();
        }

        void begin() {
            if (hasBegun || added.size() < step.after()) {
                return;
            }
            hasBegun = true;
            step.messages().forEach(stream::onNext);
            if (step.reply() != null) {
                added.forEach(id -> stream.onNext(step.reply().apply(id)));
            }
            if (step.end() != null && step.end().getStatus().isOk()) {
                stream.onCompleted();
            } else if (step.end() != null) {
                stream.onError(step.end());
            }
        }

        @Override
        public void onError(Throwable left) {}

        @Override
        public void onCompleted() {}
    }

    /** Sends the headers of a stream of waits at once, as hitl does, unless it is refused. */
    private final class EarlyHeaders implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            Scripted.this.headers = headers;
            bearers.add(headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER)));
            boolean isWait = call.getMethodDescriptor().equals(EventServiceGrpc.getWaitEventsMethod());
            if (!isWait || steps.peek().after() == 0) {
                return next.startCall(call, headers);
            }
            call.sendHeaders(new Metadata());
            var begun = new SimpleForwardingServerCall<Q, R>(call) {
                @Override
                public void sendHeaders(Metadata late) {}
            };
            return next.startCall(begun, headers);
        }
    }

    private final class Service extends EventServiceGrpc.EventServiceImplBase {
        @Override
        public StreamObserver<WaitEventsRequest> waitEvents(StreamObserver<WaitEventsResponse> stream) {
            calls++;
            ((ServerCallStreamObserver<WaitEventsResponse>) stream).setOnCancelHandler(() -> cancelled++);
            Waiting waiting = new Waiting(steps.remove(), stream);
            waiting.begin();
            return waiting;
        }

        @Override
        public void watchEvents(WatchEventsRequest request, StreamObserver<WatchEventsResponse> stream) {
            watched.add(request);
            ((ServerCallStreamObserver<WatchEventsResponse>) stream).setOnCancelHandler(() -> cancelled++);
            Watched next = watches.remove();
            Arrays.asList(next.messages()).forEach(stream::onNext);
            if (next.end() != null) {
                stream.onError(next.end());
            }
        }

        @Override
        public void createEvent(
                CreateEventRequest request, StreamObserver<CreateEventResponse> reply) {
            var response = CreateEventResponse.newBuilder();
            change(request.getIdempotencyKey(), reply, event -> response.setEvent(event).build());
        }

        @Override
        public void answerEvent(
                AnswerEventRequest request, StreamObserver<AnswerEventResponse> reply) {
            var response = AnswerEventResponse.newBuilder();
            change(request.getAnswerId(), reply, event -> response.setEvent(event).build());
        }

        @Override
        public void declineEvent(
                DeclineEventRequest request, StreamObserver<DeclineEventResponse> reply) {
            var response = DeclineEventResponse.newBuilder();
            change(request.getAnswerId(), reply, event -> response.setEvent(event).build());
        }

        /** Notes a call and replies with the event that it is about, with the key as its id. */
        private <R> void change(String key, StreamObserver<R> reply, Function<Event, R> response) {
            keys.add(key);
            if (!failures.isEmpty()) {
                reply.onError(failures.remove());
                return;
            }
            reply.onNext(response.apply(Event.newBuilder().setId(key).build()));
            reply.onCompleted();
        }

        @Override
        public void batchCreateEvents(
                BatchCreateEventsRequest request, StreamObserver<BatchCreateEventsResponse> reply) {
            batches.add(request.getRequestsList().stream().map(CreateEventRequest::getIdempotencyKey).toList());
            var response = BatchCreateEventsResponse.newBuilder();
            for (CreateEventRequest entry : request.getRequestsList()) {
                var event = Event.newBuilder().setName(entry.getName());
                Failure failed = failure.apply(response.getResultsCount(), entry.getName());
                var result = response.addResultsBuilder();
                if (failed == null) {
                    result.getCreatedBuilder().setEvent(event);
                } else {
                    result.setFailure(failed);
                }
            }
            change("", reply, event -> response.build());
        }

        @Override
        public void batchAnswerEvents(
                BatchAnswerEventsRequest request, StreamObserver<BatchAnswerEventsResponse> reply) {
            batches.add(
                    request.getRequestsList().stream()
                            .map(entry -> entry.getNamespace() + "/" + entry.getEventId() + "/" + entry.getAnswerId())
                            .toList());
            var response = BatchAnswerEventsResponse.newBuilder();
            request.getRequestsList()
                    .forEach(entry -> response.addResultsBuilder().getResponseBuilder().setReason(entry.getEventId()));
            change("", reply, event -> response.build());
        }

        @Override
        public void getEvent(GetEventRequest request, StreamObserver<GetEventResponse> reply) {
            calls++;
            Event event = stored.get(request.getEventId());
            if (event == null) {
                reply.onError(steps.remove().end());
                return;
            }
            reply.onNext(GetEventResponse.newBuilder().setEvent(event).build());
            reply.onCompleted();
        }

        @Override
        public void listEvents(ListEventsRequest request, StreamObserver<ListEventsResponse> reply) {
            listed.add(request.getPageToken());
            reply.onNext(pages.get(request.getPageToken()));
            reply.onCompleted();
        }
    }
}
