package dev.holdfast.linux;

import java.io.IOException;

/**
 * A process of ours that does nothing but be there, so that a control group has a member, until we
 * are gone or let it go. It is a keeper that was told of no anchor.
 *
 * <p>Thread-safe.
 */
public final class Holder implements AutoCloseable {
  private final Keeper keeper;

  private Holder(Keeper keeper) {
    this.keeper = keeper;
  }

  /** Starts one, in our own group. */
  public static Holder start() throws IOException {
    return new Holder(Keeper.start(() -> {}));
  }

  public int pid() {
    return keeper.pid();
  }

  /** Lets it end. */
  @Override
  public void close() {
    keeper.close();
  }
}
