/*
 * What happens after the JVM: a forked process plays it, starts jobs through its own keeper, and gets SIGKILL. We are
 * the subreaper of all, so whatever survives or dies is our child in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "harness.h"

struct scenario {
  const char *what;
  const char *const *controllers;
  const char *keeper;
  enum launch how;
  bool no_anchor;   /* the control: nobody ends anything */
  bool release;     /* job "b" is released */
  bool let_go;      /* the socket is closed, the JVM lives on */
  bool unread;      /* the anchor is announced, but the keeper has not read it when the JVM dies */
  bool later;       /* the keeper was told of the other hierarchies before the anchor was there */
  bool freeze;      /* job "a" is frozen, by all means at hand */
  int depth;        /* of a chain of groups in job "c" */
  int width;        /* further jobs */
};

static void tell_anchor(struct keeper *keeper, const struct scenario *scenario, const struct anchor_paths *paths) {
  int status = send_anchor(keeper, scenario->controllers, paths, scenario->later);
  if (scenario->unread) {
    close(status);
    return;
  }
  struct result result = read_result(status);
  if (!result.taken) printf("not ok - the anchor was not taken: %s\n", strerror(result.error));
}

/* The script's $1 is the job in the first hierarchy; it prints a line once all of its processes are where they stay. */
static void start_job(struct keeper *keeper, const struct scenario *scenario, const struct anchor_paths *paths,
                      const char *name, const char *script) {
  char line[64], *job[HIERARCHIES];
  int ready[2];
  struct request request = request_new();
  if (pipe2(ready, O_CLOEXEC) < 0) die("pipe2");
  for (int i = 0; i < paths->count; i++) {
    job[i] = make_group(paths->anchor[i], name);
    if (job[i] == NULL) die("make_group");
    if (i == 0 && is_v2(scenario->controllers[0]) && (scenario->how & OLD_CALLS) == 0 && !under_valgrind) {
      request.head.flags = START_CLONE_INTO;
      add_descriptor(&request, open(job[i], O_PATH | O_DIRECTORY | O_CLOEXEC));
    } else {
      const char *file = is_v2(scenario->controllers[i]) ? "cgroup.procs" : "tasks";
      request.head.join_count++;
      add_descriptor(&request, open_at(job[i], file, O_WRONLY));
    }
  }
  close(request.descriptors[2]);
  request.descriptors[2] = ready[1];
  add_command(&request, "/bin/sh", "-c", script, "sh", job[0], NULL);
  add_string(&request, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  request.head.environment_count = 1;
  struct result result = run(keeper, &request);
  if (result.step != 0) printf("# job %s: step %u, %s\n", name, result.step, strerror(result.error));
  request_free(&request);
  if (read(ready[0], line, sizeof line) <= 0) printf("# job %s did not get ready\n", name);
  close(ready[0]);
}

static void freeze_job(const struct scenario *scenario, const struct anchor_paths *paths, const char *name) {
  for (int i = 0; i < paths->count; i++) {
    char *job;
    if (asprintf(&job, "%s/%s", paths->anchor[i], name) < 0) die("asprintf");
    if (is_v2(scenario->controllers[i])) write_file(job, "cgroup.freeze", "1");
    if (strcmp(scenario->controllers[i], "freezer") == 0) write_file(job, "freezer.state", "FROZEN");
    free(job);
  }
}

#define SLEEPERS "setsid sleep 999 </dev/null & sleep 999 & (sleep 999 & sleep 999) & "
#define NESTED                                                                                                   \
  "mkdir -p $1/x/y $1/x/z $1/x/empty; (sh -c 'echo $$ > $1/x/y/cgroup.procs; exec sleep 999' sh $1) & "                     \
  "(sh -c 'echo $$ > $1/x/z/cgroup.procs; trap \"\" TERM HUP INT; while :; do sleep 0.01; done' sh $1) & "       \
  "while [ -z \"$(cat $1/x/y/cgroup.procs)\" ]; do :; done; while [ -z \"$(cat $1/x/z/cgroup.procs)\" ]; do :; done; "
#define READY "sleep 0.02; echo ready; exec sleep 999"

static _Noreturn void fake_jvm(const struct scenario *scenario, const struct anchor_paths *paths, int tell) {
  struct keeper keeper = keeper_start(scenario->keeper, scenario->how);
  if (!scenario->no_anchor && !scenario->unread) tell_anchor(&keeper, scenario, paths);
  start_job(&keeper, scenario, paths, "a", SLEEPERS READY);
  start_job(&keeper, scenario, paths, "b", SLEEPERS NESTED READY);
  if (scenario->freeze) freeze_job(scenario, paths, "a");
  if (scenario->release) {
    char *job;
    if (asprintf(&job, "%s/b", paths->anchor[0]) < 0) die("asprintf");
    if (setxattr(job, "user.holdfast.released", "1", 1, 0) < 0) die("setxattr");
    free(job);
  }
  char *chain = make_group(paths->anchor[0], "c");
  make_chain(chain, scenario->depth);
  for (int i = 0; i < scenario->width; i++) {
    char name[16];
    snprintf(name, sizeof name, "w%d", i);
    char *job = make_group(paths->anchor[0], name);
    free(make_group(job, "inner"));
    free(job);
  }
  if (scenario->unread) {
    keeper_pause(&keeper);
    tell_anchor(&keeper, scenario, paths);
    struct request request = request_new();
    add_command(&request, "/bin/sleep", "999", NULL);
    send_start(&keeper, &request); /* must never be started */
  }
  dprintf(tell, "%d", keeper.pid);
  if (scenario->let_go) close(keeper.socket);
  for (;;) pause();
}

/* Reaps until nothing of ours is left, or the time is up. gave_up: children that ended before their exec. */
static void reap(int64_t milliseconds, int *killed, int *gave_up, bool *all) {
  int64_t until = now_ms() + milliseconds;
  *all = false;
  while (now_ms() < until) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0) {
      *all = true;
      return;
    }
    if (pid == 0) {
      usleep(1000);
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      ++*killed;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
      ++*gave_up;
    }
  }
}

static int count_members(const char *group) {
  char text[4096];
  int count = 0;
  read_file(group, "cgroup.procs", text, sizeof text);
  for (const char *at = text; *at != '\0'; at++) count += *at == '\n';
  return count;
}

static void end_survivors(const struct anchor_paths *paths, const char *job) {
  static const char *const places[] = {"", "/x/y", "/x/z"};
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 3; i++) {
      char *group, text[4096], *at = text, *next;
      if (asprintf(&group, "%s/%s%s", paths->anchor[0], job, places[i]) < 0) die("asprintf");
      read_file(group, "cgroup.procs", text, sizeof text);
      for (long pid; (pid = strtol(at, &next, 10)) > 0 && next != at; at = next) kill((pid_t)pid, SIGKILL);
      free(group);
    }
    usleep(2000);
  }
}

static void run_scenario(const struct scenario *scenario) {
  bool by_pidfd = scenario->keeper == old_keeper_path || !is_v2(scenario->controllers[0]);
  if (by_pidfd && !scenario->no_anchor && beyond_valgrind(scenario->what, NO_PIDFDS)) return;
  struct anchor_paths paths;
  int tell[2], keeper_pid = 0, killed = 0, gave_up = 0;
  char text[32] = "";
  bool all;
  if (!is_here(scenario->what, scenario->controllers, &paths)) return;
  if (pipe2(tell, O_CLOEXEC) < 0) die("pipe2");
  fflush(stdout);
  pid_t jvm = fork();
  if (jvm == 0) fake_jvm(scenario, &paths, tell[1]);
  close(tell[1]);
  if (read(tell[0], text, sizeof text - 1) > 0) keeper_pid = atoi(text);
  close(tell[0]);
  ok(keeper_pid > 0, "%s: the jobs run", scenario->what);
  int64_t begin = now_ms();
  if (!scenario->let_go) {
    kill(jvm, SIGKILL);
    wait_exit(jvm);
  }
  if (scenario->unread) kill(keeper_pid, SIGCONT);
  int code = -1;
  if (scenario->let_go) {
    for (int i = 0; i < 8000 && kill(keeper_pid, 0) == 0; i++) {
      char path[64], status[4096];
      snprintf(path, sizeof path, "/proc/%d", keeper_pid);
      if (read_file(path, "stat", status, sizeof status) && contains(status, ") Z ")) break;
      usleep(1000);
    }
    bool gone = !exists(paths.anchor[0]);
    ok(gone, "%s: the anchor is gone while the JVM lives (%d ms)", scenario->what, (int)(now_ms() - begin));
    kill(jvm, SIGKILL);
    wait_exit(jvm);
  }
  code = wait_exit(keeper_pid);
  int64_t took = now_ms() - begin;
  if (scenario->no_anchor) {
    char *job;
    if (asprintf(&job, "%s/a", paths.anchor[0]) < 0) die("asprintf");
    reap(100, &killed, &gave_up, &all);
    ok(!all && killed == 0 && count_members(job) >= 4, "%s: everything survives, %d members in one job", scenario->what,
       count_members(job));
    end_survivors(&paths, "a");
    end_survivors(&paths, "b");
    free(job);
  } else if (scenario->release) {
    char *job, *nested, *empty;
    if (asprintf(&job, "%s/b", paths.anchor[0]) < 0 || asprintf(&nested, "%s/x/y", job) < 0) die("asprintf");
    if (asprintf(&empty, "%s/x/empty", job) < 0) die("asprintf");
    reap(200, &killed, &gave_up, &all);
    ok(code == 0 && !all && count_members(job) >= 4 && count_members(nested) == 1,
       "%s: the released job lives, its %d members and their nested group too", scenario->what, count_members(job));
    ok(exists(empty), "%s: even an empty group that its members have made", scenario->what);
    char *other;
    if (asprintf(&other, "%s/a", paths.anchor[0]) < 0) die("asprintf");
    ok(killed >= 4 && !exists(other), "%s: the other job is gone (%d killed)", scenario->what, killed);
    end_survivors(&paths, "b");
    free(job), free(nested), free(empty), free(other);
  }
  reap(3000, &killed, &gave_up, &all);
  if (!scenario->no_anchor && !scenario->release) {
    ok(code == 0 && all && killed >= 10, "%s: all are dead (%d killed, keeper exit %d, %d ms)", scenario->what, killed,
       code, (int)took);
    ok(gave_up == 0, "%s: nothing was started any more", scenario->what);
    ok(groups_left(&paths) == 0, "%s: nothing of the anchor is left in %d hierarchies", scenario->what, paths.count);
  }
  if (!all) {
    end_survivors(&paths, "a");
    end_survivors(&paths, "b");
    reap(1000, &killed, &gave_up, &all);
    ok(false, "%s: processes were left", scenario->what);
  }
  remove_bases(&paths);
}

/*
 * A child that was made while the JVM lived but joins when it is dead: nobody would ever end it. The child is held back
 * by cloning it into a frozen group that is not the anchor's; what it then joins is not the anchor's either.
 */
static void test_late_child(bool dies) {
  const char *what = dies ? "late child" : "late child, control";
  if (beyond_valgrind(what, NO_CLONE3)) return;
  char *base = group_base("");
  if (base == NULL) {
    skip("%s: no place for a group here", what);
    return;
  }
  char *frozen = make_group(base, "frozen"), *other = make_group(base, "other");
  write_file(frozen, "cgroup.freeze", "1");
  int tell[2], status = -1, keeper_pid = 0, killed = 0, gave_up = 0;
  if (pipe2(tell, O_CLOEXEC) < 0) die("pipe2");
  fflush(stdout);
  pid_t jvm = fork();
  if (jvm == 0) {
    struct keeper keeper = keeper_start(keeper_path, PLAIN);
    struct request request = request_new();
    request.head.flags = START_CLONE_INTO;
    request.head.join_count = 1;
    add_descriptor(&request, open(frozen, O_PATH | O_DIRECTORY | O_CLOEXEC));
    add_descriptor(&request, open_at(other, "cgroup.procs", O_WRONLY));
    add_command(&request, "/bin/sleep", "999", NULL);
    int pipe = send_start(&keeper, &request);
    struct status_record record;
    if (read(pipe, &record, sizeof record) == sizeof record && record.kind == RECORD_SPAWNED) {
      int pids[2] = {keeper.pid, record.pid};
      if (write(tell[1], pids, sizeof pids) < 0) die("write");
    }
    for (;;) pause();
  }
  close(tell[1]);
  int pids[2] = {0, 0};
  ssize_t got = read(tell[0], pids, sizeof pids);
  close(tell[0]);
  ok(got == sizeof pids && count_members(frozen) == 1, "%s: is held in a frozen group", what);
  keeper_pid = pids[0];
  if (dies) {
    kill(jvm, SIGKILL);
    wait_exit(jvm);
    wait_exit(keeper_pid);
  }
  write_file(frozen, "cgroup.freeze", "0");
  bool all;
  if (dies) {
    /* The child is ours now. */
    ok(waitpid(pids[1], &status, 0) == pids[1] && WIFEXITED(status) && WEXITSTATUS(status) == 127,
       "%s: joins, finds the JVM dead and gives up", what);
  } else {
    for (int i = 0; i < 1000 && count_members(other) == 0; i++) usleep(1000);
    ok(count_members(other) == 1, "%s: joins and goes on", what);
    kill(pids[1], SIGKILL);
    kill(jvm, SIGKILL);
  }
  reap(2000, &killed, &gave_up, &all);
  remove_tree(base);
}

/*
 * A stranger that somebody put into a group of a hierarchy without members cannot be ended by us. Then the directory
 * with the lock stays too: whoever sweeps finds the others by it.
 */
static void test_stuck(void) {
  const struct scenario scenario = {.what = "stuck", .controllers = v2_and_v1, .keeper = keeper_path};
  struct anchor_paths paths;
  if (!is_here("stuck", scenario.controllers, &paths)) return;
  char *job[HIERARCHIES], number[16];
  for (int i = 0; i < paths.count; i++) job[i] = make_group(paths.anchor[i], "a");
  pid_t stranger = fork();
  if (stranger == 0) {
    for (;;) pause();
  }
  snprintf(number, sizeof number, "%d", stranger);
  write_file(job[2], "tasks", number);
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  tell_anchor(&keeper, &scenario, &paths);
  close(keeper.socket);
  int code = wait_exit(keeper.pid);
  ok(code == 0 && exists(job[2]) && count_members(job[2]) == 1, "stuck: a group with a stranger stays");
  ok(exists(paths.anchor[0]), "stuck: so does the anchor's directory with the lock");
  ok(!exists(paths.anchor[1]), "stuck: the third one is gone");
  kill(stranger, SIGKILL);
  wait_exit(stranger);
  remove_bases(&paths);
}

/* A shell's `ulimit -n 16` is no limit for the keeper, but it is one for the child. */
static void test_few_descriptors(void) {
  if (beyond_valgrind("sixteen descriptors", NO_FEWER_FILES)) return;
  const struct scenario scenario = {.what = "few", .controllers = v2_and_v1, .keeper = keeper_path};
  struct anchor_paths paths;
  char out[4096];
  if (!is_here("sixteen descriptors", scenario.controllers, &paths)) return;
  struct keeper keeper = keeper_start(keeper_path, SIXTEEN_DESCRIPTORS);
  tell_anchor(&keeper, &scenario, &paths);
  struct request request = request_new();
  request.head.flags = START_OOM_SCORE;
  request.head.join_count = 6;
  for (int i = 0; i < 6; i++) add_descriptor(&request, open("/dev/null", O_WRONLY | O_CLOEXEC));
  probe(&keeper, &request, "settings", out, sizeof out);
  ok(contains(out, "nofile=16/4096") && contains(out, "oom=0"), "sixteen descriptors: an anchor and a start: %s", out);
  request = request_new();
  add_rlimit(&request, 7 /* RLIMIT_NOFILE */, 20, 30);
  probe(&keeper, &request, "settings", out, sizeof out);
  ok(contains(out, "nofile=20/30"), "sixteen descriptors: the child's own limit: %s", out);
  keeper_stop(&keeper);
  remove_bases(&paths);
}

/* Where one job is released, the others are ended one by one; but that is begun for all before anybody is waited for or killed. */
static void test_begun_together(const char *what, const char *const *controllers, const char *path, const char *file) {
  enum { JOBS = 5 };
  struct anchor_paths paths;
  pid_t members[JOBS], released;
  if (!is_here(what, controllers, &paths)) return;
  for (int i = 0; i <= JOBS; i++) {
    char *job = make_group(paths.anchor[0], (char[]){(char)('a' + i), '\0'});
    if (i < JOBS) {
      members[i] = put(job);
    } else {
      released = put(job);
      if (setxattr(job, "user.holdfast.released", "1", 1, 0) < 0) die("setxattr");
    }
    free(job);
  }
  struct keeper keeper = keeper_start(path, PLAIN);
  if (!read_result(send_anchor(&keeper, controllers, &paths, false)).taken) printf("# the anchor was not taken\n");
  hold_back(&keeper);
  close(keeper.socket);
  int begun = 0;
  bool others = false;
  for (long call; (call = next_call(&keeper)) >= 0;) {
    if (opens(&keeper, call, file) && !others && begun < JOBS) begun++;
    others = others || (begun > 0 && (call == SYS_ppoll || call == SYS_pidfd_send_signal || opens(&keeper, call, "cgroup.events")));
  }
  bool untouched = lives(released);
  int killed = count_killed(members, JOBS);
  ok(begun == JOBS && killed == JOBS && untouched, "%s: the end of %d of %d jobs is begun at once, %d are ended, a released one is not", what,
     begun, JOBS, killed);
  end_bystander(released);
  sweep(controllers, &paths);
  remove_bases(&paths);
}

void test_anchor(void) {
  test_stuck();
  test_few_descriptors();
  test_late_child(false);
  test_late_child(true);
  const struct scenario scenarios[] = {
      {.what = "control", .controllers = v2_only, .keeper = keeper_path, .no_anchor = true},
      {.what = "v2", .controllers = v2_only, .keeper = keeper_path, .freeze = true},
      {.what = "v2 released", .controllers = v2_only, .keeper = keeper_path, .freeze = true, .release = true},
      {.what = "v2 let go", .controllers = v2_only, .keeper = keeper_path, .let_go = true},
      {.what = "v2 unread anchor", .controllers = v2_only, .keeper = keeper_path, .unread = true},
      {.what = "v2 deep and wide", .controllers = v2_only, .keeper = keeper_path, .depth = 2200, .width = 300},
      {.what = "v2 without cgroup.kill", .controllers = v2_only, .keeper = old_keeper_path, .freeze = true},
      {.what = "v2 without openat2", .controllers = v2_only, .keeper = keeper_path, .how = OLD_CALLS, .depth = 5},
      {.what = "hybrid", .controllers = v2_and_v1, .keeper = keeper_path, .freeze = true},
      {.what = "hybrid later", .controllers = v2_and_v1, .keeper = keeper_path, .freeze = true, .later = true},
      {.what = "v1 later", .controllers = v1_only, .keeper = keeper_path, .later = true},
      {.what = "hybrid released", .controllers = v2_and_v1, .keeper = keeper_path, .freeze = true, .release = true},
      {.what = "hybrid without cgroup.kill", .controllers = v2_and_v1, .keeper = old_keeper_path, .freeze = true},
      {.what = "v1 control", .controllers = v1_only, .keeper = keeper_path, .no_anchor = true},
      {.what = "v1", .controllers = v1_only, .keeper = keeper_path, .freeze = true, .depth = 3},
      {.what = "v1 released", .controllers = v1_only, .keeper = keeper_path, .release = true},
  };
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) run_scenario(&scenarios[i]);
  if (under_valgrind || !can_hold_back()) {
    skip("jobs beside a released one: nobody can be stopped between two calls here");
    return;
  }
  test_begun_together("jobs beside a released one", v2_only, keeper_path, "cgroup.kill");
  test_begun_together("jobs beside a released one, without cgroup.kill", v2_only, old_keeper_path, "cgroup.freeze");
  test_begun_together("jobs beside a released one on v1", v1_only, keeper_path, "freezer.state");
}
