/**
 * Runs programs as jobs: process trees that the Linux kernel itself holds together, with limits
 * that are enforced, usage that is known after the end, an honest reason why a run ended, and an
 * end that leaves nothing behind.
 */
module dev.holdfast {
  requires static transitive org.jspecify;

  exports dev.holdfast;
  exports dev.holdfast.cgroup;

  uses dev.holdfast.cgroup.ScopeManager;
}
