package dev.holdfast.systemd;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.freedesktop.dbus.connections.transports.AbstractTransport;
import org.freedesktop.dbus.connections.transports.TransportBuilder;
import org.freedesktop.dbus.exceptions.DBusException;
import org.freedesktop.dbus.messages.DBusSignal;
import org.freedesktop.dbus.messages.Error;
import org.freedesktop.dbus.messages.Message;
import org.freedesktop.dbus.messages.MethodCall;
import org.freedesktop.dbus.messages.MethodReturn;
import org.jspecify.annotations.Nullable;

/**
 * A conversation over one socket: a call, its answer, and the signals that come meanwhile. It uses
 * dbus-java's transport and messages, and neither its threads nor its proxies, which would cost a
 * short program more than the conversation.
 *
 * <p>For one thread; {@link #close} may come from another, and ends what the first one waits for.
 */
final class Peer implements AutoCloseable {
  private static final String DAEMON = "org.freedesktop.DBus";
  private static final String DAEMON_PATH = "/org/freedesktop/DBus";

  private final Bus bus;
  private final AbstractTransport transport;
  private final Deque<DBusSignal> signals = new ArrayDeque<>();
  private String name = "";

  Peer(Bus bus) throws IOException {
    this.bus = bus;
    try {
      this.transport =
          TransportBuilder.create("unix:path=" + bus.socket())
              .configure()
              .withAutoConnect(false)
              .back()
              .build();
    } catch (DBusException failure) {
      throw new IOException(failure);
    }
  }

  Bus bus() {
    return bus;
  }

  /** Connects, tells who we are, and says hello to a daemon. */
  void connect() throws IOException, BusException {
    transport.connect();
    if (!bus.direct()) {
      Object[] reply = daemon("Hello", null);
      name = reply.length == 0 ? "" : String.valueOf(reply[0]);
    }
  }

  /** What the daemon calls us; empty on a direct socket. */
  String name() {
    return name;
  }

  /** Calls the D-Bus daemon itself. */
  Object[] daemon(String member, @Nullable String signature, Object... arguments)
      throws IOException, BusException {
    return call(DAEMON, DAEMON_PATH, DAEMON, member, signature, arguments);
  }

  /**
   * Calls, and waits for the answer.
   *
   * @param signature of the arguments; null for none
   * @throws BusException if the answer is an error
   */
  Object[] call(
      String destination,
      String path,
      String type,
      String member,
      @Nullable String signature,
      Object... arguments)
      throws IOException, BusException {
    try {
      MethodCall call =
          transport
              .getMessageFactory()
              .createMethodCall(
                  // Over a socket of its own nobody needs an address, and systemd takes none amiss.
                  bus.direct() ? null : destination,
                  path,
                  type,
                  member,
                  (byte) 0,
                  signature,
                  arguments);
      transport.writeMessage(call);
      while (true) {
        Message message = read();
        if (message instanceof DBusSignal signal) {
          signals.add(signal);
        } else if (message.getReplySerial() == call.getSerial()) {
          if (message instanceof Error error) {
            throw new BusException(error.getName(), text(error));
          }
          if (message instanceof MethodReturn) {
            return parameters(message);
          }
        }
      }
    } catch (DBusException malformed) {
      throw new IOException(malformed);
    }
  }

  /** The next signal of this name, which may have come already; others are left out. */
  Object[] awaitSignal(String type, String member) throws IOException {
    try {
      while (true) {
        Message message = signals.isEmpty() ? read() : signals.remove();
        if (message instanceof DBusSignal
            && type.equals(message.getInterface())
            && member.equals(message.getName())) {
          return parameters(message);
        }
      }
    } catch (DBusException malformed) {
      throw new IOException(malformed);
    }
  }

  @Override
  public void close() {
    try {
      transport.close();
    } catch (IOException closed) {
      // It is of no use any more, either way.
    }
  }

  private Message read() throws IOException, DBusException {
    while (true) {
      // Null is a message that has come in part.
      Message message = transport.readMessage();
      if (message != null) {
        return message;
      }
    }
  }

  private static Object[] parameters(Message message) throws DBusException {
    return message.getSig() == null ? new Object[0] : message.getParameters();
  }

  private static String text(Message error) throws DBusException {
    Object[] parameters = parameters(error);
    return parameters.length == 0 ? "no reason given" : String.valueOf(parameters[0]);
  }
}
