/* Is a request what protocol.h says? No system calls here, so this file is also built hosted, with sanitizers. */
#include <asm/errno.h>

#include "keeper.h"

#define ALL_START_FLAGS (2u * START_ENTER_USER - 1u)

static unsigned int start_descriptors(const struct start_request *request) {
  return 4 + ((request->flags & START_BLOCK_IN_MEMFD) != 0 ? 1u : 0u) +
         ((request->flags & START_CLONE_INTO) != 0 ? 1u : 0u) + ((request->flags & START_CHECK_PIDS) != 0 ? 2u : 0u) +
         ((request->flags & START_ENTER) != 0 ? 1u : 0u) + request->join_count;
}

static uint64_t string_count(const struct start_request *request) {
  return (uint64_t)((request->flags & START_DIRECTORY) != 0 ? 1 : 0) + request->candidate_count +
         request->argument_count + request->environment_count;
}

static uint64_t strings_offset(const struct start_request *request) {
  return (uint64_t)request->rlimit_count * sizeof(struct rlimit_entry) +
         (uint64_t)request->group_count * sizeof(uint32_t);
}

/* To setresuid and setresgid it means "as it is": a command would keep ours. Nobody has it. */
#define NO_ID ~0u

int validate_start(const struct start_request *request, const struct message *message) {
  if (message->length < sizeof *request || message->truncated) return EBADMSG;
  if (request->magic != HOLDFAST_MAGIC || request->kind != REQUEST_START) return EBADMSG;
  if ((request->flags & ~ALL_START_FLAGS) != 0 || request->join_count > MAX_JOINS) return EBADMSG;
  if ((request->flags & START_SESSION) != 0 && (request->flags & START_GROUP) != 0) return EBADMSG;
  if ((request->flags & START_ENTER) != 0 && (request->flags & (START_CLONE_INTO | START_HOLD)) != 0) return EBADMSG;
  if ((request->flags & START_ENTER_USER) != 0 && (request->flags & START_ENTER) == 0) return EBADMSG;
  if (request->candidate_count < 1 || request->argument_count < 1) return EBADMSG;
  if (message->descriptors_lost) return EMFILE;
  if (message->descriptor_count != start_descriptors(request)) return EBADMSG;
  if ((request->flags & START_BLOCK_IN_MEMFD) != 0) {
    if (message->length != sizeof *request) return EBADMSG;
    if (request->block_length > MAX_BLOCK) return E2BIG;
  } else if (request->block_length != message->length - sizeof *request) {
    return EBADMSG;
  }
  /* 32-bit counts of things of at most 24 bytes: 64 bits cannot overflow. */
  if (strings_offset(request) + string_count(request) > request->block_length) return EBADMSG;
  if ((request->flags & START_UID) != 0 && request->uid == NO_ID) return EINVAL;
  if ((request->flags & START_GID) != 0 && request->gid == NO_ID) return EINVAL;
  return 0;
}

int validate_block(const struct start_request *request, const unsigned char *block) {
  uint64_t strings = 0;
  for (uint64_t at = strings_offset(request); at < request->block_length; at++) strings += block[at] == '\0';
  if (strings != string_count(request) || block[request->block_length - 1] != '\0') return EBADMSG;
  const uint32_t *groups = (const void *)(block + request->rlimit_count * sizeof(struct rlimit_entry));
  for (uint32_t i = 0; i < request->group_count; i++) {
    if (groups[i] == NO_ID) return EINVAL;
  }
  return 0;
}

int validate_anchor(const struct anchor_request *request, const struct message *message) {
  if (message->length != sizeof *request || message->truncated) return EBADMSG;
  if (request->magic != HOLDFAST_MAGIC || request->kind != REQUEST_ANCHOR) return EBADMSG;
  if (message->descriptors_lost) return EMFILE;
  if (request->hierarchy_count < 1 || request->hierarchy_count > MAX_HIERARCHIES) return EBADMSG;
  if (message->descriptor_count != 1 + 2 * request->hierarchy_count) return EBADMSG;
  for (uint32_t i = 0; i < request->hierarchy_count; i++) {
    uint32_t kind = request->hierarchy[i];
    bool kills = kind == HIERARCHY_V2 || kind == HIERARCHY_FREEZER;
    if (!kills && (i == 0 || (kind != HIERARCHY_OTHER && kind != HIERARCHY_LATER))) return EBADMSG;
  }
  size_t length = 0;
  while (length < sizeof request->name && request->name[length] != '\0') {
    if (request->name[length++] == '/') return EBADMSG;
  }
  if (length == 0 || length == sizeof request->name) return EBADMSG;
  if (request->name[0] == '.' && (length == 1 || (length == 2 && request->name[1] == '.'))) return EBADMSG;
  return 0;
}

int validate_hold(const struct hold_request *request, const struct message *message) {
  if (message->length < sizeof *request || message->truncated) return EBADMSG;
  if (request->magic != HOLDFAST_MAGIC) return EBADMSG;
  if (request->kind != REQUEST_HOLD && request->kind != REQUEST_LET_GO) return EBADMSG;
  if (message->descriptors_lost) return EMFILE;
  if (message->descriptor_count != 1 || request->count > MAX_HOLDS_AT_ONCE) return EBADMSG;
  if (message->length != sizeof *request + request->count * sizeof request->entries[0]) return EBADMSG;
  for (uint32_t i = 0; i < request->count; i++) {
    if (request->entries[i].pid <= 0 || request->entries[i].kind > HOLD_FIRST) return EBADMSG;
  }
  return 0;
}

int validate_namespace(const struct namespace_request *request, const struct message *message) {
  if (message->length != sizeof *request || message->truncated) return EBADMSG;
  if (request->magic != HOLDFAST_MAGIC || request->kind != REQUEST_NAMESPACE) return EBADMSG;
  if (message->descriptors_lost) return EMFILE;
  return message->descriptor_count == 2 ? 0 : EBADMSG;
}

int validate_order(const struct order_request *request, const struct message *message) {
  if (message->length != sizeof *request || message->truncated) return EBADMSG;
  if (request->magic != HOLDFAST_MAGIC) return EBADMSG;
  if (request->kind != REQUEST_SIGNAL && request->kind != REQUEST_EMPTY && request->kind != REQUEST_RELEASE) return EBADMSG;
  if (message->descriptors_lost) return EMFILE;
  if (message->descriptor_count < 1 || message->descriptor_count > 1 + MAX_PIDFDS_AT_ONCE) return EBADMSG;
  if (request->kind != REQUEST_RELEASE && message->descriptor_count != 1) return EBADMSG;
  /* kill(2) looks at it only where there is somebody to get it. */
  return request->kind != REQUEST_SIGNAL || (request->argument > 0 && request->argument <= SIGNALS) ? 0 : EINVAL;
}
