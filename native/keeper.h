/* What the keeper's files know of each other. */
#ifndef HOLDFAST_KEEPER_H
#define HOLDFAST_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

#define SIGNALS 64

/* ---- receive.c: one message with its descriptors, and who sends them */

/* The peer's end of a seqpacket socket: HUP once it is closed, RDHUP once it was shut down for writing. */
#define GONE_EVENTS (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL)

/* The kernel passes at most 253 descriptors with a message (SCM_MAX_FD), so none is ever lost for want of room. */
#define MAX_DESCRIPTORS 253
#define BLOCK_IN_MESSAGE 65536

struct message {
  size_t length;
  bool truncated;        /* it was longer than our buffer */
  bool descriptors_lost; /* the kernel could not install them all: EMFILE */
  unsigned int descriptor_count;
  int descriptors[MAX_DESCRIPTORS];
  _Alignas(16) unsigned char bytes[sizeof(struct start_request) + BLOCK_IN_MESSAGE];
};

long receive(int socket, struct message *message);
void discard(struct message *message);
bool jvm_gone(int socket, int jvm);

/* ---- validate.c: pure; each answers 0 or the errno of STEP_REQUEST */

int validate_start(const struct start_request *request, const struct message *message);
int validate_block(const struct start_request *request, const unsigned char *block);
int validate_anchor(const struct anchor_request *request, const struct message *message);
int validate_hold(const struct hold_request *request, const struct message *message);
int validate_namespace(const struct namespace_request *request, const struct message *message);
int validate_order(const struct order_request *request, const struct message *message);

/* ---- start.c, child.c, exec.c */

/* What the keeper found when it was started and has changed for itself, for the child to have as it was. */
struct inherited {
  uint32_t ignored; /* bit n: signal n was ignored */
  bool files_raised;
  struct kernel_rlimit {
    uint64_t soft;
    uint64_t hard;
  } files; /* RLIMIT_NOFILE */
};

struct start {
  const struct start_request *request;
  const unsigned char *block;
  int status;
  const int *streams;
  int memfd;
  int cgroup;
  int pids_current;
  int pids_max;
  int first; /* a pidfd of the namespace's first process */
  const int *joins;
  int socket; /* the keeper's own: the child looks at both once, after it has joined */
  int jvm;
  const struct inherited *inherited;
  const volatile int *told; /* the child's number outside of its namespace; NULL where it is the one inside */
};

void start(struct message *message, int socket, int jvm, const struct inherited *inherited);
_Noreturn void child(const struct start *start);
void set_group(const struct start *start);
_Noreturn void execute(const struct start *start);

/* ---- report.c: the status pipe */

void report(int status, enum record_kind kind, int pid, enum start_step step, long error, uint32_t detail);
void answer(const struct message *message, int error);
int own_pid(const struct start *start);
_Noreturn void child_failed(const struct start *start, enum start_step step, long error, uint32_t detail);

/* ---- namespace.c, first.c: pid namespaces */

void make_namespace(struct message *message);
_Noreturn void enter(struct start *start);
int *shared_number(void);
void forget_number(const int *number);

/* What its clone leaves to the first process. */
struct first {
  int status;
  int orders;
  bool user; /* it has a user namespace of its own, for these two */
  uint32_t uid;
  uint32_t gid;
  const volatile int *told; /* its number outside */
};
_Noreturn void first_process(const struct first *first, struct message *message);

/* A start has up to 40 descriptors, an anchor 65, and at the anchor's end 16 levels of a tree are open and 256 members may be
 * pinned at once; who is held needs one each, until it is ended. */
#define ENOUGH_FILES 1024

/* ---- anchor.c, kill.c, walk.c: what happens after the JVM */

void keep_anchor(struct message *message);
void close_anchor(void);
void end_anchor(void);

/* ---- hold.c, processes.c: children that no anchor ends */

int holds(void); /* a descriptor to be polled; -1 for nothing */
long prepare_hold(void);
bool hold_or_kill(int pid, int pidfd, enum hold_kind kind);
void change_holds(struct message *message);
bool look_at_holds(void);
void end_holds(void);

struct process {
  int pid;
  int parent;
  int session;
  char state; /* of a thread that runs, if there is one */
  bool marked;
  uint64_t start; /* clock ticks since the boot */
};
struct processes {
  struct process *list;
  uint32_t count;
};
struct processes read_processes(void); /* list is NULL: they cannot be looked at now */
void forget_processes(struct processes *all);
long open_proc(void);
bool find_process(int pid, struct process *process);
bool stands_still(const struct process *process);

_Noreturn void keeper(const uintptr_t *stack);

/* The end of an anchor is bounded by one moment, in milliseconds of CLOCK_MONOTONIC. */
extern int64_t end_deadline;

/* The first part of a kill alone, which takes no time: so several groups end, or stand still, at about one moment. */
void begin_kill_v2(int group);
void begin_kill_freezer(int group);
void kill_v2(int group);
bool wait_empty_v2(int group, int64_t until);
bool is_populated_v2(int group);
void thaw_freezer(int group);
void kill_freezer(int group);
bool wait_empty_freezer(int group, int64_t until);
bool is_populated_freezer(int group);

/* Called with each directory on the way down; false ends the walk. */
typedef bool visitor(int directory);
struct walked {
  uint32_t removed;
  uint32_t left; /* could not be removed */
  bool complete; /* false: ended by the visitor or the deadline, or the way back was lost */
};
struct walked walk(int root, visitor *visit, bool removing);
int open_named(int directory, const char *name); /* changes at most what has the name */
int open_below(int directory, const char *name); /* and the directory, which must be below the anchor or be it */

struct entries {
  int directory;
  const char *name; /* of the current one, as the others */
  uint64_t ino;
  unsigned char type;
  long at;
  long length;
  _Alignas(8) char buffer[4096];
};
void entries_from(struct entries *entries, int directory); /* from the first one */
const char *next_directory(struct entries *entries);

/* ---- files.c */

long open_file_at(int directory, const char *name, int flags);
long read_file_at(int directory, const char *name, char *to, size_t size);
long write_file_at(int directory, const char *name, const char *text);
long read_start(int file, char *to, size_t size);
bool has_line(const char *text, const char *line);
bool parse_number(const char *text, uint64_t *number);
char *write_number(uint64_t number, char *end);
void close_from(int first);
size_t length_of(const char *text);
bool same_text(const char *a, const char *b);
int64_t now_ms(void);
/* Waits for one of the events, at most so long; -1: for ever. Negative descriptor: only the time. */
short wait_for(int fd, short events, int64_t milliseconds);

#endif
