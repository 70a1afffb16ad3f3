/*
 * Pid namespaces: as root, and as a user without any privilege where that may make a user namespace. A fake JVM starts
 * trees in one, and gets SIGKILL; we are the subreaper of all, so whatever survives is our child in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define NOBODY 65534

struct space {
  int first; /* pid */
  int pidfd;
  int orders;
  bool user;
  int proc; /* the errno that kept it from a /proc of its own */
  struct result made;
};

static int pidfd_of(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static struct space make_space(struct keeper *keeper) {
  int pair[2];
  const struct namespace_request request = {HOLDFAST_MAGIC, REQUEST_NAMESPACE};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) die("socketpair");
  struct result result = tell(keeper->socket, &request, sizeof request, &pair[1], 1);
  close(pair[1]);
  struct space space = {result.pid, result.pid > 0 ? pidfd_of(result.pid) : -1, pair[0], result.detail == 1, result.value, result};
  return space;
}

static struct result order(const struct space *space, uint32_t kind, int argument) {
  const struct order_request request = {HOLDFAST_MAGIC, kind, argument};
  return tell(space->orders, &request, sizeof request, NULL, 0);
}

static struct request request_in(const struct space *space) {
  struct request request = request_new();
  request.head.flags = START_SESSION | START_ENTER | (space->user ? START_ENTER_USER : 0u);
  add_descriptor(&request, fcntl(space->pidfd, F_DUPFD_CLOEXEC, 0));
  return request;
}

static void end_space(struct space *space) {
  syscall(SYS_pidfd_send_signal, space->pidfd, SIGKILL, NULL, 0);
  int code = wait_exit(space->first);
  if (code != -SIGKILL) ok(false, "the first process ends by SIGKILL (got %d)", code);
  close(space->pidfd);
  close(space->orders);
}

/* Starts a script, and waits for the line that says that all of it is there. */
static struct result start_script(struct keeper *keeper, struct request *request, const char *script) {
  char line[16];
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) < 0) die("pipe2");
  close(request->descriptors[2]);
  request->descriptors[2] = ready[1];
  add_command(request, "/bin/sh", "-c", script, NULL);
  add_string(request, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  request->head.environment_count = 1;
  struct result result = run(keeper, request);
  if (result.step != 0) printf("# step %u, detail %u, %s\n", result.step, result.detail, strerror(result.error));
  request_free(request);
  if (read(ready[0], line, sizeof line) <= 0) printf("# not ready\n");
  close(ready[0]);
  return result;
}

static int count_running(long pid) {
  char path[64], list[8192], stat[1024], *next;
  int count = 0;
  snprintf(path, sizeof path, "/proc/%ld/task/%ld", pid, pid);
  read_file(path, "children", list, sizeof list);
  for (char *at = list; (pid = strtol(at, &next, 10)) > 0 && next != at; at = next) {
    snprintf(path, sizeof path, "/proc/%ld", pid);
    count += count_running(pid) + (read_file(path, "stat", stat, sizeof stat) && !contains(stat, ") T "));
  }
  return count;
}

/* ---- what a child is and sees */

static void test_view(struct keeper *keeper, const char *who) {
  char out[4096], expected[128];
  struct space space = make_space(keeper);
  ok(space.made.taken && space.first > 0, "%s: a namespace is made", who);
  ok(space.user == (geteuid() != 0), "%s: %s user namespace of its own", who, space.user ? "with a" : "without a");
  struct request request = request_in(&space);
  shell(keeper, &request, "echo $$ $PPID; id -u; id -g; cd /proc; echo [0-9]*; readlink self; exit 3", out, sizeof out);
  int uid = (int)geteuid(), gid = (int)getegid();
  if (space.proc == 0) {
    /* A shell may know readlink itself, or fork for it. */
    snprintf(expected, sizeof expected, "2 0\n%d\n%d\n1 2\n", uid, gid);
    ok(strncmp(out, expected, strlen(expected)) == 0 && atoi(out + strlen(expected)) <= 5,
       "%s: ids and /proc are its own: %s", who, out);
  } else {
    skip("%s: no /proc of its own: %s", who, strerror(space.proc));
  }
  request = request_in(&space);
  probe(keeper, &request, "descriptors", out, sizeof out);
  ok(strcmp(out, "fds 0 1 2.\n") == 0, "%s: nothing is left open: %s", who, out);
  request = request_in(&space);
  add_command(&request, self_path, "probe", "exit7", NULL);
  struct result result = run(keeper, &request);
  ok(result.spawned > 0 && result.spawned == result.running && result.entering > 0 && wait_exit(result.pid) == 7,
     "%s: keeper's and child's number are the same one, and it exits with 7", who);
  request_free(&request);
  request = request_in(&space);
  add_command(&request, "/nowhere", NULL);
  result = run(keeper, &request);
  ok(result.step == STEP_EXEC && result.error == ENOENT && wait_exit(result.pid) == 127, "%s: no such program", who);
  request_free(&request);
  request = request_in(&space);
  request.head.flags = (request.head.flags & ~(uint32_t)START_SESSION) | START_GROUP;
  request.head.process_group = getpgrp();
  add_command(&request, self_path, "probe", "sleep", NULL);
  result = run(keeper, &request);
  ok(getpgid(result.pid) == getpgrp() && getsid(result.pid) == getsid(0), "%s: it can share our process group", who);
  request_free(&request);
  kill(result.pid, SIGKILL);
  wait_exit(result.pid);
  end_space(&space);
}

/* ---- the orders, and the end */

#define TREE                                                                                                         \
  "trap '' TERM HUP; sleep 999 & setsid sleep 999 </dev/null & (setsid sh -c 'sleep 999 & sleep 999; :' &) ; sleep 0.2; " \
  "echo ready; exec sleep 999"
#define TREE_SIZE 6

static void test_end(struct keeper *keeper, const char *who) {
  struct space space = make_space(keeper);
  ok(order(&space, REQUEST_EMPTY, 1).taken, "%s: a new namespace is empty", who);
  struct request request = request_in(&space);
  struct result tree = start_script(keeper, &request, TREE);
  ok(count_descendants(getpid()) >= TREE_SIZE, "%s: the tree is there", who);
  struct result result = order(&space, REQUEST_EMPTY, 1);
  ok(result.step == STEP_REQUEST && result.error == EBUSY, "%s: orphans are the first process's", who);
  result = order(&space, REQUEST_SIGNAL, SIGSTOP);
  int running = count_running(space.first);
  for (int i = 0; i < 1000 && running > 0; i++, running = count_running(space.first)) usleep(2000);
  ok(result.taken && running == 0, "%s: one order stops all", who);
  syscall(SYS_pidfd_send_signal, space.pidfd, SIGKILL, NULL, 0);
  usleep(20000);
  siginfo_t info = {.si_pid = 0};
  waitid(P_PID, (id_t)space.first, &info, WEXITED | WNOHANG | WNOWAIT);
  ok(info.si_pid == 0, "%s: the first process cannot end before its last sibling is reaped", who);
  ok(wait_exit(tree.pid) == -SIGKILL && wait_exit(space.first) == -SIGKILL, "%s: killing the first kills all", who);
  request = request_in(&space);
  add_command(&request, "/bin/true", NULL);
  result = run(keeper, &request);
  ok(result.step == STEP_NAMESPACE && result.detail == NAMESPACE_ENTER && result.error == ESRCH && result.pid == 0,
     "%s: nothing starts where the first process has ended (%u %u %s)", who, result.step, result.detail,
     strerror(result.error));
  request_free(&request);
  close(space.pidfd);
  close(space.orders);
  ok(count_children() == 1, "%s: the keeper alone is left", who);
}

static void test_empty(struct keeper *keeper, const char *who) {
  struct space space = make_space(keeper);
  struct request request = request_in(&space);
  struct result child = start_script(keeper, &request, "(sleep 0.4 &) ; echo ready");
  wait_exit(child.pid);
  const struct order_request early = {HOLDFAST_MAGIC, REQUEST_EMPTY, 0};
  /* Those who no longer wait make room for others. */
  for (int i = 0; i < 40; i++) {
    int pipes[2];
    status_pipe(pipes);
    send_raw(space.orders, &early, sizeof early, NULL, 0, &pipes[1], 1);
    close(pipes[1]);
    close(pipes[0]);
  }
  int64_t begin = now_ms();
  bool busy = order(&space, REQUEST_EMPTY, 1).error == EBUSY;
  ok(busy && order(&space, REQUEST_EMPTY, 0).taken && now_ms() - begin > 100, "%s: told when the last has ended", who);
  request = request_in(&space);
  child = start_script(keeper, &request, "trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done");
  ok(order(&space, REQUEST_SIGNAL, SIGUSR1).taken && wait_exit(child.pid) == 5, "%s: a signal arrives", who);
  ok(order(&space, REQUEST_SIGNAL, SIGUSR1).taken, "%s: a signal to nobody is no error", who);
  ok(order(&space, REQUEST_SIGNAL, 99).error == EINVAL, "%s: no such signal", who);
  ok(order(&space, 77, 0).error == EBADMSG, "%s: no such order", who);
  ok(order(&space, REQUEST_START, 0).error == EBADMSG, "%s: it is no keeper", who);
  ok(tell(space.orders, "x", 1, NULL, 0).error == EBADMSG, "%s: a short order", who);
  close(space.orders);
  ok(wait_exit(space.first) == 0, "%s: the first process leaves when its orders' socket is closed", who);
  close(space.pidfd);
}

static void test_many(struct keeper *keeper, const char *who) {
  char before[4096] = "", after[4096] = "", *texts[] = {before, after};
  for (int half = 0; half < 2; half++) {
    for (int i = 0; i < (half == 0 ? 5 : 100); i++) {
      struct space space = make_space(keeper);
      struct request request = request_in(&space);
      add_command(&request, "/bin/true", NULL);
      struct result result = run(keeper, &request);
      if (wait_exit(result.pid) != 0) ok(false, "%s: true in namespace %d", who, i);
      request_free(&request);
      end_space(&space);
    }
    /* It looks at the ended every 50 ms: until nothing has changed for longer than that. */
    char now[sizeof before];
    for (int same = 0, i = 0; same < 60 && i < 1000; i++) {
      usleep(2000);
      open_descriptors(keeper->pid, now, sizeof now);
      same = strcmp(now, texts[half]) == 0 ? same + 1 : 0;
      memcpy(texts[half], now, sizeof now);
    }
  }
  ok(strcmp(before, after) == 0, "%s: the keeper has no more open after 100 namespaces: %s", who, after);
  ok(count_children() == 1, "%s: no process is left after 100 namespaces", who);
}

/* ---- the JVM's end */

enum fate { CONTROL, WATCHED, KEEPER_DEAD, BOTH_DEAD, FIRST_STOPPED, HELD_AGAIN, RELEASED };

static _Noreturn void fake_jvm(enum fate fate, int tell_parent) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  struct space space = {.first = 0};
  struct request request;
  if (fate == CONTROL) {
    request = request_new();
    request.head.flags = START_SESSION;
  } else {
    space = make_space(&keeper);
    request = request_in(&space);
  }
  struct result tree = start_script(&keeper, &request, fate == RELEASED ? "(sleep 1 &) ; echo ready; exec sleep 1" : TREE);
  if (fate == RELEASED) {
    const struct order_request release = {HOLDFAST_MAGIC, REQUEST_RELEASE, 0};
    const struct hold_entry entry = {.pid = space.first, .kind = HOLD_FIRST};
    int pidfd = pidfd_of(tree.pid);
    if (!tell(space.orders, &release, sizeof release, &pidfd, 1).taken) printf("not ok - release\n");
    if (!send_hold(&keeper, REQUEST_LET_GO, &entry, 1).taken) printf("not ok - let go\n");
  }
  if (fate == KEEPER_DEAD || fate == HELD_AGAIN) {
    kill(keeper.pid, SIGKILL);
    wait_exit(keeper.pid);
  }
  if (fate == FIRST_STOPPED || fate == HELD_AGAIN) kill(space.first, SIGSTOP);
  if (fate == HELD_AGAIN) {
    char path[64], stat[1024];
    unsigned long long ticks = 0;
    keeper = keeper_start(keeper_path, PLAIN);
    snprintf(path, sizeof path, "/proc/%d", space.first);
    read_file(path, "stat", stat, sizeof stat);
    sscanf(strrchr(stat, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
           &ticks);
    const struct hold_entry entry = {.pid = space.first, .kind = HOLD_FIRST, .start_ticks = ticks};
    if (!send_hold(&keeper, REQUEST_HOLD, &entry, 1).taken) printf("not ok - held again\n");
  }
  int pids[3] = {keeper.pid, space.first, tree.pid};
  if (write(tell_parent, pids, sizeof pids) < 0) die("write");
  for (;;) pause();
}

static void test_jvm_end(enum fate fate, const char *who, const char *what, int members) {
  int pipes[2], pids[3] = {0};
  if (pipe2(pipes, O_CLOEXEC) < 0) die("pipe2");
  fflush(stdout);
  pid_t jvm = fork();
  if (jvm == 0) fake_jvm(fate, pipes[1]);
  close(pipes[1]);
  ok(read(pipes[0], pids, sizeof pids) == sizeof pids && count_descendants(getpid()) >= members, "%s, %s: runs", who, what);
  close(pipes[0]);
  if (fate == BOTH_DEAD) kill(pids[0], SIGKILL);
  kill(jvm, SIGKILL);
  wait_exit(jvm);
  int64_t begin = now_ms();
  int left = count_children();
  if (fate == CONTROL || fate == RELEASED) {
    usleep(300000);
    left = count_children();
    ok(left == members, "%s, %s: %d of %d processes live on", who, what, left, members);
    if (fate == CONTROL) end_children();
  }
  for (; (left = count_children()) > 0 && now_ms() < begin + 5000;) usleep(1000);
  if (fate != CONTROL) {
    ok(left == 0 && (fate == RELEASED || now_ms() < begin + 1000), "%s, %s: none is left after %d ms", who, what,
       (int)(now_ms() - begin));
  }
  end_children();
}

/* ---- where it is refused */

/* Whether it was never executed: the path leads through directories of somebody else, or its libraries are not there. */
static bool not_executed(const struct keeper *keeper, const struct space *space) {
  return space->made.step == 0 && !space->made.taken && wait_exit(keeper->pid) == NOT_EXECUTED;
}

static void test_refusals(void) {
  /* A part of /proc is hidden, as in containers. */
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/proc/sys", "tmpfs", 0, NULL) < 0 || setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0) {
      _exit(9);
    }
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    struct keeper keeper = keeper_start(keeper_path, PLAIN);
    struct space space = make_space(&keeper);
    if (not_executed(&keeper, &space)) _exit(77);
    if (!space.made.taken || space.proc != EPERM) {
      printf("# step %u detail %u error %d proc %d\n", space.made.step, space.made.detail, space.made.error, space.proc);
      fflush(stdout);
      _exit(8);
    }
    char out[256], expected[64];
    struct request request = request_in(&space);
    struct result result = shell(&keeper, &request, "id -u; readlink /proc/self; exit", out, sizeof out);
    snprintf(expected, sizeof expected, "%d\n", NOBODY);
    bool good = strncmp(out, expected, strlen(expected)) == 0 && atoi(out + strlen(expected)) > result.pid;
    end_space(&space);
    keeper_stop(&keeper);
    _exit(good ? 0 : 7);
  }
  int code = wait_exit(pid);
  if (code == 77) {
    skip("where a part of /proc is hidden: nobody may not come to the keeper");
  } else {
    ok(code == 0, "where a part of /proc is hidden, children see the old one (%d)", code);
  }

  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    char keeper_at[64];
    snprintf(keeper_at, sizeof keeper_at, "/proc/self/fd/%d", open(keeper_path, O_RDONLY));
    /* In a chroot whose /proc is there to find the keeper by. */
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/mnt", "tmpfs", 0, NULL) < 0 || mkdir("/mnt/proc", 0755) < 0 ||
        mount("proc", "/mnt/proc", "proc", 0, NULL) < 0 || chroot("/mnt") < 0 || chdir("/") < 0) {
      _exit(9);
    }
    struct keeper keeper = keeper_start(keeper_at, PLAIN);
    struct space space = make_space(&keeper);
    if (not_executed(&keeper, &space)) _exit(77);
    bool good = !space.made.taken && space.made.step == STEP_NAMESPACE && space.made.detail == NAMESPACE_ROOT &&
                space.made.error == EXDEV && wait_exit(space.first) == 1;
    if (!good) printf("# step %u detail %u error %d\n", space.made.step, space.made.detail, space.made.error);
    fflush(stdout);
    keeper_stop(&keeper);
    _exit(good ? 0 : 8);
  }
  code = wait_exit(pid);
  if (code == 77) {
    skip("this keeper needs libraries, which are not in the chroot");
  } else {
    ok(code == 0, "in a chroot it is refused (%d)", code);
  }
}

static void test_all(const char *who) {
  if (access(keeper_path, X_OK) < 0 || access(self_path, X_OK) < 0) {
    skip("%s: may not come to the keeper: %s", who, strerror(errno));
    return;
  }
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  struct space space = make_space(&keeper);
  if (!space.made.taken) {
    skip("%s: no pid namespace here: step %u, detail %u, %s", who, space.made.step, space.made.detail,
         strerror(space.made.error));
    if (space.first > 0) wait_exit(space.first);
    keeper_stop(&keeper);
    return;
  }
  end_space(&space);
  test_view(&keeper, who);
  test_end(&keeper, who);
  test_empty(&keeper, who);
  test_many(&keeper, who);
  keeper_stop(&keeper);
  test_jvm_end(CONTROL, who, "without a namespace", TREE_SIZE);
  test_jvm_end(WATCHED, who, "the JVM killed", TREE_SIZE);
  test_jvm_end(KEEPER_DEAD, who, "the keeper killed before the JVM", TREE_SIZE);
  test_jvm_end(BOTH_DEAD, who, "both killed", TREE_SIZE);
  test_jvm_end(FIRST_STOPPED, who, "the first process stopped", TREE_SIZE);
  test_jvm_end(HELD_AGAIN, who, "the first process stopped, a second keeper", TREE_SIZE);
  test_jvm_end(RELEASED, who, "released", 3);
}

void test_namespace(void) {
  if (beyond_valgrind("pid namespaces", NO_PIDFDS)) return;
  test_all(geteuid() == 0 ? "root" : "user");
  if (geteuid() != 0) return;
  test_refusals();
  fflush(stdout);
  int before = failures();
  pid_t pid = fork();
  if (pid == 0) {
    alarm(120);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) die("nobody");
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* as after an exec: see proc_pid(5) for whose /proc/self is otherwise */
    test_all("nobody");
    fflush(stdout);
    _exit(failures() - before);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ok(status == 0, "as an unprivileged user");
}
