/* The keeper as a hosted program, for the sanitizers: what entry.c does without a C library. */
#include <stdlib.h>

#include "../keeper.h"

#define MOST 8

#ifdef SANITIZED
/* Its stderr is not ours, so what is found must be told in a file and by its end. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__asan_default_options(void) { return "log_path=" SANITIZED ":handle_segv=0:detect_leaks=0"; }
const char *__ubsan_default_options(void) { return "log_path=" SANITIZED ":print_stacktrace=1"; }
#endif

int main(int argc, char **argv) {
  uintptr_t stack[MOST + 1] = {(uintptr_t)argc};
  for (int i = 0; i < argc && i < MOST; i++) stack[i + 1] = (uintptr_t)argv[i];
  keeper(stack);
}
