/**
 * What every endpoint shares: problems, request ids, authentication, strict bodies, idempotency.
 * Resources build on it; it knows none of them.
 */
package io.sandglass.api.http;
