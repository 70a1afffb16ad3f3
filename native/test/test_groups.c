/* Joining groups. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static char out[65536];

static void test_v2(struct keeper *keeper) {
  char *base = group_base("");
  if (base == NULL) {
    skip("v2: no place for a group here");
    return;
  }
  char *job = make_group(base, "job"), *expected = strstr(job, "/holdfast-keeper-test");
  struct request request;
  if (!beyond_valgrind("v2: cloned into the group", NO_CLONE3)) {
    request = request_new();
    request.head.flags = START_CLONE_INTO;
    add_descriptor(&request, open(job, O_PATH | O_DIRECTORY | O_CLOEXEC));
    shell(keeper, &request, "cat /proc/self/cgroup", out, sizeof out);
    ok(contains(out, expected), "v2: cloned into the group");
  }

  request = request_new();
  request.head.join_count = 1;
  add_descriptor(&request, open_at(job, "cgroup.procs", O_WRONLY));
  shell(keeper, &request, "cat /proc/self/cgroup", out, sizeof out);
  ok(contains(out, expected), "v2: joined by write");

  request = request_new();
  shell(keeper, &request, "cat /proc/self/cgroup", out, sizeof out);
  ok(!contains(out, expected), "control: without asking, not in it");

  if (getuid() == 0) {
    request = request_new();
    request.head.join_count = 1;
    request.head.flags = START_UID;
    request.head.uid = 65534;
    add_descriptor(&request, open_at(job, "cgroup.procs", O_WRONLY));
    shell(keeper, &request, "cat /proc/self/cgroup", out, sizeof out);
    ok(contains(out, expected), "v2: joined before the identity was dropped");
  }

  if (beyond_valgrind("v2: groups that were killed or removed", NO_CLONE3)) {
    remove_tree(base);
    return;
  }
  int dead = open(job, O_PATH | O_DIRECTORY | O_CLOEXEC);
  write_file(job, "cgroup.kill", "1");
  request = request_new();
  request.head.flags = START_CLONE_INTO;
  add_descriptor(&request, dead);
  add_command(&request, "/bin/true", NULL);
  struct result result = run(keeper, &request);
  int code = wait_exit(result.pid);
  ok(result.spawned > 0 && ((result.running == 0 && code == -SIGKILL) || code == 0),
     "v2: a group that was killed once: records %d, running %d, exit %d", result.records, result.running, code);
  request_free(&request);

  char *gone = make_group(base, "gone");
  request = request_new();
  request.head.flags = START_CLONE_INTO;
  add_descriptor(&request, open(gone, O_PATH | O_DIRECTORY | O_CLOEXEC));
  rmdir(gone);
  add_command(&request, "/bin/true", NULL);
  result = run(keeper, &request);
  ok(result.step == STEP_CLONE && (result.error == ENOENT || result.error == ENODEV) && result.pid == 0, "v2: a removed group: step %u, %s",
     result.step, strerror(result.error));
  request_free(&request);
  remove_tree(base);
}

static void test_v1(struct keeper *keeper) {
  char *freezer = group_base("freezer"), *pids = group_base("pids");
  if (freezer == NULL || pids == NULL) {
    skip("v1: no freezer and pids hierarchies here");
  } else {
    struct request request = request_new();
    request.head.join_count = 2;
    add_descriptor(&request, open_at(freezer, "tasks", O_WRONLY));
    add_descriptor(&request, open_at(pids, "tasks", O_WRONLY));
    shell(keeper, &request, "cat /proc/self/cgroup", out, sizeof out);
    ok(contains(out, "freezer:/") && contains(strstr(out, "freezer:/"), "holdfast-keeper-test"), "v1: joins freezer");
    ok(contains(out, "pids:/") && contains(strstr(out, "pids:/"), "holdfast-keeper-test"), "v1: joins pids");
    for (int limit = 0; limit < 3; limit++) {
      char text[16];
      snprintf(text, sizeof text, limit == 2 ? "max" : "%d", limit);
      write_file(pids, "pids.max", text);
      request = request_new();
      request.head.flags = START_CHECK_PIDS;
      request.head.join_count = 1;
      add_descriptor(&request, open_at(pids, "pids.current", O_RDONLY));
      add_descriptor(&request, open_at(pids, "pids.max", O_RDONLY));
      add_descriptor(&request, open_at(pids, "tasks", O_WRONLY));
      add_command(&request, "/bin/true", NULL);
      struct result result = run(keeper, &request);
      int code = wait_exit(result.pid);
      ok(limit == 0 ? result.step == STEP_PIDS && result.error == EAGAIN && code == 127 : result.step == 0 && code == 0,
         "v1: pids.max %s: step %u, %s", text, result.step, strerror(result.error));
      request_free(&request);
    }
  }
  if (freezer != NULL) remove_tree(freezer);
  if (pids != NULL) remove_tree(pids);
}

void test_groups(void) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  test_v2(&keeper);
  test_v1(&keeper);
  keeper_stop(&keeper);
}
