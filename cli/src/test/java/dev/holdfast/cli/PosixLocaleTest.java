package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.HostOnly;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In the POSIX locale Java can neither name nor read a path beyond ASCII. Names are bytes to the
 * kernel, and must be to us.
 */
@HostOnly
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PosixLocaleTest {
  /** A directory {@code dü?} whose last byte is no UTF-8, and the same in hexadecimal. */
  private static final String MAKE = "d=$PWD/$(printf 'd\\303\\274\\351'); mkdir \"$d\"; ";

  private static final String HEX = "64c3bce9";

  @TempDir Path folder;

  /** What {@code script} prints, in hexadecimal. */
  private String hex(String script) throws Exception {
    return output(
        MAKE + "{ " + script + "; echo \"=$?\"; } >out; tr -d '\\n' <\"$0/out\" | od -An -v -tx1");
  }

  private String output(String script) throws Exception {
    HoldfastProcess.Ended ended = HoldfastProcess.runInPosixLocale(folder, script);
    assertThat(ended.err()).isEmpty();
    return ended.out().replaceAll("\\s", "");
  }

  /** No kernel makes a difference to a name, so all else is seen on the host only. */
  @Test
  @HostAndGuest
  void namesOfAllKindsAtOnce() throws Exception {
    String program =
        "printf '#!/bin/sh\\npwd; printf %%s \"$1\"\\n' >\"$d/program\"; chmod +x \"$d/program\"; ";
    assertThat(
            hex(
                program
                    + "\"$@\" run --cwd \"$d\" --report json --report-file \"$d/report\" -- ./program \"${d##*/}\""
                    + " && grep -q '^{\"schema\"' \"$d/report\""))
        .endsWith(HEX + HEX + "3d30");
  }

  @Test
  void argumentsAreByteForByte() throws Exception {
    String words = "\"$(printf 'gr\\303\\274n ? \\346\\274\\242 \\351 \\355\\240\\200')\"";
    assertThat(output("\"$@\" run -- printf %s " + words + " | od -An -v -tx1"))
        .isEqualTo("6772c3bc6e203f20e6bca220e920eda080");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cd \"$d\"; \"$@\" run -- pwd",
        "\"$@\" run --cwd \"$d\" -- pwd",
        "\"$@\" run --cwd \"${d##*/}\" -- pwd",
        "mkdir -p \"$d/in/$(printf 'd\\303\\274\\351')\"; cd \"$d/in\"; \"$@\" run --cwd \"${d##*/}\" -- pwd",
      })
  void theCommandRunsInTheDirectoryAsked(String script) throws Exception {
    assertThat(hex(script)).endsWith(HEX + "3d30");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"$@\" run -- \"$d/program\"",
        "\"$@\" run -- \"${d##*/}/program\"",
        "cd \"$d\"; \"$@\" run -- ./program",
        "PATH=\"$d:$PATH\" \"$@\" run -- program",
        "\"$@\" run --env \"PATH=$d:$PATH\" -- program",
        "\"$@\" run --cwd \"$d\" -- ./program",
      })
  void theProgramIsFound(String script) throws Exception {
    String program =
        "printf '#!/bin/sh\\necho found\\n' >\"$d/program\"; chmod +x \"$d/program\"; ";
    assertThat(output(MAKE + program + script)).isEqualTo("found");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"$@\" run --report json --report-file \"$d/report\" -- true; cat \"$d/report\"",
        "\"$@\" run --report json --report-file \"$d.json\" -- true; cat \"$d.json\"",
        "\"$@\" run --report json --report-file \"${d##*/}.json\" -- true; cat \"$d.json\"",
        "cd \"$d\"; \"$@\" run --report json --report-file report -- true; cat \"$d/report\"",
      })
  void theReportIsWhereItWasAsked(String script) throws Exception {
    assertThat(output(MAKE + script)).startsWith("{\"schema\"").endsWith("}");
  }

  @Test
  void aReportThatCannotBeWrittenIsComplainedOf() throws Exception {
    HoldfastProcess.Ended ended =
        HoldfastProcess.runInPosixLocale(
            folder,
            MAKE + "exec \"$@\" run --report json --report-file \"$d/no/report\" -- touch ran");
    assertThat(ended.status()).isEqualTo(125);
    assertThat(ended.err())
        .startsWith("holdfast: cannot write the report: ")
        .contains("dü?/no/report: no such directory")
        .matches("holdfast: [^\n]+: [^\n]+ \\([^\n]+\\)\n");
    assertThat(folder.resolve("ran")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"C, LC_ALL=C", "'', ''"})
  void theCommandGetsTheLocaleThatTheScriptReplaced(String before, String seen) throws Exception {
    String script =
        "HOLDFAST_LC_ALL=%s LC_ALL=C.UTF-8 \"$@\" run -- env >out; grep LC_ALL out || true";
    assertThat(output(script.formatted(before))).isEqualTo(seen);
  }
}
