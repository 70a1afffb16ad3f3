/* Stopping a keeper right before each of its system calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

uint64_t call_arguments[6];

/* Lets it come to its next call, whose number this is; -1 if it ended. */
long next_call(const struct keeper *keeper) {
  for (int status;;) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_SYSCALL, keeper->pid, NULL, NULL) < 0 || waitpid(keeper->pid, &status, 0) < 0) die("ptrace");
    if (!WIFSTOPPED(status)) return -1;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, keeper->pid, sizeof info, &info) <= 0) die("PTRACE_GET_SYSCALL_INFO");
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
    for (int i = 0; i < 6; i++) call_arguments[i] = info.entry.args[i];
    return (long)info.entry.nr;
  }
}

/* Whether it is about to open a file of this name, by openat(2). */
bool opens(const struct keeper *keeper, long call, const char *name) {
  char path[64] = "";
  struct iovec here = {path, sizeof path - 1}, there = {(void *)(uintptr_t)call_arguments[1], sizeof path - 1};
  return call == SYS_openat && process_vm_readv(keeper->pid, &here, 1, &there, 1, 0) > 0 && strcmp(path, name) == 0;
}

/* Nobody can be stopped at calls before Linux 5.3, nor where a policy forbids it. */
bool can_hold_back(void) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  struct __ptrace_syscall_info info;
  int status;
  bool can = ptrace(PTRACE_SEIZE, keeper.pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) >= 0 &&
             ptrace(PTRACE_INTERRUPT, keeper.pid, NULL, NULL) >= 0 && waitpid(keeper.pid, &status, 0) > 0 &&
             ptrace(PTRACE_GET_SYSCALL_INFO, keeper.pid, sizeof info, &info) > 0;
  kill(keeper.pid, SIGKILL);
  waitpid(keeper.pid, NULL, 0);
  close(keeper.socket);
  return can;
}

/* Stops it right before it waits: what it is told from now on it has not read. */
void hold_back(const struct keeper *keeper) {
  int status;
  if (ptrace(PTRACE_SEIZE, keeper->pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0) die("PTRACE_SEIZE");
  if (ptrace(PTRACE_INTERRUPT, keeper->pid, NULL, NULL) < 0 || waitpid(keeper->pid, &status, 0) < 0) die("interrupt");
  while (next_call(keeper) != SYS_ppoll) continue;
}
