/* A start through Holdfast's keeper, asked for by C: what the way through another process costs by itself. */
#ifndef HOLDFAST_BENCH_KEEPER_H
#define HOLDFAST_BENCH_KEEPER_H

#include "group.h"

/* Starts the keeper PROGRAM; it ends when this process does. */
void keeper_open(const char *program);

/* Has it start a program as a member of `group`, with /dev/null for its streams, and reaps that. */
void keeper_start(const struct group *group, char *const argv[]);

#endif
