/**
 * Everything in one JVM: an embedded broker and database, and the three applications, each as it
 * runs alone. Has no logic of its own beyond starting them in order and writing down how to reach
 * them.
 */
package io.sandglass.standalone;
