/* Processes of ours in groups: they are our children, so their ends are for us to see. And the end of an anchor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

char *path_of(const char *directory, const char *name) {
  char *path;
  if (asprintf(&path, "%s/%s", directory, name) < 0) die("asprintf");
  return path;
}

bool has(const char *directory, const char *name) {
  char *path = path_of(directory, name);
  bool here = exists(path);
  free(path);
  return here;
}

static const struct member *myself;
static int settled;
static pthread_t first_thread;

static _Noreturn void *second(void *unused) {
  (void)unused;
  write_file(myself->threaded, "cgroup.threads", "0");
  if (myself->first_ends) pthread_join(first_thread, NULL);
  if (write(settled, ".", 1) < 0) _exit(1);
  for (;;) pause();
}

pid_t start_member(const char *group, member_life *life, const void *how) {
  int ready[2];
  char byte;
  if (pipe2(ready, O_CLOEXEC) < 0) die("pipe2");
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    write_file(group, "cgroup.procs", "0");
    life(how, ready[1]);
  }
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) printf("# a member of %s did not settle\n", group);
  close(ready[0]);
  return pid;
}

static _Noreturn void stay(const void *how, int ready) {
  const struct member *member = how;
  pthread_t thread;
  myself = member;
  settled = ready;
  first_thread = pthread_self();
  if (member->uid != 0 && setresuid(member->uid, member->uid, member->uid) < 0) _exit(1);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* now, as setresuid would take it back */
  if (member->first_too) write_file(member->threaded, "cgroup.threads", "0");
  if (member->threaded == NULL) {
    if (write(settled, ".", 1) < 0) _exit(1);
  } else {
    if (pthread_create(&thread, NULL, second, NULL) != 0) _exit(1);
    if (member->first_ends) pthread_exit(NULL);
  }
  for (;;) pause();
}

pid_t put_member(const struct member *member) { return start_member(member->domain, stay, member); }

pid_t put(const char *group) { return put_member(&(struct member){.domain = group}); }

bool lives(pid_t pid) {
  siginfo_t info = {.si_pid = 0};
  return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

int count_killed(const pid_t *members, int count) {
  int killed = 0;
  for (int i = 0; i < count; i++) {
    if (lives(members[i])) {
      kill(members[i], SIGKILL);
      wait_exit(members[i]);
    } else {
      killed += wait_exit(members[i]) == -SIGKILL;
    }
  }
  return killed;
}

void end_bystander(pid_t pid) {
  kill(pid, SIGKILL);
  wait_exit(pid);
}

/* ---- all that are ours, wherever they are */

int count_descendants(long pid) {
  char path[64], list[8192], *next;
  int count = 0;
  snprintf(path, sizeof path, "/proc/%ld/task/%ld", pid, pid);
  read_file(path, "children", list, sizeof list);
  for (char *at = list; (pid = strtol(at, &next, 10)) > 0 && next != at; at = next) count += 1 + count_descendants(pid);
  return count;
}

/* Those that are ours by now and their descendants, the dead ones reaped. */
int count_children(void) {
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  return count_descendants(getpid());
}

void end_children(void) {
  char path[64], list[8192];
  snprintf(path, sizeof path, "/proc/self/task/%d", getpid());
  for (int round = 0; round < 500 && count_children() > 0; round++) {
    read_file(path, "children", list, sizeof list);
    char *at = list, *next;
    for (long pid; (pid = strtol(at, &next, 10)) > 0 && next != at; at = next) kill((pid_t)pid, SIGKILL);
    usleep(2000);
  }
}

/* ---- the end */

int end_anchor(const char *const *controllers, const struct anchor_paths *paths, const char *path, enum launch how) {
  struct keeper keeper = keeper_start(path, how);
  struct result result = read_result(send_anchor(&keeper, controllers, paths, false));
  if (!result.taken) printf("# the anchor was not taken: %s\n", strerror(result.error));
  close(keeper.socket);
  return wait_exit(keeper.pid);
}

int groups_left(const struct anchor_paths *paths) {
  int left = 0;
  for (int i = 0; i < paths->count; i++) left += exists(paths->anchor[i]);
  return left;
}

/* Whoever sweeps finds what is left by the first directory, and is told of all of them. */
int sweep(const char *const *controllers, const struct anchor_paths *paths) {
  if (!exists(paths->anchor[0])) return groups_left(paths);
  for (int i = 1; i < paths->count; i++) mkdir(paths->anchor[i], 0755);
  int code = end_anchor(controllers, paths, keeper_path, PLAIN);
  if (code != 0) ok(false, "the keeper of a sweep exits 0 (got %d)", code);
  return groups_left(paths);
}

void remove_bases(const struct anchor_paths *paths) {
  for (int i = 0; i < paths->count; i++) remove_tree(paths->base[i]);
}

bool is_here(const char *what, const char *const *controllers, struct anchor_paths *paths) {
  if (make_anchor(controllers, paths)) return true;
  remove_bases(paths);
  skip("%s: the hierarchies are not here", what);
  return false;
}
