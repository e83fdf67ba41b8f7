package dev.hitl;

/**
 * What became of one of many.
 *
 * @param value what was asked for; null if it failed
 * @param error why it failed, else null
 */
public record Result<T>(T value, HitlException error) {
    /**
     * The value.
     *
     * @throws HitlException the error, if it failed
     */
    public T get() {
        if (error != null) {
            throw error;
        }
        return value;
    }
}
