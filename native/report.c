/* What is told on the status pipe of a request. */
#include <asm/errno.h>

#include "keeper.h"
#include "syscall.h"

/* A pipe takes 16 bytes whole or not at all, and does not block: if it is full, or its reader left, they are lost. */
void report(int status, enum record_kind kind, int pid, enum start_step step, long error, uint32_t detail) {
  struct status_record record = {
      .kind = kind,
      .pid = pid,
      .value = (int32_t)error,
      .step = (uint16_t)step,
      .detail = (uint16_t)(detail > UINT16_MAX ? UINT16_MAX : detail),
  };
  while (sys_write(status, &record, sizeof record) == -EINTR) continue;
}

/* To what has only one. */
void answer(const struct message *message, int error) {
  if (message->descriptor_count == 0) return;
  report(message->descriptors[0], error == 0 ? RECORD_TAKEN : RECORD_FAILED, 0, error == 0 ? 0 : STEP_REQUEST, error, 0);
}

int own_pid(const struct start *start) { return start->told != NULL ? *start->told : sys_getpid(); }

_Noreturn void child_failed(const struct start *start, enum start_step step, long error, uint32_t detail) {
  report(start->status, RECORD_FAILED, own_pid(start), step, -error, detail);
  sys_exit(127);
}
