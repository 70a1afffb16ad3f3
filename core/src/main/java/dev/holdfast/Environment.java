package dev.holdfast;

import dev.holdfast.linux.RawText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The environment of a command: ours with changes, or one from nothing.
 *
 * <p>Immutable and thread-safe. Values stay out of {@link #toString}.
 */
public final class Environment {
  private static volatile @Nullable Map<String, byte[]> own;

  private final boolean inherits;
  private final @Nullable Predicate<String> allowed;
  private final Map<String, Optional<String>> changes;

  private Environment(
      boolean inherits,
      @Nullable Predicate<String> allowed,
      Map<String, Optional<String>> changes) {
    this.inherits = inherits;
    this.allowed = allowed;
    this.changes = changes;
  }

  /** That of this process, at the time of the start. */
  public static Environment inherited() {
    return new Environment(true, null, Map.of());
  }

  /** Of ours, only the variables whose names pass. */
  public static Environment inheriting(Predicate<String> names) {
    return new Environment(true, names, Map.of());
  }

  /** Empty. */
  public static Environment empty() {
    return new Environment(false, null, Map.of());
  }

  /** With {@code name} set. */
  public Environment with(String name, String value) {
    checkName(name);
    Command.checkText(value, "environment");
    return changed(name, Optional.of(value));
  }

  /** Without {@code name}. */
  public Environment without(String name) {
    checkName(name);
    return changed(name, Optional.empty());
  }

  /** The value that a command would see. */
  public Optional<String> get(String name) {
    Optional<String> change = changes.get(name);
    if (change != null) {
      return change;
    }
    byte[] entry = passes(name) ? own().get(name) : null;
    return Optional.ofNullable(entry).map(e -> RawText.text(e).substring(name.length() + 1));
  }

  /** Makes this of {@code environment}, which is ours as it stands. */
  void applyTo(Map<String, String> environment) {
    environment.keySet().removeIf(name -> !passes(name) || changes.containsKey(name));
    changes.forEach((name, value) -> value.ifPresent(text -> environment.put(name, text)));
  }

  /** {@code NAME=value} entries, as the kernel takes them. */
  List<byte[]> entries() {
    List<byte[]> entries = new ArrayList<>();
    if (inherits) {
      own()
          .forEach((name, entry) -> {
            if (passes(name) && !changes.containsKey(name)) {
              entries.add(entry);
            }
          });
    }
    changes.forEach((name, value) -> value.ifPresent(text -> entries.add(entry(name, text))));
    return entries;
  }

  /** A process cannot change its environment in a way that Java sees, so it is read once. */
  private static Map<String, byte[]> own() {
    Map<String, byte[]> known = own;
    if (known == null) {
      own = known = OwnEnvironment.entries();
    }
    return known;
  }

  private boolean passes(String name) {
    return inherits && (allowed == null || allowed.test(name));
  }

  private Environment changed(String name, Optional<String> value) {
    Map<String, Optional<String>> copy = new LinkedHashMap<>(changes);
    copy.put(name, value);
    return new Environment(inherits, allowed, copy);
  }

  private static byte[] entry(String name, String value) {
    return RawText.bytes(name + "=" + value);
  }

  private static void checkName(String name) {
    Command.checkText(name, "environment");
    if (name.isEmpty() || name.indexOf('=') >= 0) {
      throw new IllegalArgumentException(
          "an environment variable's name is not empty and has no '=': \"" + name + "\"");
    }
  }

  @Override
  public String toString() {
    return "Environment[" + (inherits ? "inherited, " : "") + changes.size() + " set or removed]";
  }
}
