/* Small files of cgroupfs, text, and time. */
#include <asm/errno.h>
#include <linux/time.h>

#include "keeper.h"
#include "syscall.h"

size_t length_of(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

bool same_text(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return *a == *b;
}

bool has_line(const char *text, const char *line) {
  for (;;) {
    size_t i = 0;
    while (line[i] != '\0' && text[i] == line[i]) i++;
    if (line[i] == '\0' && (text[i] == '\n' || text[i] == '\0')) return true;
    while (*text != '\n' && *text != '\0') text++;
    if (*text == '\0') return false;
    text++;
  }
}

bool parse_number(const char *text, uint64_t *number) {
  uint64_t value = 0;
  if (*text < '0' || *text > '9') return false;
  for (; *text >= '0' && *text <= '9'; text++) {
    uint64_t digit = (uint64_t)(*text - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *number = value;
  return *text == '\n' || *text == '\0';
}

/* Puts the digits before `end`, and returns where they begin. */
char *write_number(uint64_t number, char *end) {
  do {
    *--end = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return end;
}

/*
 * One read from the beginning, ended by NUL. The files read this way fit into one read of seq_file. With its own offset:
 * children that start at the same time share the JVM's open file, and so its position.
 */
long read_start(int file, char *to, size_t size) {
  long result = sys_pread(file, to, size - 1, 0);
  to[result > 0 ? result : 0] = '\0';
  return result;
}

/* Members may have taken the permissions away from the files of their own groups, too; root never sees this. */
long open_file_at(int directory, const char *name, int flags) {
  flags |= O_CLOEXEC | O_NOFOLLOW;
  long file = sys_openat(directory, name, flags);
  if (file != -EACCES || directory == AT_FDCWD || sys_fchmodat(directory, name, 0644) < 0) return file;
  return sys_openat(directory, name, flags);
}

long read_file_at(int directory, const char *name, char *to, size_t size) {
  to[0] = '\0';
  long file = open_file_at(directory, name, O_RDONLY);
  if (file < 0) return file;
  long result = read_start((int)file, to, size);
  sys_close((int)file);
  return result;
}

long write_file_at(int directory, const char *name, const char *text) {
  long file = open_file_at(directory, name, O_WRONLY);
  if (file < 0) return file;
  long result = sys_write((int)file, text, length_of(text));
  sys_close((int)file);
  return result;
}

int64_t now_ms(void) {
  struct __kernel_timespec now = {0, 0};
  sys_clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

short wait_for(int fd, short events, int64_t milliseconds) {
  struct pollfd poll = {.fd = fd, .events = events, .revents = 0};
  struct __kernel_timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  sys_ppoll(&poll, 1, milliseconds < 0 ? NULL : &timeout);
  return poll.revents;
}

/* Before Linux 5.9 there is no close_range; without /proc the numbers are tried one by one. */
static void close_slowly(int first) {
  static struct entries entries;
  long directory = sys_openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) {
    struct rlimit64 limit = {1024, 1024};
    sys_prlimit(RLIMIT_NOFILE, NULL, &limit);
    int last = limit.rlim_max > 1 << 20 ? 1 << 20 : (int)limit.rlim_max;
    for (int fd = first; fd < last; fd++) sys_close(fd);
    return;
  }
  /* Closing does not disturb the reading: /proc/self/fd goes by descriptor number. */
  long length;
  while ((length = sys_getdents64((int)directory, entries.buffer, sizeof entries.buffer)) > 0) {
    for (long at = 0; at < length;) {
      const struct kernel_dirent *entry = (const void *)(entries.buffer + at);
      uint64_t fd;
      if (parse_number(entry->name, &fd) && fd >= (uint64_t)first && fd != (uint64_t)directory) sys_close((int)fd);
      at += entry->length;
    }
  }
  sys_close((int)directory);
}

void close_from(int first) {
  if (sys_close_range((unsigned int)first, ~0u, 0) < 0) close_slowly(first);
}
