package dev.holdfast.testing;

/**
 * Where tests run; these are JUnit tags, which {@code kernels/run-tests} selects by. The place of
 * the running test is in the environment, as {@code HOLDFAST_PLACE}.
 */
public final class Place {

  public static final String HOST = "host";
  public static final String UML_V2 = "uml-v2";
  public static final String UML_V1 = "uml-v1";
  public static final String UML_HYBRID = "uml-hybrid";
  public static final String QEMU = "qemu";
  public static final String QEMU_USER = "qemu-user";

  private Place() {}

  /** The place that this JVM runs in. */
  public static String current() {
    return System.getenv().getOrDefault("HOLDFAST_PLACE", HOST);
  }

  /** In a test kernel things take longer and come in smaller numbers than on the build machine. */
  public static boolean isGuest() {
    return !current().equals(HOST);
  }

  /** QEMU translates each instruction. */
  public static boolean isEmulated() {
    return current().equals(QEMU) || current().equals(QEMU_USER);
  }
}
