/* Groups of the tests: only below our own place, only those made here. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

bool exists(const char *path) { return access(path, F_OK) == 0; }

bool read_file(const char *directory, const char *name, char *to, size_t size) {
  int file = open_at(directory, name, O_RDONLY);
  to[0] = '\0';
  if (file < 0) return false;
  ssize_t length = read(file, to, size - 1);
  to[length > 0 ? length : 0] = '\0';
  close(file);
  return length >= 0;
}

int open_at(const char *directory, const char *name, int flags) {
  char *path;
  if (asprintf(&path, "%s/%s", directory, name) < 0) die("asprintf");
  int file = open(path, flags | O_CLOEXEC);
  free(path);
  return file;
}

void write_file(const char *directory, const char *name, const char *text) {
  int file = open_at(directory, name, O_WRONLY);
  if (file < 0 || write(file, text, strlen(text)) < 0) {
    printf("# %s to %s/%s: %s\n", text, directory, name, strerror(errno));
  }
  if (file >= 0) close(file);
}

char *make_group(const char *parent, const char *name) {
  char *path;
  if (asprintf(&path, "%s/%s", parent, name) < 0) die("asprintf");
  if (mkdir(path, 0755) < 0) {
    free(path);
    return NULL;
  }
  return path;
}

/* One group in another. */
void make_chain(const char *parent, int depth) {
  int at = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < depth && at >= 0; i++) {
    if (mkdirat(at, "n", 0755) < 0) die("mkdirat");
    int below = openat(at, "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(at);
    at = below;
  }
  close(at);
}

static bool is_listed(const char *list, const char *item) {
  size_t length = strlen(item);
  for (const char *at = list; at != NULL && *at != '\0';) {
    size_t end = strcspn(at, ",");
    if (end == length && strncmp(at, item, length) == 0) return true;
    at += end + (at[end] == ',');
  }
  return false;
}

/* mountinfo: id parent major:minor root mountpoint options… - type source superoptions
 * cgroup:    id:controllers:path   (0::path is v2) */
char *group_base(const char *controller) {
  char line[4096], mount[2048] = "", own[2048] = "", name[64];
  FILE *file = fopen("/proc/self/mountinfo", "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    char root[2048], point[2048], type[64], super[1024];
    char *tail = strstr(line, " - ");
    if (tail == NULL || sscanf(line, "%*d %*d %*s %2047s %2047s", root, point) != 2 || strcmp(root, "/") != 0) continue;
    if (sscanf(tail, " - %63s %*s %1023s", type, super) != 2) continue;
    bool wanted = *controller == '\0' ? strcmp(type, "cgroup2") == 0
                                      : strcmp(type, "cgroup") == 0 && is_listed(super, controller);
    if (wanted) strcpy(mount, point);
  }
  if (file != NULL) fclose(file);
  file = fopen("/proc/self/cgroup", "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char *list = strchr(line, ':');
    char *path = list == NULL ? NULL : strchr(++list, ':');
    if (path == NULL) continue;
    *path++ = '\0';
    if (*controller == '\0' ? *list == '\0' : is_listed(list, controller)) {
      snprintf(own, sizeof own, "%s", strcmp(path, "/") == 0 ? "" : path);
    }
  }
  if (file != NULL) fclose(file);
  if (*mount == '\0') return NULL;
  strncat(mount, own, sizeof mount - strlen(mount) - 1);
  snprintf(name, sizeof name, "holdfast-keeper-test-%d", getpid());
  char *base = make_group(mount, name);
  int members = base == NULL ? -1 : open_at(base, "cgroup.procs", O_RDONLY);
  if (members < 0) {
    if (base != NULL) rmdir(base);
    return NULL;
  }
  close(members);
  return base;
}

void remove_tree(const char *path) {
  DIR *directory = opendir(path);
  struct dirent *entry;
  while (directory != NULL && (entry = readdir(directory)) != NULL) {
    if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char *below;
    if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) die("asprintf");
    remove_tree(below);
    free(below);
  }
  if (directory != NULL) closedir(directory);
  for (int i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY; i++) usleep(10000);
}

bool is_v2(const char *controller) { return *controller == '\0'; }

const char *const v2_only[HIERARCHIES + 1] = {"", NULL};
const char *const v2_and_v1[HIERARCHIES + 1] = {"", "freezer", "pids", NULL};
const char *const v1_only[HIERARCHIES + 1] = {"freezer", "pids", NULL};

bool make_anchor(const char *const *controllers, struct anchor_paths *paths) {
  paths->count = 0;
  for (; controllers[paths->count] != NULL; paths->count++) {
    char *base = group_base(controllers[paths->count]);
    if (base == NULL) return false;
    paths->base[paths->count] = base;
    paths->anchor[paths->count] = make_group(base, "anchor");
  }
  return true;
}

int send_anchor(struct keeper *keeper, const char *const *controllers, const struct anchor_paths *paths, bool later) {
  struct anchor_request request = {.magic = HOLDFAST_MAGIC, .kind = REQUEST_ANCHOR};
  int fds[1 + 2 * HIERARCHIES], pipes[2];
  for (int i = 0; i < paths->count; i++) {
    bool unmade = later && i > 0;
    request.hierarchy[i] = unmade                                   ? HIERARCHY_LATER
                           : is_v2(controllers[i])                  ? HIERARCHY_V2
                           : strcmp(controllers[i], "freezer") == 0 ? HIERARCHY_FREEZER
                                                                    : HIERARCHY_OTHER;
    fds[1 + 2 * i] = open(paths->base[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fds[2 + 2 * i] = open(unmade ? paths->base[i] : paths->anchor[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  request.hierarchy_count = (uint32_t)paths->count;
  strcpy(request.name, "anchor");
  status_pipe(pipes);
  fds[0] = pipes[1];
  if (!send_raw(keeper->socket, &request, sizeof request, NULL, 0, fds, 1 + 2 * (unsigned int)paths->count)) die("anchor");
  for (int i = 0; i <= 2 * paths->count; i++) close(fds[i]);
  return pipes[0];
}
