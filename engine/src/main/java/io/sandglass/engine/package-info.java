/** The engine. */
package io.sandglass.engine;
