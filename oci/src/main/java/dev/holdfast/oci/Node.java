package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A value of a document, which knows where it stands, for messages. One that is not there is as
 * good as {@code null}: so runtimes write what they leave unset.
 */
final class Node {
  /** Of a number its digits, so that none is lost. */
  record Numeral(String text) {}

  /** JSON's {@code null}. */
  static final Object NULL = new Object();

  /** Enough to recognise a value by, in a message. */
  private static final int SHOWN = 40;

  private static final int MOST_DIGITS = 20;

  private final String path;
  private final Object value;

  /** A value as {@link Json} makes it. */
  Node(String path, Object value) {
    this.path = path;
    this.value = value;
  }

  /** Such as {@code linux.resources.devices[2].access}; empty for the document itself. */
  String path() {
    return path;
  }

  boolean isPresent() {
    return value != NULL;
  }

  /** The member of this object. */
  Node get(String name) throws HoldfastException {
    return members().getOrDefault(name, new Node(below(name), NULL));
  }

  /** The members of this object, in their order. */
  Map<String, Node> members() throws HoldfastException {
    if (!isPresent()) {
      return Map.of();
    }
    if (!(value instanceof Map<?, ?> map)) {
      throw expected("an object");
    }
    Map<String, Node> members = new LinkedHashMap<>();
    for (Map.Entry<?, ?> member : map.entrySet()) {
      String name = (String) member.getKey();
      members.put(name, new Node(below(name), member.getValue()));
    }
    return members;
  }

  /** The items of this array. */
  List<Node> items() throws HoldfastException {
    if (!isPresent()) {
      return List.of();
    }
    if (!(value instanceof List<?> list)) {
      throw expected("an array");
    }
    List<Node> items = new ArrayList<>();
    for (Object item : list) {
      items.add(new Node(path + "[" + items.size() + "]", item));
    }
    return items;
  }

  Optional<String> text() throws HoldfastException {
    if (!isPresent()) {
      return Optional.empty();
    }
    if (!(value instanceof String text)) {
      throw expected("a string");
    }
    return Optional.of(text);
  }

  Optional<Boolean> truth() throws HoldfastException {
    if (!isPresent()) {
      return Optional.empty();
    }
    if (!(value instanceof Boolean truth)) {
      throw expected("true or false");
    }
    return Optional.of(truth);
  }

  /** A whole number from {@code least} to {@code most}; 1.0 and 1e3 are none, as for runtimes. */
  OptionalLong integer(long least, long most) throws HoldfastException {
    Optional<BigInteger> number = integer();
    if (number.isEmpty()) {
      return OptionalLong.empty();
    }
    if (number.get().bitLength() < Long.SIZE) {
      long small = number.get().longValueExact();
      if (small >= least && small <= most) {
        return OptionalLong.of(small);
      }
    }
    throw expected("an integer from " + least + " to " + most);
  }

  OptionalInt integer(int least, int most) throws HoldfastException {
    OptionalLong number = integer((long) least, (long) most);
    return number.isPresent() ? OptionalInt.of((int) number.getAsLong()) : OptionalInt.empty();
  }

  /** A whole number of any size. */
  Optional<BigInteger> integer() throws HoldfastException {
    if (!isPresent()) {
      return Optional.empty();
    }
    if (value instanceof Numeral(String digits)
        && digits.length() <= MOST_DIGITS
        && digits.matches("-?[0-9]+")) {
      return Optional.of(new BigInteger(digits));
    }
    throw expected("an integer");
  }

  /** This, or an error if it is not there. */
  Node required() throws HoldfastException {
    if (!isPresent()) {
      throw new HoldfastException(path, "it is missing", "give it in the document", null);
    }
    return this;
  }

  /** As a message about a value of another kind. */
  HoldfastException expected(String what) {
    return Wrong.at(path.isEmpty() ? "the document" : path, "expected " + what + ", found " + this);
  }

  private String below(String name) {
    if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
      return path + "[" + quoted(name) + "]";
    }
    return path.isEmpty() ? name : path + "." + name;
  }

  private static String quoted(String text) {
    return '"' + shortened(text) + '"';
  }

  private static String shortened(String text) {
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
  }

  /** As the document words it, shortened. */
  @Override
  public String toString() {
    if (value instanceof String text) {
      return quoted(text);
    }
    if (value instanceof Numeral(String digits)) {
      return shortened(digits);
    }
    if (value instanceof Map) {
      return "an object";
    }
    if (value instanceof List) {
      return "an array";
    }
    return isPresent() ? String.valueOf(value) : "null";
  }
}
