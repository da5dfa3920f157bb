package io.sandglass.executor.runtime.docker;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.DiskUse;
import java.time.Duration;

/**
 * What a build may use.
 *
 * @param network of Docker's, that commands of a recipe are connected to; {@code none} for none
 * @param disk most that it may write over the images it starts from; 0 is any number
 * @param timeout of all of it
 */
public record BuildSettings(Limits limits, String network, DiskUse disk, Duration timeout) {}
