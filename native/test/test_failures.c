/* Starts that fail: which step, which errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

static void expect(struct keeper *keeper, struct request *request, uint32_t step, int error, int detail,
                   const char *what) {
  struct result result = run(keeper, request);
  int code = result.pid > 0 ? wait_exit(result.pid) : -1;
  ok(result.step == step && result.error == error && (detail < 0 || (int)result.detail == detail) &&
         (result.pid == 0 || code == 127),
     "%s: step %u, %s, detail %u, exit code %d", what, result.step, strerror(result.error), result.detail, code);
  request_free(request);
}

static void expect_exec(struct keeper *keeper, const char *const *candidates, int error, int detail,
                        const char *what) {
  struct request request = request_new();
  for (; *candidates != NULL; candidates++) add_string(&request, *candidates), request.head.candidate_count++;
  add_string(&request, "x");
  request.head.argument_count = 1;
  expect(keeper, &request, STEP_EXEC, error, detail, what);
}

/* Whatever the kernel answers to who joins a group: the child is gone, and it is told why. */
static void refused_joins(void) {
  static const int errors[] = {EACCES, EBUSY, EINVAL, ENOENT, ENODEV, ENOSPC, EROFS, EOPNOTSUPP, ERANGE};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    struct keeper keeper = keeper_start(keeper_path, (enum launch)(errors[i] * JOINS_REFUSED));
    struct request request = request_new();
    request.head.join_count = 1;
    add_descriptor(&request, open("/dev/null", O_WRONLY | O_CLOEXEC));
    add_command(&request, "/bin/true", NULL);
    expect(&keeper, &request, STEP_JOIN, errors[i], 0, "a join that is refused");
    keeper_stop(&keeper);
  }
}

void test_failures(void) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  char directory[] = "/tmp/holdfast-test-XXXXXX", unreadable[64], garbage[64];
  if (mkdtemp(directory) == NULL) die("mkdtemp");
  snprintf(unreadable, sizeof unreadable, "%s/unreadable", directory);
  snprintf(garbage, sizeof garbage, "%s/garbage", directory);
  close(open(unreadable, O_CREAT | O_WRONLY, 0644));
  int file = open(garbage, O_CREAT | O_WRONLY, 0755);
  if (write(file, "\1\2\3\4 nothing to execute\n", 20) < 0) die("write");
  close(file);

  expect_exec(&keeper, (const char *[]){"/nonexistent", NULL}, ENOENT, 0, "no such program");
  expect_exec(&keeper, (const char *[]){unreadable, NULL}, EACCES, 0, "not executable");
  expect_exec(&keeper, (const char *[]){garbage, NULL}, ENOEXEC, 0, "no format the kernel knows, and no shell steps in");
  expect_exec(&keeper, (const char *[]){"/nonexistent", unreadable, "/none/x", NULL}, EACCES, 1,
              "EACCES is told before ENOENT");
  expect_exec(&keeper, (const char *[]){"/nonexistent", "/etc/passwd/x", NULL}, ENOTDIR, 1, "else the last one");
  expect_exec(&keeper, (const char *[]){garbage, "/bin/true", NULL}, ENOEXEC, 0, "another error ends the search");

  struct request request = request_new();
  request.head.flags = START_DIRECTORY;
  add_string(&request, "/nonexistent");
  add_command(&request, "/bin/true", NULL);
  expect(&keeper, &request, STEP_DIRECTORY, ENOENT, 0, "no such directory");

  request = request_new();
  add_rlimit(&request, 99, 1, 1);
  add_command(&request, "/bin/true", NULL);
  expect(&keeper, &request, STEP_RLIMIT, EINVAL, 99, "no such rlimit");

  request = request_new();
  request.head.flags = START_OOM_SCORE;
  request.head.oom_score_adj = INT32_MIN;
  add_command(&request, "/bin/true", NULL);
  expect(&keeper, &request, STEP_OOM_SCORE, EINVAL, 0, "no such oom_score_adj");

  request = request_new();
  request.head.flags = START_GROUP;
  request.head.process_group = 1;
  add_command(&request, "/bin/true", NULL);
  expect(&keeper, &request, STEP_SESSION, EPERM, 0, "a process group of another session");

  if (!beyond_valgrind("no room for the third stream", NO_FEWER_FILES)) {
    request = request_new();
    add_rlimit(&request, RLIMIT_NOFILE, 2, 2);
    add_command(&request, "/bin/true", NULL);
    expect(&keeper, &request, STEP_STREAMS, EBADF, 2, "no room for the third stream");
  }

  request = request_new();
  request.head.join_count = 1;
  add_descriptor(&request, open("/dev/full", O_WRONLY | O_CLOEXEC));
  add_command(&request, "/bin/true", NULL);
  expect(&keeper, &request, STEP_JOIN, ENOSPC, 0, "a join that fails");

  if (!beyond_valgrind("cloning into what is no group", NO_CLONE3)) {
    request = request_new();
    request.head.flags = START_CLONE_INTO;
    add_descriptor(&request, open("/", O_RDONLY | O_CLOEXEC));
    add_command(&request, "/bin/true", NULL);
    expect(&keeper, &request, STEP_CLONE, EBADF, 0, "cloning into what is no group");
  }

  if (getuid() == 0) {
    expect_exec(&keeper, (const char *[]){"/root", NULL}, EACCES, 0, "a directory is no program");
  }
  if (!beyond_valgrind("one argument of 128 KiB", "ends when execve fails of what it did not foresee")) {
    request = request_new();
    add_string(&request, "/bin/true");
    request.head.candidate_count = 1;
    static char large[131073];
    memset(large, 'x', sizeof large - 1);
    request.head.flags = START_BLOCK_IN_MEMFD;
    add_string(&request, large);
    request.head.argument_count = 1;
    expect(&keeper, &request, STEP_EXEC, E2BIG, 0, "one argument of 128 KiB is too much for the kernel");
  }

  if (!beyond_valgrind("joins that are refused", "writes single bytes of its own")) refused_joins();

  struct keeper old = keeper_start(keeper_path, OLD_CALLS);
  request = request_new();
  request.head.flags = START_CLONE_INTO;
  add_descriptor(&request, open("/", O_RDONLY | O_CLOEXEC));
  add_command(&request, "/bin/true", NULL);
  expect(&old, &request, STEP_CLONE, ENOSYS, 0, "cloning into a group without clone3");
  keeper_stop(&old);
  keeper_stop(&keeper);
  unlink(unreadable);
  unlink(garbage);
  rmdir(directory);
}
