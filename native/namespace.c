/*
 * Pid namespaces, for where there is no cgroup to hold a job: how one is made, and how a child comes to be in one that
 * is there.
 *
 * A process that enters a pid namespace does not move; only its children are made there. So another child of the JVM's goes in
 * between: it enters, makes the command as its sibling (CLONE_PARENT), and ends. It enters a user namespace for
 * good, which is why the keeper does not go itself.
 */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "keeper.h"
#include "syscall.h"

/*
 * CLONE_PARENT_SETTID writes the number into the maker's memory before the new process runs. As both share this page, it
 * knows its number outside, and can tell the JVM even if its maker is killed on the way.
 */
int *shared_number(void) {
  long at = sys_mmap(sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
  return at < 0 && at > -4096 ? NULL : (int *)at;
}

void forget_number(const int *number) { sys_munmap(number, sizeof *number); }

/* Not clone3: seccomp filters cannot look into its struct, and refuse it whole. */
static long clone_first(struct first *first, int *number) {
  unsigned long flags = CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_NEWPID | CLONE_NEWNS;
  first->told = number;
  first->uid = sys_geteuid();
  first->gid = sys_getegid();
  first->user = false;
  long pid = sys_clone(flags, number);
  if (pid != -EPERM) return pid;
  first->user = true;
  return sys_clone(flags | CLONE_NEWUSER, number);
}

void make_namespace(struct message *message) {
  int error = validate_namespace((const void *)message->bytes, message);
  if (error != 0) {
    answer(message, error);
    return;
  }
  struct first first = {.status = message->descriptors[0], .orders = message->descriptors[1]};
  long pid = prepare_hold();
  int *number = pid < 0 ? NULL : shared_number();
  if (pid >= 0) pid = number == NULL ? -ENOMEM : clone_first(&first, number);
  if (pid == 0) first_process(&first, message);
  if (pid > 0) {
    report(first.status, RECORD_SPAWNED, (int)pid, 0, 0, 0);
    /* The number is still its: unless the JVM gives up, it waits for our end of the pipe before it reaps. */
    if (!hold_or_kill((int)pid, (int)sys_pidfd_open((int)pid), HOLD_FIRST)) pid = -ENOMEM;
  }
  if (pid < 0) report(first.status, RECORD_FAILED, 0, STEP_NAMESPACE, -pid, NAMESPACE_CLONE);
  if (number != NULL) forget_number(number);
}

_Noreturn static void cannot_enter(const struct start *start, enum start_step step, long error, uint32_t detail) {
  report(start->status, RECORD_FAILED, 0, step, -error, detail);
  sys_exit(1);
}

/* setns(2) takes a pidfd since Linux 5.8, and all of its namespaces together. */
_Noreturn void enter(struct start *start) {
  report(start->status, RECORD_ENTERING, sys_getpid(), 0, 0, 0);
  set_group(start);
  int namespaces = CLONE_NEWPID | CLONE_NEWNS | ((start->request->flags & START_ENTER_USER) != 0 ? CLONE_NEWUSER : 0);
  long result = sys_setns(start->first, namespaces);
  if (result < 0) cannot_enter(start, STEP_NAMESPACE, result, NAMESPACE_ENTER);
  int *number = shared_number();
  if (number == NULL) cannot_enter(start, STEP_CLONE, -ENOMEM, 0);
  start->told = number;
  long pid = sys_clone(CLONE_PARENT | CLONE_PARENT_SETTID, number);
  if (pid == 0) child(start);
  if (pid < 0) cannot_enter(start, STEP_CLONE, pid, 0);
  report(start->status, RECORD_SPAWNED, (int)pid, 0, 0, 0);
  sys_exit(0);
}
