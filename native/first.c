/*
 * The first process of a pid namespace: it is there so that its end is the end of all. It watches the JVM by itself, so it
 * needs no keeper; it reaps orphans, as a first process must; and it does from within what cannot be done as well from
 * outside: a signal to all others at one moment, and the news that none is left.
 *
 * Nobody in the namespace can end it: the kernel keeps signals from inside away from a first process.
 */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signalfd.h>
#include <linux/wait.h>

#include "keeper.h"
#include "syscall.h"

#define ORDERS 3
#define JVM 4
#define STATUS 5
#define REAPED_AT_ONCE 256
#define MOST_ASKING 16
#define MOST_AWAITED 16384

static int asking[MOST_ASKING]; /* status pipes of those who wait for it to have no children */
static uint32_t asking_count;
static int awaited[MOST_AWAITED]; /* of a released namespace: pidfds of the JVM's children in it */
static uint32_t awaited_count;
static bool released;

/* ---- coming to be */

_Noreturn static void cannot_be(const struct first *first, enum namespace_step step, long error) {
  report(STATUS, RECORD_FAILED, *first->told, STEP_NAMESPACE, -error, step);
  sys_exit(1);
}

/* The keeper's socket would seem alive as long as we have a copy, and the anchor locked: nothing is kept but these. */
static void settle_descriptors(const struct first *first) {
  sys_dup3(first->orders, ORDERS, O_CLOEXEC);
  if (first->status != STATUS) sys_dup3(first->status, STATUS, O_CLOEXEC);
  close_from(STATUS + 1);
}

/* "0 0 1" and the like: this one is itself, and there is no other. */
static long map_id(const char *file, uint32_t id) {
  char text[2 * sizeof "4294967295" + sizeof "1"] = "", *at = text + sizeof text - 3;
  at[0] = ' ';
  at[1] = '1';
  at = write_number(id, at);
  *--at = ' ';
  at = write_number(id, at);
  return write_file_at(AT_FDCWD, file, at);
}

/* Without the privilege a group can be mapped only once nobody can leave groups any more (user_namespaces(7)). */
static void map_ids(const struct first *first) {
  long result = write_file_at(AT_FDCWD, "/proc/self/setgroups", "deny");
  if (result < 0) cannot_be(first, NAMESPACE_SETGROUPS, result);
  result = map_id("/proc/self/uid_map", first->uid);
  if (result < 0) cannot_be(first, NAMESPACE_UID_MAP, result);
  result = map_id("/proc/self/gid_map", first->gid);
  if (result < 0) cannot_be(first, NAMESPACE_GID_MAP, result);
}

/*
 * What the host mounts and unmounts from now on reaches us, nothing of ours reaches it. A /proc of its own is refused
 * where a part of the one that is there is hidden, as in containers. That costs the view, not the hold: then the old one
 * stays, with the numbers from outside.
 */
static long mount_proc(void) {
  long result = sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE);
  return result < 0 ? result : sys_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

/* Whoever enters a mount namespace has its root, which is not ours after chroot(2): children would get out of it. */
static void check_root(const struct first *first) {
  struct stat before, after;
  int self = (int)sys_pidfd_open(sys_getpid());
  long result = self < 0 ? self : sys_fstatat(AT_FDCWD, "/", &before, 0);
  if (result >= 0) result = sys_setns(self, CLONE_NEWNS);
  if (result >= 0) result = sys_fstatat(AT_FDCWD, "/", &after, 0);
  if (result >= 0 && (before.st_dev != after.st_dev || before.st_ino != after.st_ino)) result = -EXDEV;
  if (result < 0) cannot_be(first, NAMESPACE_ROOT, result);
  sys_close(self);
}

/* ---- being there */

enum children { NONE, LIVING, ENDED };

/* So many at most that orphans which come as fast as they are reaped keep nothing else waiting: then there may be ENDED ones. */
static enum children reap(void) {
  for (int i = 0; i < REAPED_AT_ONCE; i++) {
    long result = sys_wait(WNOHANG | __WALL);
    if (result <= 0) return result == -ECHILD ? NONE : LIVING;
  }
  return ENDED;
}

static void tell_asking(void) {
  for (uint32_t i = 0; i < asking_count; i++) {
    report(asking[i], RECORD_TAKEN, 0, 0, 0, 0);
    sys_close(asking[i]);
  }
  asking_count = 0;
}

/* Who no longer waits has closed the other end. */
static void forget_the_impatient(void) {
  for (uint32_t i = 0; i < asking_count;) {
    if (wait_for(asking[i], 0, 0) == 0) {
      i++;
    } else {
      sys_close(asking[i]);
      asking[i] = asking[--asking_count];
    }
  }
}

static int ask(struct message *message, bool at_once) {
  if (reap() == NONE) return 0;
  if (at_once) return EBUSY;
  if (asking_count == MOST_ASKING) forget_the_impatient();
  if (asking_count == MOST_ASKING) return EAGAIN;
  asking[asking_count++] = message->descriptors[0];
  message->descriptor_count = 0; /* it is ours now */
  return 0;
}

static int release(struct message *message, bool more) {
  if (awaited_count + message->descriptor_count > MOST_AWAITED) return ENOMEM;
  for (unsigned int i = 1; i < message->descriptor_count; i++) awaited[awaited_count++] = message->descriptors[i];
  message->descriptor_count = 1;
  released = released || !more;
  return 0;
}

/* False at the end: a socket whose other end is closed can be read, too. */
static bool obey(struct message *message) {
  if (receive(ORDERS, message) <= 0) return false;
  const struct order_request *order = (const void *)message->bytes;
  int error = validate_order(order, message);
  if (error == 0 && order->kind == REQUEST_SIGNAL) {
    long result = sys_kill(-1, order->argument);
    error = result < 0 && result != -ESRCH ? (int)-result : 0;
  } else if (error == 0 && order->kind == REQUEST_EMPTY) {
    error = ask(message, order->argument != 0);
  } else if (error == 0) {
    error = release(message, order->argument != 0);
  }
  answer(message, error);
  discard(message);
  return true;
}

static bool is_over(bool has_master) {
  while (awaited_count > 0 && wait_for(awaited[awaited_count - 1], POLLIN, 0) != 0) sys_close(awaited[--awaited_count]);
  return released && !has_master && awaited_count == 0;
}

/* Awaited children end one after the other for us: there is nothing to do before the last has. */
static void stay(int child_ended, struct message *message) {
  static const struct __kernel_timespec at_once = {0, 0};
  int orders = ORDERS, jvm = JVM;
  for (;;) {
    enum children children = reap();
    if (children == NONE) tell_asking();
    if (is_over(orders >= 0) && children == NONE) return;
    struct pollfd polls[] = {
        {jvm, POLLIN, 0},
        {orders, POLLIN | POLLRDHUP, 0},
        {child_ended, POLLIN, 0},
        {released && awaited_count > 0 ? awaited[awaited_count - 1] : -1, POLLIN, 0},
    };
    sys_ppoll(polls, 4, children == ENDED ? &at_once : NULL);
    if ((polls[1].revents & POLLIN) != 0 && obey(message)) continue; /* its last words may be that we shall stay */
    bool gone = (polls[1].revents & GONE_EVENTS) != 0;
    if ((gone || polls[0].revents != 0) && !released) return;
    if (gone) orders = -1;
    if (polls[0].revents != 0) jvm = -1;
    struct signalfd_siginfo ended;
    if (polls[2].revents != 0) sys_read(child_ended, &ended, sizeof ended);
  }
}

_Noreturn void first_process(const struct first *first, struct message *message) {
  static const uint64_t child_ended = 1ull << (SIGCHLD - 1);
  settle_descriptors(first);
  report(STATUS, RECORD_RUNNING, *first->told, 0, 0, 0);
  if (first->user) map_ids(first);
  long proc = mount_proc();
  check_root(first);
  sys_prctl(PR_SET_NAME, (unsigned long)"holdfast-init", 0);
  long ends = sys_signalfd(&child_ended, O_CLOEXEC); /* all signals are blocked, as in the keeper */
  if (ends < 0) cannot_be(first, NAMESPACE_CLONE, ends);
  report(STATUS, RECORD_TAKEN, *first->told, 0, proc < 0 ? -proc : 0, first->user ? 1 : 0);
  sys_close(STATUS);
  stay((int)ends, message);
  sys_exit(0);
}
