/* What a child sees of itself. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"

extern char **environ;

static void print_descriptors(void) {
  printf("fds");
  for (int fd = 0; fd < 1024; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) printf(" %d", fd);
  }
  printf(".\n");
}

/* Once it is told to, it has a child that leaves its session. */
static _Noreturn void *fork_when_told(void *first_ends) {
  char stat[1024] = "";
  while (first_ends != NULL && !contains(stat, ") Z ")) {
    if (!read_file("/proc/self", "stat", stat, sizeof stat)) _exit(1);
    usleep(1000);
  }
  if (write(1, ".", 1) < 0 || read(0, stat, 1) != 1) _exit(1);
  if (fork() == 0) {
    setsid();
    if (write(1, "f", 1) < 0) _exit(1);
  }
  for (;;) pause();
}

/* By a thread that is not the first of its process. */
static void fork_late(bool first_ends) {
  pthread_t thread;
  static char yes;
  if (pthread_create(&thread, NULL, fork_when_told, first_ends ? &yes : NULL) != 0) _exit(1);
  if (first_ends) syscall(SYS_exit, 0);
  for (;;) pause();
}

int probe_main(int argc, char **argv) {
  const char *what = argc > 2 ? argv[2] : "";
  if (strcmp(what, "descriptors") == 0) print_descriptors();
  if (strcmp(what, "exit7") == 0) return 7;
  if (strcmp(what, "arguments") == 0) {
    for (int i = 0; i < argc; i++) printf("[%s]", argv[i]);
    for (char **e = environ; *e != NULL; e++) printf("{%s}", *e);
  }
  if (strcmp(what, "sizes") == 0) {
    size_t total = 0, count = 0;
    for (int i = 3; i < argc; i++) total += strlen(argv[i]), count++;
    printf("%zu arguments of %zu bytes", count, total);
  }
  if (strcmp(what, "streams") == 0) {
    struct stat in, out, error;
    fstat(0, &in), fstat(1, &out), fstat(2, &error);
    printf("%lu %lu %lu", in.st_ino, out.st_ino, error.st_ino);
  }
  if (strcmp(what, "settings") == 0) {
    struct rlimit limit;
    char directory[4096];
    mode_t mask = umask(0);
    getrlimit(RLIMIT_NOFILE, &limit);
    int oom = -1;
    FILE *score = fopen("/proc/self/oom_score_adj", "r");
    if (score != NULL) {
      if (fscanf(score, "%d", &oom) != 1) oom = -1;
      fclose(score);
    }
    printf("cwd=%s umask=%o nice=%d nofile=%lu/%lu sid=%d pgid=%d pid=%d oom=%d\n", getcwd(directory, sizeof directory), mask,
           getpriority(PRIO_PROCESS, 0), limit.rlim_cur, limit.rlim_max, getsid(0), getpgid(0), getpid(), oom);
  }
  if (strcmp(what, "sleep") == 0) pause();
  if (strcmp(what, "fork-late") == 0) fork_late(false);
  if (strcmp(what, "fork-late-without-first") == 0) fork_late(true);
  fflush(stdout);
  return 0;
}
