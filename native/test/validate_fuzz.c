/*
 * The keeper's validation, built hosted under the address and undefined-behaviour sanitizers: every block lies in memory of
 * exactly its length, so a read beyond it ends the program. What is accepted is walked the way the child does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../keeper.h"

static unsigned int seed = 7;
static unsigned int pick(unsigned int below) { return (unsigned int)rand_r(&seed) % below; }

/* As child.c and exec.c go through a block: the last string must end with its last byte. */
static void walk_strings(const struct start_request *request, const unsigned char *block) {
  const unsigned char *at = block + request->rlimit_count * sizeof(struct rlimit_entry) + request->group_count * 4;
  uint64_t count = (request->flags & START_DIRECTORY) != 0 ? 1 : 0;
  count += (uint64_t)request->candidate_count + request->argument_count + request->environment_count;
  for (; count > 0; count--) at += strlen((const char *)at) + 1;
  if (at != block + request->block_length) abort();
}

static uint32_t number(void) {
  static const uint32_t odd[] = {0, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0x0aaaaaab, 0x40000000};
  return pick(8) == 0 ? odd[pick(7)] : pick(5);
}

static void start_once(int *accepted, int *refused) {
  static struct message message;
  struct start_request request = {.magic = HOLDFAST_MAGIC, .kind = REQUEST_START};
  request.flags = pick(4) == 0 ? (uint32_t)rand_r(&seed) : 1u << pick(15);
  request.join_count = pick(2) == 0 ? 0 : number();
  request.group_count = number();
  request.rlimit_count = pick(2) == 0 ? 0 : number();
  request.candidate_count = number();
  request.argument_count = number();
  request.environment_count = number();
  size_t length = pick(200);
  request.block_length = pick(10) == 0 ? (uint64_t)rand_r(&seed) << pick(33) : length;
  message.length = sizeof request + ((request.flags & START_BLOCK_IN_MEMFD) != 0 ? 0 : length);
  message.truncated = pick(50) == 0;
  message.descriptors_lost = pick(50) == 0;
  message.descriptor_count = pick(3) == 0 ? pick(254) : 4 + pick(4);
  unsigned char *block = malloc(length == 0 ? 1 : length);
  if (block == NULL) abort();
  for (size_t i = 0; i < length; i++) block[i] = pick(6) == 0 ? 0 : 'x';
  if (length > 0 && pick(4) != 0) block[length - 1] = 0;
  int error = validate_start(&request, &message);
  /* A memfd of another length than announced is refused before its content is looked at. */
  if (error == 0 && request.block_length != length) error = EBADMSG;
  if (error == 0) error = validate_block(&request, block);
  if (error == 0) {
    walk_strings(&request, block);
    ++*accepted;
  } else {
    ++*refused;
  }
  free(block);
}

static void anchor_once(int *accepted, int *refused) {
  static struct message message;
  struct anchor_request *request = malloc(sizeof *request);
  if (request == NULL) abort();
  for (size_t i = 0; i < sizeof *request; i++) ((unsigned char *)request)[i] = (unsigned char)("x./\1"[pick(4)]);
  request->magic = HOLDFAST_MAGIC;
  request->kind = REQUEST_ANCHOR;
  request->hierarchy_count = pick(4) == 0 ? number() : 1 + pick(3);
  for (int i = 0; i < MAX_HIERARCHIES; i++) request->hierarchy[i] = 1 + pick(pick(8) == 0 ? 6 : 4);
  if (pick(8) != 0) request->name[pick(4)] = '\0';
  message.length = sizeof *request - (pick(10) == 0 ? 1 : 0);
  message.descriptor_count = pick(2) == 0 ? pick(70) : 1 + 2 * (request->hierarchy_count & 31);
  if (validate_anchor(request, &message) == 0) {
    if (strchr(request->name, '/') != NULL || strcmp(request->name, "..") == 0 || request->name[0] == '\0') abort();
    ++*accepted;
  } else {
    ++*refused;
  }
  free(request);
}

int main(void) {
  int starts = 0, no_starts = 0, anchors = 0, no_anchors = 0;
  for (int i = 0; i < 1000000; i++) start_once(&starts, &no_starts);
  for (int i = 0; i < 20000; i++) anchor_once(&anchors, &no_anchors);
  printf("# sanitized validation: starts %d accepted, %d refused; anchors %d accepted, %d refused\n", starts, no_starts,
         anchors, no_anchors);
  return starts > 100 && anchors > 100 ? 0 : 1;
}
