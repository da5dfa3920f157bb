/**
 * Webhooks on their way out: which hosts may be called, how a message is signed and sent, and who
 * sends what when. What waits and what came of it is in the store.
 */
package io.sandglass.api.webhooks;
