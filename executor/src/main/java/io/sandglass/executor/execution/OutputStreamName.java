package io.sandglass.executor.execution;

/** Which of its two streams a command wrote to. */
public enum OutputStreamName {
  STDOUT,
  STDERR
}
