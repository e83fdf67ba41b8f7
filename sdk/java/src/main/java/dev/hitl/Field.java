package dev.hitl;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What an answer to a component of a record must keep to, and what the form says of it, for {@link
 * Input#object(Class)}:
 *
 * <pre>{@code
 * record Deploy(
 *     @Field(title = "How many", min = "1", max = "9") long replicas,
 *     @Field(pattern = "^[A-Z]+-[0-9]+$") String ticket,
 *     @Field(options = {"lint", "test"}, minItems = 1) List<String> checks) {}
 * }</pre>
 *
 * <p>What does not belong to the component's type is refused when the input is made.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Field {
    /** What the form calls the field, instead of its name. */
    String title() default "";

    /** A line or more of help. */
    String description() default "";

    /** The smallest number accepted, such as {@code "1"} or {@code "0.5"}. */
    String min() default "";

    /** The largest number accepted. */
    String max() default "";

    /** The fewest characters accepted. */
    int minLength() default -1;

    /** The most characters accepted. */
    int maxLength() default -1;

    /** A regular expression (RE2) to be found in the text; anchor it to match the whole. */
    String pattern() default "";

    /** A well-known format of text: {@code email}, {@code uri}, {@code date} or {@code date-time}. */
    String format() default "";

    /** What a {@code String} or a {@code List<String>} may be picked from. */
    String[] options() default {};

    /** The fewest options to pick of a list. */
    int minItems() default -1;

    /** The most options to pick of a list. */
    int maxItems() default -1;
}
