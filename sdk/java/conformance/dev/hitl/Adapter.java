package dev.hitl;

import static dev.hitl.Json.*;

import com.google.gson.*;
import dev.hitl.v1.*;
import java.io.*;
import java.lang.reflect.*;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;

/** Drives the SDK by JSON lines, one command each, for the conformance suite. */
final class Adapter {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final Map<String, Client> CLIENTS = new ConcurrentHashMap<>();
    private static final Map<String, Asked<?>> EVENTS = new ConcurrentHashMap<>();

    private record Asked<T>(Event<T> event, Input<T> input) {}

    public static void main(String[] args) throws IOException {
        ExecutorService commands = Executors.newCachedThreadPool();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject command = JsonParser.parseString(line).getAsJsonObject();
            command.entrySet().removeIf(each -> each.getValue().isJsonNull() && !each.getKey().equals("json"));
            commands.execute(() -> OUT.println(GSON.toJson(reply(command))));
        }
        System.exit(0);
    }

    private static JsonObject reply(JsonObject c) {
        try {
            return object("id", c.get("id"), "ok", run(c));
        } catch (HitlException error) {
            return object("id", c.get("id"), "error", error(error));
        } catch (Exception | Error fault) {
            return object("id", c.get("id"), "error", object("kind", "adapter", "message", fault.toString()));
        }
    }

    private static JsonObject run(JsonObject c) throws Exception {
        String id = text(c, "event_id"), reason = text(c, "reason"), responder = text(c, "responder");
        return switch (text(c, "op")) {
            case "client" -> {
                Config config = new Config();
                on(c, "endpoint", it -> config.endpoint(it.getAsString()));
                on(c, "namespace", it -> config.namespace(it.getAsString()));
                on(c, "run_id", it -> config.runId(it.getAsString()));
                on(c, "retry_for_ms", it -> config.retryFor(Duration.ofMillis(it.getAsLong())));
                CLIENTS.put(text(c, "client"), new Client(config));
                yield object();
            }
            case "create" -> create(c, input(c));
            case "wait" -> await(EVENTS.get(text(c, "event")), c.get("limit_ms"));
            case "wait_event" -> event(client(c).awaitEvent(id));
            case "get" -> event(client(c).get(id));
            case "cancel_event" -> {
                EVENTS.get(text(c, "event")).event().cancel(reason);
                yield object();
            }
            case "answer" -> {
                Answer answer = c.has("value") ? Answer.value(value(c.get("value")))
                        : c.has("json") ? Answer.json(GSON.toJson(c.get("json"))) : Answer.text(text(c, "text"));
                yield event(client(c).answer(id, answer, responder));
            }
            case "decline" -> event(client(c).decline(id, reason, responder));
            case "cancel" -> event(client(c).cancel(id, reason));
            case "list" -> {
                var request = ListEventsRequest.newBuilder().setName(text(c, "name")).setScope(text(c, "scope"));
                request.setPageToken(text(c, "page_token")).putAllLabels(labels(c));
                on(c, "state", it -> request.setState(EventState.valueOf("EVENT_STATE_" + it.getAsString())));
                on(c, "page_size", it -> request.setPageSize(it.getAsInt()));
                var page = client(c).list(request.build());
                yield object("events", page.getEventsList().stream().map(Json::event).toList(),
                        "next_page_token", page.getNextPageToken());
            }
            case "ask" -> ask(c, input(c));
            default -> throw new IllegalArgumentException("no such op");
        };
    }

    private static <T> JsonObject create(JsonObject c, Input<T> input) {
        EventBuilder<T> builder = client(c).event(text(c, "name"), text(c, "prompt"), input);
        on(c, "scope", it -> builder.scope(it.getAsString()));
        on(c, "timeout_ms", it -> builder.timeout(Duration.ofMillis(it.getAsLong())));
        on(c, "default", it -> builder.defaultOnTimeout(input.read(value(it))));
        labels(c).forEach(builder::label);
        on(c, "markdown", it -> { if (it.getAsBoolean()) builder.markdown(); });
        on(c, "idempotency_key", it -> builder.idempotencyKey(it.getAsString()));
        Event<T> event = builder.create();
        EVENTS.put(text(c, "event"), new Asked<>(event, input));
        return object("event_id", event.id(), "request_id", event.requestId(), "name", event.name(), "form_url",
                event.formUrl(), "api_url", event.apiUrl(), "endpoint", event.endpoint(), "existed",
                event.existed(), "deadline_ms", event.deadline().toEpochMilli());
    }

    private static <T> JsonObject ask(JsonObject c, Input<T> input) throws InterruptedException {
        return object("value", json(input.write(Hitl.ask(text(c, "name"), text(c, "prompt"), input))));
    }

    private static <T> JsonObject await(Asked<T> asked, JsonElement limit) throws Exception {
        if (limit == null) return object("value", json(asked.input().write(asked.event().await())));
        CompletableFuture<T> answer = asked.event().awaitAsync();
        try {
            return object("value", json(asked.input().write(answer.get(limit.getAsLong(), TimeUnit.MILLISECONDS))));
        } catch (TimeoutException notYet) {
            return object("gave_up", answer.cancel(true));
        } catch (ExecutionException failed) {
            throw (Exception) failed.getCause();
        }
    }

    /** The input of the command's type; what else the command holds is set by the method of the same name. */
    private static Input<?> input(JsonObject c) throws Exception {
        Input.Choice<String> one = Input.choice();
        Input.Choices<String> several = Input.choices();
        if (c.has("options")) for (JsonElement each : c.getAsJsonArray("options")) {
            String value = text(each.getAsJsonObject(), "value"), label = text(each.getAsJsonObject(), "label");
            one = one.option(value, label);
            several = several.option(value, label);
        }
        Input<?> input = switch (text(c, "type")) {
            case "int" -> Input.integer();
            case "float" -> Input.number();
            case "str" -> text(c, "multiline").equals("true") ? Input.text().multiline() : Input.text();
            case "bool" -> c.has("yes") ? Input.bool().labels(text(c, "yes"), text(c, "no")) : Input.bool();
            case "choice" -> one;
            case "choices" -> several;
            default -> Input.object().schema(GSON.toJson(c.get("schema")));
        };
        for (Method method : input.getClass().getDeclaredMethods()) {
            String key = method.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
            if (!c.has(key) || method.getParameterCount() != 1 || key.equals("schema")) continue;
            Object setting = key.equals("format") ? StrFormat.valueOf("STR_FORMAT_" + text(c, key))
                    : GSON.fromJson(c.get(key), method.getParameterTypes()[0]);
            try {
                input = (Input<?>) method.invoke(input, setting);
            } catch (InvocationTargetException refused) {
                throw (Exception) refused.getCause();
            }
        }
        return input;
    }

    private static Client client(JsonObject c) {
        return CLIENTS.computeIfAbsent(c.has("client") ? text(c, "client") : "default", absent -> Client.fromEnv());
    }
}
