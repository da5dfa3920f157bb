package io.sandglass.api.http;

import io.sandglass.api.domain.Scope;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The scope that a caller's key must have. Every operation below {@code /v1} says one: the API does
 * not start otherwise. With {@link Scope#ADMIN} the caller is an {@link Administrator}, with any
 * other a {@link Caller}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Requires {
  Scope value();
}
