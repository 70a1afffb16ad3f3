/* The end of an anchor whose members go on making groups in it, one in another, faster than anybody goes through them, or have made very many. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "harness.h"

#define FEW 8
#define MANY 16 /* of those that a look never comes to the end of, on two processors */
#define DEEP 50

/* Who is not ended stops there, as what it makes stays in the kernel. An emulated one is long at removing it. */
static int deepest(void) { return is_emulated() ? 100 : 20000; }

struct digger {
  char *const *jobs; /* it is in all of them */
  int count;
  const char *job; /* the one that it digs in */
  int number;
};

/* Digs a shaft of its own. */
static _Noreturn void dig(const void *how, int ready) {
  const struct digger *digger = how;
  const int most = deepest();
  char name[8];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 1; i < digger->count; i++) write_file(digger->jobs[i], "cgroup.procs", "0");
  snprintf(name, sizeof name, "n%d", digger->number);
  if (chdir(digger->job) < 0 || mkdir(name, 0755) < 0 || chdir(name) < 0) _exit(1);
  for (int level = 1; level <= most; level++) {
    if ((mkdir("n", 0755) < 0 || chdir("n") < 0) && level < DEEP) _exit(1);
    if (level == DEEP && write(ready, ".", 1) < 0) _exit(1);
  }
  for (;;) pause();
}

/* ---- the same by the threads of one process, whose first thread has ended: cgroup.kill does not reach it */

static int headless_ready;
static const char *headless_job;

static _Noreturn void *dig_on(void *number) {
  const int most = deepest();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  char name[8];
  snprintf(name, sizeof name, "t%d", (int)(intptr_t)number);
  free(make_group(headless_job, name));
  char *shaft = path_of(headless_job, name);
  int at = open(shaft, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(shaft);
  for (int level = 1; level <= most && at >= 0; level++) {
    int below = mkdirat(at, "n", 0755) < 0 ? -1 : openat(at, "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(at);
    at = below;
    if (level == DEEP && write(headless_ready, ".", 1) < 0) _exit(1);
  }
  for (;;) pause();
}

static _Noreturn void dig_headless(const void *job, int ready) {
  pthread_t thread;
  headless_job = job;
  headless_ready = ready;
  for (intptr_t i = 0; i < MANY; i++) {
    if (pthread_create(&thread, NULL, dig_on, (void *)i) != 0) _exit(1);
  }
  pthread_exit(NULL);
}

static void test_headless(const char *what) {
  if (beyond_valgrind(what, NO_PIDFDS)) return;
  struct anchor_paths paths;
  if (!is_here(what, v2_only, &paths)) return;
  char *job = make_group(paths.anchor[0], "job");
  pid_t digger = start_member(job, dig_headless, job);
  int64_t begin = now_ms();
  int code = end_anchor(v2_only, &paths, keeper_path, PLAIN);
  int64_t taken = now_ms() - begin;
  int killed = count_killed(&digger, 1);
  ok(code == 0 && killed == 1 && taken < 25000, "%s: it is ended (exit %d) in %lld ms", what, code, (long long)taken);
  ok(groups_left(&paths) == 0, "%s: nothing of the anchor is left", what);
  remove_bases(&paths);
  free(job);
}

static void test_dug(const char *what, const char *const *controllers, int hierarchy, int count, const char *keeper) {
  bool at_once = controllers != v1_only && keeper == keeper_path; /* nobody is killed by a pidfd */
  if (!at_once && beyond_valgrind(what, NO_PIDFDS)) return;
  struct anchor_paths paths;
  if (!is_here(what, controllers, &paths)) return;
  char *jobs[HIERARCHIES];
  pid_t diggers[MANY];
  for (int i = 0; i < paths.count; i++) jobs[i] = make_group(paths.anchor[i], "job");
  for (int i = 0; i < count; i++) {
    struct digger digger = {.jobs = jobs, .count = paths.count, .job = jobs[hierarchy], .number = i};
    diggers[i] = start_member(jobs[0], dig, &digger);
  }
  int64_t begin = now_ms();
  int code = end_anchor(controllers, &paths, keeper, PLAIN);
  int64_t taken = now_ms() - begin;
  int killed = count_killed(diggers, count);
  ok(code == 0 && killed == count, "%s: they are ended (%d of %d; exit %d) in %lld ms", what, killed, count, code, (long long)taken);
  ok(groups_left(&paths) == 0, "%s: nothing of the anchor is left", what);
  remove_bases(&paths);
  for (int i = 0; i < paths.count; i++) free(jobs[i]);
}

/* ---- deeper than the way back can be remembered, and members beside it */

#define BESIDE 16

/* Those that a reading of the job shows after the chain, and so a walk comes to afterwards. */
static int list_after_chain(const char *job, char **groups) {
  DIR *directory = opendir(job);
  int count = 0;
  bool after = false;
  if (directory == NULL) die("opendir");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_type != DT_DIR || *entry->d_name == '.') continue;
    if (after) groups[count++] = path_of(job, entry->d_name);
    after = after || strcmp(entry->d_name, "n") == 0;
  }
  closedir(directory);
  return count;
}

enum deep { RUNNING, FROZEN, RELEASED };

static void test_deep(const char *what, const char *const *controllers, int hierarchy, enum deep state) {
  if (controllers == v1_only && beyond_valgrind(what, NO_PIDFDS)) return;
  struct anchor_paths paths;
  if (!is_here(what, controllers, &paths)) return;
  char *jobs[HIERARCHIES], *beside[BESIDE];
  pid_t members[BESIDE];
  for (int i = 0; i < paths.count; i++) jobs[i] = make_group(paths.anchor[i], "job");
  make_chain(jobs[hierarchy], 2200);
  for (int i = 0; i < BESIDE; i++) free(make_group(jobs[hierarchy], (char[]){(char)('A' + i), '\0'}));
  int count = list_after_chain(jobs[hierarchy], beside);
  for (int i = 0; i < count; i++) {
    char number[16];
    members[i] = put(jobs[0]);
    snprintf(number, sizeof number, "%d", members[i]);
    write_file(beside[i], "cgroup.procs", number);
    if (state == FROZEN) write_file(beside[i], "freezer.state", "FROZEN");
  }
  if (state == RELEASED && setxattr(jobs[0], "user.holdfast.released", "1", 1, 0) < 0) die("setxattr");
  int64_t begin = now_ms();
  int code = end_anchor(controllers, &paths, keeper_path, PLAIN);
  int64_t taken = now_ms() - begin;
  if (state == RELEASED) {
    int alive = 0;
    for (int i = 0; i < count; i++) alive += lives(members[i]);
    ok(code == 0 && count > 0 && alive == count && has(jobs[0], "n/n/n"), "%s: members (%d of %d) and their groups are left alone", what,
       alive, count);
    for (int i = 0; i < count; i++) end_bystander(members[i]);
    ok(sweep(controllers, &paths) == 0, "%s: once it is empty it is removed", what);
  } else {
    for (int i = 0; i < count && state == FROZEN; i++) {
      if (exists(beside[i])) write_file(beside[i], "freezer.state", "THAWED");
    }
    int killed = count_killed(members, count);
    ok(code == 0 && count > 0 && killed == count && taken < 25000, "%s: members beside are ended (%d of %d; exit %d) in %lld ms", what,
       killed, count, code, (long long)taken);
    ok(groups_left(&paths) == 0, "%s: nothing of the anchor is left", what);
  }
  if (groups_left(&paths) != 0) sweep(controllers, &paths);
  remove_bases(&paths);
  for (int i = 0; i < paths.count; i++) free(jobs[i]);
  for (int i = 0; i < count; i++) free(beside[i]);
}

void test_diggers(void) {
  test_dug("diggers on v2", v2_only, 0, FEW, keeper_path);
  test_dug("diggers on v2, without cgroup.kill", v2_only, 0, FEW, old_keeper_path);
  test_headless("digging threads whose first one has ended");
  test_dug("diggers in a v1 freezer on a hybrid host", v2_and_v1, 1, MANY, keeper_path);
  test_dug("diggers on v1", v1_only, 0, FEW, keeper_path);
  if (is_emulated()) {
    skip("2200 levels: an emulated kernel takes longer to thaw and remove them than the keeper has");
    return;
  }
  test_deep("2200 levels on v1", v1_only, 0, RUNNING);
  test_deep("2200 levels in a released job on v1", v1_only, 0, RELEASED);
  test_deep("2200 levels in a v1 freezer on a hybrid host", v2_and_v1, 1, FROZEN);
}
