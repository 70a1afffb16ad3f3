/* Groups in every hierarchy that the harness named, made as cheaply as C can. */
#ifndef HOLDFAST_BENCH_GROUP_H
#define HOLDFAST_BENCH_GROUP_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HIERARCHIES = 16 };

/* One directory in each hierarchy, and what a start needs of it: the v2 directory, or v1's `tasks`. */
struct group {
  char name[32];
  int directories[HIERARCHIES];
  int joins[HIERARCHIES];
};

/* Adds a hierarchy: PARENT is made if it is not there, and is where groups are made. */
void hierarchy_add(bool unified, const char *parent);

/* A file that group_limit writes and reads back, or, if `value` is NULL, that group_read reads. */
void setting_add(int hierarchy, const char *file, const char *value);

void group_make(struct group *group);

/* Opens what clone_into needs. */
void group_join(struct group *group);

void group_limit(const struct group *group);
void group_read(const struct group *group);

/* The v2 directory, or -1. */
int group_unified(const struct group *group);

/* Ends all members, and returns when there is none. */
void group_kill(const struct group *group);
void group_remove(struct group *group);

/* Removes the parents that hierarchy_add made. */
void hierarchies_remove(void);

/*
 * Starts a program as a member before its first instruction: cloned into the v2 group, and joining v1's by itself before
 * exec. Leads a session; its streams are /dev/null, but stdout is `out` unless that is -1. No group: where we are.
 */
pid_t clone_into(const struct group *group, char *const argv[], int out);

_Noreturn void fail(const char *format, ...);
_Noreturn void die(const char *call);

#endif
