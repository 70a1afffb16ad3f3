/* From the strings of the block to execve. */
#include <asm/errno.h>
#include <linux/mman.h>

#include "keeper.h"
#include "syscall.h"

#define FEW 512

static const char *after(const char *string) { return string + length_of(string) + 1; }

static const char *point_to(const char *string, uint32_t count, char **array) {
  for (uint32_t i = 0; i < count; i++, string = after(string)) {
    /* execve takes char *const[] for the sake of old programs; it only reads. */
    array[i] = (char *)(uintptr_t)string;
  }
  array[count] = NULL;
  return string;
}

/* As execvp(3): these say that the program is not there, so the next place may have it. */
static bool goes_on(long error) {
  return error == -EACCES || error == -ENOENT || error == -ENOTDIR || error == -ENAMETOOLONG || error == -ESTALE ||
         error == -ENODEV || error == -ETIMEDOUT;
}

_Noreturn void execute(const struct start *start) {
  const struct start_request *request = start->request;
  const char *candidates = (const char *)start->block + request->rlimit_count * sizeof(struct rlimit_entry) +
                           request->group_count * sizeof(uint32_t);
  if ((request->flags & START_DIRECTORY) != 0) candidates = after(candidates);
  const char *string = candidates;
  for (uint32_t i = 0; i < request->candidate_count; i++) string = after(string);

  /* Touched here and not in the keeper: it is the job that pays for the memory. */
  static char *few[FEW];
  size_t pointers = (size_t)request->argument_count + request->environment_count + 2;
  char **arguments = few;
  if (pointers > FEW) {
    long memory = sys_mmap(pointers * sizeof(char *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (memory < 0 && memory > -4096) child_failed(start, STEP_EXEC, memory, 0);
    arguments = (char **)memory;
  }
  char **environment = arguments + request->argument_count + 1;
  string = point_to(string, request->argument_count, arguments);
  point_to(string, request->environment_count, environment);

  long error = 0;
  uint32_t culprit = 0;
  for (uint32_t i = 0; i < request->candidate_count; i++, candidates = after(candidates)) {
    long result = sys_execve(candidates, arguments, environment);
    /* "There, but not for you" tells more than the "not there" of the places after it. */
    if (error != -EACCES || !goes_on(result)) error = result, culprit = i;
    if (!goes_on(result)) break;
  }
  child_failed(start, STEP_EXEC, error, culprit);
}
