/**
 * What the API talks about, without a wire, a table or a URL: sandboxes, facts, commands, policies,
 * and the rules that make a request valid. Uses {@code java.*} only; everything else may depend on
 * it.
 */
package io.sandglass.api.domain;
