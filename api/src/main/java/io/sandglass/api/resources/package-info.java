/**
 * The endpoints: requests are checked and crossed into the domain, the domain is crossed into
 * views. No SQL, no Kafka, and no decision that is not about HTTP.
 */
package io.sandglass.api.resources;
