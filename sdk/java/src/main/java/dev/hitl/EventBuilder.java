package dev.hitl;

import dev.hitl.v1.Assignee;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.Fact;
import dev.hitl.v1.OnTimeout;
import dev.hitl.v1.PromptFormat;
import dev.hitl.v1.Risk;
import dev.hitl.v1.EventState;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/** An event that is about to be created. The server checks every rule; nothing is asked before. */
public final class EventBuilder<T> {
    private final Client client;
    /** That it is asked of, null if of none. */
    private final Run run;

    private final Input<T> input;
    private final CreateEventRequest.Builder request = CreateEventRequest.newBuilder();
    private int attempts = Asking.ATTEMPTS;

    EventBuilder(Client client, Run run, String name, String prompt, Input<T> input) {
        this.client = client;
        this.run = run;
        this.input = input;
        request.setName(name).setPrompt(prompt).setInput(input.proto);
    }

    /** The question in a few words: the headline of the page, above the prompt. */
    public EventBuilder<T> title(String title) {
        request.setTitle(title);
        return this;
    }

    /**
     * How much is at stake: low unless set. Pages take no answer at high risk without the person's word that this is
     * known.
     */
    public EventBuilder<T> risk(Risk risk) {
        request.setRisk(risk);
        return this;
    }

    /**
     * Lets nobody answer on a page without confirming it in a second step, or with a typed word if the risk is high.
     */
    public EventBuilder<T> requireConfirmation() {
        request.setRequireConfirmation(true);
        return this;
    }

    /**
     * Lets this person answer, and nobody else but those who are named too: by the name or the id of who signs in, of a
     * token, or whom a link is made for.
     */
    public EventBuilder<T> assignee(String person) {
        request.addAssignees(Assignee.newBuilder().setPerson(person));
        return this;
    }

    /** Lets everybody in this group answer, and nobody else but those who are named too. */
    public EventBuilder<T> group(String group) {
        request.addAssignees(Assignee.newBuilder().setGroup(group));
        return this;
    }

    /** Lets the event end only once so many distinct people have given the same value, 1 to 20, or one has declined. */
    public EventBuilder<T> required(int people) {
        request.getQuorumBuilder().setRequired(people);
        return this;
    }

    /** Lets no single decline end an event for which several have to agree. */
    public EventBuilder<T> outvotesDeclines() {
        request.getQuorumBuilder().setDeclineEnds(false);
        return this;
    }

    /** Shows a fact beside the prompt. Facts that are added one after the other are one item. */
    public EventBuilder<T> fact(String label, String value) {
        Fact fact = Fact.newBuilder().setLabel(label).setValue(value).build();
        int last = request.getEvidenceCount() - 1;
        if (last >= 0 && isBare(request.getEvidence(last))) {
            request.getEvidenceBuilder(last).getFactsBuilder().addFacts(fact);
        } else {
            request.addEvidenceBuilder().getFactsBuilder().addFacts(fact);
        }
        return this;
    }

    /** Shows items beside the prompt, after those that there are. */
    public EventBuilder<T> evidence(Evidence... items) {
        for (Evidence item : items) {
            request.addEvidence(item.proto);
        }
        return this;
    }

    private static boolean isBare(dev.hitl.v1.Evidence item) {
        return item.hasFacts() && item.getTitle().isEmpty() && item.getNote().isEmpty();
    }

    /** The run the event belongs to: {@code run} unless set. */
    public EventBuilder<T> scope(String scope) {
        request.setScope(scope);
        return this;
    }

    /** The time until the event times out, 1 ms to 366 days: one hour unless set. */
    public EventBuilder<T> timeout(Duration timeout) {
        request.getTtlBuilder().setSeconds(timeout.getSeconds()).setNanos(timeout.getNano());
        return this;
    }

    /** The value to go on with when nobody answers in time. Without it that is an error. */
    public EventBuilder<T> defaultOnTimeout(T value) {
        request.setOnTimeout(OnTimeout.newBuilder().setDefaultValue(input.write(value)));
        return this;
    }

    /** Adds a label to list by. */
    public EventBuilder<T> label(String key, String value) {
        request.putLabels(key, value);
        return this;
    }

    /** Shows the prompt as Markdown instead of plain text. */
    public EventBuilder<T> markdown() {
        request.setPromptFormat(PromptFormat.PROMPT_FORMAT_MARKDOWN);
        return this;
    }

    /**
     * Makes creating it again safe whatever run it is: the same key and the same request give the same
     * event. Derived from the run unless set (see the package's documentation).
     */
    public EventBuilder<T> idempotencyKey(String key) {
        request.setIdempotencyKey(key);
        return this;
    }

    /**
     * Creates the event. It and its timer are durable when this returns.
     *
     * @throws HitlException as {@link Client#create} does
     */
    public Event<T> create() {
        return Event.of(client, input, client.create(run, request()));
    }

    /** How often {@link #askValid} asks: 3 times unless set. */
    public EventBuilder<T> attempts(int attempts) {
        this.attempts = attempts;
        return this;
    }

    /**
     * Asks, waits, and asks again while {@code check} says what is wrong with the answer, which is nothing if it is
     * valid: the next event shows that, with the answer. Each attempt has all of the timeout. A default is not checked.
     * In a run, who asks the same again meets the same events.
     *
     * @throws HitlException of kind {@code INVALID}, with what was wrong last, if there was no valid answer in so many
     *     {@link #attempts}; others as {@link #create} and {@link Event#await} do
     * @throws InterruptedException if the thread is interrupted; the event stays
     */
    public T askValid(Function<? super T, Optional<String>> check) throws InterruptedException {
        Asking asking = new Asking(request(), attempts);
        for (CreateEventRequest asked = request(); ; ) {
            Event<T> event = Event.of(client, input, client.create(run, asked));
            Details<T> details = event.awaitDetails();
            boolean isDefault = details.response().getState() == EventState.EVENT_STATE_TIMED_OUT;
            Optional<String> why = isDefault ? Optional.empty() : check.apply(details.value());
            if (why.isEmpty()) {
                return details.value();
            }
            asked = asking.again(event.id(), details.response().getValue(), why.get());
        }
    }

    /** The request as the API has it. */
    CreateEventRequest request() {
        return request.build();
    }
}
