package dev.holdfast;

import dev.holdfast.containment.Sweep;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What is left of JVMs that died together with their keepers, so that nobody ended their jobs. Each
 * JVM has an anchor, the directory that its jobs lie in, and a lock on it that the kernel frees
 * when the last process that holds it ends; so a living one is never taken for a dead one. A new
 * anchor looks for dead ones beside it by itself, in the background; this looks everywhere.
 *
 * @param swept those that were found dead, and are gone
 * @param left those that were found dead, and could not be removed
 * @param released how many hold members that their owner has let go; they are removed once empty
 * @param living how many belong to somebody who lives; those of other users are not looked at
 */
public record Leftovers(List<Swept> swept, List<Left> left, int released, int living) {
  /**
   * One that is gone.
   *
   * @param anchor its name
   * @param path its directory, in the hierarchy with the members
   * @param killedMembers how many processes lived in it, at least: looking for more would let them
   *     live on
   */
  public record Swept(String anchor, String path, int killedMembers) {}

  /**
   * One that is dead, and still there.
   *
   * @param anchor its name
   * @param path its directory, in the hierarchy with the members
   * @param reason what kept it from being removed
   */
  public record Left(String anchor, String path, String reason) {}

  /** Copies the lists. */
  public Leftovers {
    swept = List.copyOf(swept);
    left = List.copyOf(left);
  }

  /**
   * Ends and removes all anchors of this machine, as far as we may, whose owners are dead. It may
   * run in many processes at once.
   *
   * @throws IOException if the control groups cannot be read
   */
  public static Leftovers sweep() throws IOException {
    Collector found = new Collector();
    Sweep.everywhere(found);
    return new Leftovers(found.swept, found.left, found.released, found.living);
  }

  private static final class Collector implements Sweep.Listener {
    private final List<Swept> swept = new ArrayList<>();
    private final List<Left> left = new ArrayList<>();
    private int released;
    private int living;

    @Override
    public void living(String anchor) {
      living++;
    }

    @Override
    public void swept(String anchor, String path, int killed) {
      swept.add(new Swept(anchor, path, killed));
    }

    @Override
    public void released(String anchor, String path) {
      released++;
    }

    @Override
    public void left(String anchor, String path, IOException why) {
      left.add(new Left(anchor, path, String.valueOf(why.getMessage())));
    }
  }
}
