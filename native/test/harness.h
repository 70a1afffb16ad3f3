/* The tests play the JVM's part: they start a keeper, send it requests and read what comes back. */
#ifndef HOLDFAST_TEST_HARNESS_H
#define HOLDFAST_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../protocol.h"

/* ---- results, in the manner of TAP */

void ok(bool passed, const char *format, ...) __attribute__((format(printf, 2, 3)));
void skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Whether the keepers run in valgrind, and it cannot do this: then it is skipped. */
bool beyond_valgrind(const char *what, const char *why);
_Noreturn void die(const char *what);
int summary(void);
int failures(void);

/* What valgrind 3.19 lacks. */
#define NO_FEWER_FILES "has its own descriptors above those of the keeper, and does not let their number sink"
#define NO_CLONE3 "does not know clone3"
#define NO_PIDFDS "does not know pidfd_open and pidfd_send_signal"

/* ---- the keeper */

struct keeper {
  pid_t pid;
  int socket;
};
extern const char *keeper_path;
extern const char *old_keeper_path; /* the one that does not know cgroup.kill */
extern const char *self_path;
extern bool under_valgrind;
extern bool instrumented; /* by valgrind or the sanitizers */
bool is_emulated(void);   /* the processor: QEMU translates each instruction */

enum launch {
  PLAIN = 0,
  OLD_CALLS = 1,
  IGNORE_HUP = 2,
  FEW_DESCRIPTORS = 4,
  LOW_NUMBERS = 8,
  SIXTEEN_DESCRIPTORS = 16,
  JOINS_REFUSED = 256 /* times the errno */
};
/* A keeper that could not be executed exits with it. */
#define NOT_EXECUTED 98
struct keeper keeper_start(const char *path, enum launch how);
void keeper_stop(struct keeper *keeper);
void keeper_pause(const struct keeper *keeper);
bool keeper_alive(const struct keeper *keeper);

/* ---- trace.c: it comes to its system calls one by one */

bool can_hold_back(void);
void hold_back(const struct keeper *keeper);
long next_call(const struct keeper *keeper);
extern uint64_t call_arguments[6]; /* of that call */
bool opens(const struct keeper *keeper, long call, const char *name);

/* ---- requests */

struct request {
  struct start_request head;
  unsigned char *block;
  size_t length;
  size_t room;
  int descriptors[300];
  unsigned int descriptor_count;
};
/* Descriptors 0 (status) to 3 begin as /dev/null; the status pipe is made when it is sent. */
struct request request_new(void);
void add_rlimit(struct request *request, uint32_t resource, uint64_t soft, uint64_t hard);
void add_group(struct request *request, uint32_t group);
void add_string(struct request *request, const char *string);
void add_descriptor(struct request *request, int fd);
void add_command(struct request *request, ...); /* one candidate, then arguments, ended by NULL; environment empty */
void request_free(struct request *request);
bool send_raw(int socket, const void *bytes, size_t length, const void *more, size_t more_length, const int *fds,
              unsigned int count);

struct result {
  int spawned; /* pid, or 0 */
  int running;
  int entering; /* pid of the one that entered a namespace, or 0 */
  int pid;      /* of whichever told it */
  uint32_t step;
  int error;
  uint32_t detail;
  int records;
  bool timed_out;
  bool taken;
  int value; /* of the TAKEN record */
};
void status_pipe(int pipes[2]);
int send_start(struct keeper *keeper, struct request *request); /* the status pipe's read end */
struct result read_result(int status);
struct result tell(int socket, const void *bytes, size_t length, const int *fds, unsigned int count); /* adds the pipe */
struct result send_hold(struct keeper *keeper, uint32_t kind, const struct hold_entry *entries, uint32_t count);
struct result run(struct keeper *keeper, struct request *request);
int wait_exit(int pid); /* exit code, or -signal, or -1000 */
struct result shell(struct keeper *keeper, struct request *request, const char *script, char *out, size_t size);
/* Adds `self_path argument` as the command, sends stdout to out. */
struct result probe(struct keeper *keeper, struct request *request, const char *argument, char *out, size_t size);
struct result run_with_output(struct keeper *keeper, struct request *request, char *out, size_t size, int *exit_code);

/* ---- groups */

char *group_base(const char *controller); /* "" is v2; a fresh group below ours, or NULL */
char *make_group(const char *parent, const char *name);
void make_chain(const char *parent, int depth);
void write_file(const char *directory, const char *name, const char *text);
bool read_file(const char *directory, const char *name, char *to, size_t size);
int open_at(const char *directory, const char *name, int flags);
void remove_tree(const char *path); /* groups, deepest first; members must be dead */
bool exists(const char *path);
bool open_descriptors(pid_t pid, char *to, size_t size); /* such as "0 1 2 " */
bool is_v2(const char *controller);

/* ---- anchors: a directory in each of some hierarchies, the first of which holds the membership */

#define HIERARCHIES 3
struct anchor_paths {
  int count;
  char *base[HIERARCHIES];
  char *anchor[HIERARCHIES];
};
/* The kinds of host: a hierarchy for each, the one that members are found by first. */
extern const char *const v2_only[HIERARCHIES + 1], *const v2_and_v1[HIERARCHIES + 1], *const v1_only[HIERARCHIES + 1];
bool make_anchor(const char *const *controllers, struct anchor_paths *paths);
/* The status pipe's read end. later: of all hierarchies but the first the keeper has to find the directory itself. */
int send_anchor(struct keeper *keeper, const char *const *controllers, const struct anchor_paths *paths, bool later);

/* ---- members.c: processes of ours in groups, and the end of an anchor that they are in */

struct member {
  const char *domain;   /* where it is */
  const char *threaded; /* where its second thread is; NULL: it has none */
  bool first_ends;      /* and only the second one lives */
  bool first_too;       /* the first thread is there too */
  uid_t uid;
};
typedef void member_life(const void *how, int ready); /* writes to ready when it is where it stays; never returns */
pid_t start_member(const char *group, member_life *life, const void *how); /* back then */
pid_t put_member(const struct member *member);
pid_t put(const char *group);
bool lives(pid_t pid);
int count_killed(const pid_t *members, int count); /* waits for all of them; who lives is ended, and does not count */
void end_bystander(pid_t pid);
int count_descendants(long pid);
int count_children(void); /* with their descendants, the dead ones reaped */
void end_children(void);
int end_anchor(const char *const *controllers, const struct anchor_paths *paths, const char *path, enum launch how);
int groups_left(const struct anchor_paths *paths);
int sweep(const char *const *controllers, const struct anchor_paths *paths);
bool is_here(const char *what, const char *const *controllers, struct anchor_paths *paths);
void remove_bases(const struct anchor_paths *paths);
char *path_of(const char *directory, const char *name);
bool has(const char *directory, const char *name);

int64_t now_ms(void);
bool contains(const char *text, const char *part);
void status_line(const char *status, const char *key, char *to, size_t size);

/* ---- the tests */

void test_start(void);
void test_failures(void);
void test_malformed(void);
void test_groups(void);
void test_anchor(void);
void test_hostile(void);
void test_renames(void);
void test_diggers(void);
void test_hashes(void);
void test_hold(void);
void test_processes(void);
void test_hanging(void);
void test_death(void);
void test_namespace(void);
int probe_main(int argc, char **argv);

#endif
