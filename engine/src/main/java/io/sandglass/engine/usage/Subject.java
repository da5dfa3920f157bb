package io.sandglass.engine.usage;

import io.sandglass.engine.lifecycle.Size;
import io.sandglass.engine.lifecycle.Template;

/** What an interval is of, and who is charged: the same for all of a sandbox's life. */
public record Subject(String sandboxId, String org, Template template, Size size) {}
