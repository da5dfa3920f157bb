/**
 * What makes a changed log show: how far each partition goes, the checkpoints that say so, and the
 * keys they are signed with. Depends on the JDK and on the chain's hash; reads and writes no topic.
 */
package io.sandglass.engine.audit;
