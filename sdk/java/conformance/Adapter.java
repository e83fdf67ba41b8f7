import com.google.gson.*;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.hitl.*;
import dev.hitl.v1.AnswerEventRequest;
import dev.hitl.v1.ChangeKind;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.Risk;
import dev.hitl.v1.StrFormat;
import dev.hitl.v1.WatchEventsRequest;
import java.io.*;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.*;

/** Drives the SDK for the conformance suite: commands as JSON lines on stdin, replies on stdout. */
final class Adapter {
    private static final Gson GSON =
            new GsonBuilder().setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
                    .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final Map<String, Client> CLIENTS = new ConcurrentHashMap<>();
    private static final Map<String, Run> RUNS = new ConcurrentHashMap<>();
    private static final Map<String, Event<?>> EVENTS = new ConcurrentHashMap<>();

    /** A line of the runner. What it does not have is null, or what stands here. */
    private static final class Command {
        long id;
        String op, client, endpoint, namespace, runId, run, event, eventId, name, prompt, type, last, token, title, risk, proxy;
        String scope = "", idempotencyKey = "", yes = "", no = "", pattern = "", reason = "", responder = "", comment = "";
        String format = "STR_FORMAT_UNSPECIFIED", text = "";
        Long ttlMs, retryForMs, callTimeoutMs, timeoutMs, limitMs;
        Number min, max;
        Integer minLength, maxLength, minSelected, maxSelected, attempts;
        boolean multiline, markdown, insecure, requireConfirmation, needsInfo, outvotesDeclines;
        long number = 1, limit;
        int count, required;
        String[][] options, facts = {};
        Map<String, String> labels = Map.of(), headers = Map.of();
        JsonElement schema, defaultOnTimeout, receipt, keys, arguments;
        String action;
        String[] allow = {};
        byte[] message;
        byte[][] messages, evidence = {};
        List<String> eventIds, assignees = List.of(), groups = List.of();
    }

    public static void main(String[] args) {
        ExecutorService commands = Executors.newCachedThreadPool();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).lines();
        lines.map(line -> GSON.fromJson(line, Command.class))
                .forEach(c -> commands.execute(() -> OUT.println(GSON.toJson(reply(c)))));
        System.exit(0);
    }

    private static Map<String, Object> reply(Command c) {
        try {
            return Map.of("id", c.id, "ok", carryOut(c));
        } catch (HitlException e) {
            return Map.of("id", c.id, "error", said(e));
        } catch (Exception | Error fault) {
            return Map.of("id", c.id, "error", Map.of("kind", "adapter", "message", fault.toString()));
        }
    }

    private static Map<String, Object> said(HitlException e) {
        byte[] response = e.response() == null ? new byte[0] : e.response().toByteArray();
        return Map.of("kind", e.kind(), "reason", e.reason(), "message", e.getMessage(),
                "fields", e.fieldViolations(), "retryable", e.isRetryable(), "response", response);
    }

    private static Map<String, Object> carryOut(Command c) throws Exception {
        if (c.op.equals("client")) {
            Config config = new Config().endpoint(c.endpoint).namespace(c.namespace).runId(c.runId).insecure(c.insecure);
            config.proxy(c.proxy);
            if (c.retryForMs != null) config.retryFor(Duration.ofMillis(c.retryForMs));
            if (c.callTimeoutMs != null) config.callTimeout(Duration.ofMillis(c.callTimeoutMs));
            if (c.token != null) config.token(c.token);
            c.headers.forEach(config::header);
            CLIENTS.put(c.client, new Client(config));
            return Map.of();
        }
        Client made = CLIENTS.get(c.client);
        Client client = c.callTimeoutMs == null ? made : made.withCallTimeout(Duration.ofMillis(c.callTimeoutMs));
        return switch (c.op) {
            case "run" -> {
                RUNS.put(c.run, client.run(c.runId));
                yield Map.of();
            }
            case "create" -> create(c, client);
            case "attach" -> kept(c, attach(c, client));
            case "execute" -> execute((Review) EVENTS.get(c.event).await(), c);
            case "poll" -> EVENTS.get(c.event).poll().map(value -> Map.<String, Object>of("value", value))
                    .orElse(Map.of("pending", true));
            case "json" -> Map.of("json", JsonParser.parseString(EVENTS.get(c.event).toJson()));
            case "events" -> Map.of("listed", listed(c, client));
            case "within" -> Map.of("event_ids", within(c, client));
            case "wait" -> await(EVENTS.get(c.event), c.limitMs);
            case "wait_details" -> {
                Details<?> details = EVENTS.get(c.event).awaitDetails();
                yield Map.of("value", details.value(), "comment", details.response().getComment());
            }
            case "cancel_event" -> {
                EVENTS.get(c.event).cancel(c.reason);
                yield Map.of();
            }
            case "ask_valid" -> askValid(c, client);
            case "ask" -> Map.of("value", Hitl.ask(c.name, c.prompt, Input.integer()));
            case "wait_event" -> Map.of("event", client.awaitEvent(c.eventId).toByteArray());
            case "wait_many" -> Map.of("events", awaitMany(client, c.eventIds));
            case "watch" -> Map.of("changes", watch(c, client));
            case "create_many" -> results("created", client.createMany(messages(c, CreateEventRequest.parser())));
            case "answer_many" -> results("response", client.answerMany(messages(c, AnswerEventRequest.parser())));
            case "comment" -> comments(List.of(client.comment(c.eventId, c.text, c.needsInfo, c.responder)));
            case "comments" -> comments(client.comments(c.eventId));
            case "receipt" -> Map.of(
                    "receipt", JsonParser.parseString(client.receipt(c.eventId).toJson()),
                    "keys", JsonParser.parseString(client.receiptKeys().toJson()));
            case "verify" -> {
                Statement said = Receipt.fromJson(c.receipt.toString()).verify(KeySet.fromJson(c.keys.toString()));
                yield Map.of("event_id", said.eventId(), "namespace", said.namespace(), "state", said.state(),
                        "time", said.time());
            }
            case "create_link" -> {
                Link link = c.ttlMs == null ? client.createLink(c.eventId, c.responder)
                        : client.createLink(c.eventId, c.responder, Duration.ofMillis(c.ttlMs));
                yield Map.of("url", link.url(), "api_url", link.apiUrl(), "expires_ms", link.expires().toEpochMilli(),
                        "printed", link.toString());
            }
            case "revoke_links" -> {
                client.revokeLinks(c.eventId, c.responder);
                yield Map.of();
            }
            case "get" -> Map.of("event", client.get(c.eventId).toByteArray());
            case "answer" -> Map.of("event", client.answer(c.eventId, answer(c).comment(c.comment), c.responder).toByteArray());
            case "decline" -> Map.of("event", client.decline(c.eventId, c.reason, c.responder).toByteArray());
            case "cancel" -> Map.of("event", client.cancel(c.eventId, c.reason).toByteArray());
            case "list" -> Map.of("page", client.list(ListEventsRequest.parseFrom(c.message)).toByteArray());
            default -> throw new IllegalArgumentException("no such op");
        };
    }

    /** Asks for an even number. */
    private static Map<String, Object> askValid(Command c, Client client) throws Exception {
        Run run = c.run == null ? null : RUNS.get(c.run);
        var asked = run == null ? client.event(c.name, c.prompt, Input.integer()) : run.event(c.name, c.prompt, Input.integer());
        if (c.attempts != null) asked.attempts(c.attempts);
        return Map.of("value", asked.askValid(number ->
                number % 2 == 0 ? java.util.Optional.empty() : java.util.Optional.of(number + " is odd")));
    }

    private static Map<String, Object> comments(List<dev.hitl.v1.Comment> said) {
        return Map.of("comments", said.stream()
                .map(it -> Map.of("author", it.getAuthor().getName(), "text", it.getText(), "needs_info", it.getNeedsInfo()))
                .toList());
    }

    /** Waits for all events at once. */
    private static List<byte[]> awaitMany(Client client, List<String> eventIds) throws Exception {
        var waits = eventIds.stream().map(client::awaitEventAsync).toList();
        List<byte[]> events = new ArrayList<>();
        for (var wait : waits) events.add(wait.get().toByteArray());
        return events;
    }

    /** The changes up to the end of the last event. */
    private static List<Object> watch(Command c, Client client) throws Exception {
        List<Object> changes = new ArrayList<>();
        try (Watch watch = client.watch(WatchEventsRequest.parseFrom(c.message))) {
            boolean isLast = false;
            while (!isLast) {
                Change change = watch.next();
                changes.add(Map.of("kind", change.kind().getNumber(), "event", change.event().toByteArray(),
                        "resume_token", change.resumeToken()));
                isLast = change.kind() == ChangeKind.CHANGE_KIND_ENDED && change.event().getName().equals(c.last);
            }
        }
        return changes;
    }

    private static <M extends MessageLite> List<M> messages(Command c, Parser<M> parser) throws Exception {
        List<M> messages = new ArrayList<>();
        for (byte[] message : c.messages) messages.add(parser.parseFrom(message));
        return messages;
    }

    private static Map<String, Object> results(String name, List<? extends Result<? extends MessageLite>> results) {
        var outcomes = results.stream().map(result -> result.error() != null
                ? Map.of("error", said(result.error())) : Map.of(name, result.value().toByteArray()));
        return Map.of("results", outcomes.toList());
    }

    private static Answer answer(Command c) throws Exception {
        AnswerEventRequest request = AnswerEventRequest.parseFrom(c.message);
        if (request.hasValue()) return Answer.value(request.getValue());
        if (request.hasJson()) return Answer.json(request.getJson());
        return Answer.text(request.getText());
    }

    private static Map<String, Object> await(Event<?> event, Long limitMs) throws Exception {
        if (limitMs == null) return Map.of("value", shown(event.await()));
        return event.awaitFor(Duration.ofMillis(limitMs)).map(value -> Map.<String, Object>of("value", value))
                .orElse(Map.of("gave_up", true));
    }

    private static Event<?> attach(Command c, Client client) {
        Input<?> input = switch (c.type) {
            case "choices" -> Input.choices();
            case "object" -> Input.object();
            default -> null;
        };
        Class<?> type = switch (c.type) {
            case "int" -> Long.class;
            case "float" -> Double.class;
            case "bool" -> Boolean.class;
            case "review" -> Review.class;
            default -> String.class;
        };
        Run run = c.run == null ? null : RUNS.get(c.run);
        if (run == null) return input == null ? client.attach(c.eventId, type) : client.attach(c.eventId, input);
        return input == null ? run.attach(c.name, type, c.number) : run.attach(c.name, input, c.number);
    }

    /** Everything that matches, page by page. */
    private static List<byte[]> listed(Command c, Client client) throws Exception {
        List<byte[]> listed = new ArrayList<>();
        client.events(ListEventsRequest.parseFrom(c.message), c.limit).forEach(event -> listed.add(event.toByteArray()));
        return listed;
    }

    /** Asks for so many ints while a run is the current one. */
    private static List<String> within(Command c, Client client) {
        return client.run(c.runId).within(() -> {
            List<String> ids = new ArrayList<>();
            for (int at = 0; at < c.count; at++) {
                ids.add(client.event(c.name, "How many?", Input.integer()).create().id());
            }
            return ids;
        });
    }

    private static Map<String, Object> create(Command c, Client client) throws Exception {
        return switch (c.type) {
            case "int" -> {
                Input.Int input = Input.integer();
                if (c.min != null) input = input.min(c.min.longValue());
                if (c.max != null) input = input.max(c.max.longValue());
                yield create(c, client, input, Long.class);
            }
            case "float" -> {
                Input.Real input = Input.number();
                if (c.min != null) input = input.min(c.min.doubleValue());
                if (c.max != null) input = input.max(c.max.doubleValue());
                yield create(c, client, input, Double.class);
            }
            case "str" -> {
                Input.Text input = Input.text().pattern(c.pattern).format(StrFormat.valueOf(c.format));
                if (c.minLength != null) input = input.minLength(c.minLength);
                if (c.maxLength != null) input = input.maxLength(c.maxLength);
                if (c.multiline) input = input.multiline();
                yield create(c, client, input, String.class);
            }
            case "bool" -> create(c, client, Input.bool().labels(c.yes, c.no), Boolean.class);
            case "choice" -> {
                Input.Choice<String> input = Input.choice();
                for (String[] option : c.options) input = input.option(option[0], option[1]);
                yield create(c, client, input, String.class);
            }
            case "choices" -> {
                Input.Choices<String> input = Input.choices();
                for (String[] option : c.options) input = input.option(option[0], option[1]);
                if (c.minSelected != null) input = input.minSelected(c.minSelected);
                if (c.maxSelected != null) input = input.maxSelected(c.maxSelected);
                yield create(c, client, input, List.class);
            }
            case "review" -> {
                Input.Action input = Input.review(c.action, written(c.arguments)).allow(java.util.Arrays.stream(c.allow)
                        .map(name -> Review.Decision.valueOf(name.toUpperCase(Locale.ROOT))).toArray(Review.Decision[]::new));
                if (c.schema != null) input = input.schema(c.schema.toString());
                yield create(c, client, input, Review.class);
            }
            default -> create(c, client, Input.object().schema(c.schema.toString()), Map.class);
        };
    }

    private static String written(JsonElement json) {
        return json == null ? "null" : json.toString();
    }

    private static Map<String, Object> execute(Review review, Command c) {
        String given = c.arguments == null ? review.arguments() : written(c.arguments);
        boolean approves = given != null && review.approves(c.action, given);
        JsonElement executed = review.executeIfApproved(c.action, JsonParser::parseString);
        return Map.of("executed", executed, "approves", approves);
    }

    /** A review as JSON, its arguments as what they are. */
    private static Object shown(Object value) {
        if (!(value instanceof Review review)) return value;
        JsonObject shown = GSON.toJsonTree(review).getAsJsonObject();
        shown.addProperty("decision", review.decision().name().toLowerCase(Locale.ROOT));
        shown.add("arguments", review.arguments() == null ? JsonNull.INSTANCE : JsonParser.parseString(review.arguments()));
        return shown;
    }

    private static <T> Map<String, Object> create(Command c, Client client, Input<T> input, Type type) throws Exception {
        Run run = c.run == null ? null : RUNS.get(c.run);
        var asked = run == null ? client.event(c.name, c.prompt, input) : run.event(c.name, c.prompt, input);
        EventBuilder<T> builder = asked.scope(c.scope);
        if (c.timeoutMs != null) builder.timeout(Duration.ofMillis(c.timeoutMs));
        if (c.defaultOnTimeout != null && type == Review.class) {
            JsonObject given = c.defaultOnTimeout.getAsJsonObject();
            var decision = Review.Decision.valueOf(given.get("decision").getAsString().toUpperCase(Locale.ROOT));
            String said = given.has("message") ? given.get("message").getAsString() : "";
            @SuppressWarnings("unchecked") T value = (T) new Review(decision, "", null, said, "", "");
            builder.defaultOnTimeout(value);
        } else if (c.defaultOnTimeout != null) builder.defaultOnTimeout(GSON.fromJson(c.defaultOnTimeout, type));
        if (c.markdown) builder.markdown();
        c.labels.forEach(builder::label);
        if (c.title != null) builder.title(c.title);
        if (c.risk != null) builder.risk(Risk.valueOf("RISK_" + c.risk.toUpperCase(Locale.ROOT)));
        if (c.requireConfirmation) builder.requireConfirmation();
        c.assignees.forEach(builder::assignee);
        c.groups.forEach(builder::group);
        if (c.required > 0) builder.required(c.required);
        if (c.outvotesDeclines) builder.outvotesDeclines();
        for (String[] fact : c.facts) builder.fact(fact[0], fact[1]);
        for (byte[] item : c.evidence) builder.evidence(Evidence.of(dev.hitl.v1.Evidence.parseFrom(item)));
        return kept(c, builder.idempotencyKey(c.idempotencyKey).create());
    }

    /** Keeps the event for later commands, and tells what it is. */
    private static Map<String, Object> kept(Command c, Event<?> event) {
        EVENTS.put(c.event, event);
        return Map.of("event_id", event.id(), "request_id", event.requestId(), "name", event.name(),
                "form_url", event.formUrl(), "api_url", event.apiUrl(), "endpoint", event.endpoint(),
                "existed", event.existed(), "deadline_ms", event.deadline().toEpochMilli());
    }
}
