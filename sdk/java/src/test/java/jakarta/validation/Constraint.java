package jakarta.validation;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** Stands for the annotation of the library of that name, which marks its constraints. */
@Retention(RetentionPolicy.RUNTIME)
public @interface Constraint {}
