/**
 * The host's side of the guest protocol ({@code guest/README.md}): one endpoint per sandbox on
 * which its guest offers connections, and executions that each use one of them up. Whatever comes
 * out of a sandbox is untrusted here: bounded in length, order, time and number of connections.
 * Depends on the JDK, slf4j and the port {@code files} only.
 */
package io.sandglass.executor.guest;
