package io.sandglass.executor.network.nft;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;

/**
 * The packet filter's language, spoken to libnftables within this process: the program {@code nft}
 * is a command line of that library, and takes a hundred times as long to load and to end as a
 * change takes.
 *
 * <p>A context of the library is bound to the network namespace of the thread that makes it, and
 * serves one caller at a time. So there is one thread for it, which is in the bridge's namespace.
 */
final class Nftables implements AutoCloseable {
  /** As the program has; a table's text is read by recursion. */
  private static final long STACK_BYTES = 8 << 20;

  private final HostCommands host;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("nftables").stackSize(STACK_BYTES).factory());

  private Optional<Context> context = Optional.empty();

  /**
   * @param host whose namespace it is
   */
  Nftables(HostCommands host) {
    this.host = host;
  }

  /**
   * One transaction, or a listing.
   *
   * @param commands as in a file for {@code nft -f}
   * @return the listing; or a code other than 0 and why, and nothing has changed
   */
  HostCommands.Output run(String commands) {
    try {
      return thread
          .submit(() -> context().run(commands))
          .get(HostCommands.PATIENCE.toNanos(), NANOSECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeUnavailableException known
          ? known
          : new RuntimeUnavailableException("libnftables: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new RuntimeUnavailableException(
          "libnftables did not answer within " + HostCommands.PATIENCE.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RuntimeUnavailableException("interrupted while libnftables was at work", e);
    }
  }

  /** The same of commands that must succeed. */
  String succeed(String commands) {
    HostCommands.Output output = run(commands);
    if (output.code() != 0) {
      throw new RuntimeUnavailableException("nftables failed: " + output.text().strip(), null);
    }
    return output.text();
  }

  @Override
  public void close() {
    thread.execute(this::forget);
    thread.shutdown();
  }

  private void forget() {
    context.ifPresent(Context::free);
    context = Optional.empty();
  }

  /** The one of the namespace as it is now: with a Docker Engine another one may have come. */
  private Context context() {
    Optional<Path> namespace = host.namespace();
    String identity = namespace.map(Nftables::identity).orElse("");
    if (context.filter(now -> now.namespace.equals(identity)).isEmpty()) {
      forget();
      Library library = Library.load();
      namespace.ifPresent(library::enter);
      context = Optional.of(new Context(library, identity));
    }
    return context.orElseThrow();
  }

  private static String identity(Path namespace) {
    try {
      return Files.readSymbolicLink(namespace).toString();
    } catch (IOException e) {
      throw new RuntimeUnavailableException(namespace + " can't be read", e);
    }
  }

  /** A {@code struct nft_ctx}. */
  private static final class Context {
    /** {@code NFT_CTX_OUTPUT_STATELESS} and {@code NFT_CTX_OUTPUT_NUMERIC_ALL}. */
    private static final int STATELESS_AND_NUMERIC = 1 << 2 | 0b1111 << 7;

    private final Library library;
    private final String namespace;
    private final MemorySegment pointer;

    Context(Library library, String namespace) {
      this.library = library;
      this.namespace = namespace;
      pointer = (MemorySegment) library.call("nft_ctx_new", 0);
      library.call("nft_ctx_buffer_output", pointer);
      library.call("nft_ctx_buffer_error", pointer);
      library.call("nft_ctx_output_set_flags", pointer, STATELESS_AND_NUMERIC);
    }

    HostCommands.Output run(String commands) {
      try (Arena arena = Arena.ofConfined()) {
        int code =
            (int) library.call("nft_run_cmd_from_buffer", pointer, arena.allocateFrom(commands));
        String output = text("nft_ctx_get_output_buffer");
        String errors = text("nft_ctx_get_error_buffer");
        return new HostCommands.Output(code, code == 0 ? output : errors);
      }
    }

    /** Reading it empties it. */
    private String text(String buffer) {
      return Library.text((MemorySegment) library.call(buffer, pointer));
    }

    void free() {
      library.call("nft_ctx_free", pointer);
    }
  }

  /** Functions of libnftables 1, and those of the C library that enter a namespace. */
  @SuppressWarnings("restricted")
  private record Library(Map<String, MethodHandle> functions) {
    private static final String NAME = "libnftables.so.1";
    private static final int O_CLOEXEC = 0x80000;
    private static final int CLONE_NEWNET = 0x40000000;

    static Library load() {
      SymbolLookup nftables;
      try {
        nftables = SymbolLookup.libraryLookup(NAME, Arena.global());
      } catch (IllegalArgumentException e) {
        throw new RuntimeUnavailableException(NAME + " can't be loaded", e);
      }
      Linker linker = Linker.nativeLinker();
      SymbolLookup all = nftables.or(linker.defaultLookup());
      FunctionDescriptor buffered = FunctionDescriptor.of(JAVA_INT, ADDRESS);
      FunctionDescriptor read = FunctionDescriptor.of(ADDRESS, ADDRESS);
      Map<String, MethodHandle> functions = new HashMap<>();
      BiConsumer<String, FunctionDescriptor> bind =
          (name, descriptor) ->
              functions.put(name, linker.downcallHandle(all.findOrThrow(name), descriptor));
      bind.accept("nft_ctx_new", FunctionDescriptor.of(ADDRESS, JAVA_INT));
      bind.accept("nft_ctx_free", FunctionDescriptor.ofVoid(ADDRESS));
      bind.accept("nft_ctx_buffer_output", buffered);
      bind.accept("nft_ctx_buffer_error", buffered);
      bind.accept("nft_ctx_output_set_flags", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT));
      bind.accept("nft_run_cmd_from_buffer", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
      bind.accept("nft_ctx_get_output_buffer", read);
      bind.accept("nft_ctx_get_error_buffer", read);
      bind.accept("setns", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
      bind.accept("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
      functions.put(
          "open",
          linker.downcallHandle(
              all.findOrThrow("open"),
              FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
              Linker.Option.firstVariadicArg(2)));
      return new Library(functions);
    }

    /** Moves the calling thread into a network namespace. */
    void enter(Path namespace) {
      try (Arena arena = Arena.ofConfined()) {
        int file = (int) call("open", arena.allocateFrom(namespace.toString()), O_CLOEXEC);
        if (file < 0) {
          throw new RuntimeUnavailableException(namespace + " can't be opened", null);
        }
        try {
          if ((int) call("setns", file, CLONE_NEWNET) != 0) {
            throw new RuntimeUnavailableException(
                namespace + " can't be entered: it takes CAP_SYS_ADMIN", null);
          }
        } finally {
          call("close", file);
        }
      }
    }

    /** What a function returns; null where that is nothing. */
    Object call(String function, Object... arguments) {
      try {
        return functions.get(function).invokeWithArguments(arguments);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(function + " declares no exception", e);
      }
    }

    static String text(MemorySegment pointer) {
      return pointer.equals(MemorySegment.NULL)
          ? ""
          : pointer.reinterpret(Long.MAX_VALUE).getString(0);
    }
  }
}
