package io.sandglass.api.resources;

/** A body that says nothing: empty, or an object without fields. */
record NoFields() {}
