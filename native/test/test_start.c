/* Starts that succeed, and what the child then is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static char out[65536], line[256];

static void test_true_and_codes(struct keeper *keeper) {
  struct request request = request_new();
  int code;
  add_command(&request, "/bin/true", NULL);
  struct result result = run(keeper, &request);
  ok(result.spawned > 0 && result.spawned == result.running && result.step == 0 && result.records == 2,
     "/bin/true: SPAWNED and RUNNING tell one pid, then end of file");
  ok(wait_exit(result.pid) == 0, "it is our child and exits 0");
  request_free(&request);
  request = request_new();
  add_command(&request, self_path, "probe", "exit7", NULL);
  run_with_output(keeper, &request, out, sizeof out, &code);
  ok(code == 7, "exit code 7 (got %d)", code);
  request_free(&request);
}

static void test_arguments(struct keeper *keeper) {
  struct request request = request_new();
  int code;
  add_command(&request, self_path, "probe", "arguments", "", "two words", NULL);
  add_string(&request, "A=1");
  add_string(&request, "EMPTY=");
  request.head.environment_count = 2;
  run_with_output(keeper, &request, out, sizeof out, &code);
  ok(contains(out, "[probe][arguments][][two words]{A=1}{EMPTY=}") && code == 0, "arguments and environment: %s", out);
  request_free(&request);

  request = request_new();
  request.head.flags = START_BLOCK_IN_MEMFD;
  char *large = malloc(100001);
  memset(large, 'x', 100000);
  large[100000] = '\0';
  add_string(&request, self_path);
  request.head.candidate_count = 1;
  add_string(&request, "anything"), add_string(&request, "probe"), add_string(&request, "sizes");
  for (int i = 0; i < 20; i++) add_string(&request, large);
  request.head.argument_count = 23;
  run_with_output(keeper, &request, out, sizeof out, &code);
  ok(contains(out, "20 arguments of 2000000 bytes"), "2 MB of arguments in a memfd: %s", out);
  request_free(&request);
  free(large);

  request = request_new();
  add_string(&request, "/nonexistent/a"), add_string(&request, "/etc/passwd/b"), add_string(&request, self_path);
  request.head.candidate_count = 3;
  add_string(&request, "arg0"), add_string(&request, "probe"), add_string(&request, "arguments");
  request.head.argument_count = 3;
  run_with_output(keeper, &request, out, sizeof out, &code);
  ok(contains(out, "[arg0][probe]"), "the third candidate is executed, argv[0] is its own: %s", out);
  request_free(&request);
}

static void test_settings(struct keeper *keeper) {
  struct request request = request_new();
  request.head.flags = START_UMASK | START_NICE | START_DIRECTORY | START_SESSION;
  request.head.umask = 027;
  request.head.nice = 5;
  const char *files = "";
  if (!beyond_valgrind("rlimit", NO_FEWER_FILES)) add_rlimit(&request, RLIMIT_NOFILE, 99, 100), files = " nofile=99/100";
  add_string(&request, "/usr/bin");
  struct result result = probe(keeper, &request, "settings", out, sizeof out);
  snprintf(line, sizeof line, "cwd=/usr/bin umask=27 nice=5%s", files);
  ok(contains(out, line), "directory, umask, nice, rlimit: %s", out);
  snprintf(line, sizeof line, "sid=%d pgid=%d pid=%d", result.pid, result.pid, result.pid);
  ok(contains(out, line), "a session of its own");

  char *here = getcwd(NULL, 0);
  if (here == NULL) die("getcwd");
  request = request_new();
  probe(keeper, &request, "settings", out, sizeof out);
  snprintf(line, sizeof line, "cwd=%s umask", here);
  free(here);
  ok(contains(out, line), "our own directory where none is asked for: %s", out);

  for (int score = 0; score <= 1000; score += 500) {
    request = request_new();
    request.head.flags = START_OOM_SCORE;
    request.head.oom_score_adj = score;
    probe(keeper, &request, "settings", out, sizeof out);
    snprintf(line, sizeof line, "oom=%d\n", score);
    ok(contains(out, line), "oom_score_adj %d: %s", score, out);
  }

  request = request_new();
  request.head.flags = START_GROUP;
  result = probe(keeper, &request, "settings", out, sizeof out);
  snprintf(line, sizeof line, "sid=%d pgid=%d pid=%d", getsid(0), result.pid, result.pid);
  ok(contains(out, line), "a process group of its own, in our session");

  request = request_new();
  request.head.flags = START_GROUP;
  request.head.process_group = getpgrp();
  probe(keeper, &request, "settings", out, sizeof out);
  snprintf(line, sizeof line, "sid=%d pgid=%d ", getsid(0), getpgrp());
  ok(contains(out, line), "in the JVM's own process group");
  ok(getpgid(keeper->pid) == keeper->pid && getsid(keeper->pid) == getsid(0),
     "the keeper has a group of its own in our session");

  if (beyond_valgrind("a limit of four descriptors", NO_FEWER_FILES)) return;
  request = request_new();
  add_rlimit(&request, RLIMIT_NOFILE, 4, 4);
  probe(keeper, &request, "descriptors", out, sizeof out);
  ok(contains(out, "fds 0 1 2."), "a limit of four descriptors suffices (the dynamic linker takes one): %s", out);
}

static void test_identity(struct keeper *keeper) {
  if (getuid() != 0) {
    skip("identity: needs root");
    return;
  }
  struct request request = request_new();
  request.head.flags = START_GROUPS | START_GID | START_UID | START_NO_NEW_PRIVS;
  request.head.uid = 65534;
  request.head.gid = 65533;
  add_group(&request, 1234);
  add_group(&request, 1235);
  shell(keeper, &request, "while read a; do echo \"$a\"; done < /proc/self/status", out, sizeof out);
  status_line(out, "\nUid", line, sizeof line);
  ok(strcmp(line, "65534\t65534\t65534\t65534") == 0, "uid: %s", line);
  status_line(out, "\nGid", line, sizeof line);
  ok(strcmp(line, "65533\t65533\t65533\t65533") == 0, "gid: %s", line);
  status_line(out, "\nGroups", line, sizeof line);
  ok(strncmp(line, "1234 1235", 9) == 0, "groups: %s", line);
  status_line(out, "\nCapEff", line, sizeof line);
  ok(strcmp(line, "0000000000000000") == 0, "no capabilities left: %s", line);
  status_line(out, "\nNoNewPrivs", line, sizeof line);
  ok(strcmp(line, "1") == 0, "no_new_privs");
}

static void expect_signals(struct keeper *keeper, uint32_t flags, const char *ignored, const char *what) {
  static const char *const keys[] = {"\nSigBlk", "\nSigIgn", "\nShdPnd", "\nSigCgt"};
  struct request request = request_new();
  request.head.flags = flags;
  add_command(&request, "/bin/cat", "/proc/self/status", NULL);
  run_with_output(keeper, &request, out, sizeof out, NULL);
  request_free(&request);
  for (int i = 0; i < 4; i++) {
    status_line(out, keys[i], line, sizeof line);
    ok(strcmp(line, i == 1 ? ignored : "0000000000000000") == 0, "%s: %s is %s", what, keys[i] + 1, line);
  }
}

static void test_signals(struct keeper *keeper) {
  expect_signals(keeper, 0, "0000000000000000", "signals are default and unblocked");
  struct keeper under_nohup = keeper_start(keeper_path, IGNORE_HUP);
  expect_signals(&under_nohup, START_KEEP_IGNORED, "0000000000000001", "nohup is kept when asked");
  expect_signals(&under_nohup, 0, "0000000000000000", "and not when not");
  bool all = !beyond_valgrind("all signals to the keeper", "fails an assertion of its own when it is sent one that is synchronous");
  for (int signal = 1; all && signal <= 64; signal++) {
    if (signal != SIGKILL && signal != SIGSTOP) kill(under_nohup.pid, signal);
  }
  if (all) expect_signals(&under_nohup, 0, "0000000000000000", "after every signal was sent to the keeper");
  keeper_stop(&under_nohup);
}

static void test_streams(struct keeper *keeper) {
  char expected[256];
  struct request request = request_new();
  probe(keeper, &request, "descriptors", out, sizeof out);
  /* Where close_range is refused to valgrind too, its own do not get lost, but are in the child. */
  ok(contains(out, under_valgrind ? "fds 0 1 2" : "fds 0 1 2."), "no descriptor but 0, 1, 2: %s", out);
  int files[3];
  ino_t inodes[3];
  for (int i = 0; i < 3; i++) {
    struct stat stat;
    char name[] = "/tmp/holdfast-test-XXXXXX";
    files[i] = mkostemp(name, O_CLOEXEC);
    unlink(name);
    fstat(files[i], &stat);
    inodes[i] = stat.st_ino;
  }
  request = request_new();
  for (int i = 0; i < 3; i++) close(request.descriptors[i + 1]), request.descriptors[i + 1] = files[i];
  add_command(&request, self_path, "probe", "streams", NULL);
  struct result result = run(keeper, &request);
  wait_exit(result.pid);
  ssize_t length = pread(files[1], out, sizeof out - 1, 0);
  out[length > 0 ? length : 0] = '\0';
  snprintf(expected, sizeof expected, "%lu %lu %lu", inodes[0], inodes[1], inodes[2]);
  ok(strcmp(out, expected) == 0, "each stream is where it belongs: %s", out);
  request_free(&request);
}

static void test_many(struct keeper *keeper) {
  int statuses[64], good = 0;
  for (int i = 0; i < 64; i++) {
    struct request request = request_new();
    add_command(&request, "/bin/true", NULL);
    statuses[i] = send_start(keeper, &request);
    request_free(&request);
  }
  for (int i = 0; i < 64; i++) {
    struct result result = read_result(statuses[i]);
    good += result.running > 0 && result.step == 0 && wait_exit(result.pid) == 0;
  }
  ok(good == 64, "64 starts in flight at once (%d good)", good);
}

static void test_keeper_itself(struct keeper *keeper) {
  char path[64], status[4096];
  snprintf(path, sizeof path, "/proc/%d", keeper->pid);
  read_file(path, "status", status, sizeof status);
  ok(contains(status, "Name:\tholdfast-keeper\n"), "the keeper's name");
  status_line(status, "VmRSS", line, sizeof line);
  if (instrumented) {
    skip("the keeper's memory: that of valgrind or the sanitizers is in it (VmRSS %s)", line);
  } else {
    ok(atoi(line) > 0 && atoi(line) < 1024, "the keeper needs less than 1 MiB: VmRSS %s", line);
  }
  read_file(path, "stat", status, sizeof status);
  int64_t user = 0;
  sscanf(status, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld", &user);
  usleep(300000);
  read_file(path, "stat", status, sizeof status);
  int64_t later = 0;
  sscanf(status, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld", &later);
  ok(contains(status, ") S ") && later == user, "it sleeps while nothing is to do");
  open_descriptors(keeper->pid, status, sizeof status);
  ok(strcmp(status, "0 1 2 3 4 ") == 0, "it holds no descriptor but its own five: %s", status);
}

static void test_killed_keeper(void) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  keeper_pause(&keeper);
  struct request request = request_new();
  add_command(&request, "/bin/true", NULL);
  int status = send_start(&keeper, &request);
  kill(keeper.pid, SIGKILL);
  wait_exit(keeper.pid);
  struct result result = read_result(status);
  ok(result.records == 0 && !result.timed_out, "a keeper killed before it came to a request: end of file, no record");
  request_free(&request);
  close(keeper.socket);
}

static void test_all(enum launch how, const char *what) {
  printf("# %s\n", what);
  struct keeper keeper = keeper_start(keeper_path, how);
  test_true_and_codes(&keeper);
  test_arguments(&keeper);
  test_settings(&keeper);
  test_streams(&keeper);
  test_many(&keeper);
  if ((how & OLD_CALLS) == 0) {
    test_identity(&keeper);
    test_signals(&keeper);
  }
  test_keeper_itself(&keeper);
  keeper_stop(&keeper);
}

void test_start(void) {
  test_all(PLAIN, "the kernel as it is");
  test_all(OLD_CALLS | LOW_NUMBERS, "without clone3, close_range, openat2; socket and pidfd come as 1 and 0");
  test_killed_keeper();
}
