#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../../../../native/protocol.h"

extern char **environ;

static int keeper = -1;
static int null = -1;

void keeper_open(const char *program) {
  int pair[2];
  char socket[16], jvm[16];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0) die("socketpair");
  int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (self < 0 || fcntl(self, F_SETFD, 0) < 0 || fcntl(pair[0], F_SETFD, FD_CLOEXEC) < 0) die("pidfd_open");
  snprintf(socket, sizeof socket, "%d", pair[1]);
  snprintf(jvm, sizeof jvm, "%d", self);
  char *argv[] = {"holdfast-keeper", socket, jvm, NULL};
  pid_t pid;
  if ((errno = posix_spawn(&pid, program, NULL, NULL, argv, environ)) != 0) die(program);
  close(pair[1]);
  close(self);
  keeper = pair[0];
  null = open("/dev/null", O_RDWR | O_CLOEXEC);
}

static char *append(char *at, const char *text) { return stpcpy(at, text) + 1; }

static size_t write_request(char *message, size_t size, const struct group *group, char *const argv[], int *descriptors,
                            unsigned *count) {
  struct start_request *request = (struct start_request *)message;
  *request = (struct start_request){.magic = HOLDFAST_MAGIC, .kind = REQUEST_START, .flags = START_SESSION};
  int unified = group_unified(group);
  if (unified >= 0) {
    request->flags |= START_CLONE_INTO;
    descriptors[(*count)++] = unified;
  }
  for (int i = 0; i < HIERARCHIES && group->joins[i] != 0; i++) {
    if (group->joins[i] < 0) continue;
    descriptors[(*count)++] = group->joins[i];
    request->join_count++;
  }
  char *at = append(message + sizeof *request, argv[0]);
  request->candidate_count = 1;
  for (char *const *argument = argv; *argument != NULL; argument++, request->argument_count++) at = append(at, *argument);
  for (char *const *entry = environ; *entry != NULL; entry++, request->environment_count++) {
    if (strlen(*entry) >= (size_t)(message + size - at)) fail("too much environment for one message");
    at = append(at, *entry);
  }
  request->block_length = (uint64_t)(at - message) - sizeof *request;
  return (size_t)(at - message);
}

static void send_request(const struct group *group, char *const argv[], int status) {
  static _Alignas(struct start_request) char message[32 * 1024];
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE((4 + 3 + HIERARCHIES) * sizeof(int))];
  } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  int descriptors[4 + 3 + HIERARCHIES] = {status, null, null, null};
  unsigned count = 4;
  struct iovec vector = {message, write_request(message, sizeof message, group, argv, descriptors, &count)};
  control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
  struct msghdr head = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  if (sendmsg(keeper, &head, MSG_NOSIGNAL) < 0) die("sendmsg");
}

void keeper_start(const struct group *group, char *const argv[]) {
  int ends[2];
  struct status_record records[8] = {{.kind = 0}};
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) die("pipe2");
  send_request(group, argv, ends[1]);
  close(ends[1]);
  poll(&(struct pollfd){.fd = ends[0]}, 1, -1);
  if (read(ends[0], records, sizeof records) != 2 * (ssize_t)sizeof *records) fail("the keeper did not start %s", argv[0]);
  close(ends[0]);
  int child = (int)syscall(SYS_pidfd_open, records[0].pid, 0);
  if (child < 0) die("pidfd_open");
  poll(&(struct pollfd){.fd = child, .events = POLLIN}, 1, -1);
  siginfo_t end = {.si_status = -1};
  if (waitid(P_PIDFD, (id_t)child, &end, WEXITED | __WALL) < 0) die("waitid");
  if (end.si_code != CLD_EXITED || end.si_status != 0) fail("a child ended with %d", end.si_status);
  close(child);
}
