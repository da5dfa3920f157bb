package io.sandglass.executor.runtime;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs containers. Every operation is idempotent: asked twice, by whomever, it ends in the same
 * state and says so.
 *
 * <p>Each may throw {@link RuntimeUnavailableException} (may pass) or {@link
 * RuntimeRefusedException} (won't).
 */
public interface ContainerRuntime {

  /** Also the proof that the runtime answers. */
  RuntimeHost host();

  /** Makes the container, without starting it. */
  Creation create(ContainerSpec spec);

  /**
   * Makes the network namespace of an address and connects it, ahead of the container that will
   * join it. {@link #start} does it where it is missing, and takes longer.
   *
   * @param address IPv4, on the bridge that all sandboxes share
   */
  void openNetwork(String address);

  /** Removes the namespace of an address, whose container is gone; fine where there is none. */
  void closeNetwork(String address);

  /**
   * Addresses that {@link #openNetwork} or {@link #start} has made something for that is left, and
   * whether their namespaces are there: not after a restart of the host.
   */
  Map<String, Boolean> networks();

  /** Starts one that was made or has exited; does not apply to a frozen one. */
  Change start(Life life);

  /** Holds all processes of a running one. */
  Change freeze(Life life);

  /** Lets a frozen one go on. */
  Change thaw(Life life);

  /**
   * Ends its processes, frozen or not, and keeps its files.
   *
   * @param grace between asking the first process to end and killing it
   */
  Change stop(Life life, Duration grace);

  /**
   * Makes a container another life's. It is asked for by its old name, so of all callers who want
   * it one gets it.
   *
   * @return missing when nobody has the old name, as when somebody else was first
   * @throws RuntimeRefusedException when the new life has a container already
   */
  Change rename(Life from, Life to);

  /** Gives it other limits, whatever it is doing. */
  Change resize(Life life, ContainerSpec.Limits limits);

  /** Removes it with its files, whatever it is doing; when this returns, it is gone. */
  void remove(Life life);

  Optional<FoundContainer> find(Life life);

  /**
   * All containers of this node, without the {@code exit} and the {@code limits} that {@link #find}
   * tells.
   */
  List<FoundContainer> list();

  /** All containers of one sandbox on this node, told like those of {@link #list()}. */
  List<FoundContainer> list(String sandboxId);

  /**
   * What it has written over its image; empty when it is not there. Walks its files to tell.
   *
   * @throws RuntimeRefusedException when its processes keep it from being counted
   */
  Optional<DiskUse> disk(Life life);

  /**
   * What is on the file system that containers write to, whoever wrote it, told at once. Empty when
   * it can't be told, as before {@link #disk} has shown where that is.
   */
  Optional<DiskUse> storage();

  /**
   * The id of an image that can be started without fetching anything. It changes when the reference
   * comes to mean another image; empty when there is none.
   */
  Optional<String> imageId(String image);

  /** References of the images that can be started without fetching anything. */
  List<String> images();

  /**
   * Calls {@code hint} when something may have happened to a container or an image. Events get
   * lost, come late and come twice: a hint is a reason to look, nothing more.
   *
   * @return ends the subscription
   */
  AutoCloseable subscribe(Runnable hint);
}
