#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness.h"

const char *keeper_path;
const char *old_keeper_path;
const char *self_path;
bool under_valgrind;
bool instrumented;

int main(int argc, char **argv) {
  if (argc >= 2 && strcmp(argv[1], "probe") == 0) return probe_main(argc, argv);
  if (argc >= 2 && (strcmp(argv[1], "--valgrind") == 0 || strcmp(argv[1], "--sanitized") == 0)) {
    under_valgrind = strcmp(argv[1], "--valgrind") == 0;
    instrumented = true;
    argv++, argc--;
  }
  if (argc < 3) {
    fprintf(stderr,
            "usage: %s [--valgrind|--sanitized] KEEPER KEEPER-WITHOUT-CGROUP-KILL [start|failures|malformed|groups|anchor|hostile|renames|diggers|hashes|hold|processes|hanging|death|namespace]\n",
            argv[0]);
    return 2;
  }
  keeper_path = realpath(argv[1], NULL);
  old_keeper_path = realpath(argv[2], NULL);
  self_path = realpath("/proc/self/exe", NULL);
  if (keeper_path == NULL || old_keeper_path == NULL || self_path == NULL) die("paths");
  /* Orphans of a fake JVM come to us, so that none can hide. */
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  alarm(1500); /* for a hang; an emulated machine takes its time, beside others that run */
  const char *only = argc > 3 ? argv[3] : "";
  if (*only == '\0' || strcmp(only, "start") == 0) test_start();
  if (*only == '\0' || strcmp(only, "failures") == 0) test_failures();
  if (*only == '\0' || strcmp(only, "malformed") == 0) test_malformed();
  if (*only == '\0' || strcmp(only, "groups") == 0) test_groups();
  if (*only == '\0' || strcmp(only, "anchor") == 0) test_anchor();
  if (*only == '\0' || strcmp(only, "hostile") == 0) test_hostile();
  if (*only == '\0' || strcmp(only, "renames") == 0) test_renames();
  if (*only == '\0' || strcmp(only, "diggers") == 0) test_diggers();
  if (*only == '\0' || strcmp(only, "hashes") == 0) test_hashes();
  if (*only == '\0' || strcmp(only, "hold") == 0) test_hold();
  if (*only == '\0' || strcmp(only, "processes") == 0) test_processes();
  if (*only == '\0' || strcmp(only, "hanging") == 0) test_hanging();
  if (*only == '\0' || strcmp(only, "death") == 0) test_death();
  if (*only == '\0' || strcmp(only, "namespace") == 0) test_namespace();
  return summary();
}
