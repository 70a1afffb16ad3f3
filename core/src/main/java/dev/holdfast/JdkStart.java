package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.containment.ProcessTreeContainer;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.StartStep;
import java.io.File;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One start by the JDK, where there is no keeper. The child is in our own POSIX session. What the
 * JDK cannot set of a {@link Command} is an error, and nothing is started.
 */
final class JdkStart {
  /** {@code Cannot run program "x": Exec failed, error: 2 (No such file or directory)}. */
  private static final Pattern ERROR = Pattern.compile("error[:=] ?([0-9]{1,5})\\b");

  private final Command command;

  private JdkStart(Command command) {
    this.command = command;
  }

  static Child start(Command command, ProcessTreeContainer tree) throws IOException {
    JdkStart start = new JdkStart(command);
    start.check();
    ProcessBuilder builder = start.builder();
    try {
      return start.child(tree.start(builder), tree);
    } catch (HoldfastException closed) {
      throw closed;
    } catch (IOException refused) {
      throw start.failure(refused);
    }
  }

  private void check() throws HoldfastException {
    refuse(command.identity().isPresent(), "the user");
    refuse(command.umask().isPresent(), "the umask");
    refuse(command.nice().isPresent(), "the nice value");
    refuse(command.oomScoreAdj().isPresent(), "the oom_score_adj");
    refuse(!command.resourceLimits().isEmpty(), "resource limits");
    Path directory = command.directory().orElse(null);
    if (directory != null && !Files.isDirectory(directory)) {
      throw new StartException(
          command.program(),
          directory + " is no directory",
          "give a directory that exists and may be entered",
          Errno.ENOENT,
          StartStep.DIRECTORY);
    }
  }

  private void refuse(boolean asked, String what) throws HoldfastException {
    if (asked) {
      throw new HoldfastException(
          "cannot start " + command.program() + " with process-tree",
          "the JDK cannot set " + what + " of a process",
          "leave that out, or take another mechanism: see holdfast doctor",
          null);
    }
  }

  private ProcessBuilder builder() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command.words());
    command.environment().applyTo(builder.environment());
    command.directory().map(Path::toFile).ifPresent(builder::directory);
    if (command.stdin() instanceof Input.Inherit) {
      builder.redirectInput(Redirect.INHERIT);
    } else if (command.stdin() instanceof Input.FromFile file) {
      builder.redirectInput(existing(file.path()));
    }
    builder.redirectOutput(redirect(command.stdout()));
    if (command.stderr() instanceof Output.Merged) {
      builder.redirectErrorStream(true);
    } else {
      builder.redirectError(redirect(command.stderr()));
    }
    return builder;
  }

  /** Opened here, or the JDK's message would look like one about the program. */
  private static File existing(Path path) throws IOException {
    Files.newInputStream(path).close();
    return path.toFile();
  }

  private static Redirect redirect(Output output) throws IOException {
    if (output instanceof Output.Inherit) {
      return Redirect.INHERIT;
    }
    if (output instanceof Output.Discard) {
      return Redirect.DISCARD;
    }
    if (output instanceof Output.ToFile file) {
      return file.append()
          ? Redirect.appendTo(file.path().toFile())
          : Redirect.to(file.path().toFile());
    }
    return Redirect.PIPE;
  }

  private Child child(Process process, ProcessTreeContainer tree) throws IOException {
    OutputStream stdin = process.getOutputStream();
    boolean piped = command.stdin() instanceof Input.Piped;
    if (command.stdin() instanceof Input.Bytes bytes) {
      Starter.feed(stdin, bytes);
    } else if (!piped) {
      close(stdin); // empty; or no pipe at all
    }
    return new Child(
        new JdkProcess(process, tree),
        piped ? new Unbuffered(stdin) : null,
        piped(command.stdout(), process.getInputStream()),
        piped(command.stderr(), process.getErrorStream()));
  }

  private static @Nullable InputStream piped(Output output, InputStream stream) {
    return output instanceof Output.Piped ? stream : null;
  }

  private static void close(OutputStream stdin) {
    try {
      stdin.close();
    } catch (IOException nothingWasWritten) {
      // then there is nothing to lose
    }
  }

  private StartException failure(IOException refused) {
    String why = String.valueOf(refused.getMessage());
    Matcher error = ERROR.matcher(why);
    boolean told = error.find();
    return new StartException(
        command.program(),
        why.strip(),
        "check the name, the PATH and its permissions",
        told ? Integer.parseInt(error.group(1)) : 0,
        told ? StartStep.EXEC : null);
  }

  /** What was written is in the pipe, as of {@link Child#stdin}. */
  private static final class Unbuffered extends FilterOutputStream {
    Unbuffered(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      out.flush();
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      out.flush();
    }
  }
}
