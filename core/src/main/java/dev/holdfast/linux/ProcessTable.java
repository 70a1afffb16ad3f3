package dev.holdfast.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The processes of the machine, as {@code /proc} shows them to us. */
public final class ProcessTable {
  /**
   * One process.
   *
   * @param state as the kernel has it: R, S, D, T, t, Z, X, I; it has ended, or stands still, once
   *     all of its threads do
   * @param userTicks CPU time in user mode, of all its threads, in clock ticks of 10 ms
   * @param systemTicks the same in the kernel
   * @param waitedUserTicks of those that it has waited for, and that they had waited for
   * @param waitedSystemTicks the same in the kernel
   * @param threads how many it has
   * @param startTicks when it started, in clock ticks since the boot: with the pid it names the
   *     process for good
   */
  public record Entry(
      int pid,
      char state,
      int parent,
      int group,
      int session,
      long userTicks,
      long systemTicks,
      long waitedUserTicks,
      long waitedSystemTicks,
      int threads,
      long startTicks) {
    /** Whether it still runs: a zombie only waits for its parent. */
    public boolean isAlive() {
      return state != 'Z' && state != 'X';
    }

    /** Whether it stands still, by a signal or for a debugger. */
    public boolean isStopped() {
      return state == 'T' || state == 't';
    }

    private Entry in(char other) {
      return new Entry(
          pid,
          other,
          parent,
          group,
          session,
          userTicks,
          systemTicks,
          waitedUserTicks,
          waitedSystemTicks,
          threads,
          startTicks);
    }
  }

  /** For whoever must see all processes. */
  public static final String REMEDY =
      "mount the proc filesystem of this pid namespace at /proc, without hidepid";

  private final Path proc;

  /** The table at {@code proc}, usually {@code /proc}. */
  public ProcessTable(Path proc) {
    this.proc = proc;
  }

  public static ProcessTable system() {
    return new ProcessTable(Path.of("/proc"));
  }

  /** Whether it numbers processes as we do: it may be that of another pid namespace. */
  public boolean isOwn() {
    try {
      long self = Long.parseLong(Files.readSymbolicLink(proc.resolve("self")).toString());
      return self == ProcessHandle.current().pid();
    } catch (IOException | NumberFormatException notMounted) {
      return false;
    }
  }

  /**
   * The entry of {@code pid}; null if there is none (any more), or it is not shown to us.
   *
   * @throws IOException if we can read nothing there, as without a free descriptor
   */
  public @Nullable Entry entry(int pid) throws IOException {
    Path directory = proc.resolve(Integer.toString(pid));
    Entry entry = read(directory.resolve("stat"));
    if (entry == null || entry.threads() == 1 || !(entry.state() == 'Z' || entry.isStopped())) {
      return entry;
    }
    return entry.in(stateOfAll(directory.resolve("task")));
  }

  /**
   * The state in {@code stat} is that of the first thread, which may have ended, or be stopped by
   * its tracer, alone. A thread that runs tells more than one that stands still.
   */
  private char stateOfAll(Path tasks) throws IOException {
    char state = 'Z';
    List<Integer> ids;
    try {
      ids = numbers(tasks);
    } catch (FileSystemException failure) {
      if (Files.isReadable(tasks)) {
        throw failure;
      }
      return state; // it has ended
    }
    for (int id : ids) {
      Entry thread = read(tasks.resolve(Integer.toString(id)).resolve("stat"));
      if (thread != null && thread.isAlive()) {
        state = thread.state();
        if (!thread.isStopped()) {
          return state;
        }
      }
    }
    return state;
  }

  private static @Nullable Entry read(Path stat) throws IOException {
    String text = text(stat);
    return text == null ? null : parse(text);
  }

  /**
   * A file of one process; null if that has ended, or it is not shown to us.
   *
   * @throws IOException if we can read nothing there, as without a free descriptor
   */
  static @Nullable String text(Path file) throws IOException {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException | AccessDeniedException hidden) {
      return null;
    } catch (FileSystemException failure) {
      // EMFILE and the like are not about this process; access(2) needs no descriptor.
      if (Files.isReadable(file)) {
        throw failure;
      }
      return null;
    } catch (IOException ended) {
      return null; // ESRCH, since it was opened
    }
  }

  /** The numbers of all, as they are at one moment or so: see {@link #entries}. */
  public List<Integer> numbers() throws IOException {
    return numbers(proc);
  }

  /** All of them; one that ends meanwhile may be missing. */
  public List<Entry> entries() throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (int pid : numbers()) {
      Entry entry = entry(pid);
      if (entry != null) {
        entries.add(entry);
      }
    }
    return entries;
  }

  /**
   * The kernel lists processes by their numbers, a part at a time, and looks for the next part only
   * when it is asked for it: with reads in between, those that fork as fast as that would be listed
   * for ever.
   */
  private static List<Integer> numbers(Path directory) throws IOException {
    List<Integer> numbers = new ArrayList<>();
    try (DirectoryStream<Path> names = Files.newDirectoryStream(directory, "[0-9]*")) {
      names.forEach(name -> numbers.add(Integer.valueOf(name.getFileName().toString())));
    } catch (DirectoryIteratorException failure) {
      throw failure.getCause();
    }
    return numbers;
  }

  /**
   * The grammar of {@code /proc/PID/stat} (proc_pid_stat(5)), fields counted from 1:
   *
   * <pre>
   * pid (comm) state ppid pgrp session tty_nr tpgid flags minflt cminflt majflt cmajflt utime stime
   *  1    2      3    4    5      6      7     8     9      10     11      12      13     14    15
   * cutime cstime priority nice num_threads itrealvalue starttime …
   *   16     17      18     19      20          21         22
   * </pre>
   *
   * comm is the program's to choose and may hold blanks and parentheses: it ends at the last one.
   */
  static @Nullable Entry parse(String stat) {
    int open = stat.indexOf('(');
    int close = stat.lastIndexOf(')');
    if (open < 0 || close < open) {
      return null;
    }
    String[] fields = stat.substring(close + 1).strip().split(" ", -1);
    try {
      return new Entry(
          Integer.parseInt(stat.substring(0, open).strip()),
          fields[0].charAt(0),
          Integer.parseInt(fields[1]),
          Integer.parseInt(fields[2]),
          Integer.parseInt(fields[3]),
          Long.parseLong(fields[11]),
          Long.parseLong(fields[12]),
          Long.parseLong(fields[13]),
          Long.parseLong(fields[14]),
          Integer.parseInt(fields[17]),
          Long.parseLong(fields[19]));
    } catch (NumberFormatException | IndexOutOfBoundsException malformed) {
      return null;
    }
  }
}
