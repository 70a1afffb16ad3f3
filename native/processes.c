/* The processes of the machine, as /proc shows them. */
#include <asm/errno.h>
#include <linux/mman.h>

#include "keeper.h"
#include "syscall.h"

/* Reserved, not used: a page costs memory once it is written. */
#define MOST_PROCESSES (1u << 20)

/*
 * The grammar of /proc/PID/stat (proc_pid_stat(5)), and of /proc/PID/task/TID/stat:
 *   pid (comm) state ppid pgrp session tty_nr ... num_threads itrealvalue starttime
 *    1    2      3    4    5      6      7           20           21         22
 * comm is the program's to choose and may hold blanks and parentheses: it ends at the last one.
 */
static bool parse_stat(const char *text, struct process *process, uint64_t *threads) {
  const char *at = NULL;
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == ')') at = c;
  }
  if (at == NULL || at[1] != ' ') return false;
  at += 2;
  process->state = *at;
  for (int field = 3; *at != '\0'; field++) {
    uint64_t number = 0;
    const char *begin = at;
    for (; *at >= '0' && *at <= '9'; at++) number = number * 10 + (uint64_t)(*at - '0');
    if (field == 4) process->parent = (int)number;
    if (field == 6) process->session = (int)number;
    if (field == 20) *threads = number;
    if (field == 22) {
      process->start = number;
      return at > begin;
    }
    while (*at != ' ' && *at != '\0') at++;
    if (*at == ' ') at++;
  }
  return false;
}

/* Whether a process was left out that may be there: no descriptor was left. */
static bool unread;

/* Reads DIRECTORY/NUMBER/stat. */
static bool read_stat(int directory, uint64_t number, struct process *process, uint64_t *threads) {
  char digits[sizeof "4294967295/stat"] = "4294967295/stat", stat[1024];
  const char *path = write_number(number, digits + sizeof digits - sizeof "/stat");
  long length = read_file_at(directory, path, stat, sizeof stat);
  if (length == -EMFILE || length == -ENFILE) unread = true;
  return length > 0 && parse_stat(stat, process, threads);
}

bool stands_still(const struct process *process) {
  return process->state == 'T' || process->state == 't' || process->state == 'Z' || process->state == 'X';
}

/*
 * The state in /proc/PID/stat is that of the first thread alone, which may have ended, or have been stopped by a tracer, while
 * others of the process run, and fork. So a process is only what all of its threads are: one that runs speaks for it, then
 * one that is stopped.
 */
static void ask_threads(int proc, struct process *process) {
  static struct entries entries;
  char digits[sizeof "4294967295/task"] = "4294967295/task";
  const char *path = write_number((uint64_t)process->pid, digits + sizeof digits - sizeof "/task"), *name;
  long tasks = sys_openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tasks < 0) return;
  uint64_t number, threads;
  bool running = false;
  entries_from(&entries, (int)tasks);
  while (!running && (name = next_directory(&entries)) != NULL) {
    struct process thread;
    if (!parse_number(name, &number) || !read_stat((int)tasks, number, &thread, &threads)) continue;
    running = !stands_still(&thread);
    if (running || thread.state == 'T' || thread.state == 't') process->state = thread.state;
  }
  sys_close((int)tasks);
}

static bool read_process(int proc, int pid, struct process *process) {
  uint64_t threads = 1;
  process->pid = pid;
  process->marked = false;
  if (!read_stat(proc, (uint64_t)pid, process, &threads)) return false;
  if (threads > 1 && stands_still(process)) ask_threads(proc, process);
  return true;
}

/*
 * /proc may be that of another pid namespace, with other numbers: then ESRCH. Its `self` leads to the number that it has for
 * us, or nowhere.
 */
long open_proc(void) {
  char text[16];
  uint64_t self;
  long proc = sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return proc;
  long length = sys_readlinkat((int)proc, "self", text, sizeof text - 1);
  text[length > 0 ? length : 0] = '\0';
  if (parse_number(text, &self) && self == (uint64_t)sys_getpid()) return proc;
  sys_close((int)proc);
  return -ESRCH;
}

bool find_process(int pid, struct process *process) {
  long proc = open_proc();
  if (proc < 0) return false;
  bool found = read_process((int)proc, pid, process);
  sys_close((int)proc);
  return found;
}

/* In the order of their numbers, which is that of /proc. */
static uint32_t list_numbers(int proc, struct process *list) {
  static struct entries entries;
  const char *name;
  uint64_t number;
  uint32_t count = 0;
  entries_from(&entries, proc);
  while (count < MOST_PROCESSES && (name = next_directory(&entries)) != NULL) {
    if (parse_number(name, &number) && number > 0 && number <= INT32_MAX) list[count++].pid = (int)number;
  }
  return count;
}

void forget_processes(struct processes *all) {
  if (all->list != NULL) sys_munmap(all->list, MOST_PROCESSES * sizeof(struct process));
  all->list = NULL;
  all->count = 0;
}

/*
 * All are listed before any is read: who forks faster than each is read would else be listed without end, since children get
 * ever higher numbers.
 */
struct processes read_processes(void) {
  struct processes all = {NULL, 0};
  long proc = open_proc();
  if (proc < 0) return all;
  long memory = sys_mmap(MOST_PROCESSES * sizeof(struct process), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (memory > 0 || memory <= -4096) {
    all.list = (struct process *)memory;
    unread = false;
    uint32_t listed = list_numbers((int)proc, all.list);
    for (uint32_t i = 0; i < listed; i++) {
      if (read_process((int)proc, all.list[i].pid, &all.list[all.count])) all.count++;
    }
  }
  sys_close((int)proc);
  if (unread) forget_processes(&all);
  return all;
}
