/* The anchor: remembered while the JVM lives, ended and removed when it is gone. */
#include <asm/errno.h>

#include "keeper.h"
#include "syscall.h"

#define END_MS 30000
#define RELEASED "user.holdfast.released"

int64_t end_deadline;

static struct {
  uint32_t count;
  uint32_t kind[MAX_HIERARCHIES];
  int parent[MAX_HIERARCHIES];
  int group[MAX_HIERARCHIES];
  char name[sizeof((struct anchor_request *)0)->name];
} anchor;

void close_anchor(void) {
  for (uint32_t i = 0; i < anchor.count; i++) {
    sys_close(anchor.parent[i]);
    sys_close(anchor.group[i]);
  }
}

void keep_anchor(struct message *message) {
  const struct anchor_request *request = (const void *)message->bytes;
  int error = validate_anchor(request, message);
  answer(message, error);
  if (error != 0) return;
  close_anchor();
  anchor.count = request->hierarchy_count;
  for (uint32_t i = 0; i < anchor.count; i++) {
    anchor.kind[i] = request->hierarchy[i];
    anchor.parent[i] = message->descriptors[1 + 2 * i];
    anchor.group[i] = message->descriptors[2 + 2 * i];
  }
  for (size_t i = 0; i < sizeof anchor.name; i++) anchor.name[i] = request->name[i];
  message->descriptor_count = 1; /* the others are ours now */
}

/* ---- the first hierarchy holds the membership */

static bool is_populated(int group) {
  return anchor.kind[0] == HIERARCHY_V2 ? is_populated_v2(group) : is_populated_freezer(group);
}

static bool wait_empty(int group, int64_t until) {
  return anchor.kind[0] == HIERARCHY_V2 ? wait_empty_v2(group, until) : wait_empty_freezer(group, until);
}

static bool is_released(int job) { return sys_fgetxattr(job, RELEASED, NULL, 0) >= 0; }

/*
 * name: of a job, or "." for the anchor as a whole. What a v1 freezer holds beside v2 ends when it is let go; that comes
 * after the kill, as members can make groups there faster than anybody goes through them.
 */
static void kill_group(int group, const char *name) {
  if (anchor.kind[0] == HIERARCHY_V2) {
    kill_v2(group);
  } else {
    kill_freezer(group);
  }
  for (uint32_t i = 1; i < anchor.count; i++) {
    if (anchor.kind[i] != HIERARCHY_FREEZER) continue;
    int freezer = open_below(anchor.group[i], name);
    if (freezer < 0) continue;
    thaw_freezer(freezer);
    sys_close(freezer);
  }
}

static void begin_kill(int group) {
  if (anchor.kind[0] == HIERARCHY_V2) {
    begin_kill_v2(group);
  } else {
    begin_kill_freezer(group);
  }
}

enum pass { ANY_RELEASED, BEGIN, KILL, AWAIT };

/* One pass over the jobs, which are the directories right below the anchor; true if it found or got what it is for. */
static bool each_job(enum pass pass, int64_t until) {
  static struct entries jobs;
  const char *name;
  bool answer = pass != ANY_RELEASED;
  entries_from(&jobs, anchor.group[0]);
  while ((name = next_directory(&jobs)) != NULL && now_ms() < end_deadline) {
    int job = open_below(anchor.group[0], name);
    if (job < 0) {
      /* Nobody knows whether it is a released one, and nobody in it is ended yet, as where no descriptor is left. */
      if (job != -ENOENT && job != -ENODEV && job != -EXDEV) answer = pass == ANY_RELEASED;
      continue;
    }
    bool released = is_released(job);
    if (pass == ANY_RELEASED && released) answer = true;
    if (pass == BEGIN && !released) begin_kill(job);
    if (pass == KILL && !released) kill_group(job, name);
    if (pass == AWAIT && !released && !wait_empty(job, until)) answer = false;
    sys_close(job);
  }
  return answer;
}

/*
 * A kill can be undone by nobody, but a member can be frozen again between the thaw and the kill: so, once more. What
 * comes too soon after a kill holds up those that are dying, since a freezer freezes them; and where the kill itself
 * took long, so does dying.
 */
static void kill_all(void) {
  bool whole = !each_job(ANY_RELEASED, 0);
  if (!whole) each_job(BEGIN, 0); /* the kill of one waits, and meanwhile nobody in the others shall go on */
  for (int64_t patience = 100; now_ms() < end_deadline; patience *= patience < 2000 ? 2 : 1) {
    int64_t begin = now_ms();
    if (whole) {
      kill_group(anchor.group[0], ".");
    } else {
      each_job(KILL, 0);
    }
    int64_t killed = now_ms();
    if (patience < killed - begin) patience = killed - begin;
    int64_t until = killed + patience;
    if (until > end_deadline) until = end_deadline;
    if (whole ? wait_empty(anchor.group[0], until) : each_job(AWAIT, until)) return;
    if (now_ms() < until) wait_for(-1, 0, 10); /* what could not even be opened was not waited for */
  }
}

/* ---- removal, in every hierarchy */

/* The members of a released job live on, and so do the groups that they may have made for themselves. */
static bool is_in_use(const char *name) {
  int job = open_below(anchor.group[0], name);
  if (job < 0) return false;
  bool in_use = is_released(job) && is_populated(job);
  sys_close(job);
  return in_use;
}

static void remove_tree(int parent, const char *name) {
  if (sys_unlinkat(parent, name, AT_REMOVEDIR) >= 0) return;
  int group = open_below(parent, name);
  if (group < 0) return;
  struct walked walked;
  do {
    walked = walk(group, NULL, true);
  } while (!walked.complete && walked.removed > 0 && now_ms() < end_deadline);
  sys_close(group);
  sys_unlinkat(parent, name, AT_REMOVEDIR);
}

/* Whoever moved another directory to our name gets nothing removed. */
static bool is_still_named(int parent, int group) {
  struct stat ours, named;
  return sys_fstat(group, &ours) >= 0 && sys_fstatat(parent, anchor.name, &named, AT_SYMLINK_NOFOLLOW) >= 0 &&
         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

/* What the JVM made after it last told us of its anchor is found by its name, if it is there. The directory that it is in may be
 * others', too. */
static void find_later(void) {
  for (uint32_t i = 0; i < anchor.count; i++) {
    if (anchor.kind[i] != HIERARCHY_LATER) continue;
    sys_close(anchor.group[i]);
    anchor.group[i] = open_named(anchor.parent[i], anchor.name);
    char state[16];
    bool freezer = read_file_at(anchor.group[i], "freezer.state", state, sizeof state) >= 0;
    anchor.kind[i] = freezer ? HIERARCHY_FREEZER : HIERARCHY_OTHER;
  }
}

/* True when the anchor is gone from this hierarchy, or holds nothing any more but what others use. */
static bool remove_anchor(uint32_t hierarchy) {
  static struct entries jobs;
  const char *name;
  bool in_use = false, left = false;
  int parent = anchor.parent[hierarchy], group = anchor.group[hierarchy];
  if (!is_still_named(parent, group)) return true;
  entries_from(&jobs, group);
  while ((name = next_directory(&jobs)) != NULL && now_ms() < end_deadline) {
    if (is_in_use(name)) {
      in_use = true;
    } else {
      remove_tree(group, name);
      struct stat stat;
      if (sys_fstatat(group, name, &stat, AT_SYMLINK_NOFOLLOW) >= 0) left = true;
    }
  }
  if (in_use) return !left;
  return sys_unlinkat(parent, anchor.name, AT_REMOVEDIR) >= 0;
}

/*
 * A dead member counts until the kernel is through with it, which may be a little after everybody was told: EBUSY, and
 * no event for its end. 1 + 2 + 4 + ... + 512 ms, for each hierarchy. What cannot be removed may also have members that
 * were missed, because their group had another name each time that it was looked for: so everything is killed again.
 * The first hierarchy is the last: its flock tells others that the anchor still has an owner, and without it no sweep
 * would find what is left in the others.
 */
void end_anchor(void) {
  if (anchor.count == 0) return;
  end_deadline = now_ms() + END_MS;
  find_later();
  kill_all();
  bool all = true;
  for (uint32_t i = anchor.count; i-- > 0;) {
    if (i == 0 && !all) break;
    bool removed = remove_anchor(i);
    for (int64_t delay = 1; !removed && delay <= 512 && now_ms() < end_deadline; delay *= 2) {
      wait_for(-1, 0, delay);
      kill_all();
      removed = remove_anchor(i);
    }
    all = all && removed;
  }
}
