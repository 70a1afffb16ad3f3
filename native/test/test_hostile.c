/*
 * The end of an anchor whose groups somebody has made hard to end: threads in groups of their own, mounts on them, no
 * permissions.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define NOBODY 65534

/* ---- threads in groups of their own */

/* below: only a nested group is threaded, and the job lists its processes. Otherwise the anchor is, too: nothing that is
 * ours lists a process, and cgroup.kill is refused. */
static void test_threads(const char *what, const char *keeper, bool below) {
  if (beyond_valgrind(what, NO_PIDFDS)) return;
  struct anchor_paths paths;
  if (!is_here(what, v2_only, &paths)) return;
  if (!has(paths.anchor[0], "cgroup.type")) {
    remove_bases(&paths);
    skip("%s: there are no threaded groups here", what);
    return;
  }
  if (!below) write_file(paths.anchor[0], "cgroup.type", "threaded");
  char *job = make_group(paths.anchor[0], "job"), *nested = make_group(job, "nested");
  if (!below) write_file(job, "cgroup.type", "threaded");
  write_file(nested, "cgroup.type", "threaded");
  const char *domain = below ? job : paths.base[0];
  pid_t members[] = {
      put_member(&(struct member){.domain = domain, .threaded = nested}),
      put_member(&(struct member){.domain = domain, .threaded = nested, .first_ends = true}),
      put_member(&(struct member){.domain = domain, .threaded = nested, .first_too = true}),
  };
  pid_t bystander = put(paths.base[0]);
  char threads[4096], processes[64];
  int count = 0;
  read_file(nested, "cgroup.threads", threads, sizeof threads);
  for (const char *c = threads; *c != '\0'; c++) count += *c == '\n';
  ok(count == 4 && read_file(job, "cgroup.procs", processes, sizeof processes) == below,
     "%s: %d threads of three processes are in a threaded group", what, count);
  int code = end_anchor(v2_only, &paths, keeper, PLAIN);
  bool other = lives(bystander);
  /* A thread that is in none of the anchor's groups may take its part of the signal later. */
  int killed = 0;
  for (int i = 0; i < 3; i++) killed += wait_exit(members[i]) == -SIGKILL;
  ok(code == 0 && killed == 3 && other, "%s: they are ended (%d of 3), and nobody else", what, killed);
  ok(groups_left(&paths) == 0, "%s: nothing of the anchor is left", what);
  end_bystander(bystander);
  remove_bases(&paths);
  free(job), free(nested);
}

/* ---- very many members of one group */

static void test_many(const char *what, const char *const *controllers, const char *path, enum launch how) {
  enum { MANY = 400 };
  struct anchor_paths paths;
  if (!is_here(what, controllers, &paths)) return;
  char *job = make_group(paths.anchor[0], "job");
  static pid_t members[MANY];
  for (int i = 0; i < MANY; i++) members[i] = put(job);
  struct keeper keeper = keeper_start(path, how);
  if (!read_result(send_anchor(&keeper, controllers, &paths, false)).taken) printf("# the anchor was not taken\n");
  hold_back(&keeper);
  close(keeper.socket);
  int reads = 0;
  bool signals = false, thaws = false; /* who is waited for afterwards is read of one by one */
  for (long call; (call = next_call(&keeper)) >= 0;) {
    reads += !thaws && call == SYS_read;
    signals = signals || call == SYS_pidfd_send_signal;
    thaws = thaws || (signals && (opens(&keeper, call, "freezer.state") || opens(&keeper, call, "cgroup.freeze")));
  }
  int killed = count_killed(members, MANY);
  ok(killed == MANY && reads > 0 && reads < 30, "%s: %d of %d members are ended with %d reads", what, killed, MANY, reads);
  remove_bases(&paths);
  free(job);
}

/* ---- mounts on nested groups */

#define NO_MOUNTS 77

struct mounts {
  struct anchor_paths paths;
  const char *plain; /* a directory that is no group */
  bool alias;        /* another group of the same hierarchy is mounted, too */
};

static bool mount_on(const char *what, const char *job, const char *name) {
  char *where = path_of(job, name);
  bool done = mount(what, where, NULL, MS_BIND, NULL) == 0;
  free(where);
  return done;
}

/* In a mount namespace of its own, so that nothing of the machine changes; what we then see is without them. */
static int end_with_mounts(const char *const *controllers, const struct mounts *mounts, const char *keeper, enum launch how) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    bool done = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    for (int i = 0; i < mounts->paths.count; i++) {
      char *job = path_of(mounts->paths.anchor[i], "job"), *outside = path_of(mounts->paths.base[i], "outside");
      done = done && mount_on(mounts->plain, job, "covered");
      if (mounts->alias) done = done && mount_on(outside, job, "alias");
    }
    if (!done) _exit(NO_MOUNTS);
    _exit(end_anchor(controllers, &mounts->paths, keeper, how) == 0 ? 0 : 1);
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

static bool has_openat2(void) { return syscall(SYS_openat2, -1, NULL, NULL, 0) >= 0 || errno != ENOSYS; }

static void test_mounts(const char *what, const char *const *controllers, const char *keeper, enum launch how) {
  if (beyond_valgrind(what, NO_PIDFDS)) return;
  struct mounts mounts = {.alias = (how & OLD_CALLS) == 0 && has_openat2()};
  struct anchor_paths *paths = &mounts.paths;
  if (!is_here(what, controllers, paths)) return;
  char plain[] = "/tmp/holdfast-keeper-test-XXXXXX";
  if (mkdtemp(plain) == NULL) die("mkdtemp");
  mounts.plain = plain;
  char *marker = make_group(plain, "empty");
  for (int i = 0; i < paths->count; i++) {
    char *job = make_group(paths->anchor[i], "job"), *free_one = make_group(job, "free");
    char *outside = make_group(paths->base[i], "outside");
    free(make_group(outside, "empty")), free(make_group(free_one, "inner"));
    free(make_group(job, "covered")), free(make_group(job, "alias"));
    free(job), free(outside), free(free_one);
  }
  char *job = path_of(paths->anchor[0], "job"), *outside = path_of(paths->base[0], "outside");
  char *free_one = path_of(job, "free"), *covered = path_of(job, "covered");
  /* What lies below a mount cannot be walked to: only cgroup.kill reaches it. */
  bool by_kernel = is_v2(controllers[0]) && keeper == keeper_path && has(job, "cgroup.kill");
  pid_t members[] = {put(job), put(free_one), by_kernel ? put(covered) : put(job)};
  pid_t bystander = put(outside);
  int code = end_with_mounts(controllers, &mounts, keeper, how);
  bool other = lives(bystander);
  int killed = count_killed(members, 3);
  if (code == NO_MOUNTS) {
    skip("%s: nothing can be mounted here", what);
  } else {
    ok(code == 0 && killed == 3, "%s: the members are ended (%d of 3)%s", what, killed,
       by_kernel ? ", the one below a mount too" : "");
    ok(exists(marker), "%s: a directory that was mounted on a group keeps what is in it", what);
    bool kept = other, emptied = !has(paths->anchor[paths->count - 1], "job/free");
    for (int i = 0; i < paths->count; i++) kept = kept && has(paths->base[i], "outside/empty");
    ok(kept, "%s: %sgroup outside keeps its groups and its member", what, mounts.alias ? "a mounted " : "a ");
    ok(emptied && exists(covered) && exists(paths->anchor[0]),
       "%s: what is mounted on stays, what is not is gone; so the anchor's first directory stays too", what);
    ok(sweep(controllers, paths) == 0, "%s: without the mounts nothing is left", what);
  }
  end_bystander(bystander);
  remove_bases(paths);
  rmdir(marker), rmdir(plain);
  free(marker), free(job), free(outside), free(free_one), free(covered);
}

/* ---- no permissions: for a keeper that is not root, which ignores them */

static void take_modes(const char *group) {
  DIR *directory = opendir(group);
  if (directory == NULL) die("opendir");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char *path = path_of(group, entry->d_name);
    if (entry->d_type == DT_DIR) {
      take_modes(path);
    } else if (chmod(path, 0) < 0) {
      die("chmod");
    }
    free(path);
  }
  closedir(directory);
  /* One that may be read, but nothing in it removed. */
  if (chmod(group, contains(group, "/listed") ? 0500 : 0) < 0) die("chmod");
}

/* The exit code of the keeper, or why it could not be one of nobody's. */
#define NOT_NOBODY 78
#define NOT_CLOSED 79

static int end_as_nobody(const char *const *controllers, const struct anchor_paths *paths, const char *keeper_file, bool later) {
  /* Its path may lead through directories that are not for everybody. Above the numbers that keeper_start takes. */
  char path[32];
  int file = open(keeper_file, O_RDONLY | O_CLOEXEC), program = fcntl(file, F_DUPFD, 200);
  close(file);
  snprintf(path, sizeof path, "/proc/self/fd/%d", program);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) _exit(NOT_NOBODY);
    struct keeper keeper = keeper_start(path, PLAIN);
    if (!read_result(send_anchor(&keeper, controllers, paths, later)).taken) _exit(NOT_NOBODY);
    take_modes(paths->anchor[0]);
    for (int i = 1; i < paths->count; i++) take_modes(paths->anchor[i]);
    if (open(paths->anchor[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 || errno != EACCES) _exit(NOT_CLOSED);
    close(keeper.socket);
    _exit(wait_exit(keeper.pid));
  }
  close(program);
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

static void make_groups_of_nobody(const struct anchor_paths *paths) {
  for (int i = 0; i < paths->count; i++) {
    if (rmdir(paths->anchor[i]) < 0 || chown(paths->base[i], NOBODY, NOBODY) < 0) die("chown");
  }
  /* The files of a group belong to whoever made it. */
  if (setegid(NOBODY) < 0 || seteuid(NOBODY) < 0) die("seteuid");
  for (int i = 0; i < paths->count; i++) {
    char *anchor = make_group(paths->base[i], "anchor");
    if (anchor == NULL) die("a group of nobody's");
    char *job = make_group(anchor, "job"), *closed = make_group(job, "closed"), *deeper = make_group(closed, "deeper");
    char *listed = make_group(job, "listed"), *inner = make_group(listed, "inner");
    free(anchor), free(job), free(closed), free(deeper), free(listed), free(inner);
  }
  if (seteuid(0) < 0 || setegid(0) < 0) die("seteuid");
}

static void test_modes(const char *what, const char *const *controllers, const char *keeper, bool later) {
  if (beyond_valgrind(what, "has a log that nobody may not write")) return;
  if (geteuid() != 0) {
    skip("%s: only root becomes nobody", what);
    return;
  }
  struct anchor_paths paths;
  if (!is_here(what, controllers, &paths)) return;
  make_groups_of_nobody(&paths);
  static const char *const places[] = {"", "/closed", "/closed/deeper", "/listed/inner"};
  pid_t members[4];
  for (int i = 0; i < 4; i++) {
    char *group;
    if (asprintf(&group, "%s/job%s", paths.anchor[0], places[i]) < 0) die("asprintf");
    members[i] = put_member(&(struct member){.domain = group, .uid = NOBODY});
    free(group);
  }
  int code = end_as_nobody(controllers, &paths, keeper, later), killed = count_killed(members, 4);
  ok(code == 0 && killed == 4, "%s: the members are ended (%d of 4; exit %d)", what, killed, code);
  ok(groups_left(&paths) == 0, "%s: nothing of the anchor is left", what);
  int untouched = 0;
  for (int i = 0; i < paths.count; i++) {
    struct stat base;
    untouched += stat(paths.base[i], &base) == 0 && (base.st_mode & 07777) == 0755;
  }
  ok(untouched == paths.count, "%s: the directories that the anchor was in are as they were (%d of %d)", what, untouched, paths.count);
  remove_bases(&paths);
}

void test_hostile(void) {
  test_threads("a threaded nested group", keeper_path, true);
  test_threads("a threaded nested group, without cgroup.kill", old_keeper_path, true);
  test_threads("a threaded anchor", keeper_path, false);
  test_threads("a threaded anchor, without cgroup.kill", old_keeper_path, false);
  if (!under_valgrind && can_hold_back()) {
    test_many("many members on v1", v1_only, keeper_path, PLAIN);
    test_many("many members on v2, without cgroup.kill", v2_only, old_keeper_path, PLAIN);
    test_many("many members on v1, and few descriptors", v1_only, keeper_path, FEW_DESCRIPTORS);
  }
  test_mounts("mounts on v2", v2_only, keeper_path, PLAIN);
  test_mounts("mounts on v2, without cgroup.kill", v2_only, old_keeper_path, PLAIN);
  test_mounts("mounts on v2, without openat2", v2_only, keeper_path, OLD_CALLS);
  test_mounts("mounts on v1", v1_only, keeper_path, PLAIN);
  test_mounts("mounts on v1, without openat2", v1_only, keeper_path, OLD_CALLS);
  test_modes("no permissions on v2", v2_only, keeper_path, false);
  test_modes("no permissions on v2, without cgroup.kill", v2_only, old_keeper_path, false);
  test_modes("no permissions on a hybrid host", v2_and_v1, keeper_path, false);
  test_modes("no permissions on v1", v1_only, keeper_path, false);
  test_modes("no permissions on a hybrid host, later", v2_and_v1, keeper_path, true);
  test_modes("no permissions on v1, later", v1_only, keeper_path, true);
}
