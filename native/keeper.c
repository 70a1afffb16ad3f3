/*
 * The keeper: one an anchor, or one for what needs none. It starts the JVM's children, so that none of them ever shares the
 * JVM's memory or descriptors, and it ends the anchor when the JVM is gone, however it went.
 */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/prctl.h>

#include "keeper.h"
#include "syscall.h"

#define LOOK_EVERY_MS 50

/*
 * Signals are blocked, not ignored: for us it is the same (a terminal's stop signals too), but an ignored signal is
 * still ignored in the child and lost there, a blocked one only waits until the child is ready.
 */
static uint32_t settle_signals(void) {
  static const struct kernel_sigaction by_default = {.handler = 0};
  static const uint64_t all = ~0ull;
  uint32_t ignored = 0;
  sys_sigprocmask(SIG_SETMASK, &all);
  for (int signal = 1; signal <= SIGNALS; signal++) {
    struct kernel_sigaction old = {.handler = 0};
    sys_sigaction(signal, &by_default, &old);
    if (signal <= SIGQUIT && old.handler == 1) ignored |= 1u << signal;
  }
  return ignored;
}

/*
 * Socket and pidfd end as 3 and 4, all else is closed, and 0, 1, 2 are occupied by copies of the pidfd: then no
 * received descriptor is one of those three, and the child can put its streams there in any order.
 */
static bool settle_descriptors(int socket, int jvm) {
  long high_socket = sys_fcntl(socket, F_DUPFD_CLOEXEC, 5);
  long high_jvm = sys_fcntl(jvm, F_DUPFD_CLOEXEC, 5);
  if (high_socket < 0 || high_jvm < 0) return false;
  if (sys_dup3((int)high_socket, 3, O_CLOEXEC) < 0 || sys_dup3((int)high_jvm, 4, O_CLOEXEC) < 0) return false;
  for (int fd = 0; fd < 3; fd++) {
    if (sys_dup3(4, fd, O_CLOEXEC) < 0) return false;
  }
  close_from(5);
  return true;
}

/* The limit of a shell with `ulimit -n 16` is for its commands, not for us; as far as we may. */
static void settle_files(struct inherited *inherited) {
  struct rlimit64 found;
  if (sys_prlimit(RLIMIT_NOFILE, NULL, &found) < 0 || found.rlim_cur >= ENOUGH_FILES) return;
  struct rlimit64 more = {ENOUGH_FILES, found.rlim_max < ENOUGH_FILES ? ENOUGH_FILES : found.rlim_max};
  struct rlimit64 most = {found.rlim_max, found.rlim_max};
  inherited->files = (struct kernel_rlimit){found.rlim_cur, found.rlim_max};
  inherited->files_raised =
      sys_prlimit(RLIMIT_NOFILE, &more, NULL) >= 0 ||
      (found.rlim_cur < found.rlim_max && sys_prlimit(RLIMIT_NOFILE, &most, NULL) >= 0);
}

/* Of a message; 0 of what is none of ours. */
static uint32_t kind_of(const struct message *message) {
  const uint32_t *head = (const void *)message->bytes;
  return message->length >= 8 && head[0] == HOLDFAST_MAGIC ? head[1] : 0;
}

/* Answers false for what is not about keeping and holding. */
static bool keep_or_hold(struct message *message) {
  switch (kind_of(message)) {
    case REQUEST_ANCHOR: keep_anchor(message); return true;
    case REQUEST_HOLD:
    case REQUEST_LET_GO: change_holds(message); return true;
    default: return false;
  }
}

/*
 * To look at who is held, all of /proc is read, and meanwhile no start is served: so many ends become one look. In that
 * time a number cannot come round again.
 */
static void serve(int socket, int jvm, const struct inherited *inherited, struct message *message) {
  int64_t next_look = 0;
  for (;;) {
    int64_t rest = next_look - now_ms();
    struct pollfd polls[] = {{jvm, POLLIN, 0}, {socket, POLLIN | POLLRDHUP, 0}, {rest > 0 ? -1 : holds(), POLLIN, 0}};
    struct __kernel_timespec at_most = {0, rest * 1000000};
    sys_ppoll(polls, 3, rest > 0 ? &at_most : NULL);
    if (polls[0].revents != 0 || (polls[1].revents & GONE_EVENTS) != 0) return;
    if (polls[2].revents != 0) {
      look_at_holds();
      next_look = now_ms() + LOOK_EVERY_MS;
    }
    if ((polls[1].revents & POLLIN) == 0) continue;
    long length = receive(socket, message);
    if (length < 0) {
      /* Nothing of the kind is known to last, but a loop at full speed must not come of it. */
      if (length != -EINTR && length != -EAGAIN) wait_for(-1, 0, 10);
      continue;
    }
    if (kind_of(message) == REQUEST_NAMESPACE) {
      make_namespace(message);
    } else if (!keep_or_hold(message)) {
      start(message, socket, jvm, inherited);
    }
    discard(message);
  }
}

/* Nothing more is started, but what the JVM said just before it died must not be overlooked. */
static void take_last_words(int socket, struct message *message) {
  while (receive(socket, message) > 0 || message->descriptor_count > 0) {
    keep_or_hold(message);
    discard(message);
  }
}

_Noreturn void keeper(const uintptr_t *stack) {
  static struct message message;
  uintptr_t count = stack[0];
  uint64_t socket, jvm;
  struct inherited inherited = {.ignored = settle_signals()};
  if (count < 3 || !parse_number((const char *)stack[2], &socket) || !parse_number((const char *)stack[3], &jvm) ||
      socket > INT32_MAX || jvm > INT32_MAX || !settle_descriptors((int)socket, (int)jvm)) {
    sys_exit(2);
  }
  settle_files(&inherited);
  /* A group of its own keeps the terminal's signals away. Not a session: a child may have to join the JVM's
   * foreground group, and groups can be joined only within a session. */
  sys_setpgid(0, 0);
  sys_prctl(PR_SET_NAME, (unsigned long)"holdfast-keeper", 0);
  serve(3, 4, &inherited, &message);
  /* Children had the JVM's working directory from us, be it one that no path leads to for them: closed to their user, or
   * removed. Nobody is started any more, and what is mounted there need not be held. */
  sys_chdir("/");
  take_last_words(3, &message);
  end_holds();
  end_anchor();
  sys_exit(0);
}
