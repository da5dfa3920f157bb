/**
 * A billing consumer as somebody outside this project would write it: it knows the schemas' jar, a
 * database, and nothing else of Sandglass.
 */
package io.sandglass.examples.billing;
