package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every example in the documentation is compiled, in an Examples class of some module, and run. */
@HostOnly
@Timeout(120)
class ExamplesTest {
  private static final String JAVADOC = "{@snippet :";
  private static final String MARKDOWN = "```java\n";

  @Test
  void everyExampleIsACompiledOne() throws Exception {
    Path root = root();
    StringBuilder compiled = new StringBuilder();
    for (Path source : files(root, "Examples.java")) {
      compiled.append(plain(Files.readString(source))).append(' ');
    }
    List<String> examples = new ArrayList<>();
    for (Path document : files(root, ".md")) {
      examples.addAll(between(Files.readString(document), MARKDOWN, "```"));
    }
    for (Path source : files(root, ".java")) {
      if (source.toString().contains("/src/main/")) {
        String text = Files.readString(source);
        assertThat(text).as(source.toString()).doesNotContain("<pre>{@code");
        examples.addAll(snippets(text));
      }
    }
    assertThat(examples).hasSizeGreaterThan(5);
    assertThat(examples).allSatisfy(example -> assertThat(compiled).contains(plain(example)));
  }

  @Test
  void aSnippetIsFoundAndSpacesDoNotCount() {
    assertThat(snippets("/**\n * {@snippet :\n * a {\n *   b();\n * }\n * }\n */"))
        .extracting(ExamplesTest::plain)
        .containsExactly("a { b(); }");
    assertThat(between("x\n```java\na\n```\n```\nb\n```\n", MARKDOWN, "```"))
        .containsExactly("a\n");
  }

  @Test
  @Needs({Feature.ROOT, Feature.MEMORY, Feature.PIDS})
  void theyRun(@TempDir Path folder) throws Exception {
    assumeTrue(Files.exists(Path.of("/usr/bin/make")), "no make here");
    Files.writeString(folder.resolve("Makefile"), "all:\n\ttouch made\n");
    Path file = Files.writeString(folder.resolve("lines"), "b\na\nb\n");
    Result result = Examples.readme(folder, file.toString());
    assertThat(folder.resolve("made")).exists();
    assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(result.stdout().text()).isEqualTo("a\nb\n");
    Examples.job();
    Examples.cgroup();
  }

  @Test
  @Needs({Feature.ROOT, Feature.MEMORY})
  void aLimitWarns() throws Exception {
    try (Cgroup job = Delegation.find().create("example-" + ProcessHandle.current().pid())) {
      Examples.warning(job);
    }
  }

  /** From {@code {@snippet :} to the brace that closes it, without the stars at the beginnings. */
  private static List<String> snippets(String source) {
    List<String> found = new ArrayList<>();
    for (int at = source.indexOf(JAVADOC); at >= 0; at = source.indexOf(JAVADOC, at)) {
      at += JAVADOC.length();
      int end = at;
      for (int depth = 1; depth > 0; end++) {
        depth += source.charAt(end) == '{' ? 1 : source.charAt(end) == '}' ? -1 : 0;
      }
      found.add(source.substring(at, end - 1).replaceAll("\n *\\*", "\n"));
      at = end;
    }
    return found;
  }

  private static List<String> between(String text, String begin, String end) {
    List<String> found = new ArrayList<>();
    for (int at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
      int close = text.indexOf(end, at + begin.length());
      found.add(text.substring(at + begin.length(), close));
      at = close;
    }
    return found;
  }

  private static String plain(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }

  private static List<Path> files(Path root, String end) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(path -> path.toString().endsWith(end))
          .filter(path -> !path.toString().matches(".*/(target|\\.[^/]+)/.*"))
          .filter(Files::isRegularFile)
          .toList();
    }
  }

  private static Path root() throws URISyntaxException {
    Path at =
        Path.of(ExamplesTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    while (!Files.exists(at.resolve("ARCHITECTURE.md"))) {
      at = at.getParent();
    }
    return at;
  }
}
