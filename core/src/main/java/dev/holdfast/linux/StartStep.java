package dev.holdfast.linux;

/** The steps of a child between clone and exec, as {@code native/protocol.h} numbers them. */
public enum StartStep {
  REQUEST("the keeper could not take the request"),
  CLONE("making the process"),
  /** Detail: which of the groups. */
  JOIN("joining the control group"),
  PIDS("counting the processes of the job"),
  SESSION("making a POSIX session or process group"),
  OOM_SCORE("writing /proc/self/oom_score_adj"),
  /** Detail: the resource's number. */
  RLIMIT("setting a resource limit"),
  NICE("setting the nice value"),
  UMASK("setting the umask"),
  DIRECTORY("changing to the directory"),
  /** Detail: 0, 1 or 2. */
  STREAMS("connecting a standard stream"),
  CLOSE("closing other descriptors"),
  GROUPS("setting the supplementary groups"),
  GID("setting the group"),
  UID("setting the user"),
  NO_NEW_PRIVS("setting no_new_privs"),
  SIGNALS("resetting signals"),
  /** Detail: which of the candidates. */
  EXEC("executing the program"),
  /** Before the child is made. Detail: see {@link NamespaceRefusal.Step}. */
  NAMESPACE("entering the pid namespace");

  private final String text;

  StartStep(String text) {
    this.text = text;
  }

  /** What the step does, for messages. */
  public String text() {
    return text;
  }

  static StartStep of(int number) {
    return values()[number - 1];
  }
}
