package dev.holdfast.testing;

/**
 * Tests of chance and number come in two forms: the short one is part of every check, and the long
 * one, of {@code kernels/run-tests --long}, has more of the same.
 */
public final class Form {
  private static final boolean LONG = Boolean.getBoolean("dev.holdfast.long");

  private Form() {}

  public static boolean isLong() {
    return LONG;
  }

  /** In guests, where a JVM takes seconds to start, the short form makes do with a selection. */
  public static boolean isSelection() {
    return !LONG && Place.isGuest();
  }

  /** How many, in this form. */
  public static int of(int inShort, int inLong) {
    return LONG ? inLong : inShort;
  }
}
