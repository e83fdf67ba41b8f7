package dev.hitl;

import dev.hitl.v1.CreateLinkResponse;
import java.time.Instant;

/**
 * A link that was made for one person: whoever answers by it is recorded as that person.
 *
 * @param url the page where the person answers. A secret: whoever has it answers as that person
 * @param apiUrl where a program answers as that person, with plain JSON. A secret like {@code url}
 * @param expires until when the link is good, by the server's clock
 */
public record Link(String url, String apiUrl, Instant expires) {
    static Link of(CreateLinkResponse made) {
        var expires = made.getExpireTime();
        return new Link(
                made.getFormUrl(), made.getApiUrl(), Instant.ofEpochSecond(expires.getSeconds(), expires.getNanos()));
    }

    /** Says until when the link is good, and nothing secret, since what is printed ends in logs. */
    @Override
    public String toString() {
        return "Link[expires=" + expires + "]";
    }
}
