/* Ending all members of one group and of the groups below it, on v2 and by a v1 freezer. */
#include <asm/errno.h>
#include <asm/signal.h>

#include "keeper.h"
#include "syscall.h"

/* The tests build a second keeper in which this file does not exist, as before Linux 5.14. */
#ifndef CGROUP_KILL
#define CGROUP_KILL "cgroup.kill"
#endif

#define PINNED 256
#define FREEZE_MS 500
#define AT_ONCE_MS 10

/* A list of pids, one a line, of any length: read in pieces, a line may be cut in two. */
struct pids {
  int file;
  long at;
  long length;
  char buffer[4096];
};

static bool next_pid(struct pids *pids, int *pid) {
  uint64_t number = 0;
  bool digits = false;
  for (;;) {
    if (pids->at == pids->length) {
      pids->at = 0;
      pids->length = sys_read(pids->file, pids->buffer, sizeof pids->buffer);
      if (pids->length <= 0) return pids->length = 0, false;
    }
    char c = pids->buffer[pids->at++];
    if (c >= '0' && c <= '9') {
      number = number * 10 + (uint64_t)(c - '0');
      digits = true;
    } else if (digits) {
      *pid = number > INT32_MAX ? 0 : (int)number;
      return true;
    }
  }
}

static void begin_pids(struct pids *pids, int file) {
  pids->file = file;
  pids->at = pids->length = 0;
}

static int open_members(int group, const char *name) { return (int)open_file_at(group, name, O_RDONLY); }

/* A thread that is not the first of its process has no pidfd of the process. Its directory in /proc is one all the same
 * (since pidfd_send_signal, 5.1), and holds the thread: once that has ended, it signals nobody. */
static int pin_thread(int tid) {
  char digits[12] = "";
  const char *name = write_number((uint64_t)tid, digits + sizeof digits - 1);
  long proc = open_proc();
  if (proc < 0) return (int)proc;
  long thread = sys_openat((int)proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  sys_close((int)proc);
  return (int)thread;
}

static int pin(int number) {
  long pidfd = sys_pidfd_open(number);
  return pidfd >= 0 || pidfd == -ESRCH ? (int)pidfd : pin_thread(number);
}

/* Pinned, to be looked for in a second reading. */
static struct pinned {
  int count;
  int numbers[PINNED];
  int pidfds[PINNED];
  bool listed[PINNED];
} pinned;

/* True if there may be more. Where no descriptor is left, those that are pinned come first. */
static bool pin_some(struct pids *pids, int *carried) {
  int pid = *carried, self = sys_getpid();
  *carried = 0;
  for (pinned.count = 0; pinned.count < PINNED; pid = 0) {
    if (pid == 0 && !next_pid(pids, &pid)) return false;
    if (pid <= 0 || pid == self) continue;
    int pidfd = pin(pid);
    if ((pidfd == -EMFILE || pidfd == -ENFILE) && pinned.count > 0) {
      *carried = pid;
      return true;
    }
    if (pidfd < 0) continue;
    pinned.numbers[pinned.count] = pid;
    pinned.listed[pinned.count] = false;
    pinned.pidfds[pinned.count++] = pidfd;
  }
  return true;
}

/*
 * A number may have been given to somebody else between the reading and the opening, so what is pinned is looked for in
 * a second reading before it is killed: who takes the signal lived all the time from the pin to it, and so was the one
 * that was listed. 0 is a member in another pid namespace: to signal it would signal ourselves.
 */
static void kill_listed(int group, const char *name) {
  static struct pids pids, again;
  int carried = 0;
  begin_pids(&pids, open_members(group, name));
  for (bool more = pids.file >= 0; more && now_ms() < end_deadline;) {
    begin_pids(&again, open_members(group, name)); /* as long as there is a descriptor; it is read later */
    more = pin_some(&pids, &carried);
    int missing = pinned.count;
    for (int pid; missing > 0 && again.file >= 0 && next_pid(&again, &pid);) {
      for (int i = 0; i < pinned.count; i++) {
        if (pinned.numbers[i] != pid || pinned.listed[i]) continue;
        pinned.listed[i] = true;
        missing--;
      }
    }
    if (again.file >= 0) sys_close(again.file);
    for (int i = 0; i < pinned.count; i++) {
      if (pinned.listed[i]) sys_pidfd_kill(pinned.pidfds[i], SIGKILL);
      sys_close(pinned.pidfds[i]);
    }
  }
  if (pids.file >= 0) sys_close(pids.file);
}

/* In a threaded group cgroup.procs gives EOPNOTSUPP on reading; its processes are listed in the threaded root above,
 * and where that is not ours, by thread. A signal to a thread by its pin is one to its process. */
static bool kill_members(int group) {
  char first[16];
  bool threaded = read_file_at(group, "cgroup.procs", first, sizeof first) == -EOPNOTSUPP;
  kill_listed(group, threaded ? "cgroup.threads" : "cgroup.procs");
  return true;
}

static bool first_member(int group, int *pid) {
  struct pids pids;
  begin_pids(&pids, open_members(group, "cgroup.procs"));
  bool found = pids.file >= 0 && next_pid(&pids, pid);
  if (pids.file >= 0) sys_close(pids.file);
  return found;
}

/* ---- v2 */

static bool thaw_v2(int group) {
  write_file_at(group, "cgroup.freeze", "0");
  return true;
}

/* An event may be one of another key of the file: the text decides. */
static bool wait_event(int group, const char *line, int64_t until) {
  char text[256];
  long file = open_file_at(group, "cgroup.events", O_RDONLY);
  if (file == -ENOENT || file == -ENODEV) return true;
  if (file < 0) {
    /* As where the machine has no descriptor left: not at full speed until it has. */
    if (now_ms() < until) wait_for(-1, 0, 10);
    return false;
  }
  bool seen = false;
  for (;;) {
    long length = read_start((int)file, text, sizeof text);
    seen = length == -ENODEV || (length > 0 && has_line(text, line));
    int64_t left = until - now_ms();
    if (seen || length < 0 || left <= 0) break;
    wait_for((int)file, POLLPRI, left);
  }
  sys_close((int)file);
  return seen;
}

bool wait_empty_v2(int group, int64_t until) { return wait_event(group, "populated 0", until); }

bool is_populated_v2(int group) { return !wait_event(group, "populated 0", 0); }

static bool kill_at_once(int group) { return write_file_at(group, CGROUP_KILL, "1") >= 0; }

static bool freeze_v2(int group) { return write_file_at(group, "cgroup.freeze", "1") >= 0; }

void begin_kill_v2(int group) {
  if (!kill_at_once(group)) freeze_v2(group);
}

/*
 * cgroup.kill reaches forks in progress and frozen members. Without it: nobody can fork while all are frozen, and on v2
 * a frozen process still dies of SIGKILL. What it does not reach is a process whose first thread has ended: the kernel
 * signals that thread, and not the process (seen on 6.18). So whoever is still there is frozen too, or could make groups
 * faster than a walk goes through them, and killed by number. (Whom a v1 freezer holds beside v2 is still there, and could
 * be waited for in vain: so that is not done where cgroup.kill worked.)
 */
void kill_v2(int group) {
  bool all = kill_at_once(group);
  if (all && wait_empty_v2(group, now_ms() + AT_ONCE_MS)) return;
  if (freeze_v2(group) && !all) wait_event(group, "frozen 1", now_ms() + FREEZE_MS);
  walk(group, kill_members, false);
  walk(group, thaw_v2, false);
}

/* ---- the v1 freezer */

/* A group can be frozen by itself or by those above it, and a frozen member does not even notice SIGKILL. */
static bool thaw_one(int group) {
  write_file_at(group, "freezer.state", "THAWED");
  return true;
}

void thaw_freezer(int group) { walk(group, thaw_one, false); }

static bool freeze_v1(int group) { return write_file_at(group, "freezer.state", "FROZEN") >= 0; }

void begin_kill_freezer(int group) { freeze_v1(group); }

/* It stays FREEZING while a member is in an uninterruptible sleep; writing again makes the kernel try again. There is
 * no event for it. */
static void freeze(int group) {
  int64_t until = now_ms() + FREEZE_MS;
  for (int64_t delay = 1; now_ms() < until; delay = delay < 32 ? delay * 2 : delay) {
    char state[16];
    if (!freeze_v1(group)) return;
    read_file_at(group, "freezer.state", state, sizeof state);
    if (has_line(state, "FROZEN")) return;
    wait_for(-1, 0, delay);
  }
}

/* Frozen members neither fork nor exit, so the list is true while it is read. They die at the thaw. */
void kill_freezer(int group) {
  freeze(group);
  walk(group, kill_members, false);
  thaw_freezer(group);
}

static bool has_no_member(int group) {
  int pid;
  return !first_member(group, &pid);
}

/* A walk that did not come to its end may have missed somebody. */
bool is_populated_freezer(int group) { return !walk(group, has_no_member, false).complete; }

static int64_t await_until;

/* A v1 group tells nobody that it became empty, but each member's end is an event. */
static bool await_members(int group) {
  int pid;
  if (now_ms() >= await_until) return false;
  while (first_member(group, &pid)) {
    int64_t left = await_until - now_ms();
    if (left <= 0) return false;
    int pidfd = pid > 0 ? (int)sys_pidfd_open(pid) : -1;
    /* Without a pidfd (a member of another pid namespace, or one just gone): only time. A dead process leaves its
     * group a moment before or after its pidfd tells. */
    if (pidfd < 0 || wait_for(pidfd, POLLIN, left) != 0) wait_for(-1, 0, 1);
    if (pidfd >= 0) sys_close(pidfd);
  }
  return true;
}

/* Group by group, and a second look at all of them: members can move, and join. What ended a walk early may last: then a pause. */
bool wait_empty_freezer(int group, int64_t until) {
  await_until = until;
  for (int64_t delay = 1; is_populated_freezer(group);) {
    if (now_ms() >= until) return false;
    if (walk(group, await_members, false).complete) continue;
    wait_for(-1, 0, delay);
    if (delay < 32) delay *= 2;
  }
  return true;
}
