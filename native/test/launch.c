/* Starting a keeper, also under a filter that makes the kernel an old one, or one that refuses joins. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define MISSING(number) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)

static void set_filter(struct sock_filter *filter, size_t length) {
  const struct sock_fprog program = {(unsigned short)length, filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) _exit(99);
}

static void become_old_kernel(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      MISSING(SYS_clone3),
      MISSING(SYS_close_range),
      MISSING(SYS_openat2),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  set_filter(filter, sizeof filter / sizeof *filter);
}

/* Of a child that does nothing else, joins are the only writes of one byte. */
static void refuse_joins(unsigned error) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  set_filter(filter, sizeof filter / sizeof *filter);
}

struct keeper keeper_start(const char *path, enum launch how) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) die("socketpair");
  int size = 8 << 20;
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (self < 0) die("pidfd_open");
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    char socket_number[16], pidfd_number[16];
    int a = fcntl(pair[1], F_DUPFD, 100), b = fcntl(self, F_DUPFD, 100);
    if ((how & LOW_NUMBERS) != 0) a = dup2(a, 1), b = dup2(b, 0);
    /* Left open on purpose, inheritable: the keeper has to close it. */
    dup2(open("/etc/passwd", O_RDONLY), 57);
    /* Whoever started the tests may ignore these: a shell's background job does. */
    signal(SIGHUP, (how & IGNORE_HUP) != 0 ? SIG_IGN : SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if ((how & FEW_DESCRIPTORS) != 0) {
      prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0); /* or root's keeper would raise it */
      setrlimit(RLIMIT_NOFILE, &(struct rlimit){104, 104});
    }
    /* Where there are so few, what is 57 and 100 above must be where it fits. */
    if ((how & SIXTEEN_DESCRIPTORS) != 0) {
      a = dup2(a, 14), b = dup2(b, 15);
      setrlimit(RLIMIT_NOFILE, &(struct rlimit){16, 4096});
    }
    sigset_t odd;
    sigemptyset(&odd);
    sigaddset(&odd, SIGUSR2);
    sigprocmask(SIG_BLOCK, &odd, NULL);
    signal(SIGUSR1, SIG_IGN);
    snprintf(socket_number, sizeof socket_number, "%d", a);
    snprintf(pidfd_number, sizeof pidfd_number, "%d", b);
    if ((how & OLD_CALLS) != 0) become_old_kernel();
    if (how >= JOINS_REFUSED) refuse_joins((unsigned)how / JOINS_REFUSED);
    if (under_valgrind) {
      char *command[] = {"valgrind", "--quiet", "--error-exitcode=99", "--track-origins=yes", VALGRIND_LOG, (char *)(uintptr_t)path,
                         socket_number, pidfd_number, NULL};
      execvpe(*command, command, (char *[]){NULL});
    }
    execle(path, "holdfast-keeper", socket_number, pidfd_number, NULL, (char *[]){NULL});
    _exit(NOT_EXECUTED);
  }
  close(pair[1]);
  close(self);
  return (struct keeper){pid, pair[0]};
}

/* Until it really stands still: a stop that is only pending lets a system call finish that was just woken. */
void keeper_pause(const struct keeper *keeper) {
  char path[64], status[1024];
  snprintf(path, sizeof path, "/proc/%d", keeper->pid);
  kill(keeper->pid, SIGSTOP);
  for (int i = 0; i < 2000 && read_file(path, "stat", status, sizeof status) && !contains(status, ") T "); i++) {
    usleep(500);
  }
}

bool keeper_alive(const struct keeper *keeper) {
  siginfo_t info = {.si_pid = 0};
  return waitid(P_PID, (id_t)keeper->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

bool open_descriptors(pid_t pid, char *to, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", pid);
  DIR *directory = opendir(path);
  to[0] = '\0';
  if (directory == NULL) return false;
  static bool open[4096];
  memset(open, 0, sizeof open);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    size_t number = strtoul(entry->d_name, NULL, 10);
    if (entry->d_name[0] != '.' && number < sizeof open) open[number] = true;
  }
  closedir(directory);
  size_t length = 0;
  for (size_t i = 0; i < sizeof open && length < size; i++) {
    if (open[i]) length += (size_t)snprintf(to + length, size - length, "%zu ", i);
  }
  return true;
}

void keeper_stop(struct keeper *keeper) {
  close(keeper->socket);
  int code = wait_exit(keeper->pid);
  if (code != 0) ok(false, "the keeper exits 0 when its socket is closed (got %d)", code);
}
