/** Secrets: how keys are made, checked and kept as hashes, and how values are sealed. */
package io.sandglass.api.secrets;
