package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Lays out a {@link StartRequest} as {@code native/protocol.h} has it. */
final class StartMessage {
  private static final int MAGIC = 0x31464b48;
  private static final int KIND_START = 1;
  private static final int HEADER = 72;
  private static final int RLIMIT = 24;

  /**
   * Larger blocks (long argument lists) travel in a memfd; the keeper's receive buffer takes this
   * much.
   */
  private static final int INLINE = 32 * 1024;

  private StartMessage() {}

  /** Sends the request; the keeper answers on the pipe whose write end is {@code status}. */
  static void send(Socket socket, StartRequest request, int status) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      long blockSize = blockSize(request);
      boolean inline = blockSize <= INLINE;
      MemorySegment message = arena.allocate(HEADER + (inline ? blockSize : 0), 8);
      header(message, request, blockSize, inline);
      if (inline) {
        block(message.asSlice(HEADER), request);
        socket.send(message, request.descriptors(status, null));
      } else {
        MemorySegment block = arena.allocate(blockSize, 8);
        block(block, request);
        try (Descriptor memfd = MemoryFile.sealed("holdfast-start", block)) {
          socket.send(message, request.descriptors(status, memfd));
        }
      }
    }
  }

  private static void header(
      MemorySegment header, StartRequest request, long blockSize, boolean inline) {
    header.set(ValueLayout.JAVA_INT, 0, MAGIC);
    header.set(ValueLayout.JAVA_INT, 4, KIND_START);
    header.set(ValueLayout.JAVA_INT, 8, request.flags | (inline ? 0 : StartRequest.BLOCK_IN_MEMFD));
    header.set(ValueLayout.JAVA_INT, 12, request.joinCount());
    header.set(ValueLayout.JAVA_LONG, 16, blockSize);
    header.set(ValueLayout.JAVA_INT, 24, request.processGroup);
    header.set(ValueLayout.JAVA_INT, 28, request.umask);
    header.set(ValueLayout.JAVA_INT, 32, request.nice);
    header.set(ValueLayout.JAVA_INT, 36, request.uid);
    header.set(ValueLayout.JAVA_INT, 40, request.gid);
    header.set(ValueLayout.JAVA_INT, 44, request.groups.length);
    header.set(ValueLayout.JAVA_INT, 48, request.resourceLimits.size());
    header.set(ValueLayout.JAVA_INT, 52, request.candidates.size());
    header.set(ValueLayout.JAVA_INT, 56, request.arguments.size());
    header.set(ValueLayout.JAVA_INT, 60, request.environment.size());
    header.set(ValueLayout.JAVA_INT, 64, request.oomScoreAdj);
  }

  private static void block(MemorySegment block, StartRequest request) {
    long at = 0;
    for (StartRequest.ResourceLimit limit : request.resourceLimits) {
      block.set(ValueLayout.JAVA_INT, at, limit.resource());
      block.set(ValueLayout.JAVA_LONG, at + 8, limit.soft());
      block.set(ValueLayout.JAVA_LONG, at + 16, limit.hard());
      at += RLIMIT;
    }
    for (int group : request.groups) {
      block.set(ValueLayout.JAVA_INT, at, group);
      at += Integer.BYTES;
    }
    at = string(block, at, request.directory);
    at = strings(block, at, request.candidates);
    at = strings(block, at, request.arguments);
    strings(block, at, request.environment);
  }

  private static long blockSize(StartRequest request) {
    return (long) RLIMIT * request.resourceLimits.size()
        + (long) Integer.BYTES * request.groups.length
        + (request.directory == null ? 0 : request.directory.length + 1)
        + size(request.candidates)
        + size(request.arguments)
        + size(request.environment);
  }

  private static long size(List<byte[]> strings) {
    long size = 0;
    for (byte[] string : strings) {
      size += string.length + 1L;
    }
    return size;
  }

  private static long strings(MemorySegment block, long at, List<byte[]> strings) {
    for (byte[] string : strings) {
      at = string(block, at, string);
    }
    return at;
  }

  private static long string(MemorySegment block, long at, byte @Nullable [] string) {
    if (string == null) {
      return at;
    }
    MemorySegment.copy(string, 0, block, ValueLayout.JAVA_BYTE, at, string.length);
    return at + string.length + 1; // the arena is zeroed: the NUL is there
  }
}
