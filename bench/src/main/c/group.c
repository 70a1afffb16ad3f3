#include "group.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

extern char **environ;

static struct {
  bool unified;
  bool made;
  int parent;
  char path[2048];
} hierarchies[HIERARCHIES];
static int hierarchy_count;

static struct {
  int hierarchy;
  char file[64];
  char value[64];
} settings[64];
static int setting_count;

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("peer: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

void die(const char *call) { fail("%s: %s", call, strerror(errno)); }

void hierarchy_add(bool unified, const char *parent) {
  if (hierarchy_count == HIERARCHIES) fail("too many hierarchies");
  bool made = mkdir(parent, 0755) == 0;
  if (!made && errno != EEXIST) die(parent);
  int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) die(parent);
  hierarchies[hierarchy_count].unified = unified;
  hierarchies[hierarchy_count].made = made;
  hierarchies[hierarchy_count].parent = directory;
  snprintf(hierarchies[hierarchy_count].path, sizeof hierarchies[0].path, "%s", parent);
  hierarchy_count++;
}

void setting_add(int hierarchy, const char *file, const char *value) {
  if (setting_count == sizeof settings / sizeof *settings) fail("too many settings");
  settings[setting_count].hierarchy = hierarchy;
  snprintf(settings[setting_count].file, sizeof settings[0].file, "%s", file);
  snprintf(settings[setting_count].value, sizeof settings[0].value, "%s", value == NULL ? "" : value);
  setting_count++;
}

void group_make(struct group *group) {
  static int number;
  memset(group, 0, sizeof *group);
  snprintf(group->name, sizeof group->name, "peer-%d", ++number);
  for (int i = 0; i < hierarchy_count; i++) {
    int parent = hierarchies[i].parent;
    if (mkdirat(parent, group->name, 0755) < 0) die("mkdirat");
    group->directories[i] = openat(parent, group->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group->directories[i] < 0) die("openat");
    group->joins[i] = -1;
  }
}

void group_join(struct group *group) {
  for (int i = 0; i < hierarchy_count; i++) {
    if (!hierarchies[i].unified) {
      group->joins[i] = openat(group->directories[i], "tasks", O_WRONLY | O_CLOEXEC);
      if (group->joins[i] < 0) die("tasks");
    }
  }
}

static ssize_t read_file(const struct group *group, int hierarchy, const char *file) {
  char text[8192];
  int fd = openat(group->directories[hierarchy], file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(file);
  ssize_t length = read(fd, text, sizeof text);
  if (length < 0) die(file);
  close(fd);
  return length;
}

static void write_file(const struct group *group, int hierarchy, const char *file, const char *value) {
  int fd = openat(group->directories[hierarchy], file, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) die(file);
  close(fd);
}

void group_limit(const struct group *group) {
  for (int i = 0; i < setting_count; i++) {
    if (settings[i].value[0] == 0) continue;
    write_file(group, settings[i].hierarchy, settings[i].file, settings[i].value);
    read_file(group, settings[i].hierarchy, settings[i].file);
  }
}

void group_read(const struct group *group) {
  for (int i = 0; i < setting_count; i++) {
    if (settings[i].value[0] == 0) read_file(group, settings[i].hierarchy, settings[i].file);
  }
}

int group_unified(const struct group *group) {
  for (int i = 0; i < hierarchy_count; i++) {
    if (hierarchies[i].unified) return group->directories[i];
  }
  return -1;
}

static void kill_unified(int directory) {
  char text[128];
  int events = openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
  int killer = openat(directory, "cgroup.kill", O_WRONLY | O_CLOEXEC);
  if (events < 0 || killer < 0 || write(killer, "1", 1) != 1) die("cgroup.kill");
  close(killer);
  while (true) {
    ssize_t length = pread(events, text, sizeof text - 1, 0);
    if (length < 0) die("cgroup.events");
    text[length] = 0;
    if (strstr(text, "populated 0") != NULL) break;
    poll(&(struct pollfd){.fd = events, .events = POLLPRI}, 1, -1);
  }
  close(events);
}

/* v1 has no kill and no event: one by one, until the list is empty. */
static void kill_each(int directory) {
  char path[64];
  long pid;
  bool any;
  snprintf(path, sizeof path, "/proc/self/fd/%d/cgroup.procs", directory);
  do {
    any = false;
    FILE *members = fopen(path, "re");
    if (members == NULL) die("cgroup.procs");
    while (fscanf(members, "%ld", &pid) == 1) {
      any = true;
      kill((pid_t)pid, SIGKILL);
    }
    fclose(members);
    if (any) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  } while (any);
}

void group_kill(const struct group *group) {
  int unified = group_unified(group);
  if (unified >= 0) kill_unified(unified);
  else kill_each(group->directories[0]);
}

void group_remove(struct group *group) {
  for (int i = hierarchy_count - 1; i >= 0; i--) {
    if (group->joins[i] >= 0) close(group->joins[i]);
    close(group->directories[i]);
    for (int attempt = 0; unlinkat(hierarchies[i].parent, group->name, AT_REMOVEDIR) < 0; attempt++) {
      if (errno != EBUSY || attempt == 1000) die("rmdir");
      nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
  }
}

void hierarchies_remove(void) {
  for (int i = 0; i < hierarchy_count; i++) {
    if (hierarchies[i].made && rmdir(hierarchies[i].path) < 0) die(hierarchies[i].path);
  }
}

static _Noreturn void __attribute__((noinline)) become(const struct group *group, char *const argv[], int out) {
  if (group != NULL) {
    for (int i = 0; i < hierarchy_count; i++) {
      if (group->joins[i] >= 0 && write(group->joins[i], "0", 1) != 1) _exit(126);
    }
  }
  setsid();
  int null = open("/dev/null", O_RDWR);
  if (null != 0) dup2(null, 0);
  dup2(out >= 0 ? out : null, 1);
  dup2(null, 2);
  if (null > 2) close(null);
  execve(argv[0], argv, environ);
  _exit(127);
}

/* Inlined, and no library function: with CLONE_VM the child runs on our stack, and may not return from where it was made. */
static inline __attribute__((always_inline)) long clone3_inline(const struct clone_args *arguments) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_clone3;
  register long x0 __asm__("x0") = (long)arguments;
  register long x1 __asm__("x1") = sizeof *arguments;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
  return x0;
#else
#error "clone3 is not written for this processor"
#endif
}

pid_t clone_into(const struct group *group, char *const argv[], int out) {
  int unified = group == NULL ? -1 : group_unified(group);
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_VFORK | (unified >= 0 ? CLONE_INTO_CGROUP : 0),
      .exit_signal = SIGCHLD,
      .cgroup = unified >= 0 ? (unsigned)unified : 0,
  };
  long pid = clone3_inline(&arguments);
  if (pid == 0) become(group, argv, out);
  if (pid < 0) {
    errno = (int)-pid;
    die("clone3");
  }
  return (pid_t)pid;
}
