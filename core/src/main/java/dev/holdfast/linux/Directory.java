package dev.holdfast.linux;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * An open directory, and what can be done relative to it. A kernel filesystem is small files that
 * are read and written whole, so that is what there is. Names are single components: a rename or a
 * symbolic link elsewhere in the tree cannot lead us to another place.
 *
 * <p>Thread-safe. Closing it while another thread is inside a call is the owner's matter.
 */
public final class Directory implements AutoCloseable {
  private static final int O_RDONLY = 0;
  private static final int O_WRONLY = 1;
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int AT_FDCWD = -100;
  private static final int AT_REMOVEDIR = 0x200;

  private final Descriptor descriptor;
  private final Path path;
  private final ConcurrentMap<String, Descriptor> kept = new ConcurrentHashMap<>();
  private volatile @Nullable Long mount;

  private Directory(Descriptor descriptor, Path path) {
    this.descriptor = descriptor;
    this.path = path;
  }

  /** Opens the directory at {@code path}. */
  public static Directory open(Path path) throws SystemCallException {
    long opened = openAt(AT_FDCWD, RawText.bytes(path), directoryFlags());
    return new Directory(opened(opened, path), path);
  }

  /** Opens the subdirectory {@code name}; a symbolic link is refused. */
  public Directory open(String name) throws IOException {
    return new Directory(openOrFail(name, directoryFlags() | noFollow()), path(name));
  }

  /**
   * Opens the directory that this one lies in. In a tree where directories stay where they were
   * made, as groups do, that is the way back to where it was opened from.
   */
  public Directory above() throws IOException {
    Path parent = path.resolveSibling(".").normalize();
    long opened = openAt(number(), new byte[] {'.', '.'}, directoryFlags());
    return new Directory(opened(opened, parent), parent);
  }

  public Path path() {
    return path;
  }

  /** The path of {@code name}, which may be any that members give to a group. */
  public Path path(String name) {
    return path.resolve(RawText.path(name));
  }

  public Descriptor descriptor() {
    return descriptor;
  }

  /** Makes the subdirectory {@code name}. */
  public void make(String name) throws IOException {
    change(SystemCall.MKDIRAT, name, 0755);
  }

  /** Removes the empty subdirectory {@code name}. */
  public void remove(String name) throws IOException {
    change(SystemCall.UNLINKAT, name, AT_REMOVEDIR);
  }

  /** Changes the mode of {@code name}. */
  public void mode(String name, int mode) throws IOException {
    change(SystemCall.FCHMODAT, name, mode);
  }

  /** Changes the mode of this directory itself. */
  public void mode(int mode) throws IOException {
    // By its descriptor: to look "." up in it would take the permission that may be missing.
    long result = Changes.refused(SystemCall.FCHMOD, this, ".", null);
    if (result == 0) {
      result = Kernel.get().call(SystemCall.FCHMOD, number(), mode);
    }
    if (result < 0) {
      throw new SystemCallException("fchmod", path.toString(), (int) -result);
    }
  }

  /** Gives this directory to another user and group. */
  public void owner(int user, int group) throws IOException {
    final int atEmptyPath = 0x1000;
    owner(path.toString(), "", user, group, atEmptyPath);
  }

  /** Gives the file {@code name} to another user and group. */
  public void owner(String name, int user, int group) throws IOException {
    final int atSymlinkNoFollow = 0x100;
    owner(path.resolve(component(name)).toString(), name, user, group, atSymlinkNoFollow);
  }

  private void owner(String whole, String name, int user, int group, int flags) throws IOException {
    try (Scratch scratch = Scratch.take()) {
      long result = Changes.refused(SystemCall.FCHOWNAT, this, name, null);
      if (result == 0) {
        long address = scratch.text(name);
        result =
            Kernel.get()
                .call(scratch, SystemCall.FCHOWNAT, number(), address, user, group, flags, 0);
      }
      if (result < 0) {
        throw new SystemCallException("fchownat", whole, (int) -result);
      }
    }
  }

  /** Whether there is a file or directory of this name. */
  public boolean has(String name) {
    try (Scratch scratch = Scratch.take()) {
      long address = scratch.text(component(name));
      return Kernel.get().call(scratch, SystemCall.FACCESSAT, number(), address, 0, 0) == 0;
    } catch (IOException closed) {
      return false;
    }
  }

  /** Whether names can be looked up in it. */
  boolean isSearchable() throws IOException {
    try (Scratch scratch = Scratch.take()) {
      long address = scratch.text(".");
      return Kernel.get().call(scratch, SystemCall.FACCESSAT, number(), address, 0, 0)
          != -Errno.EACCES;
    }
  }

  /** Opens {@code name} for reading. */
  public Descriptor openToRead(String name) throws IOException {
    return openOrFail(name, O_RDONLY);
  }

  /** Opens {@code name} for writing; it is never created. */
  public Descriptor openToWrite(String name) throws IOException {
    return openOrFail(name, O_WRONLY);
  }

  /** Opens {@code name} for both. */
  public Descriptor openToReadAndWrite(String name) throws IOException {
    return openOrFail(name, O_RDWR);
  }

  /** The whole content of the file {@code name}, as the kernel gives it. */
  public String read(String name) throws IOException {
    try (Descriptor file = openToRead(name)) {
      return KernelFiles.read(file, this, name);
    }
  }

  /**
   * As {@link #read}, but null where the file does not exist (ENOENT), its directory was removed
   * (ENODEV), or the kernel does not keep it here (EOPNOTSUPP).
   */
  public @Nullable String readIfPresent(String name) throws IOException {
    try (Descriptor file = openIfPresent(name)) {
      return file == null ? null : KernelFiles.readIfPresent(file, this, name);
    }
  }

  /**
   * As {@link #readIfPresent}, and keeps the file open until this directory is closed: the next
   * time it is one call instead of three.
   */
  public @Nullable String readKept(String name) throws IOException {
    Descriptor file = kept.get(name);
    if (file == null) {
      file = openIfPresent(name);
      if (file == null) {
        return null;
      }
      Descriptor other = kept.putIfAbsent(name, file);
      if (other != null) {
        file.close();
        file = other;
      }
    }
    return KernelFiles.readIfPresent(file, this, name);
  }

  private @Nullable Descriptor openIfPresent(String name) throws IOException {
    long opened = open(name, O_RDONLY);
    if (opened >= 0) {
      return new Descriptor((int) opened);
    }
    return KernelFiles.isAbsent(opened) ? null : opened(opened, path(name));
  }

  /**
   * Writes {@code value} with one write(2), which is how the files of a kernel filesystem take it.
   */
  public void write(String name, String value) throws IOException {
    try (Descriptor file = openToWrite(name)) {
      KernelFiles.write(file, this, name, value);
    }
  }

  /** As {@link #write}, but the error number is returned, 0 for none. */
  public int tryWrite(String name, String value) throws IOException {
    long opened = open(name, O_WRONLY);
    if (opened < 0) {
      return (int) -opened;
    }
    try (Descriptor file = new Descriptor((int) opened)) {
      return (int) -Math.min(KernelFiles.tryWrite(file, this, name, value), 0);
    }
  }

  /**
   * What came of {@link #exchange}.
   *
   * @param errno of open(2) or write(2), 0 for none
   * @param former what the file held before; null if that cannot be read
   * @param text what the file held afterwards; empty after an error
   */
  public record Exchange(int errno, @Nullable String former, String text) {}

  /**
   * Reads {@code name}, writes {@code value} and reads what the kernel made of it, with one open
   * file.
   *
   * @param known what the file holds, if that is known and need not be read
   */
  public Exchange exchange(String name, String value, @Nullable String known) throws IOException {
    long opened = open(name, O_RDWR);
    if (opened < 0) {
      return new Exchange((int) -opened, null, "");
    }
    try (Descriptor file = new Descriptor((int) opened)) {
      String former = known == null ? KernelFiles.readIfPresent(file, this, name) : known;
      long result = KernelFiles.tryWrite(file, this, name, value);
      return result < 0
          ? new Exchange((int) -result, former, "")
          : new Exchange(0, former, KernelFiles.read(file, this, name));
    }
  }

  /** As {@link #remove}, but the error number is returned, 0 for none. */
  public int tryRemove(String name) throws IOException {
    return (int) -tryChange(SystemCall.UNLINKAT, name, AT_REMOVEDIR);
  }

  /** The names of the subdirectories. */
  public List<String> subdirectories() throws IOException {
    // An open file of its own: the place where a listing goes on belongs to that.
    try (Descriptor own = opened(openAt(number(), new byte[] {'.'}, directoryFlags()), path)) {
      return Listing.subdirectories(own, path);
    }
  }

  /** Takes the exclusive lock of this directory without waiting; false if somebody holds it. */
  public boolean tryLock() throws IOException {
    final int exclusiveNonBlocking = 2 | 4;
    long result = Kernel.get().call(SystemCall.FLOCK, number(), exclusiveNonBlocking);
    if (result == -Errno.EAGAIN) {
      return false;
    }
    if (result < 0) {
      throw new SystemCallException("flock", path.toString(), (int) -result);
    }
    return true;
  }

  /** Sets an extended attribute; cgroup filesystems take those of {@code user.} since Linux 5.7. */
  public void setAttribute(String name, String value) throws IOException {
    long result = Changes.refused(SystemCall.FSETXATTR, this, name, null);
    if (result == 0) {
      try (Scratch scratch = Scratch.take()) {
        long names = scratch.text(name + '\0' + value);
        long values = names + RawText.bytes(name).length + 1;
        long size = RawText.bytes(value).length;
        result =
            Kernel.get().call(scratch, SystemCall.FSETXATTR, number(), names, values, size, 0, 0);
      }
    }
    if (result < 0) {
      throw new SystemCallException("fsetxattr", path.toString(), (int) -result);
    }
  }

  /** Whether the extended attribute is there. */
  public boolean hasAttribute(String name) throws IOException {
    try (Scratch scratch = Scratch.take()) {
      long address = scratch.text(name);
      return Kernel.get().call(scratch, SystemCall.FGETXATTR, number(), address, 0, 0) >= 0;
    }
  }

  /** Its {@link FileStatus#mount}: asked for once, since an open directory stays there. */
  public long mount() throws IOException {
    Long known = mount;
    if (known == null) {
      known = status().mount();
      mount = known;
    }
    return known;
  }

  /** What the kernel tells of this directory now. */
  public FileStatus status() throws IOException {
    return FileStatus.of(descriptor, path);
  }

  @Override
  public void close() {
    descriptor.close();
    for (Descriptor file : kept.values()) {
      file.close();
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }

  private int number() throws IOException {
    return descriptor.number();
  }

  private void change(SystemCall call, String name, int argument) throws IOException {
    long result = tryChange(call, name, argument);
    if (result < 0) {
      throw new SystemCallException(call.manualName(), path(name).toString(), (int) -result);
    }
  }

  private long tryChange(SystemCall call, String name, int argument) throws IOException {
    long refused = Changes.refused(call, this, component(name), null);
    if (refused != 0) {
      return refused;
    }
    try (Scratch scratch = Scratch.take()) {
      long address = scratch.text(name);
      return Math.min(Kernel.get().call(scratch, call, number(), address, argument, 0), 0);
    }
  }

  /** The one way in which a file of this directory is opened; {@code -errno} for a failure. */
  private long open(String name, int flags) throws IOException {
    if ((flags & (O_WRONLY | O_RDWR)) != 0) {
      long refused = Changes.refused(SystemCall.OPENAT, this, name, null);
      if (refused != 0) {
        return refused;
      }
    }
    return openAt(number(), RawText.bytes(component(name)), flags | O_CLOEXEC);
  }

  private Descriptor openOrFail(String name, int flags) throws IOException {
    long result = open(name, flags);
    return result < 0 ? opened(result, path(name)) : new Descriptor((int) result);
  }

  private static long openAt(int directory, byte[] name, int flags) {
    try (Scratch scratch = Scratch.take()) {
      long address = scratch.text(name);
      return Kernel.get().call(scratch, SystemCall.OPENAT, directory, address, flags, 0);
    }
  }

  private static Descriptor opened(long result, Path path) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException("openat", path.toString(), (int) -result);
    }
    return new Descriptor((int) result);
  }

  private static String component(String name) {
    if (name.isEmpty()
        || name.equals(".")
        || name.equals("..")
        || name.indexOf('/') >= 0
        || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("not a single file name: \"" + name + "\"");
    }
    return name;
  }

  /** O_DIRECTORY and O_NOFOLLOW are among the few flags that differ between processors. */
  private static int directoryFlags() {
    return O_CLOEXEC | (isArm() ? 0x4000 : 0x10000);
  }

  private static int noFollow() {
    return isArm() ? 0x8000 : 0x20000;
  }

  private static boolean isArm() {
    return Kernel.get().architecture().equals("aarch64");
  }
}
