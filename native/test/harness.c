/* Results, requests and records. */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int number, passed, failed, skipped;

void ok(bool good, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("%s %d - ", good ? "ok" : "not ok", ++number);
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
  if (good) {
    passed++;
  } else {
    failed++;
  }
  fflush(stdout);
}

void skip(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("ok %d # SKIP ", ++number);
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
  skipped++;
  fflush(stdout);
}

bool is_emulated(void) {
  const char *place = getenv("HOLDFAST_PLACE");
  return place != NULL && strcmp(place, "arm64") == 0;
}

bool beyond_valgrind(const char *what, const char *why) {
  if (under_valgrind) skip("%s: valgrind %s", what, why);
  return under_valgrind;
}

int failures(void) { return failed; }

int summary(void) {
  printf("1..%d\n%d passed, %d failed, %d skipped\n", number, passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}

void die(const char *what) {
  printf("Bail out! %s: %s\n", what, strerror(errno));
  exit(1);
}

int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool contains(const char *text, const char *part) { return strstr(text, part) != NULL; }

/* ---- requests */

struct request request_new(void) {
  struct request request = {.head = {.magic = HOLDFAST_MAGIC, .kind = REQUEST_START}, .descriptor_count = 4};
  for (int i = 1; i < 4; i++) request.descriptors[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
  request.descriptors[0] = -1;
  return request;
}

void request_free(struct request *request) {
  for (unsigned int i = 0; i < request->descriptor_count; i++) {
    if (request->descriptors[i] >= 0) close(request->descriptors[i]);
  }
  free(request->block);
}

static void add_bytes(struct request *request, const void *bytes, size_t length) {
  if (request->length + length > request->room) {
    request->room = (request->length + length) * 2 + 256;
    request->block = realloc(request->block, request->room);
    if (request->block == NULL) die("realloc");
  }
  memcpy(request->block + request->length, bytes, length);
  request->length += length;
}

void add_rlimit(struct request *request, uint32_t resource, uint64_t soft, uint64_t hard) {
  struct rlimit_entry entry = {resource, 0, soft, hard};
  add_bytes(request, &entry, sizeof entry);
  request->head.rlimit_count++;
}

void add_group(struct request *request, uint32_t group) {
  add_bytes(request, &group, sizeof group);
  request->head.group_count++;
}

void add_string(struct request *request, const char *string) { add_bytes(request, string, strlen(string) + 1); }

void add_descriptor(struct request *request, int fd) { request->descriptors[request->descriptor_count++] = fd; }

void add_command(struct request *request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const char *argument = va_arg(arguments, const char *);
  add_string(request, argument);
  request->head.candidate_count = 1;
  for (; argument != NULL; argument = va_arg(arguments, const char *)) {
    add_string(request, argument);
    request->head.argument_count++;
  }
  va_end(arguments);
}

bool send_raw(int socket, const void *bytes, size_t length, const void *more, size_t more_length, const int *fds,
              unsigned int count) {
  _Alignas(16) char control[CMSG_SPACE(300 * sizeof(int))];
  memset(control, 0, sizeof control);
  struct iovec iov[2] = {{(void *)(uintptr_t)bytes, length}, {(void *)(uintptr_t)more, more_length}};
  struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(item), fds, count * sizeof(int));
  }
  ssize_t sent;
  /* Without CAP_SYS_RESOURCE only RLIMIT_NOFILE descriptors may be in flight: until the keeper has caught up. */
  while ((sent = sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && (errno == EINTR || errno == ETOOMANYREFS)) {
    usleep(200);
  }
  return sent == (ssize_t)(length + more_length);
}

void status_pipe(int pipes[2]) {
  if (pipe2(pipes, O_CLOEXEC) < 0 || fcntl(pipes[1], F_SETFL, O_NONBLOCK) < 0) die("pipe2");
}

int send_start(struct keeper *keeper, struct request *request) {
  int pipes[2];
  status_pipe(pipes);
  request->descriptors[0] = pipes[1];
  request->head.block_length = request->length;
  bool in_memfd = (request->head.flags & START_BLOCK_IN_MEMFD) != 0;
  if (in_memfd) {
    int memfd = memfd_create("block", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (write(memfd, request->block, request->length) != (ssize_t)request->length) die("memfd");
    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    memmove(request->descriptors + 5, request->descriptors + 4, sizeof(int) * (request->descriptor_count - 4));
    request->descriptors[4] = memfd;
    request->descriptor_count++;
  }
  if (!send_raw(keeper->socket, &request->head, sizeof request->head, request->block, in_memfd ? 0 : request->length,
                request->descriptors, request->descriptor_count)) {
    fprintf(stderr, "# send: %s\n", strerror(errno));
  }
  close(pipes[1]);
  request->descriptors[0] = -1;
  return pipes[0];
}

/*
 * After so long it hangs: a keeper gives up by itself after 30 s, and says so. In valgrind it has to catch up with the
 * messages before, beside whatever else runs.
 */
static int patience_ms(void) { return under_valgrind ? 60000 : 40000; }

struct result read_result(int status) {
  struct result result = {.records = 0};
  struct status_record record;
  for (;;) {
    struct pollfd poll_status = {.fd = status, .events = POLLIN};
    if (poll(&poll_status, 1, patience_ms()) == 0) {
      result.timed_out = true;
      break;
    }
    ssize_t got = read(status, &record, sizeof record);
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof record) break;
    result.records++;
    if (record.kind == RECORD_ENTERING) {
      result.entering = record.pid;
    } else if (record.pid != 0) {
      result.pid = record.pid;
    }
    if (record.kind == RECORD_SPAWNED) result.spawned = record.pid;
    if (record.kind == RECORD_RUNNING) result.running = record.pid;
    if (record.kind == RECORD_TAKEN) {
      result.taken = true;
      result.value = record.value;
      result.detail = record.detail;
    }
    if (record.kind == RECORD_FAILED) {
      result.step = record.step;
      result.error = record.value;
      result.detail = record.detail;
    }
  }
  close(status);
  if (result.entering != 0) waitpid(result.entering, NULL, 0);
  return result;
}

struct result tell(int socket, const void *bytes, size_t length, const int *fds, unsigned int count) {
  int pipes[2], all[300];
  status_pipe(pipes);
  all[0] = pipes[1];
  for (unsigned int i = 0; i < count; i++) all[i + 1] = fds[i];
  if (!send_raw(socket, bytes, length, NULL, 0, all, count + 1)) fprintf(stderr, "# tell: %s\n", strerror(errno));
  close(pipes[1]);
  return read_result(pipes[0]);
}

struct result send_hold(struct keeper *keeper, uint32_t kind, const struct hold_entry *entries, uint32_t count) {
  int pipes[2];
  struct hold_request request = {HOLDFAST_MAGIC, kind, count, 0};
  status_pipe(pipes);
  if (!send_raw(keeper->socket, &request, sizeof request, entries, count * sizeof *entries, &pipes[1], 1)) die("hold");
  close(pipes[1]);
  return read_result(pipes[0]);
}

struct result run(struct keeper *keeper, struct request *request) { return read_result(send_start(keeper, request)); }

int wait_exit(int pid) {
  int status;
  int64_t until = now_ms() + patience_ms();
  while (now_ms() < until) {
    pid_t got = waitpid(pid, &status, WNOHANG);
    if (got < 0) return -1000;
    if (got > 0) return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    usleep(500);
  }
  kill(pid, SIGKILL);
  return -1001;
}

struct result run_with_output(struct keeper *keeper, struct request *request, char *out, size_t size,
                              int *exit_code) {
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) < 0) die("pipe2");
  close(request->descriptors[2]);
  request->descriptors[2] = pipes[1];
  struct result result = run(keeper, request);
  close(pipes[1]);
  request->descriptors[2] = -1;
  size_t length = 0;
  ssize_t got;
  while (length + 1 < size && (got = read(pipes[0], out + length, size - 1 - length)) > 0) length += (size_t)got;
  out[length] = '\0';
  close(pipes[0]);
  int code = result.pid > 0 ? wait_exit(result.pid) : -1002;
  if (exit_code != NULL) *exit_code = code;
  return result;
}

struct result shell(struct keeper *keeper, struct request *request, const char *script, char *out, size_t size) {
  add_command(request, "/bin/sh", "-c", script, NULL);
  struct result result = run_with_output(keeper, request, out, size, NULL);
  request_free(request);
  return result;
}

struct result probe(struct keeper *keeper, struct request *request, const char *argument, char *out, size_t size) {
  add_command(request, self_path, "probe", argument, NULL);
  struct result result = run_with_output(keeper, request, out, size, NULL);
  request_free(request);
  return result;
}

void status_line(const char *status, const char *key, char *to, size_t size) {
  const char *at = strstr(status, key);
  to[0] = '\0';
  if (at == NULL) return;
  at += strlen(key);
  while (*at == ' ' || *at == '\t' || *at == ':') at++;
  size_t length = strcspn(at, "\n");
  if (length >= size) length = size - 1;
  memcpy(to, at, length);
  to[length] = '\0';
}
