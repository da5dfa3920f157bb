package io.sandglass.api.resources;

import io.sandglass.api.http.ProblemType;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The problems that an endpoint answers with beside those that every endpoint may. At an
 * annotation, those of every endpoint that has that one.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@interface Documented {
  ProblemType[] value();
}
