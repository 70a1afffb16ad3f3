package dev.holdfast.systemd;

/** An error that came as an answer over D-Bus. */
final class BusException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String name;

  BusException(String name, String text) {
    super(text);
    this.name = name;
  }

  /** Such as {@code org.freedesktop.DBus.Error.AccessDenied}. */
  String name() {
    return name;
  }

  /** What it says. */
  String text() {
    return String.valueOf(getMessage());
  }
}
