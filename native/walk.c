/*
 * Walking a tree of cgroup directories, of any depth, with a fixed amount of memory: members may have nested groups
 * deeper than any stack. The last levels are open; the way back to those above them is "..".
 */
#include <asm/errno.h>
#include <linux/stat.h>

#include "keeper.h"
#include "syscall.h"

#define TYPE_UNKNOWN 0
#define TYPE_DIRECTORY 4

/*
 * A member with the privilege may have mounted something on a nested group: the walk must not leave the hierarchy
 * through it, nor through a bind mount of the hierarchy itself. openat2 (5.6) refuses both; before it, only the former
 * can be seen.
 */
static long open_once(int directory, const char *name) {
  static const struct open_how how = {
      .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
      .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  long fd = sys_openat2(directory, name, &how);
  if (fd != -ENOSYS && fd != -EPERM) return fd;
  fd = sys_openat(directory, name, (int)how.flags);
  struct stat outer, inner;
  if (fd >= 0 && (sys_fstat(directory, &outer) < 0 || sys_fstat((int)fd, &inner) < 0 || outer.st_dev != inner.st_dev)) {
    sys_close((int)fd);
    fd = -EXDEV;
  }
  return fd;
}

static bool is_own_entry(const char *name) { return same_text(name, ".") || same_text(name, ".."); }

/* Members may have taken the permissions away from their own groups; root never sees this. */
int open_named(int directory, const char *name) {
  long fd = open_once(directory, name);
  if (fd == -EACCES && !is_own_entry(name) && sys_fchmodat(directory, name, 0700) >= 0) fd = open_once(directory, name);
  return (int)fd;
}

int open_below(int directory, const char *name) {
  int fd = open_named(directory, name);
  if (fd == -EACCES && sys_fchmod(directory, 0700) >= 0) fd = open_named(directory, name);
  return fd;
}

void entries_from(struct entries *entries, int directory) {
  sys_lseek(directory, 0, 0);
  entries->directory = directory;
  entries->at = entries->length = 0;
}

static bool next_entry(struct entries *entries) {
  if (entries->at >= entries->length) {
    entries->at = 0;
    entries->length = sys_getdents64(entries->directory, entries->buffer, sizeof entries->buffer);
    if (entries->length <= 0) return false;
  }
  const struct kernel_dirent *entry = (const void *)(entries->buffer + entries->at);
  entries->at += entry->length;
  entries->name = entry->name;
  entries->ino = entry->ino;
  entries->type = entry->type;
  return true;
}

const char *next_directory(struct entries *entries) {
  while (next_entry(entries)) {
    if (entries->type != TYPE_DIRECTORY && entries->type != TYPE_UNKNOWN) continue;
    if (!is_own_entry(entries->name)) return entries->name;
  }
  return NULL;
}

static bool remove_directory(int parent, const char *name, struct walked *walked) {
  long result = sys_unlinkat(parent, name, AT_REMOVEDIR);
  if (result == -EACCES && sys_fchmod(parent, 0700) >= 0) result = sys_unlinkat(parent, name, AT_REMOVEDIR);
  if (result >= 0) walked->removed++;
  return result >= 0 || result == -ENOENT;
}

/*
 * The way from the root. kernfs orders entries by a hash of their names, which members can have as many of as they like be the
 * same, and takes that hash for an offset: so a place in a directory can be come back to only by the descriptor that was there.
 * The last levels are kept open therefore; further up the place is looked for from the beginning, by the inode.
 */
#define OPEN_LEVELS 16

static struct {
  struct entries levels[OPEN_LEVELS];
  uint32_t depth;
  uint32_t open; /* so many levels, the last ones */
  uint32_t most;
} way;

static struct entries *level(uint32_t depth) { return &way.levels[depth % OPEN_LEVELS]; }

static void close_uppermost(void) { sys_close(level(way.depth + 1 - way.open--)->directory); }

/* Whoever visits a directory needs descriptors, too: then only the way to it and back is kept. */
static void begin_way(int directory) {
  struct rlimit64 files = {0, 0};
  way.most = sys_prlimit(RLIMIT_NOFILE, NULL, &files) >= 0 && files.rlim_cur >= ENOUGH_FILES ? OPEN_LEVELS : 2;
  way.depth = 0;
  way.open = 1;
  entries_from(level(0), directory);
}

static int go_down(const char *name) {
  int below = open_below(level(way.depth)->directory, name);
  while ((below == -EMFILE || below == -ENFILE) && way.open > 1) {
    close_uppermost();
    below = open_below(level(way.depth)->directory, name);
  }
  if (below < 0) return below;
  if (way.open == way.most) close_uppermost();
  way.open++;
  entries_from(level(++way.depth), below);
  return below;
}

/* Behind the directory with this inode; in the beginning, if it is not there any more. */
static bool find_place(struct entries *entries, uint64_t ino) {
  while (next_directory(entries) != NULL) {
    if (entries->ino == ino) return true;
  }
  entries_from(entries, entries->directory);
  return false;
}

enum back { LOST, BESIDE, BEHIND };

/* BEHIND: what the level above it calls its current entry is the directory where we were. */
static enum back go_up(void) {
  struct stat stat = {0};
  int directory = level(way.depth)->directory;
  if (way.open > 1) {
    sys_close(directory);
    way.open--;
    way.depth--;
    return BEHIND;
  }
  int above = sys_fstat(directory, &stat) < 0 ? -EIO : open_below(directory, "..");
  if (above < 0) return LOST;
  sys_close(directory);
  entries_from(level(--way.depth), above);
  return find_place(level(way.depth), stat.st_ino) ? BEHIND : BESIDE;
}

struct walked walk(int root, visitor *visit, bool removing) {
  struct walked walked = {0, 0, false};
  /* A descriptor of our own: the given one's position belongs to others. */
  int directory = open_below(root, ".");
  walked.complete = directory == -ENOENT || directory == -ENODEV;
  if (directory < 0) return walked;
  begin_way(directory);
  bool going = visit == NULL || visit(directory);
  while (going && now_ms() < end_deadline) {
    struct entries *here = level(way.depth);
    if (next_directory(here) != NULL) {
      if (removing && remove_directory(here->directory, here->name, &walked)) continue;
      int below = go_down(here->name);
      if (below < 0) {
        walked.left += below != -ENOENT && below != -ENODEV;
        continue;
      }
      going = visit == NULL || visit(below);
    } else if (way.depth == 0) {
      walked.complete = true;
      break;
    } else {
      enum back back = go_up();
      here = level(way.depth);
      if (back == BEHIND && removing && !remove_directory(here->directory, here->name, &walked)) walked.left++;
      going = back != LOST;
    }
  }
  while (way.open > 0) close_uppermost();
  return walked;
}
