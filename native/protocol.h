/*
 * The words that the JVM and the keeper exchange.
 *
 * Both ends run on the same machine and were built together, so every number is in the machine's own byte order and
 * there is no negotiation; MAGIC carries the version. The socket is SOCK_SEQPACKET: one message is one request, with its
 * descriptors attached (SCM_RIGHTS). The keeper never answers on the socket: each request has a pipe of its own (the
 * "status pipe") whose write end travels with it as its first descriptor, and whose end of file is the answer. That end
 * is non-blocking (O_NONBLOCK), so that nobody ever waits for the reader.
 *
 * What the JVM learns of a start from the records found in the status pipe once every write end of it is closed:
 *
 *   nothing               no child was made: the keeper died before it came to this request, or had no room for any of
 *                         its descriptors. Start again.
 *   SPAWNED only          the child was killed before its first instruction (the group had been killed once, or is
 *                         being killed now). Reap it; perhaps start again, joining by write.
 *   RUNNING, no FAILED    exec succeeded (or the child was killed on its way there, which its exit status tells).
 *   FAILED                which step, which errno. With SPAWNED or RUNNING before it there is a child to reap.
 *
 * SPAWNED is written by the keeper, RUNNING by the child itself as its first act: so the pid is known even if the keeper
 * is killed between clone3 and its own record. The two may come in either order.
 *
 * The end of file comes only when the sender has closed its own copy of the write end too. Two things hold it back:
 * a child in a frozen group waits in front of RUNNING until the group is thawed; and such a child still has copies of
 * all of the keeper's descriptors, so if the keeper dies then, requests that it has not read keep their status pipes
 * open. So watch the keeper by a pidfd, not by its pipes and socket alone. One that has joined has closed them.
 *
 * The child is the JVM's own (CLONE_PARENT), and the kernel gives it the keeper's exit signal, SIGCHLD: waitid on its
 * pidfd needs no flags for odd children. A signal sent to it before exec is not lost: it is delivered just before exec.
 *
 * A child inherits from the keeper, and so from the JVM as it was when the keeper was started: the working directory, if it
 * is not given one, umask, nice value, limits (what the keeper raised for itself is undone), identity, session, groups of
 * all hierarchies.
 */
#ifndef HOLDFAST_PROTOCOL_H
#define HOLDFAST_PROTOCOL_H

#include <stdint.h>

#define HOLDFAST_MAGIC 0x31464b48u /* "HKF1", little endian */

/* At start the keeper finds these descriptors, named by number in its arguments:
 *   argv[1] the socket, argv[2] a pidfd of the JVM. Everything else it closes. */

enum request_kind {
  REQUEST_START = 1,
  REQUEST_ANCHOR = 2,
  REQUEST_HOLD = 3,
  REQUEST_LET_GO = 4,
  REQUEST_NAMESPACE = 5,
  /* to the first process of a namespace */
  REQUEST_SIGNAL = 6,
  REQUEST_EMPTY = 7,
  REQUEST_RELEASE = 8
};

/* ---- REQUEST_START ------------------------------------------------------------------------------------------------ */

enum start_flags {
  START_BLOCK_IN_MEMFD = 1u << 0, /* the message is only a start_request; the block is the content of a memfd, which is
                                     exactly block_length long and sealed by F_SEAL_SHRINK */
  START_CLONE_INTO = 1u << 1,     /* descriptor CGROUP is present: clone3(CLONE_INTO_CGROUP) */
  START_CHECK_PIDS = 1u << 2,     /* descriptors PIDS_CURRENT, PIDS_MAX are present: joining by write ignores pids.max,
                                     so the child reads both after it joined and fails with EAGAIN if current > max */
  START_SESSION = 1u << 3,        /* setsid(); excludes START_GROUP */
  START_GROUP = 1u << 4,          /* setpgid(0, process_group): 0 is a group of its own; with neither of the two the
                                     child is in the keeper's process group, which nobody wants */
  START_UMASK = 1u << 5,
  START_NICE = 1u << 6,
  START_DIRECTORY = 1u << 7, /* the first string is the directory; without it the keeper's, which was started there,
                                or with START_ENTER the root of the mount namespace */
  START_GROUPS = 1u << 8,    /* setgroups(groups) */
  START_GID = 1u << 9,
  START_UID = 1u << 10,
  START_NO_NEW_PRIVS = 1u << 11,
  START_KEEP_IGNORED = 1u << 12, /* leave SIGHUP, SIGINT and SIGQUIT ignored, those of them that were ignored
                                    when the keeper was started: `nohup` */
  START_OOM_SCORE = 1u << 13,    /* /proc/self/oom_score_adj */
  START_HOLD = 1u << 14,         /* for a child that no anchor ends: see REQUEST_HOLD */
  START_ENTER = 1u << 15,        /* descriptor FIRST is present: the child comes to be in the pid and mount namespaces of
                                    that process; excludes START_CLONE_INTO and START_HOLD */
  START_ENTER_USER = 1u << 16,   /* and in its user namespace; only with START_ENTER */
};

/*
 * Descriptors of a start, in this order:
 *   status, stdin, stdout, stderr            always
 *   block                                    with START_BLOCK_IN_MEMFD
 *   cgroup directory                         with START_CLONE_INTO
 *   pids.current, pids.max                   with START_CHECK_PIDS
 *   first                                    with START_ENTER: a pidfd of the namespace's first process
 *   join[join_count]                         opened `tasks` (v1) or `cgroup.procs` (v2): the child writes "0" to each
 */
#define MAX_JOINS 32
/* execve takes at most 6 MiB of strings, whatever the stack's limit: more is refused unread with E2BIG. */
#define MAX_BLOCK (16u << 20)

struct start_request {
  uint32_t magic;
  uint32_t kind;
  uint32_t flags;
  uint32_t join_count;
  uint64_t block_length; /* bytes that follow the request, or the memfd's content */
  int32_t process_group;
  uint32_t umask;
  int32_t nice;
  uint32_t uid;
  uint32_t gid;
  uint32_t group_count;
  uint32_t rlimit_count;
  uint32_t candidate_count; /* paths to try, in order, as execvp(3) does with PATH */
  uint32_t argument_count;
  uint32_t environment_count;
  int32_t oom_score_adj; /* -1000 to 1000 */
  uint32_t padding;
};

struct rlimit_entry {
  uint32_t resource;
  uint32_t padding;
  uint64_t soft;
  uint64_t hard;
};

/*
 * The block: rlimit_entry[rlimit_count], uint32_t groups[group_count], then strings, each ended by NUL, one behind the
 * other with nothing between them: the directory (with START_DIRECTORY), the candidates, the arguments, the environment.
 * The last byte of the block is the NUL of the last string; there is nothing behind it. Anything else is malformed.
 */

/* ---- REQUEST_ANCHOR ------------------------------------------------------------------------------------------------ */

enum hierarchy_kind {
  HIERARCHY_V2 = 1,      /* membership, cgroup.kill, cgroup.freeze, cgroup.events */
  HIERARCHY_FREEZER = 2, /* v1 freezer: membership of a pure v1 anchor, and thaw before any kill */
  HIERARCHY_OTHER = 3,   /* v1: only its directories are removed */
  HIERARCHY_LATER = 4    /* v1: the anchor's directory is made there later, or never: it is looked for in the end; in
                            its place the parent is given again */
};

#define MAX_HIERARCHIES 32

/*
 * Descriptors: the status pipe, then for each hierarchy the anchor's parent directory and the anchor's own directory (not O_PATH: the keeper
 * reads them). The first hierarchy is the one that holds the membership and the lock: it is killed first and its
 * directory removed last; it is HIERARCHY_V2 or HIERARCHY_FREEZER. A later REQUEST_ANCHOR replaces the former one.
 *
 * The answer is one record: TAKEN, or FAILED with STEP_REQUEST, and then the former anchor is still the one that is
 * kept. No record: the keeper died before it came to it.
 *
 * The directories right below the anchor are jobs. One that bears the extended attribute user.holdfast.released in the
 * first hierarchy was stopped without escalation: its members live on, and it is only removed if it is empty.
 */
struct anchor_request {
  uint32_t magic;
  uint32_t kind;
  uint32_t hierarchy_count;
  uint32_t hierarchy[MAX_HIERARCHIES];
  char name[256]; /* of the anchor's directory in each parent, NUL-terminated, no slash */
};

/* ---- REQUEST_HOLD, REQUEST_LET_GO -------------------------------------------------------------------------------- */

/*
 * A child that is in no group of the anchor is held by itself: when the JVM is gone, the keeper ends it, whoever is in a
 * POSIX session that it leads, and whoever descends from one of those. START_HOLD asks for it at the start; REQUEST_HOLD
 * tells a new keeper of those that a former one held. A child without a session of its own is let go when it ends, one
 * with a session when that is empty. REQUEST_LET_GO lets them go before. With the first process of a pid namespace the
 * kernel ends all that are in it, so nobody is looked for there.
 *
 * Descriptors: the status pipe. The answer is as for an anchor; an entry that is not there any more is no failure.
 */
#define MAX_HOLDS_AT_ONCE 1024

enum hold_kind {
  HOLD_CHILD = 0,   /* it shares the session of others */
  HOLD_SESSION = 1, /* it leads one */
  HOLD_FIRST = 2    /* the first process of a pid namespace */
};

struct hold_entry {
  int32_t pid;
  uint32_t kind; /* enum hold_kind; to REQUEST_LET_GO it does not matter which */
  uint64_t start_ticks; /* as in /proc/PID/stat; of a leader that has ended 0. Not looked at by REQUEST_LET_GO */
};

struct hold_request {
  uint32_t magic;
  uint32_t kind;
  uint32_t count;
  uint32_t padding;
  struct hold_entry entries[]; /* count of them, at most MAX_HOLDS_AT_ONCE */
};

/* ---- REQUEST_NAMESPACE ------------------------------------------------------------------------------------------- */

/*
 * Makes a pid namespace, whose first process is the JVM's child too and runs the keeper's code. The end of that process
 * is the end of all in the namespace, and the kernel sees to it; it ends when the JVM is gone, when the JVM closes its end of
 * the orders' socket, and by SIGKILL; then the keeper holds it as well (HOLD_FIRST). It cannot
 * finish dying before the JVM has reaped those children of its own that are in the namespace.
 *
 * Without the privilege to make a pid namespace alone it comes with a user namespace, in which the caller's effective user and
 * group are themselves, and there are no others. The mount namespace has a /proc of its own where that is allowed.
 *
 * Descriptors: the status pipe, and the first process's end of the orders' socket (SOCK_SEQPACKET). In the status pipe:
 * SPAWNED and RUNNING as for a start, then TAKEN or FAILED with STEP_NAMESPACE. TAKEN: value is the errno that kept the
 * namespace from a /proc of its own, or 0; detail is 1 if there is a user namespace.
 */
struct namespace_request {
  uint32_t magic;
  uint32_t kind;
};

/* What the detail of STEP_NAMESPACE means. */
enum namespace_step {
  NAMESPACE_CLONE = 1,
  NAMESPACE_SETGROUPS = 2,
  NAMESPACE_UID_MAP = 3,
  NAMESPACE_GID_MAP = 4,
  NAMESPACE_ROOT = 5, /* setns to where it is already; EXDEV: it leads to another root, so we are in a chroot(2) */
  NAMESPACE_ENTER = 6 /* of a start: ESRCH, the first process has ended */
};

/*
 * To the first process, over the orders' socket; the status pipe comes along as the first descriptor and is answered with TAKEN or
 * FAILED.
 *
 *   REQUEST_SIGNAL    argument: the signal, which all others in the namespace get, at one moment (kill(2) with -1): none
 *                     that is being forked meanwhile misses it
 *   REQUEST_EMPTY     TAKEN once the first process has no children, which with argument 1 must be now, else EBUSY. When all
 *                     children of the JVM in the namespace have ended before this is asked, it is empty then: whoever is
 *                     orphaned in it has become the first process's child by then. EAGAIN: too many ask
 *   REQUEST_RELEASE   the end of the JVM, or of this socket, is to end nothing any more; the first process ends when
 *                     the socket is closed, it has no children, and those processes have ended whose pidfds come along: the
 *                     JVM's children. argument 1: more will follow at once
 */
struct order_request {
  uint32_t magic;
  uint32_t kind;
  int32_t argument;
};
#define MAX_PIDFDS_AT_ONCE 200

/* ---- the status pipe --------------------------------------------------------------------------------------------- */

enum record_kind {
  RECORD_SPAWNED = 1,
  RECORD_RUNNING = 2,
  RECORD_FAILED = 3,
  RECORD_TAKEN = 4,
  RECORD_ENTERING = 5 /* another child of the JVM's to be reaped, at the end of file: it has entered a namespace, made the
                         child there, and has ended. From the keeper and from itself */
};

/* In the order in which the child takes them. */
enum start_step {
  STEP_REQUEST = 1, /* the keeper refused the message: EBADMSG, EMFILE, ENOMEM, E2BIG (block over MAX_BLOCK), EINVAL (of
                       a user or group -1, of an order a signal that there is not) */
  STEP_CLONE = 2,
  STEP_JOIN = 3, /* detail: which of the join descriptors. ESRCH, join_count: the JVM is dead or has let go */
  STEP_PIDS = 4, /* detail: 0 pids.current, 1 pids.max. EAGAIN: one too many */
  STEP_SESSION = 5, /* setsid or setpgid */
  STEP_OOM_SCORE = 6, /* before the limits, since it takes a descriptor */
  STEP_RLIMIT = 7,    /* detail: the resource */
  STEP_NICE = 8,
  STEP_UMASK = 9,
  STEP_DIRECTORY = 10,
  STEP_STREAMS = 11, /* detail: 0, 1, 2 */
  STEP_CLOSE = 12, /* after STEP_PIDS */
  STEP_GROUPS = 13,
  STEP_GID = 14,
  STEP_UID = 15,
  STEP_NO_NEW_PRIVS = 16,
  STEP_SIGNALS = 17,
  STEP_EXEC = 18, /* detail: which candidate gave the errno: the first EACCES if there was one, else the last tried */
  STEP_NAMESPACE = 19 /* before the child is made; detail: enum namespace_step */
};

/* 16 bytes, written at once: below PIPE_BUF, so records never interleave. */
struct status_record {
  uint32_t kind;
  int32_t pid;    /* as the keeper sees it: the child's; 0 where there is none */
  int32_t value;  /* FAILED: errno */
  uint16_t step;  /* FAILED: start_step */
  uint16_t detail; /* 65535 stands for that and more */
};

#endif
