/*
 * The keeper dies right before one of its system calls, each in turn: no start is lost and none is done twice, and what
 * is left of an anchor is found by its first directory.
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
#include <unistd.h>

#include "harness.h"

/* It dies before the call of this number, counted from 1; false if it ended, or waits again with nothing left to do. */
static bool die_before(const struct keeper *keeper, int number, bool serving) {
  for (int count = 1;; count++) {
    long call = next_call(keeper);
    if (call < 0) return false;
    bool waits = serving && call == SYS_ppoll;
    if (count == number || waits) {
      kill(keeper->pid, SIGKILL);
      waitpid(keeper->pid, NULL, 0);
      return !waits;
    }
  }
}

static int count_output(int output) {
  char text[16];
  ssize_t length = read(output, text, sizeof text);
  close(output);
  return length < 0 ? -1 : (int)length;
}

/* One start, by as many keepers as it takes, of a command that leaves one byte each time it runs. */
static bool start_once(uint32_t flags, int number, int *starts, int *bytes) {
  int output[2];
  if (pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0) die("pipe2");
  bool died = false;
  for (*starts = 1;; ++*starts) {
    struct keeper keeper = keeper_start(keeper_path, PLAIN);
    struct request request = request_new();
    request.head.flags = flags;
    close(request.descriptors[2]);
    request.descriptors[2] = fcntl(output[1], F_DUPFD_CLOEXEC, 0);
    add_command(&request, "/bin/echo", "-n", "x", NULL);
    if (*starts == 1) hold_back(&keeper);
    int status = send_start(&keeper, &request);
    request_free(&request);
    if (*starts == 1) died = die_before(&keeper, number, true);
    struct result result = read_result(status);
    int code = result.pid == 0 ? 0 : wait_exit(result.pid);
    if (*starts == 1) {
      close(keeper.socket);
    } else {
      keeper_stop(&keeper);
    }
    if (result.timed_out || result.step != 0 || code != 0) {
      printf("# call %d: step %u, %s, exit %d\n", number, result.step, strerror(result.error), code);
    }
    if (result.pid != 0 || *starts == 2) break;
  }
  close(output[1]);
  *bytes = count_output(output[0]);
  return died;
}

static void test_start_at(uint32_t flags, const char *what) {
  int number = 1, again = 0, once = 0, wrong = 0;
  for (int starts, bytes; start_once(flags, number, &starts, &bytes); number++) {
    if (starts == 2) again++;
    if (starts == 1) once++;
    if (bytes != 1) wrong++;
    if (bytes != 1) printf("# %s, before call %d: %d starts, ran %d times\n", what, number, starts, bytes);
  }
  ok(wrong == 0 && again > 0 && once > 0,
     "%s: a keeper that dies before one of its %d calls: %d were asked again, %d were not, all ran once", what,
     number - 1, again, once);
}

/* ---- the end of an anchor */

static void fill(const struct anchor_paths *paths, struct keeper *keeper) {
  struct request request = request_new();
  for (int i = 0; i < paths->count; i++) {
    char *job = make_group(paths->anchor[i], "job");
    add_descriptor(&request, open_at(job, i == 0 ? "cgroup.procs" : "tasks", O_WRONLY));
    request.head.join_count++;
    free(make_group(job, "inner"));
    free(job);
  }
  add_command(&request, "/bin/sleep", "999", NULL);
  struct result result = run(keeper, &request);
  if (result.pid == 0 || result.step != 0) printf("# sleep: step %u, %s\n", result.step, strerror(result.error));
  request_free(&request);
}

static bool end_once(const char *const *controllers, int number, bool *found, bool *halfway, bool *gone) {
  struct anchor_paths paths;
  *found = *halfway = *gone = false;
  if (!make_anchor(controllers, &paths)) die("the anchor");
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  read_result(send_anchor(&keeper, controllers, &paths, false));
  fill(&paths, &keeper);
  hold_back(&keeper);
  close(keeper.socket);
  bool died = die_before(&keeper, number, false);
  int left = groups_left(&paths);
  *found = left == 0 || exists(paths.anchor[0]);
  *halfway = left > 0 && left < paths.count;
  *gone = sweep(controllers, &paths) == 0;
  while (waitpid(-1, NULL, 0) > 0) continue;
  remove_bases(&paths);
  return died;
}

static void test_end_at(const char *const *controllers, const char *what) {
  struct anchor_paths paths;
  if (!is_here(what, controllers, &paths)) return;
  remove_bases(&paths);
  int number = 1, lost = 0, left = 0, between = 0;
  for (bool found, halfway, gone; end_once(controllers, number, &found, &halfway, &gone); number++) {
    if (!found || !gone) printf("# %s, before call %d: found %d, gone %d\n", what, number, found, gone);
    lost += !found;
    left += !gone;
    between += halfway;
  }
  ok(lost == 0 && left == 0 && number > 20 && (between > 0 || controllers[1] == NULL),
     "%s: a keeper that dies before one of its %d calls leaves what the next one ends; halfway %d times", what,
     number - 1, between);
}

/* ---- an anchor that it is told of */

/* The JVM lives: whatever the dead one had answered, the next one is told again. */
static bool take_once(const char *const *controllers, int number, bool *taken, bool *untouched, bool *gone) {
  struct anchor_paths paths;
  if (!make_anchor(controllers, &paths)) die("the anchor");
  char *job = make_group(paths.anchor[0], "job");
  pid_t member = put(job);
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  hold_back(&keeper);
  int status = send_anchor(&keeper, controllers, &paths, false);
  bool died = die_before(&keeper, number, true);
  struct result result = read_result(status);
  close(keeper.socket);
  *taken = result.taken;
  *untouched = !result.timed_out && result.error == 0 && lives(member) && exists(job) && groups_left(&paths) == paths.count;
  int code = end_anchor(controllers, &paths, keeper_path, PLAIN);
  *gone = code == 0 && count_killed(&member, 1) == 1 && groups_left(&paths) == 0;
  remove_bases(&paths);
  free(job);
  return died;
}

static void test_take_at(const char *const *controllers, const char *what) {
  struct anchor_paths paths;
  if (!is_here(what, controllers, &paths)) return;
  remove_bases(&paths);
  int number = 1, wrong = 0, before = 0, after = 0;
  for (bool taken, untouched, gone; take_once(controllers, number, &taken, &untouched, &gone); number++) {
    if (!untouched || !gone) printf("# %s, before call %d: untouched %d, gone %d\n", what, number, untouched, gone);
    wrong += !untouched || !gone;
    before += !taken;
    after += taken;
  }
  ok(wrong == 0 && before > 0 && after > 0,
     "%s: a keeper that dies before one of its %d calls has not taken it (%d) or has (%d), and touched nothing; the next one "
     "takes it",
     what, number - 1, before, after);
}

void test_death(void) {
  if (beyond_valgrind("the keeper's death", "makes calls of its own")) return;
  if (!can_hold_back()) {
    skip("the keeper's death: nobody can be stopped between two calls here");
    return;
  }
  test_start_at(0, "a start");
  test_start_at(START_BLOCK_IN_MEMFD, "a start with its block in a memfd");
  test_start_at(START_HOLD | START_SESSION, "a start of a child to be held");
  test_end_at(v2_only, "the end on v2");
  test_end_at(v2_and_v1, "the end on a hybrid host");
  test_end_at(v1_only, "the end on v1");
  test_take_at(v2_only, "an anchor on v2");
  test_take_at(v2_and_v1, "an anchor on a hybrid host");
  test_take_at(v1_only, "an anchor on v1");
}
