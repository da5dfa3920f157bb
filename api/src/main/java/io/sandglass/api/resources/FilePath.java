package io.sandglass.api.resources;

import io.sandglass.api.http.ProblemException;
import java.util.Arrays;
import java.util.List;

/** Rules for paths in sandboxes. What is really there is for the sandbox to say. */
final class FilePath {
  private static final int LONGEST = 4096;

  private FilePath() {}

  /** A path that can be a file's. */
  static String ofFile(String path) {
    List<String> names = names(path);
    if (names.stream().allMatch(FilePath::isNothing)) {
      throw invalid("Expected a file, but this is the root.");
    }
    if (isNothing(names.getLast())) {
      throw invalid("Expected a file, but this names a directory.");
    }
    return path;
  }

  static String ofDirectory(String path) {
    var _ = names(path);
    return path;
  }

  private static boolean isNothing(String name) {
    return name.isEmpty() || name.equals(".");
  }

  private static List<String> names(String path) {
    if (path == null || !path.startsWith("/")) {
      throw invalid("Expected an absolute path.");
    }
    // What is no UTF-8 in the request's address has been replaced by then.
    if (!Checks.clean(path) || path.indexOf('\ufffd') >= 0) {
      throw invalid("Expected UTF-8 without NUL.");
    }
    if (Checks.utf8(path) > LONGEST) {
      throw invalid("Expected up to " + LONGEST + " bytes.");
    }
    List<String> names = Arrays.asList(path.split("/", -1));
    if (names.contains("..")) {
      throw invalid("Expected a path without `..`.");
    }
    return names;
  }

  private static ProblemException invalid(String detail) {
    return ProblemException.invalid("path", detail);
  }
}
