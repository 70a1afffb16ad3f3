/* What the keeper makes of the processes that /proc shows, when it ends children that no group holds. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

/* A held session of one. */
static int hold_probe(struct keeper *keeper, const char *what, int in, int out) {
  struct request request = request_new();
  request.head.flags = START_SESSION | START_HOLD;
  if (in >= 0) close(request.descriptors[1]), request.descriptors[1] = in;
  if (out >= 0) close(request.descriptors[2]), request.descriptors[2] = out;
  add_command(&request, self_path, "probe", what, NULL);
  struct result result = run(keeper, &request);
  request_free(&request);
  return result.step == 0 ? result.pid : 0;
}

/* ---- threads */

/*
 * A process whose first thread shows as ended, or as stopped by a tracer, while another one of its threads would fork: it is told to,
 * once the keeper has seen all that it will kill.
 */
static void test_forks_late(const char *what, bool traced) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  int order[2], answer[2];
  char byte = 0;
  if (pipe2(order, O_CLOEXEC) < 0 || pipe2(answer, O_CLOEXEC) < 0) die("pipe2");
  int pid = hold_probe(&keeper, traced ? "fork-late" : "fork-late-without-first", order[0], answer[1]);
  if (read(answer[0], &byte, 1) != 1) printf("# not ready\n");
  if (traced && (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ||
                 waitpid(pid, NULL, 0) != pid)) {
    die("a traced thread");
  }
  hold_back(&keeper);
  close(keeper.socket);
  bool told = false, forked = false;
  for (long call; (call = next_call(&keeper)) >= 0;) {
    if (told || call != SYS_pidfd_send_signal || call_arguments[1] != SIGKILL) continue;
    told = write(order[1], ".", 1) == 1;
    struct pollfd poll_answer = {.fd = answer[0], .events = POLLIN};
    forked = poll(&poll_answer, 1, is_emulated() ? 2000 : 500) > 0;
  }
  close(order[1]), close(answer[0]);
  int64_t until = now_ms() + 3000;
  int left = count_children();
  for (; left > 0 && now_ms() < until; left = count_children()) usleep(1000);
  ok(told && !forked && left == 0, "%s: it forks no more (%d), and %d processes are left", what, forked, left);
  end_children();
}

/* ---- a /proc that is not ours */

/* Fails where nobody may choose numbers. */
static bool is_next(pid_t number) {
  char text[16];
  int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC), length = snprintf(text, sizeof text, "%d", number - 1);
  bool done = file >= 0 && write(file, text, (size_t)length) == length;
  if (file >= 0) close(file);
  return done;
}

static pid_t fork_sleeper(void) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) pause();
}

#define NO_NUMBERS 77

/*
 * In a pid namespace that sees the /proc outside. There `leader` leads a session that `other` is in; here the one is the held child, and
 * the other a stranger.
 */
static _Noreturn void end_in_namespace(pid_t leader, pid_t other) {
  if (!is_next(other)) _exit(NO_NUMBERS);
  pid_t stranger = fork_sleeper();
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  if (stranger != other || !is_next(leader)) _exit(NO_NUMBERS);
  int held = hold_probe(&keeper, "sleep", -1, -1);
  if (held != leader) _exit(NO_NUMBERS);
  close(keeper.socket);
  int code = wait_exit(keeper.pid);
  int64_t until = now_ms() + 3000;
  while (lives(held) && now_ms() < until) usleep(1000);
  _exit((code == 0 ? 0 : 1) | (lives(stranger) ? 0 : 2) | (lives(held) ? 4 : 0));
}

static void test_foreign_proc(void) {
  const char *what = "a /proc of another pid namespace";
  int told[2], other = 0, status = 0;
  if (instrumented) {
    skip("%s: the sanitizers need their own", what);
    return;
  }
  if (pipe2(told, O_CLOEXEC) < 0) die("pipe2");
  fflush(stdout);
  pid_t leader = fork();
  if (leader == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    other = fork_sleeper();
    if (write(told[1], &other, sizeof other) < 0) _exit(1);
    for (;;) pause();
  }
  if (read(told[0], &other, sizeof other) != sizeof other) die("the session outside");
  close(told[0]), close(told[1]);
  pid_t maker = fork();
  if (maker == 0) {
    if (unshare(CLONE_NEWPID) < 0) _exit(NO_NUMBERS);
    pid_t first = fork();
    if (first == 0) end_in_namespace(leader, other);
    _exit(wait_exit(first) & 127);
  }
  waitpid(maker, &status, 0);
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == NO_NUMBERS) {
    skip("%s: numbers cannot be chosen here", what);
  } else {
    ok(code == 0 && lives(leader), "%s: the held child is ended (%s), a stranger is not (%s)", what, (code & 4) == 0 ? "yes" : "no",
       (code & 2) == 0 ? "yes" : "no");
  }
  end_bystander(leader);
  end_children();
}

/* ---- looks */

/* For the memory of which each asks once. */
static void test_many_ends(void) {
  enum { MANY = 20 };
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  int pids[MANY], looks = 0;
  for (int i = 0; i < MANY; i++) pids[i] = hold_probe(&keeper, "sleep", -1, -1);
  hold_back(&keeper);
  for (int i = 0; i < MANY; i++) end_bystander(pids[i]);
  for (long call; (call = next_call(&keeper)) != SYS_ppoll && call >= 0;) looks += call == SYS_mmap;
  ok(looks == 1 || looks == 2, "%d held sessions end: %d looks at all processes", MANY, looks);
  kill(keeper.pid, SIGKILL);
  wait_exit(keeper.pid);
  close(keeper.socket);
}

/* Somebody forks whenever the keeper opens a file. */
static void test_endless_forks(void) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  int pid = hold_probe(&keeper, "sleep", -1, -1), opens = 0, forks = 0, here = 0;
  struct dirent *entry;
  DIR *proc = opendir("/proc");
  while ((entry = readdir(proc)) != NULL) here += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
  closedir(proc);
  hold_back(&keeper);
  end_bystander(pid);
  bool read_on = false;
  for (long call; !read_on && (call = next_call(&keeper)) != SYS_munmap && call >= 0;) {
    if (call != SYS_openat) continue;
    read_on = ++opens > 2 * here + 100;
    if (fork_sleeper() > 0) forks++;
  }
  ok(!read_on && forks > 0, "a look at %d processes comes to its end while others fork (%d forks)", here, forks);
  kill(keeper.pid, SIGKILL);
  wait_exit(keeper.pid);
  close(keeper.socket);
  end_children();
}

void test_processes(void) {
  if (beyond_valgrind("children in no group", NO_PIDFDS)) return;
  test_foreign_proc();
  if (!can_hold_back()) {
    skip("the keeper's looks: nobody can be stopped between two calls here");
    return;
  }
  test_forks_late("a process without its first thread", false);
  test_forks_late("a process whose first thread is traced", true);
  test_many_ends();
  test_endless_forks();
}
