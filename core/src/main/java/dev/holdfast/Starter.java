package dev.holdfast;

import dev.holdfast.containment.KeptContainer;
import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Files;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.Pipe;
import dev.holdfast.linux.PipeInput;
import dev.holdfast.linux.PipeOutput;
import dev.holdfast.linux.ProcessGroup;
import dev.holdfast.linux.RawText;
import dev.holdfast.linux.StartOutcome;
import dev.holdfast.linux.StartRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One start by the keeper: turns a {@link Command} into a request, opens its streams, and makes the
 * {@link Child} of it.
 */
final class Starter implements AutoCloseable {
  private static final Path HERE = Path.of("");

  private final Command command;
  private final List<AutoCloseable> theirs = new ArrayList<>();
  private final List<AutoCloseable> ours = new ArrayList<>();
  private @Nullable PipeOutput stdin;
  private @Nullable PipeInput stdout;
  private @Nullable PipeInput stderr;
  private boolean started;

  Starter(Command command) {
    this.command = command;
  }

  Child start(KeptContainer container) throws IOException, InterruptedException {
    int in = input(command.stdin());
    int out = output(command.stdout(), 1);
    int err = command.stderr() instanceof Output.Merged ? out : output(command.stderr(), 2);
    StartOutcome outcome = container.start(request().streams(in, out, err));
    // Not a switch over types, nor below: each costs the first start a millisecond.
    if (outcome instanceof StartOutcome.Started run) {
      return child(run.child());
    }
    if (outcome instanceof StartOutcome.Failed failure) {
      throw StartException.of(command, failure);
    }
    throw new StartException(
        command.program(),
        "it was killed before its first instruction (" + outcome + ")",
        "start it again, unless the job was being ended at the same time",
        0,
        null);
  }

  private Child child(Pidfd process) throws IOException {
    if (command.stdin() instanceof Input.Bytes bytes && stdin != null) {
      feed(stdin, bytes);
      stdin = null;
    }
    Child child = new Child(new Reaping(process), stdin, stdout, stderr);
    started = true;
    return child;
  }

  /** A pipe's buffer may be smaller than the bytes, and the program may not read them. */
  static void feed(OutputStream pipe, Input.Bytes bytes) {
    Thread.ofVirtual().name("holdfast-stdin").start(() -> write(pipe, bytes.content()));
  }

  private static void write(OutputStream pipe, byte[] content) {
    try (pipe) {
      pipe.write(content);
    } catch (IOException nobodyReads) {
      // EPIPE: the program ended, or closed its stdin, without reading all. That is its right.
    }
  }

  private StartRequest request() throws IOException {
    StartRequest request =
        new StartRequest()
            .candidates(ProgramPath.candidates(command))
            .arguments(command.words().stream().map(RawText::bytes).toList())
            .environment(command.environment().entries())
            .resourceLimits(
                command.resourceLimits().stream()
                    .map(limit ->
                        new StartRequest.ResourceLimit(
                            limit.resource().number(), limit.soft(), limit.hard()))
                    .toList());
    Path directory = command.directory().orElse(HERE);
    request.wholeDirectory(RawText.bytes(OwnDirectory.resolve(directory)));
    if (!directory.equals(HERE)) {
      request.directory(RawText.bytes(directory));
    }
    command.umask().ifPresent(request::umask);
    command.nice().ifPresent(request::nice);
    command.oomScoreAdj().ifPresent(request::oomScoreAdj);
    command
        .identity()
        .ifPresent(identity ->
            request
                .groups(identity.groups().stream().mapToInt(Integer::intValue).toArray())
                .group(identity.gid())
                .user(identity.uid()));
    if (command.foreground()) {
      request.joinProcessGroup(ProcessGroup.own());
    }
    if (command.keepIgnoredSignals()) {
      request.keepIgnoredSignals();
    }
    return request;
  }

  private int input(Input input) throws IOException {
    if (input instanceof Input.Inherit) {
      return 0;
    }
    if (input instanceof Input.Empty) {
      return Files.devNull().number();
    }
    if (input instanceof Input.FromFile file) {
      return theirs(Files.read(file.path())).number();
    }
    return inputPipe();
  }

  private int inputPipe() throws IOException {
    Pipe pipe = Pipe.forWriting();
    theirs(pipe.readEnd());
    stdin = new PipeOutput(pipe.writeEnd());
    ours.add(stdin);
    return pipe.readEnd().number();
  }

  private int output(Output output, int number) throws IOException {
    if (output instanceof Output.Inherit) {
      return number;
    }
    if (output instanceof Output.Discard) {
      return Files.devNull().number();
    }
    if (output instanceof Output.ToFile file) {
      return theirs(Files.write(file.path(), file.append())).number();
    }
    return outputPipe(number);
  }

  private int outputPipe(int number) throws IOException {
    Pipe pipe = Pipe.forReading();
    theirs(pipe.writeEnd());
    PipeInput input = new PipeInput(pipe.readEnd());
    ours.add(input);
    if (number == 1) {
      stdout = input;
    } else {
      stderr = input;
    }
    return pipe.writeEnd().number();
  }

  private Descriptor theirs(Descriptor descriptor) {
    theirs.add(descriptor);
    return descriptor;
  }

  /** The child has its own copies by now, or there is no child. */
  @Override
  public void close() throws IOException {
    try {
      for (AutoCloseable descriptor : theirs) {
        descriptor.close();
      }
      if (!started) {
        for (AutoCloseable stream : ours) {
          stream.close();
        }
      }
    } catch (IOException | RuntimeException failure) {
      throw failure;
    } catch (Exception failure) {
      throw new IOException(failure);
    }
  }
}
