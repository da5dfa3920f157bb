/**
 * The HTTP API: commands go into the log, decisions come out of it, and everything that is read
 * comes from SQL tables folded from it. Here the parts are put together; what each does is in its
 * package, and which may use which is checked by {@code LayersTest}.
 */
package io.sandglass.api;
