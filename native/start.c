/* A start: from a request to a process that is the JVM's child. */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "keeper.h"
#include "syscall.h"

static void assign_descriptors(struct start *start, const struct message *message) {
  const int *next = message->descriptors;
  uint32_t flags = start->request->flags;
  start->status = *next++;
  start->streams = next;
  next += 3;
  start->memfd = (flags & START_BLOCK_IN_MEMFD) != 0 ? *next++ : -1;
  start->cgroup = (flags & START_CLONE_INTO) != 0 ? *next++ : -1;
  start->pids_current = (flags & START_CHECK_PIDS) != 0 ? *next++ : -1;
  start->pids_max = (flags & START_CHECK_PIDS) != 0 ? *next++ : -1;
  start->first = (flags & START_ENTER) != 0 ? *next++ : -1;
  start->joins = next;
}

/*
 * Touching a page beyond the end of a mapped file is SIGBUS, which no mask holds back. So: a memfd that is long enough
 * now and is sealed against shrinking stays long enough.
 */
static long map_block(struct start *start) {
  struct stat stat;
  long seals = sys_fcntl(start->memfd, F_GET_SEALS, 0);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return -EBADMSG;
  if (sys_fstat(start->memfd, &stat) < 0 || stat.st_size < 0) return -EBADMSG;
  if ((uint64_t)stat.st_size != start->request->block_length) return -EBADMSG;
  long at = sys_mmap(start->request->block_length, PROT_READ, MAP_PRIVATE, start->memfd);
  if (at < 0 && at > -4096) return at;
  start->block = (const unsigned char *)at;
  return 0;
}

/*
 * CLONE_PARENT makes the new process our sibling: the JVM's child, which the JVM waits for. The exit signal must be 0
 * then, and the kernel takes ours (SIGCHLD). No memory is shared: with CLONE_VM an OOM kill in the job would reach us.
 * CLONE_CLEAR_SIGHAND would do nothing, since the keeper has no handlers, and fail on 5.3 and 5.4.
 */
static long clone_child(const struct start *start, int *pidfd) {
  bool into = (start->request->flags & START_CLONE_INTO) != 0;
  struct clone_args arguments = {
      .flags = CLONE_PARENT | (into ? CLONE_INTO_CGROUP : 0) | (pidfd != NULL ? CLONE_PIDFD : 0),
      .pidfd = (uintptr_t)pidfd,
      .cgroup = into ? (uint32_t)start->cgroup : 0u,
  };
  long pid = sys_clone3(&arguments);
  /* Seccomp filters cannot look into clone3's struct and refuse it whole: ENOSYS by convention, EPERM in older ones. */
  if ((pid == -ENOSYS || pid == -EPERM) && !into) {
    /* The older call takes the place for the pidfd as that of its parent_tid. */
    pid = sys_clone(CLONE_PARENT | (pidfd != NULL ? CLONE_PIDFD : 0), pidfd);
  }
  return pid;
}

/* A child that is to be held is held before anybody is told of it, or is ended. */
static long clone_held(const struct start *start) {
  int pidfd = -1;
  long error = prepare_hold();
  if (error < 0) return error;
  long pid = clone_child(start, &pidfd);
  enum hold_kind kind = (start->request->flags & START_SESSION) != 0 ? HOLD_SESSION : HOLD_CHILD;
  if (pid <= 0 || hold_or_kill((int)pid, pidfd, kind)) return pid;
  report(start->status, RECORD_SPAWNED, (int)pid, 0, 0, 0);
  return -ENOMEM;
}

void start(struct message *message, int socket, int jvm, const struct inherited *inherited) {
  struct start start = {.request = (const void *)message->bytes, .socket = socket, .jvm = jvm, .inherited = inherited};
  enum start_step step = STEP_REQUEST;
  long error = -validate_start(start.request, message);
  if (error == 0) {
    assign_descriptors(&start, message);
    start.block = message->bytes + sizeof *start.request;
    if (start.memfd >= 0) error = map_block(&start);
  }
  bool mapped = error == 0 && start.memfd >= 0;
  if (error == 0) error = -validate_block(start.request, start.block);
  if (error == 0) {
    step = STEP_CLONE;
    bool enters = start.first >= 0;
    long pid = (start.request->flags & START_HOLD) != 0 ? clone_held(&start) : clone_child(&start, NULL);
    if (pid == 0 && enters) enter(&start);
    if (pid == 0) child(&start);
    if (pid > 0) {
      report(start.status, enters ? RECORD_ENTERING : RECORD_SPAWNED, (int)pid, 0, 0, 0);
    } else {
      error = pid;
    }
  }
  if (error < 0 && message->descriptor_count > 0) report(message->descriptors[0], RECORD_FAILED, 0, step, -error, 0);
  if (mapped) sys_munmap(start.block, start.request->block_length);
}
