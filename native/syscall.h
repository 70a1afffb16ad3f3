/*
 * System calls without a C library, for x86-64 and aarch64. Each returns what the kernel returns: a negative errno
 * on failure. Only calls that both architectures have are here (no poll, dup2, open, fork: aarch64 never got them).
 */
#ifndef HOLDFAST_SYSCALL_H
#define HOLDFAST_SYSCALL_H

#include <asm/poll.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
}
#else
#error "the keeper knows x86-64 and aarch64"
#endif

#define call5(n, a, b, c, d, e) call6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define call4(n, a, b, c, d) call5(n, a, b, c, d, 0)
#define call3(n, a, b, c) call5(n, a, b, c, 0, 0)
#define call2(n, a, b) call5(n, a, b, 0, 0, 0)
#define call1(n, a) call5(n, a, 0, 0, 0, 0)
#define call0(n) call5(n, 0, 0, 0, 0, 0)

/* The kernel's own layouts; the C library's differ. */
struct kernel_sigaction {
  uintptr_t handler;
  unsigned long flags;
  uintptr_t restorer;
  uint64_t mask;
};

struct kernel_msghdr {
  void *name;
  int name_length;
  int padding;
  struct iovec *iov;
  size_t iov_count;
  void *control;
  size_t control_length;
  unsigned int flags;
};

struct kernel_cmsghdr {
  size_t length;
  int level;
  int type;
};

struct kernel_dirent {
  uint64_t ino;
  int64_t next;
  uint16_t length;
  uint8_t type;
  char name[];
};

_Noreturn static inline void sys_exit(int status) {
  for (;;) call1(__NR_exit_group, status);
}
static inline long sys_read(int fd, void *to, size_t size) { return call3(__NR_read, fd, to, size); }
static inline long sys_pread(int fd, void *to, size_t size, int64_t offset) {
  return call4(__NR_pread64, fd, to, size, offset);
}
static inline long sys_write(int fd, const void *from, size_t size) { return call3(__NR_write, fd, from, size); }
static inline long sys_close(int fd) { return call1(__NR_close, fd); }
static inline long sys_openat(int at, const char *name, int flags) { return call4(__NR_openat, at, name, flags, 0); }
static inline long sys_openat2(int at, const char *name, const struct open_how *how) {
  return call4(__NR_openat2, at, name, how, sizeof *how);
}
static inline long sys_lseek(int fd, int64_t offset, int whence) { return call3(__NR_lseek, fd, offset, whence); }
static inline long sys_getdents64(int fd, void *to, size_t size) { return call3(__NR_getdents64, fd, to, size); }
static inline long sys_fstat(int fd, struct stat *to) { return call2(__NR_fstat, fd, to); }
static inline long sys_fstatat(int at, const char *name, struct stat *to, int flags) {
  return call4(__NR_newfstatat, at, name, to, flags);
}
static inline long sys_readlinkat(int at, const char *name, char *to, size_t size) {
  return call4(__NR_readlinkat, at, name, to, size);
}
static inline long sys_unlinkat(int at, const char *name, int flags) { return call3(__NR_unlinkat, at, name, flags); }
static inline long sys_fchmod(int fd, unsigned int mode) { return call2(__NR_fchmod, fd, mode); }
static inline long sys_fchmodat(int at, const char *name, unsigned int mode) {
  return call3(__NR_fchmodat, at, name, mode);
}
static inline long sys_fgetxattr(int fd, const char *name, void *to, size_t size) {
  return call4(__NR_fgetxattr, fd, name, to, size);
}
static inline long sys_fcntl(int fd, int command, long argument) { return call3(__NR_fcntl, fd, command, argument); }
static inline long sys_dup3(int from, int to, int flags) { return call3(__NR_dup3, from, to, flags); }
static inline long sys_close_range(unsigned int first, unsigned int last, unsigned int flags) {
  return call3(__NR_close_range, first, last, flags);
}
static inline long sys_chdir(const char *path) { return call1(__NR_chdir, path); }
static inline long sys_umask(unsigned int mask) { return call1(__NR_umask, mask); }
static inline long sys_ppoll(struct pollfd *fds, unsigned int count, const struct __kernel_timespec *timeout) {
  /* The kernel writes the time that is left into its argument: give it a copy. */
  struct __kernel_timespec left = {0, 0};
  if (timeout != NULL) left = *timeout;
  return call5(__NR_ppoll, fds, count, timeout == NULL ? NULL : &left, NULL, 8);
}
static inline long sys_clock_gettime(int clock, struct __kernel_timespec *to) {
  return call2(__NR_clock_gettime, clock, to);
}
static inline long sys_recvmsg(int fd, struct kernel_msghdr *message, unsigned int flags) {
  return call3(__NR_recvmsg, fd, message, flags);
}
static inline long sys_mmap(size_t length, int protection, int flags, int fd) {
  return call6(__NR_mmap, 0, (long)length, protection, flags, fd, 0);
}
static inline long sys_munmap(const void *at, size_t length) { return call2(__NR_munmap, at, length); }
static inline long sys_epoll_create(int flags) { return call1(__NR_epoll_create1, flags); }
static inline long sys_epoll_ctl(int epoll, int operation, int fd, const void *event) {
  return call4(__NR_epoll_ctl, epoll, operation, fd, event);
}
static inline long sys_epoll_wait(int epoll, void *events, int count, int milliseconds) {
  return call6(__NR_epoll_pwait, epoll, (long)events, count, milliseconds, 0, 8);
}
static inline long sys_sigaction(int signal, const struct kernel_sigaction *set, struct kernel_sigaction *old) {
  return call4(__NR_rt_sigaction, signal, set, old, 8);
}
static inline long sys_sigprocmask(int how, const uint64_t *set) {
  return call4(__NR_rt_sigprocmask, how, set, NULL, 8);
}
static inline long sys_clone3(const struct clone_args *arguments) {
  return call2(__NR_clone3, arguments, sizeof *arguments);
}
/* The two architectures order the last two arguments differently; both are 0 here. The place is for the pidfd with
 * CLONE_PIDFD, for the number with CLONE_PARENT_SETTID. */
static inline long sys_clone(unsigned long flags, int *place) { return call5(__NR_clone, flags, 0, place, 0, 0); }
static inline long sys_execve(const char *path, char *const argv[], char *const envp[]) {
  return call3(__NR_execve, path, argv, envp);
}
static inline uint32_t sys_geteuid(void) { return (uint32_t)call0(__NR_geteuid); }
static inline uint32_t sys_getegid(void) { return (uint32_t)call0(__NR_getegid); }
static inline long sys_setns(int fd, int flags) { return call2(__NR_setns, fd, flags); }
static inline long sys_mount(const char *what, const char *where, const char *type, unsigned long flags) {
  return call5(__NR_mount, what, where, type, flags, NULL);
}
static inline long sys_signalfd(const uint64_t *mask, int flags) { return call4(__NR_signalfd4, -1, mask, 8, flags); }
static inline long sys_wait(int options) { return call4(__NR_wait4, -1, NULL, options, NULL); }
static inline int sys_getpid(void) { return (int)call0(__NR_getpid); }
static inline long sys_setsid(void) { return call0(__NR_setsid); }
static inline long sys_setpgid(int pid, int group) { return call2(__NR_setpgid, pid, group); }
static inline long sys_setpriority(int which, int who, int value) {
  return call3(__NR_setpriority, which, who, value);
}
static inline long sys_prlimit(unsigned int resource, const struct rlimit64 *set, struct rlimit64 *old) {
  return call4(__NR_prlimit64, 0, resource, set, old);
}
static inline long sys_setgroups(size_t count, const uint32_t *groups) {
  return call2(__NR_setgroups, count, groups);
}
static inline long sys_setresgid(uint32_t gid) { return call3(__NR_setresgid, gid, gid, gid); }
static inline long sys_setresuid(uint32_t uid) { return call3(__NR_setresuid, uid, uid, uid); }
static inline long sys_prctl(int option, unsigned long a, unsigned long b) {
  return call5(__NR_prctl, option, a, b, 0, 0);
}
static inline long sys_pidfd_open(int pid) { return call2(__NR_pidfd_open, pid, 0); }
static inline long sys_pidfd_kill(int pidfd, int signal) {
  return call4(__NR_pidfd_send_signal, pidfd, signal, NULL, 0);
}
/* The process group that it leads: PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9. */
static inline long sys_pidfd_kill_group(int pidfd, int signal) {
  return call4(__NR_pidfd_send_signal, pidfd, signal, NULL, 4);
}
static inline long sys_kill(int pid, int signal) { return call2(__NR_kill, pid, signal); }

#endif
