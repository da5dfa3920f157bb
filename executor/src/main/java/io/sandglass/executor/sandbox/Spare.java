package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;

/**
 * A container that runs ahead of its sandbox.
 *
 * @param image the reference that it is kept ready for
 * @param resident the way to its guest
 * @param container as it was when it was last looked at
 */
record Spare(String image, Resident resident, FoundContainer container) {

  Life life() {
    return resident.life();
  }

  Limits limits() {
    return container.limits();
  }
}
