/*
 * A child that hangs before its exec, as on a disk that does not answer: what its keeper had open ends with keeper and JVM all the
 * same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

/* Whoever opens a file that somebody has a lease on waits, for 45 s, until that one has given it back. */
static int lease(const char *program) {
  int file = open(program, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
  if (file < 0 || write(file, "#!/bin/sh\n", 10) != 10) die("the program");
  close(file);
  file = open(program, O_RDONLY | O_CLOEXEC);
  return fcntl(file, F_SETLEASE, F_WRLCK) < 0 ? -1 : file;
}

static _Noreturn void fake_jvm(const char *directory, const char *program, enum launch how, int unread, int told) {
  struct keeper keeper = keeper_start(keeper_path, how);
  struct anchor_request anchor = {HOLDFAST_MAGIC, REQUEST_ANCHOR, 1, {HIERARCHY_V2}, "anchor"};
  int locked = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fds[] = {locked, locked};
  if (flock(locked, LOCK_EX | LOCK_NB) < 0) die("flock");
  if (!tell(keeper.socket, &anchor, sizeof anchor, fds, 2).taken) die("the anchor");
  struct request request = request_new();
  add_command(&request, program, NULL);
  int status = send_start(&keeper, &request);
  struct status_record record;
  do {
    if (read(status, &record, sizeof record) != sizeof record) die("the child");
  } while (record.kind != RECORD_RUNNING);
  keeper_pause(&keeper);
  send_raw(keeper.socket, "x", 1, NULL, 0, &unread, 1);
  int pids[] = {keeper.pid, record.pid};
  if (write(told, pids, sizeof pids) < 0) die("write");
  for (;;) pause();
}

static void test_hanging_at(const char *what, enum launch how) {
  char directory[] = "/tmp/holdfast-test-XXXXXX";
  int unread[2], told[2], pids[2] = {0, 0};
  if (mkdtemp(directory) == NULL || pipe2(unread, O_CLOEXEC) < 0 || pipe2(told, O_CLOEXEC) < 0) die("mkdtemp");
  char *program = path_of(directory, "program");
  void (*before)(int) = signal(SIGIO, SIG_IGN); /* tells that the lease is wanted back */
  int leased = lease(program);
  if (leased < 0) {
    skip("%s: no leases here: %s", what, strerror(errno));
  } else {
    fflush(stdout);
    pid_t jvm = fork();
    if (jvm == 0) fake_jvm(directory, program, how, unread[1], told[1]);
    close(unread[1]), close(told[1]);
    if (read(told[0], pids, sizeof pids) != sizeof pids) die("the fake JVM");
    for (int i = 0; i < 5000 && fcntl(leased, F_GETLEASE) == F_WRLCK; i++) usleep(1000);
    bool hangs = fcntl(leased, F_GETLEASE) != F_WRLCK;
    kill(pids[0], SIGKILL);
    kill(jvm, SIGKILL);
    wait_exit(jvm);
    wait_exit(pids[0]);
    int again = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool had = false;
    for (int i = 0; i < 1000 && !(had = flock(again, LOCK_EX | LOCK_NB) == 0); i++) usleep(1000);
    struct pollfd end = {.fd = unread[0], .events = POLLIN};
    bool told_end = poll(&end, 1, 1000) == 1 && (end.revents & POLLHUP) != 0;
    hangs = hangs && lives(pids[1]);
    ok(hangs && had, "%s: the lock of its anchor can be had", what);
    ok(hangs && told_end, "%s: the pipe of a request that was not read ends", what);
    end_bystander(pids[1]);
    close(again), close(leased);
  }
  close(told[0]), close(unread[0]);
  signal(SIGIO, before);
  unlink(program);
  rmdir(directory);
  free(program);
}

void test_hanging(void) {
  test_hanging_at("a child that hangs in its exec", PLAIN);
  test_hanging_at("a child that hangs in its exec, without close_range", OLD_CALLS);
}
