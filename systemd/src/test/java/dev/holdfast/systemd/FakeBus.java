package dev.holdfast.systemd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.freedesktop.dbus.DBusPath;
import org.freedesktop.dbus.connections.transports.AbstractTransport;
import org.freedesktop.dbus.connections.transports.TransportBuilder;
import org.freedesktop.dbus.connections.transports.TransportConnection;
import org.freedesktop.dbus.messages.Message;
import org.freedesktop.dbus.messages.MessageFactory;
import org.freedesktop.dbus.messages.MethodCall;
import org.freedesktop.dbus.types.UInt32;

/** A socket behind which a bus and a systemd answer as a test says. */
final class FakeBus implements AutoCloseable {
  /** Answers a call; {@link #usual} does as the real ones would. */
  @FunctionalInterface
  interface Script {
    void answer(FakeBus bus, MethodCall call) throws Exception;
  }

  /** A call that came. */
  record Call(String member, List<Object> arguments) {}

  static final String JOB = "/org/freedesktop/systemd1/job/7";

  private final AbstractTransport transport;
  private final Script script;
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final CountDownLatch listening = new CountDownLatch(1);
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private volatile TransportConnection connection;

  FakeBus(Path socket, Script script) throws Exception {
    Files.createDirectories(socket.getParent());
    this.script = script;
    this.transport =
        TransportBuilder.create("unix:path=" + socket + ",listen=true,guid=" + "0".repeat(32))
            .configure()
            .withAutoConnect(false)
            .withAfterBindCallback(bound -> listening.countDown())
            .back()
            .build();
    Thread.ofPlatform().daemon().name("fake-bus").start(this::serve);
    listening.await();
  }

  List<Call> calls() {
    return calls;
  }

  List<String> members() {
    return calls.stream().map(Call::member).toList();
  }

  List<Throwable> failures() {
    return failures;
  }

  void usual(MethodCall call) throws Exception {
    switch (call.getName()) {
      case "Hello" -> reply(call, "s", ":1.5");
      case "GetConnectionUnixProcessID" ->
          reply(call, "u", new UInt32(ProcessHandle.current().pid()));
      case "StartTransientUnit" -> {
        reply(call, "o", new DBusPath(JOB));
        removed(JOB, "done");
      }
      default -> reply(call, null);
    }
  }

  void reply(MethodCall call, String signature, Object... arguments) throws Exception {
    write(messages().createMethodReturn(call, signature, arguments));
  }

  void error(MethodCall call, String name, String text) throws Exception {
    write(messages().createError(null, name, call.getSerial(), "s", text));
  }

  void removed(String job, String result) throws Exception {
    write(
        messages()
            .createSignal(
                null,
                Manager.PATH,
                Manager.TYPE,
                "JobRemoved",
                "uoss",
                new UInt32(7),
                new DBusPath(job),
                "x.scope",
                result));
  }

  @Override
  public void close() throws IOException {
    transport.close();
  }

  private MessageFactory messages() {
    return connection.getMessageFactory();
  }

  private void write(Message message) throws IOException {
    connection.getWriter().writeMessage(message);
  }

  private void serve() {
    try {
      while (true) {
        connection = transport.listen();
        converse();
      }
    } catch (IOException closed) {
      // the end of the test
    } catch (Exception failure) {
      failures.add(failure);
    }
  }

  private void converse() throws Exception {
    while (true) {
      Message message;
      try {
        message = connection.getReader().readMessage();
      } catch (IOException gone) {
        return;
      }
      if (message instanceof MethodCall call) {
        Object[] arguments = call.getSig() == null ? new Object[0] : call.getParameters();
        calls.add(new Call(call.getName(), new ArrayList<>(List.of(arguments))));
        script.answer(this, call);
      }
    }
  }
}
