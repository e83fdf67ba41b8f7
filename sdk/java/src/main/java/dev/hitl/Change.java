package dev.hitl;

import dev.hitl.v1.ChangeKind;

/**
 * What has happened to an event.
 *
 * @param kind whether the event was created or has ended; treat a kind that is not known as an update
 * @param event the event as it stands, which may be later than the change
 * @param resumeToken makes another watch with the same filters go on from no later than here: it may bring changes that
 *     came before, and this one, again; it is good for 24 hours
 */
public record Change(ChangeKind kind, dev.hitl.v1.Event event, String resumeToken) {
    /** The kind and the event, without its links. */
    @Override
    public String toString() {
        return "%s of event %s \"%s\"".formatted(kind, event.getId(), Shown.oneLine(event.getName()));
    }
}
