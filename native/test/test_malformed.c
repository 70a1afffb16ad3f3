/* Messages that are not what protocol.h says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static struct request good_request(void) {
  struct request request = request_new();
  add_rlimit(&request, 4 /* RLIMIT_CORE */, 0, 0);
  add_command(&request, "/bin/true", "a", NULL);
  add_string(&request, "A=1");
  request.head.environment_count = 1;
  return request;
}

static void expect(struct keeper *keeper, struct request *request, int error, const char *what) {
  struct result result = run(keeper, request);
  ok(result.step == STEP_REQUEST && result.error == error && result.pid == 0 && result.records == 1,
     "%s: step %u, %s", what, result.step, strerror(result.error));
  if (result.pid > 0) wait_exit(result.pid);
  request_free(request);
}

#define BROKEN(what, change)                 \
  do {                                       \
    struct request r = good_request();       \
    change;                                  \
    expect(keeper, &r, EBADMSG, (what));     \
  } while (0)

static void test_mutations(struct keeper *keeper) {
  struct request request = good_request();
  struct result result = run(keeper, &request);
  ok(result.running > 0 && wait_exit(result.pid) == 0, "the request is good before it is broken");
  request_free(&request);
  BROKEN("wrong magic", r.head.magic ^= 1);
  BROKEN("unknown kind", r.head.kind = 5);
  BROKEN("an anchor's kind", r.head.kind = REQUEST_ANCHOR);
  BROKEN("unknown flag", r.head.flags = 2u * START_ENTER_USER);
  BROKEN("a namespace without its descriptor", r.head.flags = START_ENTER);
  BROKEN("a user namespace alone", r.head.flags = START_ENTER_USER);
  BROKEN("session and group", r.head.flags = START_SESSION | START_GROUP);
  BROKEN("a descriptor too many", add_descriptor(&r, open("/dev/null", O_RDWR | O_CLOEXEC)));
  BROKEN("a descriptor too few", close(r.descriptors[--r.descriptor_count]));
  BROKEN("a flag without its descriptor", r.head.flags = START_CLONE_INTO);
  BROKEN("joins without descriptors", r.head.join_count = 1);
  BROKEN("too many joins", r.head.join_count = 0xffffffffu);
  BROKEN("no candidate", r.head.candidate_count = 0; r.head.environment_count = 2);
  BROKEN("no argument", r.head.argument_count = 0; r.head.environment_count = 3);
  BROKEN("one string more than there is", r.head.environment_count = 2);
  BROKEN("one string less than there is", r.head.environment_count = 0);
  BROKEN("huge counts", r.head.environment_count = 0xffffffffu);
  BROKEN("huge rlimit count", r.head.rlimit_count = 0xffffffffu);
  BROKEN("huge group count", r.head.group_count = 0x40000000u);
  BROKEN("no NUL at the end", r.block[r.length - 1] = 'x');
  BROKEN("bytes behind the last NUL", add_string(&r, "x"); r.length--);
  BROKEN("an empty block", r.length = 0);
  BROKEN("only the numbers", r.length = 24);

  request = good_request();
  request.head.block_length = request.length + 1;
  int pipes[2];
  status_pipe(pipes);
  request.descriptors[0] = pipes[1];
  send_raw(keeper->socket, &request.head, sizeof request.head, request.block, request.length, request.descriptors, 4);
  close(pipes[1]);
  request.descriptors[0] = -1;
  result = read_result(pipes[0]);
  ok(result.step == STEP_REQUEST && result.error == EBADMSG, "block_length is not what came");
  request_free(&request);

  request = good_request();
  char *large = calloc(1, 70000);
  memset(large, 'x', 69999);
  add_string(&request, large);
  request.head.environment_count++;
  expect(keeper, &request, EBADMSG, "a message longer than the keeper's buffer");
  free(large);
}

/* -1 is no user and no group: setresuid(2) would leave the one that is there. */
static void test_nobodies(struct keeper *keeper) {
  struct request request = good_request();
  request.head.flags = START_UID;
  request.head.uid = 0xffffffffu;
  expect(keeper, &request, EINVAL, "user -1");
  request = good_request();
  request.head.flags = START_GID;
  request.head.gid = 0xffffffffu;
  expect(keeper, &request, EINVAL, "group -1");
  request = request_new();
  request.head.flags = START_GROUPS;
  add_group(&request, 1);
  add_group(&request, 0xffffffffu);
  add_command(&request, "/bin/true", NULL);
  expect(keeper, &request, EINVAL, "group -1 in a list");
  request = good_request();
  request.head.uid = request.head.gid = 0xffffffffu;
  struct result result = run(keeper, &request);
  ok(result.step == 0 && wait_exit(result.pid) == 0, "numbers that are not asked for are not looked at");
  request_free(&request);
}

/* size: of the memfd; the request says `claimed`. */
static void expect_memfd(struct keeper *keeper, off_t size, uint64_t claimed, int seals, int error, const char *what) {
  struct request request = good_request();
  int pipes[2], memfd = memfd_create("block", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (pipe2(pipes, O_CLOEXEC) < 0 || memfd < 0) die("memfd");
  if (pwrite(memfd, request.block, request.length, 0) < 0 || ftruncate(memfd, size) < 0) die("memfd");
  if (seals >= 0) fcntl(memfd, F_ADD_SEALS, seals);
  request.head.flags = START_BLOCK_IN_MEMFD;
  request.head.block_length = claimed;
  request.descriptors[0] = pipes[1];
  add_descriptor(&request, memfd);
  send_raw(keeper->socket, &request.head, sizeof request.head, NULL, 0, request.descriptors, 5);
  close(pipes[1]);
  request.descriptors[0] = -1;
  struct result result = read_result(pipes[0]);
  ok(result.step == (error == 0 ? 0u : (uint32_t)STEP_REQUEST) && result.error == error, "%s: %s", what,
     strerror(result.error));
  if (result.pid > 0) wait_exit(result.pid);
  request_free(&request);
}

static void test_memfds(struct keeper *keeper) {
  struct request request = good_request();
  off_t length = (off_t)request.length;
  request_free(&request);
  expect_memfd(keeper, length, (uint64_t)length, F_SEAL_SHRINK, 0, "a sealed memfd");
  expect_memfd(keeper, length, (uint64_t)length, -1, EBADMSG, "a memfd without seal");
  expect_memfd(keeper, 10, (uint64_t)length, F_SEAL_SHRINK, EBADMSG, "a memfd that is too short");
  expect_memfd(keeper, 0, 8 << 20, F_SEAL_SHRINK, EBADMSG, "an empty memfd that claims 8 MiB");
  expect_memfd(keeper, length, MAX_BLOCK + 1, F_SEAL_SHRINK, E2BIG, "more than any exec takes");
  expect_memfd(keeper, length, UINT64_MAX, F_SEAL_SHRINK, E2BIG, "a length of 2^64-1");
  expect_memfd(keeper, 8 << 20, 8 << 20, F_SEAL_SHRINK, EBADMSG, "a sparse memfd full of NULs");
  request = good_request();
  request.head.flags = START_BLOCK_IN_MEMFD;
  request.head.block_length = request.length;
  int pipes[2];
  status_pipe(pipes);
  request.descriptors[0] = pipes[1];
  add_descriptor(&request, open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  send_raw(keeper->socket, &request.head, sizeof request.head, NULL, 0, request.descriptors, 5);
  close(pipes[1]);
  request.descriptors[0] = -1;
  struct result result = read_result(pipes[0]);
  ok(result.step == STEP_REQUEST && result.error == EBADMSG, "a file that is no memfd");
  request_free(&request);
}

static void test_anchors(struct keeper *keeper) {
  static const char *const names[] = {"", ".", "..", "a/b", "/", "../x"};
  struct anchor_request anchor = {HOLDFAST_MAGIC, REQUEST_ANCHOR, 1, {HIERARCHY_V2}, ""};
  for (unsigned int i = 0; i <= sizeof names / sizeof *names + 4; i++) {
    int pipes[2];
    status_pipe(pipes);
    int fds[3] = {pipes[1], open("/dev/null", O_RDONLY | O_CLOEXEC), open("/dev/null", O_RDONLY | O_CLOEXEC)};
    struct anchor_request broken = anchor;
    const char *what = "a name without end";
    unsigned int count = 3;
    memset(broken.name, 'x', sizeof broken.name);
    if (i < sizeof names / sizeof *names) {
      snprintf(broken.name, sizeof broken.name, "%s", names[i]);
      what = names[i];
    } else if (i > sizeof names / sizeof *names) {
      strcpy(broken.name, "name");
      what = "descriptors";
      if (i % 2 == 0) count = 2;
      if (i % 2 == 1) broken.hierarchy_count = 33;
      if (i == sizeof names / sizeof *names + 3) broken.hierarchy_count = 1, broken.hierarchy[0] = HIERARCHY_OTHER;
      if (i == sizeof names / sizeof *names + 4) count = 3, broken.hierarchy[0] = HIERARCHY_LATER;
    }
    send_raw(keeper->socket, &broken, sizeof broken, NULL, 0, fds, count);
    for (int k = 0; k < 3; k++) close(fds[k]);
    struct result result = read_result(pipes[0]);
    ok(result.step == STEP_REQUEST && result.error == EBADMSG, "malformed anchor: '%s'", what);
  }
}

static void test_holds(struct keeper *keeper) {
  static struct hold_entry entries[MAX_HOLDS_AT_ONCE + 1];
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) entries[i].pid = INT32_MAX;
  struct result result = send_hold(keeper, REQUEST_HOLD, entries, 2);
  ok(result.taken && result.step == 0, "holding what is not there is no failure");
  result = send_hold(keeper, REQUEST_HOLD, entries, MAX_HOLDS_AT_ONCE + 1);
  ok(result.step == STEP_REQUEST && result.error == EBADMSG, "too many to hold");
  entries[1].pid = 0;
  result = send_hold(keeper, REQUEST_LET_GO, entries, 2);
  ok(result.step == STEP_REQUEST && result.error == EBADMSG, "letting go of pid 0");
  entries[1].pid = -1;
  result = send_hold(keeper, REQUEST_HOLD, entries, 2);
  ok(result.step == STEP_REQUEST && result.error == EBADMSG, "holding everybody");
  entries[1] = (struct hold_entry){.pid = INT32_MAX, .kind = HOLD_FIRST + 1};
  result = send_hold(keeper, REQUEST_HOLD, entries, 2);
  ok(result.step == STEP_REQUEST && result.error == EBADMSG, "holding in no known way");
}

static void test_fuzz(struct keeper *keeper) {
  int messages = under_valgrind ? 2000 : 5000; /* it is slow, and must have caught up when it is asked to serve */
  unsigned int seed = 20250101;
  int spawned = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);
  struct request base = good_request();
  unsigned char bytes[1024];
  for (int i = 0; i < messages; i++) {
    int fds[253];
    unsigned int count = rand_r(&seed) % 8 == 0 ? (unsigned int)rand_r(&seed) % 253 : 4;
    for (unsigned int k = 0; k < count; k++) fds[k] = null;
    base.head.block_length = base.length;
    memcpy(bytes, &base.head, sizeof base.head);
    memcpy(bytes + sizeof base.head, base.block, base.length);
    size_t length = sizeof base.head + base.length;
    if (i % 16 == 0) {
      for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (unsigned char)rand_r(&seed);
      length = (size_t)rand_r(&seed) % sizeof bytes;
      if (i % 32 == 0) memcpy(bytes, &(uint32_t[]){HOLDFAST_MAGIC, 1u + (uint32_t)(i / 32) % 4u}, 8);
    } else {
      /* Numbers near the interesting ones, or bits anywhere; never such that an own program is run: the candidate
       * stays /bin/true or becomes what does not exist. */
      int changes = 1 + rand_r(&seed) % 3;
      for (int k = 0; k < changes; k++) {
        size_t at = (size_t)rand_r(&seed) % (sizeof base.head / 4);
        static const uint32_t values[] = {0, 1, 2, 3, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff};
        uint32_t value = values[(size_t)rand_r(&seed) % 10];
        if (rand_r(&seed) % 2 == 0) {
          memcpy(bytes + at * 4, &value, 4);
        } else {
          bytes[(size_t)rand_r(&seed) % length] ^= (unsigned char)(1u << rand_r(&seed) % 8);
        }
      }
      if (rand_r(&seed) % 8 == 0) length = (size_t)rand_r(&seed) % length;
    }
    if (!send_raw(keeper->socket, bytes, length, NULL, 0, fds, count)) break;
    while (waitpid(-1, NULL, WNOHANG) > 0) spawned++;
    if (i % 1000 == 0 && !keeper_alive(keeper)) break;
  }
  ok(keeper_alive(keeper), "%d random messages: the keeper lives (%d of them started something)", messages, spawned);
  struct result result = run(keeper, &base);
  ok(result.running > 0 && wait_exit(result.pid) == 0, "and serves");
  request_free(&base);
  close(null);
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

void test_malformed(void) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  test_mutations(&keeper);
  test_nobodies(&keeper);
  test_memfds(&keeper);
  test_anchors(&keeper);
  test_holds(&keeper);
  send_raw(keeper.socket, "", 0, NULL, 0, NULL, 0);
  send_raw(keeper.socket, "x", 1, NULL, 0, NULL, 0);
  test_fuzz(&keeper);
  static const char *const settled = "0 1 2 3 4 6 ";
  char list[65536] = "";
  /* Those that were held and have ended are forgotten a moment later. */
  for (int i = 0; i < 5000 && open_descriptors(keeper.pid, list, sizeof list) && strcmp(list, settled) != 0; i++) usleep(1000);
  ok(strcmp(list, settled) == 0, "no descriptor was left behind but the one for those held: %s", list);
  keeper_stop(&keeper);

  if (beyond_valgrind("more descriptors than the keeper may have", NO_FEWER_FILES)) return;
  struct keeper few = keeper_start(keeper_path, FEW_DESCRIPTORS);
  struct request request = good_request();
  for (int i = 0; i < 200; i++) add_descriptor(&request, open("/dev/null", O_RDWR | O_CLOEXEC));
  expect(&few, &request, EMFILE, "more descriptors than the keeper may have");
  request = good_request();
  struct result result = run(&few, &request);
  ok(result.running > 0 && wait_exit(result.pid) == 0, "and it serves again");
  request_free(&request);
  keeper_stop(&few);
}
