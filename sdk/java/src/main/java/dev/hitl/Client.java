package dev.hitl;

import dev.hitl.Lines.Line;
import dev.hitl.v1.AddCommentRequest;
import dev.hitl.v1.AnswerEventRequest;
import dev.hitl.v1.CancelEventRequest;
import dev.hitl.v1.Comment;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.CreateEventRequestOrBuilder;
import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.CreateLinkRequest;
import dev.hitl.v1.DeclineEventRequest;
import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.GetEventRequest;
import dev.hitl.v1.GetReceiptRequest;
import dev.hitl.v1.ListCommentsRequest;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.ListEventsResponse;
import dev.hitl.v1.ListReceiptKeysRequest;
import dev.hitl.v1.Response;
import dev.hitl.v1.RevokeLinksRequest;
import dev.hitl.v1.WatchEventsRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
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
    private final Config.Settings settings;
    private final Limits limits;
    private final Calls calls;
    private final Waits waits;

    /**
     * A client as configured. Does not connect yet.
     *
     * @throws HitlException of kind {@code INVALID} if a setting or variable cannot be understood
     */
    public Client(Config config) {
        this(config.resolve(System::getenv));
    }

    Client(Config.Settings settings) {
        this(
                settings,
                settings.endpoints().stream()
                        .map(endpoint -> new Line(
                                endpoint,
                                Connection.open(endpoint, settings.tls(), settings.proxy(), settings.interceptors())))
                        .toList(),
                Timer.SYSTEM);
    }

    Client(Config.Settings settings, List<Line> lines, Timer timer) {
        this.settings = settings;
        this.limits = settings.limits();
        this.calls = new Calls(settings, lines, timer);
        this.waits = new Waits(calls, settings.namespace());
    }

    private Client(Client other, Limits limits) {
        this.settings = other.settings;
        this.limits = limits;
        this.calls = other.calls;
        this.waits = other.waits;
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
     * The server's address, such as {@code http://127.0.0.1:4485}: of several the one that served last, or is tried
     * now. That of a local server is known from the first call on, before which this is empty, and changes if it has
     * to be started again on another port.
     */
    public String endpoint() {
        return calls.endpoint();
    }

    /** The namespace of every call that names no other. */
    public String namespace() {
        return settings.namespace();
    }

    /**
     * The same client, of which a call may take so long, as {@link Config#callTimeout} says. Both share the connection,
     * and to close one closes both. For one call: {@code client.withCallTimeout(Duration.ofSeconds(2)).get(eventId)}.
     *
     * @throws HitlException of kind {@code INVALID} if it is no time above 0
     */
    public Client withCallTimeout(Duration limit) {
        return new Client(this, new Limits(limits.retryFor(), limits.isPatient(), limit));
    }

    /**
     * The same client, of which a call is repeated for so long, as {@link Config#retryFor} says; waits and watches go
     * on as before. Both share the connection, and to close one closes both.
     */
    public Client withRetryFor(Duration limit) {
        return new Client(this, new Limits(limit, true, limits.callTimeout()));
    }

    /**
     * Starts to describe an event whose answer {@code input} asks for. Nothing is asked before {@link
     * EventBuilder#create}.
     *
     * @param name what lists and logs call it
     * @param prompt the question
     */
    public <T> EventBuilder<T> event(String name, String prompt, Input<T> input) {
        return new EventBuilder<>(this, null, name, prompt, input);
    }

    /**
     * Starts to describe an event that has a person decide on an action, by the name of the action.
     *
     * @param input what {@link Input#review} makes
     */
    public EventBuilder<Review> review(Input.Action input) {
        String action = input.proto.getReview().getAction();
        return event(action, "May " + action + " be done as shown?", input);
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
        return create(null, request);
    }

    /** Counts in the run, else in the current one of the thread, else in the client's own. */
    CreateEventResponse create(Run asked, CreateEventRequest request) {
        CreateEventRequest.Builder filled = request.toBuilder();
        try (Key key = key(asked, filled.setNamespace(orOurs(request.getNamespace())))) {
            filled.setIdempotencyKey(key.text());
            CreateEventResponse reply = calls.call(limits, EventServiceGrpc.getCreateEventMethod(), filled.build());
            key.keep();
            return reply;
        }
    }

    /**
     * Creates many events in few calls, each as {@link #create} does, and returns what became of each, in their
     * order. What is wrong with one concerns no other, and is the error of its result.
     */
    public List<Result<CreateEventResponse>> createMany(List<CreateEventRequest> requests) {
        return createMany(null, requests);
    }

    List<Result<CreateEventResponse>> createMany(Run asked, List<CreateEventRequest> requests) {
        List<CreateEventRequest> filled = new ArrayList<>();
        List<Key> keys = new ArrayList<>();
        for (CreateEventRequest request : requests) {
            CreateEventRequest.Builder entry = request.toBuilder();
            Key key = key(asked, entry.setNamespace(orOurs(request.getNamespace())));
            keys.add(key);
            filled.add(entry.setIdempotencyKey(key.text()).build());
        }
        try {
            var results = Blocking.uninterrupted(() -> Many.create(calls, limits, filled));
            IntStream.range(0, keys.size())
                    .filter(at -> results.get(at).error() == null)
                    .forEach(at -> keys.get(at).keep());
            return results;
        } finally {
            keys.forEach(Key::close);
        }
    }

    private Key key(Run asked, CreateEventRequestOrBuilder request) {
        Run run = asked != null ? asked : Run.current();
        return run != null
                ? Key.of(request, run.id(), run.counter())
                : Key.of(request, settings.runId(), Key.Counter.OF_PROCESS);
    }

    /**
     * A run that begins to count. What is asked of it meets the same events again when it is tried again.
     *
     * @throws HitlException of kind {@code INVALID} if the id is empty
     */
    public Run run(String id) {
        return new Run(this, id);
    }

    /**
     * An event that was asked before, by this program or another, whose answer is of the type: a {@code Long}, {@code
     * Double}, {@code String}, {@code Boolean}, an enum, or a record as {@link Input#object(Class)} has it.
     *
     * @throws HitlException of kind {@code NOT_FOUND} if there is none, {@code INVALID} if its answer is of another
     *     type
     */
    public <T> Event<T> attach(String eventId, Class<T> type) {
        dev.hitl.v1.Event record = get(eventId);
        return new Event<>(this, Attached.input(type, record.getInput()), record, true);
    }

    /** As {@link #attach(String, Class)}, by an input that reads the answer: several options, or a map of fields. */
    public <T> Event<T> attach(String eventId, Input<T> input) {
        dev.hitl.v1.Event record = get(eventId);
        return new Event<>(this, Attached.checked(input, record.getInput()), record, true);
    }

    /**
     * Returns an event as it stands.
     *
     * @throws HitlException of kind {@code NOT_FOUND}
     */
    public dev.hitl.v1.Event get(String eventId) {
        var request = GetEventRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        return calls.call(limits, EventServiceGrpc.getGetEventMethod(), request.build()).getEvent();
    }

    /**
     * Lists one page of events: first the pending ones, nearest deadline first, then the ended ones, latest
     * first. Call again with {@code page_token} from {@code next_page_token} until that is empty, or use {@link
     * #events}. An empty namespace is the client's.
     *
     * @throws HitlException of kind {@code INVALID}
     */
    public ListEventsResponse list(ListEventsRequest request) {
        var filled = request.toBuilder().setNamespace(orOurs(request.getNamespace()));
        return calls.call(limits, EventServiceGrpc.getListEventsMethod(), filled.build());
    }

    /** All events that match, as {@link #events(ListEventsRequest, long)} without a limit. */
    public Iterable<dev.hitl.v1.Event> events(ListEventsRequest request) {
        return events(request, 0);
    }

    /**
     * All events that match, in the order of {@link #list}, and at most {@code limit} of them unless that is zero. Each
     * iteration begins at the first page, or at that of the request's token; a page is fetched when the iteration comes
     * to it, and no other is held. For a stream: {@code StreamSupport.stream(events.spliterator(), false)}.
     */
    public Iterable<dev.hitl.v1.Event> events(ListEventsRequest request, long limit) {
        return () -> new Listing(this::list, request, limit);
    }

    /**
     * Waits until an event ends, through lost connections and server restarts, and returns it with its
     * response, however it ended.
     *
     * @throws HitlException of kind {@code NOT_FOUND}
     * @throws InterruptedException if the thread is interrupted; the event stays
     */
    public dev.hitl.v1.Event awaitEvent(String eventId) throws InterruptedException {
        return Blocking.join(awaitEventAsync(eventId));
    }

    /**
     * Like {@link #awaitEvent}, without blocking or holding a thread. Cancel the future to stop waiting; the event
     * stays. What is hung on the future may block: it holds up no other wait.
     */
    public CompletableFuture<dev.hitl.v1.Event> awaitEventAsync(String eventId) {
        return waits.join(eventId);
    }

    /**
     * Follows the changes of events as they happen: what is created, and what ends. The request says of which events,
     * and from where on: from now, or from the {@code resume_token} of a change or of a list. An empty namespace is the
     * client's. Nothing is asked of the server before the first {@link Watch#hasNext}.
     */
    public Watch watch(WatchEventsRequest request) {
        return new Watch(calls, request.toBuilder().setNamespace(orOurs(request.getNamespace())));
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
        return calls.call(limits, EventServiceGrpc.getAnswerEventMethod(), request.build()).getEvent();
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
        return Blocking.uninterrupted(() -> Many.answer(calls, limits, filled));
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
        return calls.call(limits, EventServiceGrpc.getDeclineEventMethod(), request.build()).getEvent();
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
        return calls.call(limits, EventServiceGrpc.getCancelEventMethod(), request.build()).getEvent();
    }

    /**
     * Says something in the thread of a pending event. With {@code needsInfo} it is said that whoever asked is to say more
     * before it can be answered. {@code author} may be empty.
     *
     * @throws HitlException of kind {@code CONFLICT} if the event has ended, or {@code NOT_FOUND}
     */
    public Comment comment(String eventId, String text, boolean needsInfo, String author) {
        var request = AddCommentRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        request.setText(text).setNeedsInfo(needsInfo).setAuthor(author);
        return calls.call(limits, EventServiceGrpc.getAddCommentMethod(), request.build()).getComment();
    }

    /**
     * Returns what was said in the thread of an event, the first first.
     *
     * @throws HitlException of kind {@code NOT_FOUND}
     */
    public List<Comment> comments(String eventId) {
        var request = ListCommentsRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        return calls.call(limits, EventServiceGrpc.getListCommentsMethod(), request.build()).getCommentsList();
    }

    /**
     * Returns the signed receipt of how an event ended, to be kept, or verified by {@link Receipt#verify}.
     *
     * @throws HitlException of kind {@code CONFLICT} if the event is pending, or ended before its server signed receipts,
     *     or {@code NOT_FOUND}
     */
    public Receipt receipt(String eventId) {
        var request = GetReceiptRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        return Receipt.of(calls.call(limits, EventServiceGrpc.getGetReceiptMethod(), request.build()).getReceipt());
    }

    /**
     * Returns the public keys of the server's receipts. Whoever does not trust the server later saves them now, by {@link
     * KeySet#toJson}.
     */
    public KeySet receiptKeys() {
        var request = ListReceiptKeysRequest.getDefaultInstance();
        var keys = calls.call(limits, EventServiceGrpc.getListReceiptKeysMethod(), request).getKeysList();
        return new KeySet(keys.stream().map(key -> key.getPublicKey().toByteArray()).toList());
    }

    /**
     * Makes a link by which the person called {@code responder} answers an event, good for as long as the event waits.
     * Each call makes another.
     *
     * @throws HitlException of kind {@code CONFLICT} if the event has ended, or {@code NOT_FOUND}
     */
    public Link createLink(String eventId, String responder) {
        return createLink(linkRequest(eventId, responder).build());
    }

    /** As {@link #createLink(String, String)}, for so long, and never longer than the event waits. */
    public Link createLink(String eventId, String responder, Duration ttl) {
        CreateLinkRequest.Builder request = linkRequest(eventId, responder);
        request.getTtlBuilder().setSeconds(ttl.getSeconds()).setNanos(ttl.getNano());
        return createLink(request.build());
    }

    private CreateLinkRequest.Builder linkRequest(String eventId, String responder) {
        return CreateLinkRequest.newBuilder().setNamespace(namespace()).setEventId(eventId).setResponder(responder);
    }

    private Link createLink(CreateLinkRequest request) {
        return Link.of(calls.call(limits, EventServiceGrpc.getCreateLinkMethod(), request));
    }

    /**
     * Ends the links of an event that were made for {@code responder}; or all, with the one that the event has of itself,
     * if that is empty. Links that are made afterwards are good.
     *
     * @throws HitlException of kind {@code NOT_FOUND}
     */
    public void revokeLinks(String eventId, String responder) {
        var request = RevokeLinksRequest.newBuilder().setNamespace(namespace()).setEventId(eventId);
        calls.call(limits, EventServiceGrpc.getRevokeLinksMethod(), request.setResponder(responder).build());
    }

    /** Gives the connection back. Calls and waits under way fail; events stay. */
    @Override
    public void close() {
        calls.close();
        waits.giveUp(Calls.closedError(), lasted -> false);
    }

    /** Names the server and the namespace. */
    @Override
    public String toString() {
        return "hitl client of %s, namespace \"%s\"".formatted(calls.serverName(), Shown.oneLine(namespace()));
    }

    /** Tells people where to answer, if the program has not said that nobody is to be told. */
    void announce(dev.hitl.v1.Event event) {
        if (settings.announcer() != null) {
            settings.announcer().tell(event);
        }
    }

    /** Runs the task once the delay has passed, unless the future is cancelled before. */
    Future<?> after(Duration delay, Runnable task) {
        return calls.timer().after(delay, task);
    }

    private String orOurs(String namespace) {
        return orElse(namespace, namespace());
    }

    private static String orElse(String text, String otherwise) {
        return text.isEmpty() ? otherwise : text;
    }
}
