/* The JVM at the other end of the socket: one message with its descriptors, and whether it is still there. */
#include <asm/errno.h>

#include "keeper.h"
#include "syscall.h"

/* linux/socket.h keeps these out of the uapi headers; they are the same everywhere. */
#define SOL_SOCKET_LEVEL 1
#define SCM_RIGHTS_TYPE 1
#define MESSAGE_CTRUNC 0x8u
#define MESSAGE_TRUNC 0x20u
#define MESSAGE_DONTWAIT 0x40u
#define MESSAGE_CMSG_CLOEXEC 0x40000000u

#define ALIGNED(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))

long receive(int socket, struct message *message) {
  /* Room for the kernel's other kinds of control message too, should somebody have asked the socket for them. */
  static _Alignas(16) unsigned char control[ALIGNED(sizeof(struct kernel_cmsghdr)) + 4 * MAX_DESCRIPTORS + 256];
  struct iovec iov = {.iov_base = message->bytes, .iov_len = sizeof message->bytes};
  struct kernel_msghdr header = {
      .iov = &iov, .iov_count = 1, .control = control, .control_length = sizeof control};
  message->length = 0;
  message->descriptor_count = 0;
  long length = sys_recvmsg(socket, &header, MESSAGE_CMSG_CLOEXEC | MESSAGE_DONTWAIT);
  if (length < 0) return length;
  message->length = (size_t)length;
  message->truncated = (header.flags & MESSAGE_TRUNC) != 0;
  message->descriptors_lost = (header.flags & MESSAGE_CTRUNC) != 0;
  /* The kernel has shortened control_length to what it wrote. */
  size_t at = 0;
  while (header.control_length - at >= sizeof(struct kernel_cmsghdr)) {
    const struct kernel_cmsghdr *item = (const void *)(control + at);
    if (item->length < sizeof *item || item->length > header.control_length - at) break;
    if (item->level == SOL_SOCKET_LEVEL && item->type == SCM_RIGHTS_TYPE) {
      const int *descriptors = (const void *)(item + 1);
      size_t count = (item->length - sizeof *item) / sizeof(int);
      for (size_t i = 0; i < count && message->descriptor_count < MAX_DESCRIPTORS; i++) {
        message->descriptors[message->descriptor_count++] = descriptors[i];
      }
    }
    size_t step = ALIGNED(item->length);
    if (step > header.control_length - at) break;
    at += step;
  }
  return length;
}

/* The kernel gives the lowest free numbers in order: ranges, usually one, and each is closed by one call. */
void discard(struct message *message) {
  const int *fds = message->descriptors;
  for (unsigned int i = 0, next; i < message->descriptor_count; i = next) {
    for (next = i + 1; next < message->descriptor_count && fds[next] == fds[next - 1] + 1;) next++;
    if (sys_close_range((unsigned int)fds[i], (unsigned int)fds[next - 1], 0) >= 0) continue;
    for (; i < next; i++) sys_close(fds[i]); /* before Linux 5.9 */
  }
  message->descriptor_count = 0;
}

bool jvm_gone(int socket, int jvm) {
  struct pollfd polls[] = {{jvm, POLLIN, 0}, {socket, POLLRDHUP, 0}};
  static const struct __kernel_timespec at_once = {0, 0};
  sys_ppoll(polls, 2, &at_once);
  return polls[0].revents != 0 || (polls[1].revents & GONE_EVENTS) != 0;
}
