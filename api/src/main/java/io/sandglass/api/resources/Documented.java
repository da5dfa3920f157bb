package io.sandglass.api.resources;

import io.sandglass.api.http.ProblemType;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The problems that an endpoint answers with beside those that every endpoint may. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface Documented {
  ProblemType[] value();
}
