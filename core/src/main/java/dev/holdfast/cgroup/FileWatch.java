package dev.holdfast.cgroup;

import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.KernelFiles;
import dev.holdfast.linux.Poller;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * Tells of each change of a cgroup file that announces them with POLLPRI, such as {@code
 * cgroup.events}. Several changes in a row may be told of once: hence the content is handed over,
 * not a difference.
 *
 * <p>Thread-safe. The action runs on the poller's thread, never twice at a time.
 */
final class FileWatch implements Watch {
  private final Descriptor file;
  private final String path;
  private final Poller.Watch watch;
  private final Consumer<String> action;
  private boolean closed;

  private FileWatch(Descriptor file, String path, Consumer<String> action) throws IOException {
    this.file = file;
    this.path = path;
    this.action = action;
    this.watch = Poller.shared().watch(file);
  }

  /** Hands over what the file holds now, on the calling thread, and then at each change. */
  static FileWatch open(Directory group, String name, Consumer<String> action) throws IOException {
    Descriptor file = group.openToRead(name);
    try {
      FileWatch watch = new FileWatch(file, group.path().resolve(name).toString(), action);
      // The kernel compares with what was read last through this descriptor: so this comes first.
      action.accept(watch.read());
      watch.arm();
      return watch;
    } catch (IOException | RuntimeException failure) {
      file.close();
      throw failure;
    }
  }

  private synchronized void arm() throws IOException {
    if (!closed) {
      watch.onEvent(Poller.PRIORITY, this::changed);
    }
  }

  private void changed() {
    try {
      String content;
      synchronized (this) {
        if (closed) {
          return;
        }
        content = read();
      }
      // First: an action that throws has the next change all the same, and the poller, whose thread
      // this is, tells of it afterwards.
      arm();
      action.accept(content);
    } catch (IOException removed) {
      close(); // ENODEV: the group is gone, and nothing more will happen in it
    }
  }

  private String read() throws IOException {
    return KernelFiles.read(file, path);
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      watch.close();
      file.close();
    }
  }
}
