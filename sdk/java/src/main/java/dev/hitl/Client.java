package dev.hitl;

import dev.hitl.v1.AnswerEventRequest;
import dev.hitl.v1.CancelEventRequest;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.DeclineEventRequest;
import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.GetEventRequest;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.ListEventsResponse;
import dev.hitl.v1.Response;
import dev.hitl.v1.WatchEventsRequest;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Creates events, waits for them, and answers them.
 *
 * <p>A client is for all threads of a program. It has one connection, which is made when first needed and
 * made again when lost. Calls are repeated for a while when the server cannot be reached ({@link
 * Config#retryFor}). The methods that take an event id are for untyped use: they return the event as the
 * API has it.
 *
 * <p>All methods throw {@link HitlException}, and {@link CancellationException} if the thread is
 * interrupted while they call the server (it stays interrupted). Waits throw {@link
 * InterruptedException} instead.
 */
public final class Client implements AutoCloseable {
    /** Longer than a local server may take to start, so that its own error is the one that is seen. */
    private static final Duration ATTEMPT_LIMIT = Duration.ofSeconds(15);

    private final Config.Settings settings;
    private final Timer timer;
    /** Where the channel leads. That of a local server may change; it is null before the first connect. */
    private volatile Endpoint target;
    private volatile ManagedChannel channel;
    private volatile boolean reached;
    private volatile boolean closed;

    /**
     * A client as configured. Does not connect yet.
     *
     * @throws HitlException of kind {@code INVALID} if a setting or variable cannot be understood
     */
    public Client(Config config) {
        this(config.resolve(System::getenv));
    }

    Client(Config.Settings settings) {
        this(settings, settings.local() == null ? Connection.open(settings.endpoint()) : null, Timer.SYSTEM);
    }

    Client(Config.Settings settings, ManagedChannel channel, Timer timer) {
        this.settings = settings;
        this.target = settings.endpoint();
        this.channel = channel;
        this.timer = timer;
    }

    /**
     * A client with everything taken from the environment.
     *
     * @throws HitlException of kind {@code INVALID} if a variable cannot be understood
     */
    public static Client fromEnv() {
        return new Client(new Config());
    }

    /**
     * The server's address, such as {@code http://127.0.0.1:4485}. That of a local server is known from the
     * first call on, before which this is empty, and changes if it has to be started again on another port.
     */
    public String endpoint() {
        Endpoint known = target;
        return known == null ? "" : known.url();
    }

    /** The server for messages, with no port where none is known. */
    private String serverName() {
        return orElse(endpoint(), "http://127.0.0.1");
    }

    /** The namespace of every call that names no other. */
    public String namespace() {
        return settings.namespace();
    }

    /**
     * Starts to describe an event whose answer {@code input} asks for. Nothing is asked before {@link
     * EventBuilder#create}.
     *
     * @param name what lists and logs call it
     * @param prompt the question
     */
    public <T> EventBuilder<T> event(String name, String prompt, Input<T> input) {
        return new EventBuilder<>(this, name, prompt, input);
    }

    /**
     * Creates an event from a request of the API. An empty namespace is the client's; an empty idempotency
     * key is derived from the run if there is one, else random, so that repeating the call on a lost
     * connection creates nothing twice.
     *
     * @throws HitlException of kind {@code INVALID}, which names the fields to correct, or {@code CONFLICT}
     *     if the idempotency key belongs to a different request
     */
    public CreateEventResponse create(CreateEventRequest request) {
        CreateEventRequest.Builder filled = request.toBuilder();
        try (Key key = Key.of(filled.setNamespace(orOurs(request.getNamespace())), settings.runId())) {
            filled.setIdempotencyKey(key.text());
            CreateEventResponse reply = call(EventServiceGrpc.getCreateEventMethod(), filled.build());
            key.keep();
            return reply;
        }
    }

    /**
     * Creates many events in few calls, each as {@link #create} does, and returns what became of each, in their
     * order. What is wrong with one concerns no other, and is the error of its result.
     */
    public List<Result<CreateEventResponse>> createMany(List<CreateEventRequest> requests) {
        List<CreateEventRequest> filled = new ArrayList<>();
        List<Key> keys = new ArrayList<>();
        for (CreateEventRequest request : requests) {
            CreateEventRequest.Builder entry = request.toBuilder();
            Key key = Key.of(entry.setNamespace(orOurs(request.getNamespace())), settings.runId());
            keys.add(key);
            filled.add(entry.setIdempotencyKey(key.text()).build());
        }
        try {
            var results = uninterrupted(() -> Many.create(this, filled));
            IntStream.range(0, keys.size())
                    .filter(at -> results.get(at).error() == null)
                    .forEach(at -> keys.get(at).keep());
            return results;
        } finally {
            keys.forEach(Key::close);
        }
    }

    /**
     * Returns an event as it stands.
     *
     * @throws HitlException of kind {@code NOT_FOUND}
     */
    public dev.hitl.v1.Event get(String eventId) {
        var request = GetEventRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        return call(EventServiceGrpc.getGetEventMethod(), request.build()).getEvent();
    }

    /**
     * Lists one page of events: first the pending ones, nearest deadline first, then the ended ones, latest
     * first. Call again with {@code page_token} from {@code next_page_token} until that is empty. An empty
     * namespace is the client's.
     *
     * @throws HitlException of kind {@code INVALID}
     */
    public ListEventsResponse list(ListEventsRequest request) {
        var filled = request.toBuilder().setNamespace(orOurs(request.getNamespace()));
        return call(EventServiceGrpc.getListEventsMethod(), filled.build());
    }

    /**
     * Waits until an event ends, through lost connections and server restarts, and returns it with its
     * response, however it ended.
     *
     * @throws HitlException of kind {@code NOT_FOUND}
     * @throws InterruptedException if the thread is interrupted; the event stays
     */
    public dev.hitl.v1.Event awaitEvent(String eventId) throws InterruptedException {
        return join(awaitEventAsync(eventId));
    }

    /** Like {@link #awaitEvent}, without blocking. Cancel the future to stop waiting; the event stays. */
    public CompletableFuture<dev.hitl.v1.Event> awaitEventAsync(String eventId) {
        return Wait.begin(this, eventId);
    }

    /**
     * Follows the changes of events as they happen: what is created, and what ends. The request says of which events,
     * and from where on: from now, or from the {@code resume_token} of a change or of a list. An empty namespace is the
     * client's. Nothing is asked of the server before the first {@link Watch#hasNext}.
     */
    public Watch watch(WatchEventsRequest request) {
        return new Watch(this, request.toBuilder().setNamespace(orOurs(request.getNamespace())));
    }

    /**
     * Answers an event.
     *
     * @param responder the name of the person who answers, empty if unknown
     * @throws HitlException of kind {@code INVALID} if the answer does not fit (the event stays as it was),
     *     {@code CONFLICT} if the event has ended, or {@code NOT_FOUND}
     */
    public dev.hitl.v1.Event answer(String eventId, Answer answer, String responder) {
        AnswerEventRequest.Builder request = answer.request.toBuilder();
        request.setNamespace(namespace()).setEventId(eventId);
        request.setAnswerId(Key.once()).setResponder(responder);
        return call(EventServiceGrpc.getAnswerEventMethod(), request.build()).getEvent();
    }

    /**
     * Answers many events in few calls, and returns how each ended, or why it did not, in their order. An empty
     * namespace is the client's; an empty answer id is a random one, so that repeating the call on a lost connection
     * answers nothing twice.
     */
    public List<Result<Response>> answerMany(List<AnswerEventRequest> requests) {
        List<AnswerEventRequest> filled = new ArrayList<>();
        for (AnswerEventRequest request : requests) {
            AnswerEventRequest.Builder entry = request.toBuilder();
            entry.setNamespace(orOurs(request.getNamespace()));
            filled.add(entry.setAnswerId(orElse(request.getAnswerId(), Key.once())).build());
        }
        return uninterrupted(() -> Many.answer(this, filled));
    }

    /**
     * Declines an event: a person refuses to give a value. {@code reason} and {@code responder} may be
     * empty.
     *
     * @throws HitlException of kind {@code CONFLICT} if the event has ended, or {@code NOT_FOUND}
     */
    public dev.hitl.v1.Event decline(String eventId, String reason, String responder) {
        var request = DeclineEventRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        request.setReason(reason).setAnswerId(Key.once()).setResponder(responder);
        return call(EventServiceGrpc.getDeclineEventMethod(), request.build()).getEvent();
    }

    /**
     * Cancels an event: whoever asked withdraws it. One that is cancelled already is returned as it is.
     * {@code reason} may be empty.
     *
     * @throws HitlException of kind {@code CONFLICT} if the event ended otherwise, or {@code NOT_FOUND}
     */
    public dev.hitl.v1.Event cancel(String eventId, String reason) {
        var request = CancelEventRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        request.setReason(reason);
        return call(EventServiceGrpc.getCancelEventMethod(), request.build()).getEvent();
    }

    /** Gives the connection back. Calls and waits under way fail; events stay. */
    @Override
    public synchronized void close() {
        closed = true;
        if (channel != null) {
            channel.shutdownNow();
        }
    }

    /** Names the server and the namespace. */
    @Override
    public String toString() {
        return "hitl client of %s, namespace \"%s\"".formatted(serverName(), Shown.oneLine(namespace()));
    }

    private String orOurs(String namespace) {
        return orElse(namespace, namespace());
    }

    private static String orElse(String text, String otherwise) {
        return text.isEmpty() ? otherwise : text;
    }

    private <Q, R> R call(MethodDescriptor<Q, R> method, Q request) {
        return uninterrupted(
                () -> join(repeat(this::worthAnother, backoff -> attempt(method, request, reply -> reply))));
    }

    /** What blocks, and ends if its thread is interrupted. */
    interface Blocking<R> {
        R run() throws InterruptedException;
    }

    static <R> R uninterrupted(Blocking<R> work) {
        try {
            return work.run();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            CancellationException cancelled = new CancellationException("interrupted");
            cancelled.initCause(interrupted);
            throw cancelled;
        }
    }

    Timer timer() {
        return timer;
    }

    <R> CompletableFuture<R> repeat(
            BiPredicate<HitlException, Duration> goesOn,
            Function<Retry.Backoff, CompletableFuture<R>> attempt) {
        return Retry.begin(timer, goesOn, attempt);
    }

    boolean worthAnother(HitlException error, Duration elapsed) {
        return error.isRetryable() && elapsed.compareTo(settings.retryFor()) <= 0;
    }

    /**
     * Whether what goes on for as long as a program wants it to goes on after {@code error}. Once the client has
     * reached its server, no loss of it is the end: people may take longer than any outage. Before that, a wrong
     * address is the likelier cause.
     */
    boolean outlasts(HitlException error, Duration elapsed) {
        boolean lost = error.isRetryable() || error.kind() == HitlException.Kind.UNAVAILABLE;
        return reached ? lost : worthAnother(error, elapsed);
    }

    /** Calls once. {@code read} makes the outcome of the reply. */
    <Q, R, T> CompletableFuture<T> attempt(MethodDescriptor<Q, R> method, Q request, Function<R, T> read) {
        return attempt(method, request, ATTEMPT_LIMIT, read);
    }

    /** Calls once. {@code read} makes the outcome of the first message that it does not return null for. */
    <Q, R, T> CompletableFuture<T> attempt(
            MethodDescriptor<Q, R> method, Q request, Duration silenceLimit, Function<R, T> read) {
        Call<Q, R, T> call = new Call<>(noted(read), timer, silenceLimit, serverName());
        begin(call, method, request);
        return call.outcome;
    }

    /** Begins a call that brings {@code take} each message, and asks for the next one only when it is told to. */
    <Q, R> Call<Q, R, Void> stream(
            MethodDescriptor<Q, R> method, Q request, Duration silenceLimit, Consumer<R> take) {
        Function<R, Void> read =
                message -> {
                    take.accept(message);
                    return null;
                };
        Call<Q, R, Void> call = new Call<>(noted(read), timer, silenceLimit, serverName(), true);
        begin(call, method, request);
        return call;
    }

    private <R, T> Function<R, T> noted(Function<R, T> read) {
        return message -> {
            reached = true;
            return read.apply(message);
        };
    }

    private <Q, R, T> void begin(Call<Q, R, T> call, MethodDescriptor<Q, R> method, Q request) {
        if (closed) {
            call.outcome.completeExceptionally(HitlException.invalid("the client is closed"));
            return;
        }
        ManagedChannel ready = channel;
        if (settings.local() == null || ready != null && ready.getState(false) == ConnectivityState.READY) {
            start(call, ready, method, request);
            return;
        }
        settings.local()
                .up()
                .thenAccept(found -> start(call, channelTo(found), method, request))
                .exceptionally(
                        failed -> {
                            call.outcome.completeExceptionally(failed.getCause());
                            return null;
                        });
    }

    private static <Q, R, T> void start(
            Call<Q, R, T> call, ManagedChannel channel, MethodDescriptor<Q, R> method, Q request) {
        if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
            // Our own backoff decides when to connect again, not the channel's, which grows to minutes.
            channel.enterIdle();
        }
        call.start(channel.newCall(method, CallOptions.DEFAULT), request);
    }

    /** The channel to where the local server is now. Calls on another one end as the server there does. */
    private synchronized ManagedChannel channelTo(Endpoint found) {
        if (closed) {
            throw HitlException.invalid("the client is closed");
        }
        if (!found.equals(target)) {
            if (channel != null) {
                channel.shutdown();
            }
            channel = Connection.open(found);
            target = found;
        }
        return channel;
    }

    /** Blocks until {@code future} ends. An interrupt cancels it. */
    static <R> R join(CompletableFuture<R> future) throws InterruptedException {
        try {
            return future.get();
        } catch (InterruptedException interrupted) {
            future.cancel(true);
            throw interrupted;
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof HitlException error) {
                // It was made by a thread of the connection; where it is thrown is what one wants to see.
                error.fillInStackTrace();
                throw error;
            }
            throw HitlException.internal(failed.getCause().toString(), failed.getCause());
        }
    }
}
