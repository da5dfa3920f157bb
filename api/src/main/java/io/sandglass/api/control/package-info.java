/**
 * What the API does, one class per subject: decides nothing about a sandbox itself, but brings
 * commands to the log and answers from the projection. Knows neither HTTP nor Kafka; the log is a
 * port, {@link io.sandglass.api.control.CommandLog}.
 */
package io.sandglass.api.control;
