/*
 * Children in no group: a fake JVM starts them through its keeper and gets SIGKILL. We are the subreaper of all, so
 * whatever survives or dies is our child in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

enum fate { CONTROL, HELD, LET_GO, HELD_AGAIN };

struct scenario {
  const char *what;
  enum fate fate;
  enum launch how;
  bool foreground; /* in our process group, no session of its own */
  const char *script;
  int members; /* that are there after the script's "ready" */
  bool leaves; /* the child itself ends after it */
};

static uint64_t start_ticks(int pid) {
  char path[32], stat[1024];
  snprintf(path, sizeof path, "/proc/%d", pid);
  if (!read_file(path, "stat", stat, sizeof stat)) return 0;
  unsigned long long ticks = 0;
  char *at = strrchr(stat, ')');
  sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks);
  return ticks;
}

static int start_one(struct keeper *keeper, const struct scenario *scenario) {
  char line[16];
  int ready[2];
  struct request request = request_new();
  if (pipe2(ready, O_CLOEXEC) < 0) die("pipe2");
  request.head.flags = (scenario->foreground ? START_GROUP : START_SESSION) |
                       (scenario->fate == HELD || scenario->fate == LET_GO ? START_HOLD : 0u);
  request.head.process_group = scenario->foreground ? getpgrp() : 0;
  close(request.descriptors[2]);
  request.descriptors[2] = ready[1];
  add_command(&request, "/bin/sh", "-c", scenario->script, NULL);
  add_string(&request, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  request.head.environment_count = 1;
  struct result result = run(keeper, &request);
  if (result.step != 0) printf("# step %u, %s\n", result.step, strerror(result.error));
  request_free(&request);
  if (read(ready[0], line, sizeof line) <= 0) printf("# not ready\n");
  close(ready[0]);
  return result.pid;
}

static _Noreturn void fake_jvm(const struct scenario *scenario, int tell) {
  struct keeper keeper = keeper_start(keeper_path, scenario->how);
  int pid = start_one(&keeper, scenario);
  struct hold_entry entry = {.pid = pid, .kind = scenario->foreground ? HOLD_CHILD : HOLD_SESSION, .start_ticks = start_ticks(pid)};
  if (scenario->leaves) {
    wait_exit(pid);
    entry.start_ticks = 0;
  }
  if (scenario->fate == LET_GO && !send_hold(&keeper, REQUEST_LET_GO, &entry, 1).taken) printf("not ok - let go\n");
  if (scenario->fate == HELD_AGAIN) {
    struct keeper second = keeper_start(keeper_path, scenario->how);
    kill(keeper.pid, SIGKILL);
    if (!send_hold(&second, REQUEST_HOLD, &entry, 1).taken) printf("not ok - held again\n");
    keeper = second;
  }
  int pids[2] = {keeper.pid, pid};
  if (write(tell, pids, sizeof pids) < 0) die("write");
  for (;;) pause();
}

static int count_left(void) {
  int64_t until = now_ms() + 3000;
  int left = count_children();
  for (; left > 0 && now_ms() < until; left = count_children()) usleep(1000);
  return left;
}

static void run_scenario(const struct scenario *scenario) {
  int tell[2], pids[2] = {0, 0};
  if (pipe2(tell, O_CLOEXEC) < 0) die("pipe2");
  fflush(stdout);
  pid_t jvm = fork();
  if (jvm == 0) fake_jvm(scenario, tell[1]);
  close(tell[1]);
  ok(read(tell[0], pids, sizeof pids) == sizeof pids, "%s: runs", scenario->what);
  close(tell[0]);
  if (scenario->leaves && scenario->fate == HELD) {
    char path[64], list[4096] = "";
    /* The keeper has put a member in the place of the child: the kernel shows whom a pidfd is of. */
    snprintf(path, sizeof path, "grep -hs ^Pid: /proc/%d/fdinfo/*", pids[0]);
    for (int i = 0; i < 1000; i++) {
      FILE *stream = popen(path, "r");
      list[fread(list, 1, sizeof list - 1, stream)] = '\0';
      pclose(stream);
      if (!contains(list, "-1")) break;
      usleep(1000);
    }
    ok(!contains(list, "-1"), "%s: a member is pinned", scenario->what);
  }
  kill(jvm, SIGKILL);
  wait_exit(jvm);
  int code = wait_exit(pids[0]);
  bool lives = scenario->fate == CONTROL || scenario->fate == LET_GO;
  int left = lives ? count_children() : count_left();
  ok(code == 0 && left == (lives ? scenario->members : 0), "%s: %d of %d processes are left", scenario->what, left,
     scenario->members);
  end_children();
}

#define TREE                                                                                                        \
  "sleep 999 & setsid sleep 999 </dev/null & (sleep 999 & sleep 999) & sh -c 'trap \"\" TERM HUP; sleep 999; :' & " \
  "sleep 0.1; "

/* Many that end leave nothing in the keeper, whether or not they were held by then. */
static void test_forgets(enum launch how) {
  struct keeper keeper = keeper_start(keeper_path, how);
  int good = 0;
  for (int i = 0; i < 200; i++) {
    struct request request = request_new();
    request.head.flags = START_SESSION | START_HOLD;
    add_command(&request, "/bin/true", NULL);
    struct result result = run(&keeper, &request);
    good += result.running > 0 && wait_exit(result.pid) == 0;
    request_free(&request);
  }
  /* Its own five, and the one that tells it of those held. */
  const size_t most = strlen("0 1 2 3 4 15 ");
  char list[4096];
  for (int i = 0; i < 1000 && open_descriptors(keeper.pid, list, sizeof list) && strlen(list) > most; i++) usleep(1000);
  ok(good == 200 && contains(list, "0 1 2 3 4 ") && strlen(list) <= most,
     "%d held children are forgotten when they have ended: %s", good, list);
  keeper_stop(&keeper);
}

/* After this answer the keeper has looked at what happened before the question. */
static void settle(struct keeper *keeper) {
  if (!send_hold(keeper, REQUEST_HOLD, NULL, 0).taken) printf("not ok - nothing held\n");
}

static void await_end(int pid) {
  siginfo_t info;
  kill(pid, SIGKILL);
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0) die("waitid");
}

/* Starts a session that is held; its script writes two numbers of members. Answers the child's. */
static int start_telling(struct keeper *keeper, const char *script, int *first, int *second) {
  char line[64] = "";
  int ready[2];
  struct request request = request_new();
  if (pipe2(ready, O_CLOEXEC) < 0) die("pipe2");
  request.head.flags = START_SESSION | START_HOLD;
  close(request.descriptors[2]);
  request.descriptors[2] = ready[1];
  add_command(&request, "/bin/sh", "-c", script, NULL);
  add_string(&request, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  request.head.environment_count = 1;
  struct result result = run(keeper, &request);
  request_free(&request);
  if (read(ready[0], line, sizeof line - 1) <= 0 || sscanf(line, "%d %d", first, second) != 2) die("the members");
  close(ready[0]);
  return result.pid;
}

/* The JVM dies while it kills one member after the other; it has reaped none, so the child's number is still in use. */
static void test_killed_in_part(void) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  int first, second, child = start_telling(&keeper, "sleep 999 & a=$!; sleep 999 & echo $a $!; exec sleep 999", &first, &second);
  await_end(child);
  settle(&keeper);
  await_end(first);
  settle(&keeper);
  keeper_stop(&keeper);
  ok(count_left() == 0, "killed in part: %d of 3 processes are left", count_children());
  end_children();
}

/* A parent ends between the stop of its child, which has a session of its own, and its own stop. */
static void test_parted(void) {
  if (!can_hold_back()) {
    skip("parted while they are stopped: nobody can be stopped at calls here");
    return;
  }
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  int worker, child, parent;
  child = start_telling(&keeper, "setsid sleep 999 </dev/null >&2 & sleep 0.1; echo $! $$; exec sleep 999", &worker, &parent);
  bool stopped = false;
  hold_back(&keeper);
  close(keeper.socket);
  for (long call; (call = next_call(&keeper)) >= 0;) {
    if (call != SYS_pidfd_send_signal || call_arguments[1] != SIGSTOP) continue;
    /* The worker is the first to be stopped, as the youngest. */
    if (stopped) await_end(child);
    stopped = true;
  }
  int left = count_left();
  ok(stopped && left == 0, "parted while they are stopped: %d of 2 processes are left", left);
  end_children();
}

void test_hold(void) {
  const struct scenario scenarios[] = {
      {"session, control", CONTROL, PLAIN, false, TREE "echo ready; exec sleep 999", 7, false},
      {"session", HELD, PLAIN, false, TREE "echo ready; exec sleep 999", 7, false},
      {"session without clone3", HELD, OLD_CALLS, false, TREE "echo ready; exec sleep 999", 7, false},
      {"session, let go", LET_GO, PLAIN, false, TREE "echo ready; exec sleep 999", 7, false},
      {"session, held again", HELD_AGAIN, PLAIN, false, TREE "echo ready; exec sleep 999", 7, false},
      {"session without its leader", HELD, PLAIN, false, "sleep 999 & (sleep 999 & sleep 999) & sleep 0.1; echo ready", 4,
       true},
      {"session without its leader, let go", LET_GO, PLAIN, false, "sleep 999 & sleep 999 & echo ready", 2, true},
      {"session without its leader, held again", HELD_AGAIN, PLAIN, false, "sleep 999 & sleep 999 & echo ready", 2, true},
      {"stopped", HELD, PLAIN, false, "sh -c 'kill -STOP $$' & sleep 0.1; echo ready; exec sleep 999", 2, false},
      {"foreground", HELD, PLAIN, true, "sleep 999 & setsid sleep 999 & sleep 0.1; echo ready; exec sleep 999", 3, false},
      {"foreground, control", CONTROL, PLAIN, true, "sleep 999 & echo ready; exec sleep 999", 2, false},
  };
  if (beyond_valgrind("children in no group", NO_PIDFDS)) return;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) run_scenario(&scenarios[i]);
  test_killed_in_part();
  test_parted();
  test_forgets(PLAIN);
  test_forgets(OLD_CALLS);
}
