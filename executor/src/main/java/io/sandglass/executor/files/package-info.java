/**
 * The files of a sandbox: what can be asked, what comes back, and why not. A port that the guest's
 * side implements; knows nothing but the JDK.
 */
package io.sandglass.executor.files;
