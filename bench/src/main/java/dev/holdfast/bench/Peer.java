package dev.holdfast.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;

/** The C program {@code peer}: one line asks for one sample, which it measures inside itself. */
final class Peer implements AutoCloseable {
  private final Process process;
  private final Writer requests;
  private final BufferedReader answers;

  Peer(Path program) throws IOException {
    process =
        new ProcessBuilder(program.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    requests = process.outputWriter();
    answers = process.inputReader();
  }

  void tell(String line) throws IOException {
    String answer = ask(line);
    if (!answer.equals("ok")) {
      throw new IOException("the peer answered \"" + line + "\" with " + answer);
    }
  }

  /** Microseconds. */
  double sample(String line) throws IOException {
    return Double.parseDouble(ask(line));
  }

  private String ask(String line) throws IOException {
    requests.write(line + "\n");
    requests.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the peer ended at \"" + line + "\"");
    }
    return answer;
  }

  @Override
  public void close() throws IOException {
    requests.close();
    process.onExit().join();
  }
}
