/* `sleepers COUNT`: starts that many sleepers, each in a POSIX session of its own; says so once all have come to exec; waits. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int count = argc == 2 ? atoi(argv[1]) : 0;
  int ends[2];
  char nothing;
  if (pipe2(ends, O_CLOEXEC) < 0) return 1;
  for (int i = 0; i < count; i++) {
    pid_t pid = fork();
    if (pid < 0) {
      perror("sleepers: fork");
      return 1;
    }
    if (pid == 0) {
      setsid();
      execl("/bin/sleep", "sleep", "1000", (char *)NULL);
      _exit(127);
    }
  }
  close(ends[1]);
  while (read(ends[0], &nothing, 1) > 0) continue;
  if (write(1, "r", 1) != 1) return 1;
  while (pause() < 0) continue;
}
