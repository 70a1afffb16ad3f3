/*
 * The end of an anchor whose members have made groups that a walk loses its way in: the kernel lists the groups of a directory by a
 * hash of their names, and it takes no art to find names that share it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define ALIKE 64
#define PAIRS 120 /* long names: only some fit into a reading at once */

/* kernfs_name_hash: h = (h + (c << 4) + (c >> 4)) * 11 for each character; "ba" and "al" add the same. */
static void name_alike(unsigned int number, char *to) {
  for (int pair = 0; pair < PAIRS; pair++) memcpy(to + 2 * pair, pair < 6 && (number >> pair & 1) != 0 ? "al" : "ba", 2);
  to[2 * PAIRS] = '\0';
}

static void test_alike(const char *what, const char *const *controllers, const char *keeper, int depth, enum launch how) {
  if ((controllers == v1_only || keeper == old_keeper_path) && beyond_valgrind(what, NO_PIDFDS)) return;
  struct anchor_paths paths;
  if (!is_here(what, controllers, &paths)) return;
  pid_t members[ALIKE + 1];
  char *job = make_group(paths.anchor[0], "job"), *beside = make_group(paths.anchor[0], "beside");
  for (unsigned int i = 0; i < ALIKE; i++) {
    char name[2 * PAIRS + 1];
    name_alike(i, name);
    char *group = make_group(job, name);
    make_chain(group, depth);
    members[i] = put(group);
    free(group);
  }
  members[ALIKE] = put(beside);
  int64_t begin = now_ms();
  int code = end_anchor(controllers, &paths, keeper, how);
  int64_t taken = now_ms() - begin;
  int killed = count_killed(members, ALIKE + 1);
  ok(code == 0 && killed == ALIKE + 1 && taken < 25000, "%s: all are ended (%d of %d; exit %d) in %lld ms", what, killed, ALIKE + 1, code,
     (long long)taken);
  ok(groups_left(&paths) == 0, "%s: nothing of the anchor is left", what);
  remove_bases(&paths);
  free(job);
  free(beside);
}

void test_hashes(void) {
  test_alike("groups of one hash on v2", v2_only, keeper_path, 0, PLAIN);
  test_alike("groups of one hash on v2, without cgroup.kill", v2_only, old_keeper_path, 0, PLAIN);
  test_alike("deep groups of one hash on v2, without cgroup.kill", v2_only, old_keeper_path, 20, PLAIN);
  test_alike("deep groups of one hash on v2, few descriptors", v2_only, old_keeper_path, 20, FEW_DESCRIPTORS);
  test_alike("groups of one hash on v1", v1_only, keeper_path, 0, PLAIN);
  test_alike("deep groups of one hash on v1", v1_only, keeper_path, 20, PLAIN);
}
