/*
 * Members of every kind for the Java tests: small, so that hundreds of them are cheap.
 *
 *   member KINDS [DIRECTORY…]       one process for each letter, which writes one byte to stdout when it has settled
 *   member trace PID                attaches to it and writes a byte; once stdin ends, sees what has become of it
 *   member bomb KIND [DIRECTORY…]   forks without end, in one of the ways of a bomb; if nobody ends it, it gives up
 *
 * The directories are control groups that they may make groups of their own in. What a kernel refuses (a fork beyond a
 * limit, a group) is not told: who starts them looks at the kernel itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As long as a test may take (ForkBombTest): a bomb whose test was killed must not go on for ever. */
#define BOMB_SECONDS 600

static char **directories; /* up to a NULL */

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

static void settled(void) {
  while (write(1, ".", 1) < 0) return;
}

_Noreturn static void rest(void) {
  settled();
  for (;;) pause();
}

static bool put(const char *directory, const char *file, const char *text) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool done = write(fd, text, strlen(text)) >= 0;
  close(fd);
  return done;
}

/* A group of its own, one level deeper than it needs to be, where nobody may look afterwards. */
static void nest(bool freeze) {
  for (char **directory = directories; *directory != NULL; directory++) {
    char outer[2048], inner[2100];
    snprintf(outer, sizeof outer, "%s/nested-%d", *directory, getpid());
    snprintf(inner, sizeof inner, "%s/deeper", outer);
    if (mkdir(outer, 0700) < 0 || mkdir(inner, 0700) < 0) continue;
    put(inner, "cgroup.procs", "0");
    if (freeze && directories[1] == NULL) {
      settled();
      if (!put(inner, "cgroup.freeze", "1")) put(inner, "freezer.state", "FROZEN");
    }
    chmod(inner, 0);
    chmod(outer, 0);
  }
}

static void ignore_all(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
}

static void daemonize(void) {
  if (fork() > 0) _exit(0);
  setsid();
  if (fork() > 0) _exit(0);
}

_Noreturn static void *rest_in_thread(void *unused) {
  (void)unused;
  rest();
}

/* The first thread ends: the process is a zombie to look at, and lives. */
_Noreturn static void rest_without_leader(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, rest_in_thread, NULL) != 0) _exit(1);
  pthread_exit(NULL);
}

/* Digs a shaft of groups in the first directory, so deep that nobody looks at all of them while it is dug. */
_Noreturn static void *dig(void *unused) {
  const int deepest = 5000;
  char name[32];
  (void)unused;
  snprintf(name, sizeof name, "t%ld", (long)gettid());
  int at = open(directories[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int level = 1; level <= deepest && at >= 0; level++) {
    int below = mkdirat(at, name, 0700) < 0 ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(at);
    at = below;
    if (level == 50) settled();
  }
  for (;;) pause();
}

_Noreturn static void dig_without_leader(void) {
  pthread_t thread;
  for (int i = 0; i < 4; i++) {
    if (pthread_create(&thread, NULL, dig, NULL) != 0) _exit(1);
  }
  pthread_exit(NULL);
}

static int trace(int pid) {
  char byte;
  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0) return 1;
  settled();
  while (read(0, &byte, 1) > 0) continue;
  return waitpid(pid, NULL, __WALL) == pid ? 0 : 1;
}

_Noreturn static void rest_in_vfork(void) {
  if (vfork() == 0) rest();
  rest();
}

/* Two: one in a tracing stop, and who traces it. */
_Noreturn static void rest_traced(void) {
  pid_t traced = fork();
  if (traced == 0) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    rest();
  }
  waitpid(traced, NULL, WUNTRACED);
  rest();
}

_Noreturn static void fork_for_ever(void) {
  settled();
  for (;;) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, NULL, 0);
  }
}

_Noreturn static void execute(const char *kind) {
  execl("/proc/self/exe", "member", kind, (char *)NULL);
  _exit(127);
}

_Noreturn static void be(char kind) {
  switch (kind) {
    case 'q': _exit(0);
    case 's': setsid(); rest();
    case 'd': daemonize(); rest();
    case 'i': ignore_all(); rest();
    case 't': settled(); raise(SIGSTOP); for (;;) pause();
    case 'f': fork_for_ever();
    case 'e': settled(); execute("E");
    case 'E': execute("E");
    case 'v': rest_in_vfork();
    case 'l': rest_without_leader();
    case 'g': dig_without_leader();
    case 'x': rest_traced();
    case 'n': nest(false); rest();
    case 'z':
      nest(true);
      if (directories[0] == NULL || directories[1] != NULL) settled();
      for (;;) pause();
    default: rest();
  }
}

/* Dozens that fork and fail starve whoever shall end them, and whoever else is on the machine; those that grow do not. */
static void give_way(void) {
  setpriority(PRIO_PROCESS, 0, 10);
}

/* Each round of a bomb: whoever comes out of it goes on. */
static void bomb_round(const char *kind) {
  if (strcmp(kind, "double") == 0) {
    /* The one between them ends, so that nobody's parent is left. */
    if (fork() == 0) {
      pid_t next;
      for (time_t end = now() + BOMB_SECONDS; (next = fork()) < 0 && now() < end;) give_way();
      if (next > 0) _exit(0);
    }
    return;
  }
  pid_t child = fork();
  if (child < 0) give_way();
  if (child != 0) return;
  if (strcmp(kind, "setsid") == 0) setsid();
  for (char **directory = directories; *directory != NULL; directory++) {
    char own[2048];
    snprintf(own, sizeof own, "%s/bomb-%d", *directory, getpid());
    if (mkdir(own, 0700) < 0) continue;
    put(own, "cgroup.procs", "0");
    if (strcmp(kind, "closed") == 0) chmod(own, 0);
  }
}

int main(int count, char **words) {
  if (count < 2) return 2;
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
  if (strcmp(words[1], "bomb") == 0 && count > 2) {
    directories = words + 3;
    for (time_t end = now() + BOMB_SECONDS; now() < end;) bomb_round(words[2]);
    return 0;
  }
  if (strcmp(words[1], "trace") == 0 && count > 2) return trace(atoi(words[2]));
  directories = words + 2;
  for (const char *kind = words[1] + 1; words[1][0] != '\0' && *kind != '\0'; kind++) {
    if (fork() == 0) be(*kind);
  }
  be(words[1][0]);
}
