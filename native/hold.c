/*
 * Children that no group holds: their POSIX sessions are remembered while the JVM lives, and ended when it is gone.
 *
 * A number of a process or session may be given away again once nobody has it. A leader is pinned by a pidfd, and its
 * number is that of its session as long as it is not reaped. When it has ended, a member is pinned in its place, as long
 * as there is one: while that is there, the number is still the session's. Only in the 50 ms between its end and our
 * look could all other members end, all numbers of the machine be used up, and a stranger get this one, make a session
 * and leave it to others; a stranger that still is there is seen.
 */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/eventpoll.h>

#include "keeper.h"
#include "syscall.h"

#define MOST_HELD 16384
#define EVENTS 512
#define STOP_MS 500
#define NEWCOMERS_MS 5000

struct held {
  int pid;      /* the child's, and its session's */
  int pidfd;    /* of the child, or of another member of its session once that has ended */
  enum hold_kind kind;
  bool leads;   /* pidfd is the child's */
  uint64_t start; /* of a child that had ended, unreaped, when another was pinned; else 0 */
};

static struct held held[MOST_HELD];
static uint32_t held_count;
static int held_events = -1;

int holds(void) { return held_events; }

static bool has_ended(int pidfd) { return wait_for(pidfd, POLLIN, 0) != 0; }

static bool watch(int pidfd) {
  struct epoll_event event = {.events = EPOLLIN, .data = (__u64)pidfd};
  return sys_epoll_ctl(held_events, EPOLL_CTL_ADD, pidfd, &event) >= 0;
}

/* A child on its way to exec has a copy of the pidfd, so closing it is not enough to silence it. */
static void unpin(struct held *entry) {
  if (entry->pidfd < 0) return;
  sys_epoll_ctl(held_events, EPOLL_CTL_DEL, entry->pidfd, NULL);
  sys_close(entry->pidfd);
  entry->pidfd = -1;
}

static void drop(struct held *entry) {
  unpin(entry);
  *entry = held[--held_count];
}

static struct held *held_by_pid(int pid) {
  for (uint32_t i = 0; i < held_count; i++) {
    if (held[i].pid == pid) return &held[i];
  }
  return NULL;
}

long prepare_hold(void) {
  if (held_count == MOST_HELD) return -ENOMEM;
  if (held_events < 0) {
    long fd = sys_epoll_create(O_CLOEXEC);
    if (fd < 0) return fd;
    held_events = (int)fd;
  }
  return 0;
}

/* Takes the pidfd, if it can be held. */
static bool hold(int pid, int pidfd, enum hold_kind kind) {
  struct held *known = held_by_pid(pid); /* its number is in use again, so it is long gone */
  if (known != NULL) drop(known);
  if (!watch(pidfd)) return false;
  held[held_count++] = (struct held){.pid = pid, .pidfd = pidfd, .kind = kind, .leads = true};
  return true;
}

/* By the pidfd, if there was one to be had: a JVM whose start was interrupted reaps as soon as it knows the number. */
bool hold_or_kill(int pid, int pidfd, enum hold_kind kind) {
  if (pidfd >= 0 && hold(pid, pidfd, kind)) return true;
  if (pidfd < 0) {
    sys_kill(pid, SIGKILL);
  } else {
    sys_pidfd_kill(pidfd, SIGKILL);
    sys_close(pidfd);
  }
  return false;
}

/* ---- a pinned process has ended */

/* EPERM is an answer, too: it may have become another user's. */
static bool is_unreaped(const struct held *entry) { return sys_pidfd_kill(entry->pidfd, 0) != -ESRCH; }

/* Of the child itself what nobody has reaped is left; whoever else has its number made the session anew. */
static bool is_child(const struct held *entry, const struct process *process) {
  return entry->leads ? is_unreaped(entry) : process->start == entry->start;
}

/* A member of the session, pinned; -1 if there is none, or the number is another's by now. */
static int pin_member(const struct held *entry, const struct processes *all) {
  for (uint32_t i = 0; i < all->count; i++) {
    if (all->list[i].pid == entry->pid && !is_child(entry, &all->list[i])) return -1;
  }
  for (uint32_t i = 0; i < all->count; i++) {
    const struct process *process = &all->list[i];
    if (process->session != entry->pid || process->pid == entry->pid) continue;
    int pidfd = (int)sys_pidfd_open(process->pid);
    if (pidfd < 0) continue;
    struct process again;
    if (find_process(process->pid, &again) && again.start == process->start && again.session == entry->pid &&
        !has_ended(pidfd)) {
      return pidfd;
    }
    sys_close(pidfd);
  }
  return -1;
}

#define LOOK_AGAIN (-2)

/* A child that was reaped while all were read looks like another with its number: then once more, if it can be had. */
static int pin_another(struct held *entry, const struct processes *all, bool last) {
  int pidfd = pin_member(entry, all);
  bool unreaped = entry->leads && is_unreaped(entry);
  for (uint32_t i = 0; unreaped && i < all->count; i++) {
    if (all->list[i].pid == entry->pid) entry->start = all->list[i].start;
  }
  return pidfd >= 0 || unreaped || last ? pidfd : LOOK_AGAIN;
}

/* Without `all` only where nobody has to be looked for. Who is left then comes first in `events`, and is counted. */
static long pin_others(struct epoll_event *events, long count, const struct processes *all, bool last) {
  long again = 0;
  for (long i = 0; i < count; i++) {
    struct held *entry = held;
    while (entry < held + held_count && (uint64_t)entry->pidfd != events[i].data) entry++;
    if (entry == held + held_count) continue;
    int pidfd = entry->kind != HOLD_SESSION ? -1 : all == NULL ? LOOK_AGAIN : pin_another(entry, all, last);
    if (pidfd == LOOK_AGAIN) {
      events[again++] = events[i];
      continue;
    }
    unpin(entry);
    entry->leads = false;
    entry->pidfd = pidfd;
    if (pidfd < 0 || !watch(pidfd)) drop(entry);
  }
  return again;
}

/* However many have ended, all of /proc is read twice at most. */
bool look_at_holds(void) {
  static struct epoll_event events[EVENTS];
  long count = held_events < 0 ? 0 : sys_epoll_wait(held_events, events, EVENTS, 0);
  if (count <= 0) return false;
  long left = pin_others(events, count, NULL, false);
  for (int look = 1; look <= 2 && left > 0; look++) {
    struct processes all = read_processes();
    if (all.list == NULL) break; /* who ended is told of again */
    left = pin_others(events, left, &all, look == 2);
    forget_processes(&all);
  }
  return true;
}

/* ---- what the JVM says of those that a former keeper held, and of those that it wants to let go */

static int hold_again(const struct hold_entry *entry) {
  long error = prepare_hold();
  if (error < 0) return (int)-error;
  int pidfd = (int)sys_pidfd_open(entry->pid);
  struct process process;
  if (pidfd >= 0 && entry->start_ticks != 0 && find_process(entry->pid, &process) &&
      process.start == entry->start_ticks) {
    if (hold(entry->pid, pidfd, entry->kind)) return 0;
    sys_close(pidfd);
    return ENOMEM;
  }
  if (pidfd >= 0) sys_close(pidfd);
  if (pidfd == -EMFILE || pidfd == -ENFILE) return EMFILE;
  if (entry->kind != HOLD_SESSION) return 0;
  struct held without_leader = {.pid = entry->pid, .pidfd = -1, .kind = HOLD_SESSION, .leads = false};
  struct processes all = read_processes();
  if (all.list == NULL) return ENOMEM;
  without_leader.pidfd = pin_member(&without_leader, &all);
  forget_processes(&all);
  if (without_leader.pidfd < 0) return 0;
  if (!watch(without_leader.pidfd)) return sys_close(without_leader.pidfd), ENOMEM;
  held[held_count++] = without_leader;
  return 0;
}

void change_holds(struct message *message) {
  const struct hold_request *request = (const void *)message->bytes;
  int error = validate_hold(request, message);
  for (uint32_t i = 0; error == 0 && i < request->count; i++) {
    struct held *known = held_by_pid(request->entries[i].pid);
    if (known != NULL) drop(known);
    if (request->kind == REQUEST_HOLD) error = hold_again(&request->entries[i]);
  }
  answer(message, error);
}

/* ---- the end */

static bool is_held(const struct process *process) {
  for (uint32_t i = 0; i < held_count; i++) {
    const struct held *entry = &held[i];
    if (entry->leads && process->pid == entry->pid) return true;
    if (entry->kind == HOLD_SESSION && process->session == entry->pid) return true;
  }
  return false;
}

/* /proc lists them in the order of their numbers. */
static const struct process *listed(const struct processes *all, int pid) {
  uint32_t low = 0, high = all->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (all->list[middle].pid == pid) return &all->list[middle];
    if (all->list[middle].pid < pid) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NULL;
}

static bool is_marked(const struct processes *all, int pid) {
  const struct process *process = listed(all, pid);
  return process != NULL && process->marked;
}

/* Whoever was seen before stays it, though its parent has ended since. */
static bool was_marked(const struct processes *before, const struct process *process) {
  const struct process *former = before == NULL ? NULL : listed(before, process->pid);
  return former != NULL && former->marked && former->start == process->start;
}

/* Those that are held, and whoever descends from them. */
static void mark(struct processes *all, const struct processes *before) {
  int self = sys_getpid();
  bool more = true;
  for (uint32_t i = 0; i < all->count; i++) all->list[i].marked = is_held(&all->list[i]) || was_marked(before, &all->list[i]);
  while (more) {
    more = false;
    for (uint32_t i = 0; i < all->count; i++) {
      struct process *process = &all->list[i];
      if (process->marked || process->pid == self || !is_marked(all, process->parent)) continue;
      process->marked = more = true;
    }
  }
}

/* What is pinned must still be the process that was read. */
static int pin(const struct process *process) {
  struct process again;
  int pidfd = (int)sys_pidfd_open(process->pid);
  if (pidfd < 0) return -1;
  if (find_process(process->pid, &again) && again.start == process->start) return pidfd;
  sys_close(pidfd);
  return -1;
}

/*
 * The highest number first, as a rule the youngest. When a process ends whose children are stopped in a process group that
 * nobody else of the session leads to, the kernel has that group go on (SIGHUP and SIGCONT): nobody in it may run, and fork,
 * before its own SIGKILL.
 */
static uint32_t signal_marked(const struct processes *all, int signal) {
  uint32_t running = 0;
  for (uint32_t i = all->count; i-- > 0;) {
    const struct process *process = &all->list[i];
    if (!process->marked || (signal == SIGSTOP && stands_still(process))) continue;
    int pidfd = pin(process);
    if (pidfd < 0) continue;
    running++;
    sys_pidfd_kill(pidfd, signal);
    sys_close(pidfd);
  }
  return running;
}

/* Whether one that runs came to be since `newest`, which becomes the start of the youngest of all. */
static bool has_newcomers(const struct processes *all, uint64_t *newest) {
  bool newcomers = false;
  uint64_t before = *newest;
  for (uint32_t i = 0; i < all->count; i++) {
    const struct process *process = &all->list[i];
    if (!process->marked) continue;
    newcomers = newcomers || (!stands_still(process) && process->start >= before);
    if (process->start > *newest) *newest = process->start;
  }
  return newcomers;
}

/*
 * Nobody in a pid namespace outlives its first process. To stop that would be worse than to do nothing: it could not end by
 * itself any more, as it does when the JVM is gone.
 */
static void end_firsts(void) {
  for (uint32_t i = held_count; i-- > 0;) {
    if (held[i].kind != HOLD_FIRST) continue;
    sys_pidfd_kill(held[i].pidfd, SIGKILL);
    drop(&held[i]);
  }
}

/*
 * All others are stopped first: what stands still does not fork, so once everybody does, everybody has been seen; and nobody's
 * number is given away before the last is known. However long a look takes, as long as it shows new ones there is another.
 * And a look is no moment: it can show a parent standing still, and not the child that this had after the look began; the
 * next one does.
 */
void end_holds(void) {
  end_firsts();
  if (held_count == 0) return;
  int64_t begin = now_ms();
  while (look_at_holds() && now_ms() < begin + STOP_MS) continue;
  struct processes all = read_processes();
  uint64_t newest = 0;
  bool still = false;
  mark(&all, NULL);
  for (;;) {
    int64_t patience = has_newcomers(&all, &newest) ? NEWCOMERS_MS : STOP_MS;
    uint32_t running = signal_marked(&all, SIGSTOP);
    if ((still && running == 0) || now_ms() - begin >= patience) break;
    still = running == 0;
    wait_for(-1, 0, 1); /* a stop comes to pass when the process next enters the kernel; there is no event for it */
    struct processes now = read_processes();
    if (now.list == NULL) {
      still = false; /* such a look tells nothing */
      continue;
    }
    mark(&now, &all);
    forget_processes(&all);
    all = now;
  }
  signal_marked(&all, SIGKILL);
  forget_processes(&all);
  /* Without /proc this is all there is. */
  for (uint32_t i = 0; i < held_count; i++) {
    sys_pidfd_kill(held[i].pidfd, SIGKILL);
    if (held[i].kind == HOLD_SESSION) sys_pidfd_kill_group(held[i].pidfd, SIGKILL);
  }
  while (held_count > 0) drop(held);
}
