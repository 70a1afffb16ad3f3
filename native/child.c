/* What the child does between its first instruction and exec, in the order of enum start_step. */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#include "keeper.h"
#include "syscall.h"

static void check(const struct start *start, enum start_step step, long result, uint32_t detail) {
  if (result < 0 && result > -4096) child_failed(start, step, result, detail);
}

static bool asked(const struct start *start, enum start_flags flag) { return (start->request->flags & flag) != 0; }

/* "0" is the writer itself. EINVAL also means that a new group is not quite there yet. */
static void join(const struct start *start) {
  for (uint32_t i = 0; i < start->request->join_count; i++) {
    long result = sys_write(start->joins[i], "0", 1);
    for (int64_t delay = 1; result == -EINVAL && delay <= 8; delay *= 2) {
      wait_for(-1, 0, delay);
      result = sys_write(start->joins[i], "0", 1);
    }
    check(start, STEP_JOIN, result, i);
  }
}

/* Moving into a group ignores its pids.max, only forking in it is refused. */
static void check_pids(const struct start *start) {
  char text[32];
  uint64_t current, maximum;
  check(start, STEP_PIDS, read_start(start->pids_current, text, sizeof text), 0);
  if (!parse_number(text, &current)) child_failed(start, STEP_PIDS, -EINVAL, 0);
  check(start, STEP_PIDS, read_start(start->pids_max, text, sizeof text), 1);
  if (has_line(text, "max")) return;
  if (!parse_number(text, &maximum)) child_failed(start, STEP_PIDS, -EINVAL, 1);
  if (current > maximum) child_failed(start, STEP_PIDS, -EAGAIN, 0);
}

/*
 * What comes now may take as long as somebody else's disk does, or a freezer. So nothing stays open in the child that the end of the
 * keeper shall be seen by: its socket, with the pipes of requests that it has not read, and the anchor's directories, whose lock
 * would hold. What the child still needs are four of the numbers that came together, in order, since the kernel gives the lowest that is
 * free; between and around them all is closed. Those four are close-on-exec from birth.
 */
static void close_others(const struct start *start) {
  const int kept[] = {start->status, start->streams[0], start->streams[1], start->streams[2]};
  unsigned int next = 3;
  long result = 0;
  for (int i = 0; i < 4 && result >= 0; next = (unsigned int)kept[i++] + 1) {
    if (next < (unsigned int)kept[i]) result = sys_close_range(next, (unsigned int)kept[i] - 1, 0);
  }
  if (result >= 0) result = sys_close_range(next, ~0u, 0);
  /* Before Linux 5.9, or filtered: the rest is close-on-exec, too. */
  if (result == -ENOSYS || result == -EPERM) {
    sys_close(start->socket);
    close_anchor();
  } else {
    check(start, STEP_CLOSE, result, 0);
  }
}

static void set_limits(const struct start *start) {
  const struct inherited *inherited = start->inherited;
  if (inherited->files_raised) {
    struct rlimit64 files = {inherited->files.soft, inherited->files.hard};
    check(start, STEP_RLIMIT, sys_prlimit(RLIMIT_NOFILE, &files, NULL), RLIMIT_NOFILE);
  }
  const struct rlimit_entry *entry = (const void *)start->block;
  for (uint32_t i = 0; i < start->request->rlimit_count; i++, entry++) {
    struct rlimit64 limit = {entry->soft, entry->hard};
    check(start, STEP_RLIMIT, sys_prlimit(entry->resource, &limit, NULL), entry->resource);
  }
}

/* How soon the kernel kills it when the machine is out of memory. Its children have the same. */
static long set_oom_score(int32_t score) {
  char text[sizeof "-2147483648"] = "";
  char *at = write_number(score < 0 ? 0u - (uint32_t)score : (uint32_t)score, text + sizeof text - 1);
  if (score < 0) *--at = '-';
  return write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", at);
}

/* The keeper holds 0, 1 and 2 occupied, so no source is one of them and none is overwritten before it is used. */
static void place_streams(const struct start *start) {
  for (int i = 0; i < 3; i++) check(start, STEP_STREAMS, sys_dup3(start->streams[i], i, 0), (uint32_t)i);
}

/*
 * Every signal has its default action since the keeper began, and all have been blocked since: one sent to the
 * child while it set itself up is pending and is delivered now, not lost.
 */
static void restore_signals(const struct start *start) {
  static const struct kernel_sigaction ignore = {.handler = 1};
  static const uint64_t none = 0;
  for (int signal = 1; asked(start, START_KEEP_IGNORED) && signal <= SIGQUIT; signal++) {
    if ((start->inherited->ignored >> signal & 1) != 0) check(start, STEP_SIGNALS, sys_sigaction(signal, &ignore, NULL), 0);
  }
  check(start, STEP_SIGNALS, sys_sigprocmask(SIG_SETMASK, &none), 0);
}

/* Inside of a pid namespace the number of a group outside means nothing, but a child is in the group of its starter. */
void set_group(const struct start *start) {
  if (asked(start, START_GROUP)) check(start, STEP_SESSION, sys_setpgid(0, start->request->process_group), 0);
}

_Noreturn void child(const struct start *start) {
  const struct start_request *request = start->request;
  const unsigned char *groups = start->block + request->rlimit_count * sizeof(struct rlimit_entry);
  const unsigned char *strings = groups + request->group_count * sizeof(uint32_t);

  report(start->status, RECORD_RUNNING, own_pid(start), 0, 0, 0);
  join(start);
  /*
   * If the JVM is still there now, whoever ends the anchor later finds us in it. If it is not, its anchor may have been
   * emptied before we came in, and nobody would ever end us.
   */
  if (jvm_gone(start->socket, start->jvm)) child_failed(start, STEP_JOIN, -ESRCH, request->join_count);
  if (asked(start, START_CHECK_PIDS)) check_pids(start);
  close_others(start);
  if (asked(start, START_SESSION)) check(start, STEP_SESSION, sys_setsid(), 0);
  if (!asked(start, START_ENTER)) set_group(start);
  if (asked(start, START_OOM_SCORE)) check(start, STEP_OOM_SCORE, set_oom_score(request->oom_score_adj), 0);
  set_limits(start);
  if (asked(start, START_NICE)) check(start, STEP_NICE, sys_setpriority(PRIO_PROCESS, 0, request->nice), 0);
  if (asked(start, START_UMASK)) sys_umask(request->umask);
  if (asked(start, START_DIRECTORY)) check(start, STEP_DIRECTORY, sys_chdir((const char *)strings), 0);
  place_streams(start);
  if (asked(start, START_GROUPS)) {
    check(start, STEP_GROUPS, sys_setgroups(request->group_count, (const void *)groups), 0);
  }
  if (asked(start, START_GID)) check(start, STEP_GID, sys_setresgid(request->gid), 0);
  if (asked(start, START_UID)) check(start, STEP_UID, sys_setresuid(request->uid), 0);
  if (asked(start, START_NO_NEW_PRIVS)) check(start, STEP_NO_NEW_PRIVS, sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0), 0);
  restore_signals(start);
  execute(start);
}
