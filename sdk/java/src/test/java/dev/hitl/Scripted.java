package dev.hitl;

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
import dev.hitl.v1.Event;
import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.EventState;
import dev.hitl.v1.Failure;
import dev.hitl.v1.GetEventRequest;
import dev.hitl.v1.GetEventResponse;
import dev.hitl.v1.Heartbeat;
import dev.hitl.v1.Response;
import dev.hitl.v1.Value;
import dev.hitl.v1.WaitEventRequest;
import dev.hitl.v1.WaitEventResponse;
import dev.hitl.v1.WatchEventsRequest;
import dev.hitl.v1.WatchEventsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Server;
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
import java.util.List;
import java.util.Queue;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A server in memory that does as a script says, and whose time is the test's. */
final class Scripted implements AutoCloseable {
    /** What one call is answered with: messages, then a status, or nothing more if that is null. */
    record Step(List<WaitEventResponse> messages, StatusRuntimeException end) {
        static Step refuse(StatusRuntimeException status) {
            return new Step(List.of(), status);
        }

        static Step stream(WaitEventResponse... messages) {
            return new Step(Arrays.asList(messages), Status.OK.asRuntimeException());
        }

        static Step hang(WaitEventResponse... messages) {
            return new Step(Arrays.asList(messages), null);
        }
    }

    /** As {@link Step}, for a watch. */
    record Watched(StatusRuntimeException end, WatchEventsResponse... messages) {}

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
                        .build()
                        .start();
        channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    }

    Client client() {
        return client(new Config());
    }

    Client client(Config config) {
        return client(config, timer);
    }

    Client client(Config config, Timer timer) {
        return new Client(config.endpoint("http://scripted").resolve(name -> null), channel, timer);
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.shutdownNow();
    }

    static WaitEventResponse event(EventState state, Value value) {
        Event.Builder event = Event.newBuilder().setId("e").setState(state);
        if (value != null) {
            event.setResponse(Response.newBuilder().setState(state).setValue(value));
        }
        return WaitEventResponse.newBuilder().setEvent(event).build();
    }

    static WaitEventResponse pending() {
        return event(EventState.EVENT_STATE_PENDING, null);
    }

    static WaitEventResponse answered(long value) {
        return event(EventState.EVENT_STATE_ANSWERED, Values.of(value));
    }

    static WaitEventResponse heartbeat() {
        return WaitEventResponse.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance()).build();
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

    private final class Service extends EventServiceGrpc.EventServiceImplBase {
        @Override
        public void waitEvent(WaitEventRequest request, StreamObserver<WaitEventResponse> stream) {
            calls++;
            ((ServerCallStreamObserver<WaitEventResponse>) stream).setOnCancelHandler(() -> cancelled++);
            Step step = steps.remove();
            step.messages().forEach(stream::onNext);
            if (step.end() == null) {
                return;
            }
            if (step.end().getStatus().isOk()) {
                stream.onCompleted();
            } else {
                stream.onError(step.end());
            }
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
            reply.onError(steps.remove().end());
        }
    }
}
