/**
 * All SQL of the API, and the migrations it needs; the same statements on H2 and on PostgreSQL.
 * Speaks domain, never Avro and never HTTP.
 */
package io.sandglass.api.store;
