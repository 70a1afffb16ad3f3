package dev.holdfast.cgroup;

import java.util.Optional;

/**
 * Somebody who may give a part of the cgroup tree to others: systemd, in {@code holdfast-systemd}.
 * Found by {@link java.util.ServiceLoader}, and only where {@link Delegation} finds nothing that is
 * ours already.
 *
 * <p>Thread-safe.
 */
public interface ScopeManager {
  /** Who it is, for people, such as {@code the user's systemd}. */
  String whom();

  /**
   * Why it cannot be asked, with an empty remedy if nothing would help; empty if it seems that it
   * can be. Looks at files only, and answers in milliseconds.
   */
  Optional<Absence> obstacle();

  /**
   * Has a group made that is ours from then on, with the process {@code pid} in it, and waits until
   * it is there: half a minute at most. The group goes when its last process has gone.
   *
   * @param name of our choice, of letters, digits and {@code _ . -}
   * @return the name by which {@link #attach} knows it
   * @throws HoldfastException if it is refused, or does not come in time; also if the calling
   *     thread is interrupted meanwhile, which stays so
   */
  String create(String name, int pid) throws HoldfastException;

  /**
   * Has the process {@code pid} moved into a group that {@link #create} made, or into one below it:
   * what we may not do ourselves where the process comes from a part of the tree that is not ours.
   *
   * @param scope what {@link #create} returned
   * @param below the way down from the scope's group, such as {@code /jobs/a}; {@code /} for itself
   * @throws HoldfastException as {@link #create} does
   */
  void attach(String scope, String below, int pid) throws HoldfastException;
}
