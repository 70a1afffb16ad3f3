package dev.holdfast.linux;

/**
 * The system calls we make, by their numbers on x86-64 and on aarch64 (which shares the generic
 * table).
 */
enum SystemCall {
  READ(0, 63),
  WRITE(1, 64),
  CLOSE(3, 57),
  PREAD64(17, 67),
  RT_SIGACTION(13, 134),
  CLONE(56, 220),
  GETPID(39, 172),
  SENDMSG(46, 211),
  SOCKETPAIR(53, 199),
  KILL(62, 129),
  FCNTL(72, 25),
  FLOCK(73, 32),
  GETUID(102, 174),
  GETPGID(121, 155),
  STATFS(137, 43),
  PRCTL(157, 167),
  FSETXATTR(190, 7),
  FGETXATTR(193, 10),
  GETDENTS64(217, 61),
  EPOLL_CTL(233, 21),
  WAITID(247, 95),
  OPENAT(257, 56),
  MKDIRAT(258, 34),
  UNLINKAT(263, 35),
  FACCESSAT(269, 48),
  PPOLL(271, 73),
  EPOLL_PWAIT(281, 22),
  TIMERFD_CREATE(283, 85),
  TIMERFD_SETTIME(286, 86),
  EVENTFD2(290, 19),
  EPOLL_CREATE1(291, 20),
  PIPE2(293, 59),
  PRLIMIT64(302, 261),
  SETNS(308, 268),
  FCHOWNAT(260, 54),
  FCHMODAT(268, 53),
  FCHMOD(91, 52),
  SECCOMP(317, 277),
  MEMFD_CREATE(319, 279),
  BPF(321, 280),
  STATX(332, 291),
  PIDFD_SEND_SIGNAL(424, 424),
  PIDFD_OPEN(434, 434),
  CLONE3(435, 435),
  LANDLOCK_CREATE_RULESET(444, 444),
  PROCESS_MRELEASE(448, 448);

  private final int x86;
  private final int arm;

  SystemCall(int x86, int arm) {
    this.x86 = x86;
    this.arm = arm;
  }

  long number(boolean aarch64) {
    return aarch64 ? arm : x86;
  }

  /** The name as the manual pages have it. */
  String manualName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
