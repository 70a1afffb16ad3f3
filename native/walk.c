/*
 * Walking a tree of cgroup directories, of any depth, with a fixed amount of memory: members may have nested groups
 * deeper than any stack. Only the current directory is open; the way back is "..".
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

void entries_from(struct entries *entries, int directory, int64_t offset) {
  sys_lseek(directory, offset, 0);
  entries->directory = directory;
  entries->next = offset;
  entries->at = entries->length = 0;
}

static const struct kernel_dirent *next_entry(struct entries *entries) {
  if (entries->at >= entries->length) {
    entries->at = 0;
    entries->length = sys_getdents64(entries->directory, entries->buffer, sizeof entries->buffer);
    if (entries->length <= 0) return NULL;
  }
  const struct kernel_dirent *entry = (const void *)(entries->buffer + entries->at);
  entries->at += entry->length;
  entries->before = entries->next;
  entries->next = entry->next;
  return entry;
}

const char *next_directory(struct entries *entries, uint64_t *ino) {
  const struct kernel_dirent *entry;
  while ((entry = next_entry(entries)) != NULL) {
    if (entry->type != TYPE_DIRECTORY && entry->type != TYPE_UNKNOWN) continue;
    if (is_own_entry(entry->name)) continue;
    *ino = entry->ino;
    return entry->name;
  }
  return NULL;
}

/*
 * Goes on behind the entry with this inode, if it is there; otherwise where it was. `all`: it is looked for in the whole of the
 * directory, not only among the first that a reading gives. kernfs orders entries by a hash of the name and an offset is that
 * hash: entries that share it come again.
 */
bool skip_entry(struct entries *entries, uint64_t ino, bool all, const char **name) {
  int64_t beginning = entries->next;
  const struct kernel_dirent *entry;
  do {
    entry = next_entry(entries);
    if (entry != NULL && entry->ino == ino) {
      *name = entry->name;
      return true;
    }
  } while (entry != NULL && (all || entries->at < entries->length));
  entries_from(entries, entries->directory, beginning);
  return false;
}

static bool remove_directory(int parent, const char *name, struct walked *walked) {
  long result = sys_unlinkat(parent, name, AT_REMOVEDIR);
  if (result == -EACCES && sys_fchmod(parent, 0700) >= 0) result = sys_unlinkat(parent, name, AT_REMOVEDIR);
  if (result >= 0) walked->removed++;
  return result >= 0 || result == -ENOENT;
}

/* Of so many levels it is known where they are in the one above, the last ones; of others that is looked for. */
#define LEVELS 2048

struct walked walk(int root, visitor *visit, bool removing) {
  static struct entries entries;
  static int64_t offsets[LEVELS];
  struct walked walked = {0, 0, true};
  uint32_t depth = 0, known = 0;
  /* A descriptor of our own: the given one's position belongs to others. */
  int directory = open_below(root, ".");
  if (directory == -ENOENT || directory == -ENODEV) return walked;
  bool going = directory >= 0 && (visit == NULL || visit(directory));
  if (going) entries_from(&entries, directory, 0);
  while (going) {
    uint64_t ino;
    const char *name = next_directory(&entries, &ino);
    if (name != NULL) {
      if (removing && remove_directory(directory, name, &walked)) continue;
      int below = open_below(directory, name);
      if (below < 0) {
        walked.left += below != -ENOENT && below != -ENODEV;
        continue;
      }
      offsets[depth++ % LEVELS] = entries.before;
      if (known < LEVELS) known++;
      sys_close(directory);
      directory = below;
      going = visit == NULL || visit(directory);
      entries_from(&entries, directory, 0);
    } else {
      struct stat stat;
      if (depth == 0) break;
      int above = sys_fstat(directory, &stat) < 0 ? -EIO : open_below(directory, "..");
      sys_close(directory);
      directory = above;
      going = directory >= 0;
      if (!going) break;
      depth--;
      entries_from(&entries, directory, known > 0 ? offsets[depth % LEVELS] : 0);
      bool found = skip_entry(&entries, stat.st_ino, known == 0, &name);
      if (known > 0) known--;
      if (found && removing && !remove_directory(directory, name, &walked)) walked.left++;
    }
    going = going && now_ms() < end_deadline;
  }
  walked.complete = going;
  if (directory >= 0) sys_close(directory);
  return walked;
}
