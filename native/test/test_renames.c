/*
 * The end of an anchor whose groups get other names while it goes on, from somebody outside of it. Only v1 has a rename of
 * groups, and there each has to be found by its name.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"

#define GROUPS 6
#define MEMBERS (GROUPS + 1)
#define ROUNDS 10

struct world {
  struct anchor_paths paths;
  int anchor; /* the directories whose entries get other names */
  int job;
  pid_t members[MEMBERS];
  pid_t bystander;
  char *marker; /* an empty group outside */
  unsigned int round;
};

static void begin(struct world *world) {
  *world = (struct world){.round = 0};
  if (!make_anchor(v1_only, &world->paths)) die("the anchor");
  char *outside = make_group(world->paths.base[0], "outside"), *job = make_group(world->paths.anchor[0], "job");
  world->marker = make_group(outside, "empty");
  for (int i = 0; i < GROUPS; i++) {
    char name[8];
    snprintf(name, sizeof name, "n%d", i);
    char *nested = make_group(job, name), *inner = make_group(nested, "inner");
    world->members[i] = put(i % 2 == 0 ? nested : inner);
    free(nested), free(inner);
  }
  world->members[GROUPS] = put(job);
  world->bystander = put(outside);
  world->anchor = open(world->paths.anchor[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  world->job = openat(world->anchor, "job", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(outside), free(job);
}

/* All of them, to the other name and back by turns; how many. */
static int rename_all(struct world *world) {
  char from[8], to[8], before = world->round % 2 == 0 ? 'n' : 'm', after = world->round % 2 == 0 ? 'm' : 'n';
  int renames = 0;
  for (int i = 0; i < GROUPS; i++) {
    snprintf(from, sizeof from, "%c%d", before, i);
    snprintf(to, sizeof to, "%c%d", after, i);
    renames += renameat(world->job, from, world->job, to) == 0;
  }
  renames += renameat(world->anchor, before == 'n' ? "job" : "work", world->anchor, before == 'n' ? "work" : "job") == 0;
  world->round++;
  return renames;
}

/* killed: before the sweep. True if all ended well: nobody outside was touched, and what was left was found by the sweep. */
static bool finish(struct world *world, const char *what, int *killed, int *left) {
  close(world->anchor), close(world->job);
  bool untouched = lives(world->bystander) && exists(world->marker);
  *left = groups_left(&world->paths);
  bool found = *left == 0 || exists(world->paths.anchor[0]);
  int alive = 0;
  for (int i = 0; i < MEMBERS; i++) alive += lives(world->members[i]);
  *killed = MEMBERS - alive;
  int swept = sweep(v1_only, &world->paths), all = count_killed(world->members, MEMBERS);
  bool good = untouched && found && swept == 0 && all == MEMBERS;
  if (!good) {
    printf("# %s: %d of %d killed, then %d; bystander and marker %d; %d left, found %d, then %d\n", what, *killed, MEMBERS, all,
           untouched, *left, found, swept);
  }
  end_bystander(world->bystander);
  remove_bases(&world->paths);
  free(world->marker);
  return good;
}

/* By another process, as fast as it can. */
static void test_beside(void) {
  int wrong = 0, rest = 0, renames = 0;
  volatile int *counted = mmap(NULL, sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < ROUNDS; i++) {
    struct world world;
    int killed, left;
    begin(&world);
    *counted = 0;
    fflush(stdout);
    pid_t renamer = fork();
    if (renamer == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) *counted += rename_all(&world);
    }
    for (int64_t until = now_ms() + 8000; *counted < 20 && now_ms() < until;) sched_yield();
    int before = *counted, code = end_anchor(v1_only, &world.paths, keeper_path, PLAIN);
    renames += *counted - before;
    end_bystander(renamer);
    if (!finish(&world, "renames beside the end", &killed, &left) || code != 0 || killed != MEMBERS) wrong++;
    rest += left > 0;
  }
  munmap((void *)(uintptr_t)counted, sizeof *counted);
  ok(wrong == 0 && renames > 0, "%d renames beside the end of %d anchors: all members are ended, nobody else; %d times groups are left", renames,
     ROUNDS, rest);
}

/* Right before each of the first so many directories or files are opened, so that no name that was read is one any more. */
static void end_while_renaming(struct world *world, int opens) {
  struct keeper keeper = keeper_start(keeper_path, PLAIN);
  if (!read_result(send_anchor(&keeper, v1_only, &world->paths, false)).taken) printf("# the anchor was not taken\n");
  hold_back(&keeper);
  close(keeper.socket);
  for (long call; (call = next_call(&keeper)) >= 0;) {
    if ((call == SYS_openat2 || call == SYS_openat) && opens-- > 0) rename_all(world);
  }
}

static void test_before_opens(void) {
  if (!can_hold_back()) {
    skip("renames before each open: nobody can be stopped between two calls here");
    return;
  }
  int wrong = 0, rest = 0, killed, left;
  /* An emulated round takes seconds. */
  for (int opens = 1; opens <= 64; opens += (is_emulated() ? opens : opens / 8 + 1)) {
    struct world world;
    begin(&world);
    end_while_renaming(&world, opens);
    bool good = finish(&world, "renames", &killed, &left);
    rest += left > 0; /* where dead members counted for longer than the keeper waits for their groups */
    if (!good || killed != MEMBERS) {
      printf("# renames before %d opens: %d of %d killed, %d left\n", opens, killed, MEMBERS, left);
      wrong++;
    }
  }
  ok(wrong == 0, "renames before the first opens, up to 64: all members are ended, nobody else; %d times groups are left", rest);
  struct world world;
  begin(&world);
  end_while_renaming(&world, INT32_MAX);
  bool good = finish(&world, "renames before each open", &killed, &left);
  ok(good && left > 0, "renames before each open: %d of %d are ended; the next one finds the rest, and ends it", killed, MEMBERS);
}

static bool can_rename(void) {
  struct world world;
  int killed, left;
  begin(&world);
  int renames = rename_all(&world);
  finish(&world, "can_rename", &killed, &left);
  return renames > 0;
}

void test_renames(void) {
  struct anchor_paths paths;
  if (beyond_valgrind("renames", NO_PIDFDS) || !is_here("renames", v1_only, &paths)) return;
  remove_bases(&paths);
  if (!can_rename()) {
    skip("renames: groups cannot be renamed here");
    return;
  }
  test_before_opens();
  test_beside();
}
