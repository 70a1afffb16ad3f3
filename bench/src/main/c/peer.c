/*
 * What C can do: the peer that Holdfast is measured against. It lives as long as the benchmark, does one sample for each
 * line on stdin, measures inside itself and answers with one line, so that the harness can interleave it with the others:
 *
 *   group v1|v2 PARENT      a hierarchy in which it makes its groups; first all of these  -> ok
 *   limit INDEX FILE VALUE  written into every group that has limits                      -> ok
 *   read INDEX FILE         read back from it                                             -> ok
 *   prepare                 the group of `clone`                                          -> ok
 *   spawn                   posix_spawn to reaped, where we are                           -> microseconds
 *   clone                   clone3 into the prepared group to reaped                      -> microseconds
 *   keeper PROGRAM          from now on this keeper starts children too                   -> ok
 *   ask                     a start through the keeper into the prepared group to reaped  -> microseconds
 *   cycle                   a group made, limited, read back, removed                     -> microseconds
 *   job                     a group made, limited, read back, clone3, reaped, removed     -> microseconds
 *   many COUNT              COUNT sleeping children started with clone3                   -> microseconds
 *   tree HELPER COUNT       kills what HELPER started, to empty and removed               -> microseconds
 *   stream BYTES WORD…      reads that much from a program through a pipe                 -> microseconds
 *
 * An end of file on stdin ends it; it removes what it made. Anything that fails ends it with a message on stderr.
 */
#include "keeper.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static char *const true_argv[] = {"/bin/true", NULL};

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void reap(pid_t pid, bool success) {
  int status;
  while (waitpid(pid, &status, __WALL) != pid)
    if (errno != EINTR) die("waitpid");
  if (success && status != 0) fail("a child ended with wait status %d", status);
}

static double sample_spawn(void) {
  double begin = now_us();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid;
  if ((errno = posix_spawn(&pid, true_argv[0], &actions, NULL, true_argv, environ)) != 0) die("posix_spawn");
  posix_spawn_file_actions_destroy(&actions);
  reap(pid, true);
  return now_us() - begin;
}

static double sample_clone(struct group *prepared) {
  double begin = now_us();
  reap(clone_into(prepared, true_argv, -1), true);
  return now_us() - begin;
}

static double sample_ask(struct group *prepared) {
  double begin = now_us();
  keeper_start(prepared, true_argv);
  return now_us() - begin;
}

static double sample_job(void) {
  double begin = now_us();
  struct group group;
  group_make(&group);
  group_join(&group);
  group_limit(&group);
  reap(clone_into(&group, true_argv, -1), true);
  group_read(&group);
  group_remove(&group);
  return now_us() - begin;
}

static double sample_group(void) {
  double begin = now_us();
  struct group group;
  group_make(&group);
  group_limit(&group);
  group_remove(&group);
  return now_us() - begin;
}

static double sample_many(int count) {
  static char *const argv[] = {"/bin/sleep", "1000", NULL};
  struct group group;
  group_make(&group);
  group_join(&group);
  pid_t *pids = calloc((size_t)count, sizeof *pids);
  if (pids == NULL) die("calloc");
  double begin = now_us();
  for (int i = 0; i < count; i++) pids[i] = clone_into(&group, argv, -1);
  double result = now_us() - begin;
  for (int i = 0; i < count; i++) kill(pids[i], SIGKILL);
  for (int i = 0; i < count; i++) reap(pids[i], false);
  free(pids);
  group_remove(&group);
  return result;
}

static double sample_tree(char *helper, char *count) {
  char *const argv[] = {helper, count, NULL};
  int ends[2];
  char ready;
  struct group group;
  group_make(&group);
  group_join(&group);
  if (pipe2(ends, O_CLOEXEC) < 0) die("pipe2");
  pid_t pid = clone_into(&group, argv, ends[1]);
  close(ends[1]);
  if (read(ends[0], &ready, 1) != 1) fail("%s did not become ready", helper);
  close(ends[0]);
  double begin = now_us();
  group_kill(&group);
  group_remove(&group);
  double result = now_us() - begin;
  reap(pid, false);
  return result;
}

static double sample_stream(const char *line) {
  static char buffer[64 * 1024], words[4096];
  char *argv[32], *bytes, *next;
  int count = 0;
  snprintf(words, sizeof words, "%s", line);
  strtok_r(words, " \n", &next);
  if ((bytes = strtok_r(NULL, " \n", &next)) == NULL) fail("stream needs a number");
  while (count < 31 && (argv[count] = strtok_r(NULL, " \n", &next)) != NULL) count++;
  argv[count] = NULL;
  int ends[2];
  long long total = 0;
  ssize_t n;
  double begin = now_us();
  if (pipe2(ends, O_CLOEXEC) < 0) die("pipe2");
  fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
  pid_t pid = clone_into(NULL, argv, ends[1]);
  close(ends[1]);
  while ((n = read(ends[0], buffer, sizeof buffer)) > 0) total += n;
  close(ends[0]);
  reap(pid, true);
  double result = now_us() - begin;
  if (total != atoll(bytes)) fail("%lld bytes came instead of %s", total, bytes);
  return result;
}

int main(void) {
  char line[4096];
  struct group prepared;
  bool is_prepared = false;
  setvbuf(stdout, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, stdin) != NULL) {
    char verb[16] = "", first[2048] = "", second[1024] = "", third[1024] = "";
    sscanf(line, "%15s %2047s %1023s %1023[^\n]", verb, first, second, third);
    double sample = -1;
    if (strcmp(verb, "group") == 0) hierarchy_add(strcmp(first, "v2") == 0, second);
    else if (strcmp(verb, "limit") == 0) setting_add(atoi(first), second, third);
    else if (strcmp(verb, "read") == 0) setting_add(atoi(first), second, NULL);
    else if (strcmp(verb, "prepare") == 0) {
      group_make(&prepared);
      group_join(&prepared);
      group_limit(&prepared);
      is_prepared = true;
    } else if (strcmp(verb, "spawn") == 0) sample = sample_spawn();
    else if (strcmp(verb, "clone") == 0) sample = sample_clone(&prepared);
    else if (strcmp(verb, "keeper") == 0) keeper_open(first);
    else if (strcmp(verb, "ask") == 0) sample = sample_ask(&prepared);
    else if (strcmp(verb, "cycle") == 0) sample = sample_group();
    else if (strcmp(verb, "job") == 0) sample = sample_job();
    else if (strcmp(verb, "many") == 0) sample = sample_many(atoi(first));
    else if (strcmp(verb, "tree") == 0) sample = sample_tree(first, second);
    else if (strcmp(verb, "stream") == 0) sample = sample_stream(line);
    else fail("unknown line: %s", line);
    if (sample < 0) printf("ok\n");
    else printf("%.3f\n", sample);
  }
  if (is_prepared) group_remove(&prepared);
  hierarchies_remove();
  return 0;
}
