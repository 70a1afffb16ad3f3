package dev.holdfast.systemd;

import dev.holdfast.cgroup.HoldfastException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One talk with systemd that cannot last longer than it may: it runs on a thread of its own, for
 * the time being, as a socket's connect and read have no time limit. For one use.
 */
final class Conversation<T> {
  /** What is talked about. */
  @FunctionalInterface
  interface Talk<T> {
    T with(Manager manager) throws IOException, BusException, HoldfastException;
  }

  private final Instance instance;
  private final Refusals refusals;
  private final Duration limit;
  private volatile String waitedFor = "a connection";
  private @Nullable Peer peer;
  private boolean over;

  Conversation(Instance instance, Refusals refusals, Duration limit) {
    this.instance = instance;
    this.refusals = refusals;
    this.limit = limit;
  }

  /** Talks. An interrupt ends it, and is kept. */
  T about(Talk<T> talk) throws HoldfastException {
    FutureTask<T> task = new FutureTask<>(() -> talk(talk));
    Thread.ofPlatform().daemon().name("holdfast-systemd").start(task);
    try {
      return task.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException hung) {
      throw refusals.hung(waitedFor, limit.toSeconds());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw refusals.interrupted(waitedFor);
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof HoldfastException known) {
        throw known;
      }
      throw new IllegalStateException(failed.getCause());
    } finally {
      end();
    }
  }

  private T talk(Talk<T> talk) throws HoldfastException {
    List<Bus> buses = instance.buses();
    HoldfastException last = null;
    for (Bus bus : buses) {
      try (Peer each = begin(bus)) {
        waitedFor = "a connection over " + bus;
        each.connect();
        return talk.with(new Manager(each, this::await));
      } catch (BusException error) {
        if (!isElsewhere(error)) {
          throw refusals.refused(bus, error);
        }
        last = refusals.refused(bus, error);
      } catch (HoldfastException known) {
        throw known;
      } catch (IOException | RuntimeException error) {
        last = refusals.broken(bus, error);
      }
    }
    if (last == null) {
      throw refusals.broken(
          new Bus(java.nio.file.Path.of("(none)"), true), new IOException("no socket"));
    }
    throw last;
  }

  private void await(String what) {
    waitedFor = what;
  }

  /** Whether the daemon of this bus knows of no systemd: it may still be asked directly. */
  private static boolean isElsewhere(BusException error) {
    return error.name().equals("org.freedesktop.DBus.Error.ServiceUnknown")
        || error.name().equals("org.freedesktop.DBus.Error.NameHasNoOwner")
        || error.name().startsWith("org.freedesktop.DBus.Error.Spawn.");
  }

  private synchronized Peer begin(Bus bus) throws IOException {
    if (over) {
      throw new IOException("too late");
    }
    peer = new Peer(bus);
    return peer;
  }

  /** Wakes the thread, if it still is there: nobody waits for it any more. */
  private synchronized void end() {
    over = true;
    if (peer != null) {
      peer.close();
    }
  }
}
