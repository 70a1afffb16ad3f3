package dev.holdfast.systemd;

import java.nio.file.Path;

/**
 * A socket at which a systemd may be asked.
 *
 * @param direct whether it is systemd's own, where nobody stands between; else that of a D-Bus
 *     daemon
 */
record Bus(Path socket, boolean direct) {
  @Override
  public String toString() {
    return socket.toString();
  }
}
