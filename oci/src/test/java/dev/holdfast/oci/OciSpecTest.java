package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Command;
import dev.holdfast.ResourceLimit;
import dev.holdfast.ResourceLimit.Resource;
import dev.holdfast.cgroup.HoldfastException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OciSpecTest {
  @TempDir Path temp;

  @Test
  void aFullDocument() throws Exception {
    OciSpec spec = OciSpec.parse(Documents.full());

    assertThat(spec.ociVersion()).isEqualTo("1.2.0");
    assertThat(spec.oomScoreAdj()).hasValue(100);
    assertThat(spec.resourceLimits())
        .containsExactly(
            new ResourceLimit(Resource.NOFILE, 1024, 4096),
            new ResourceLimit(Resource.CORE, 0, ResourceLimit.INFINITY));
    assertThat(spec.applyTo(Command.of("true").resourceLimit(ResourceLimit.parse("nofile=1"))))
        .extracting(Command::resourceLimits)
        .isEqualTo(spec.resourceLimits());
    assertThat(spec.applyTo(Command.of("true")).oomScoreAdj()).hasValue(100);
    assertThat(spec.cgroupsPath().orElseThrow().components())
        .containsExactly("user.slice", "user-job.slice", "build-17.scope");
    assertThat(spec.resources().ignored())
        .containsExactly(
            "linux.resources.memory.useHierarchy: nested groups always count",
            "linux.resources.memory.checkBeforeUpdate: nothing is used yet when limits are set");
    assertThat(
            OciSpec.parse(
                    Documents.resources(
                        "\"memory\":{\"useHierarchy\":true,\"checkBeforeUpdate\":false}"))
                .resources()
                .ignored())
        .isEmpty();
    assertThat(
            OciSpec.parse(Documents.resources("\"cpu\":{\"shares\":2,\"idle\":1}"))
                .resources()
                .ignored())
        .containsExactly("linux.resources.cpu.shares: an idle group has no weight");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"ociVersion\":\"1.0.0-rc5\"}",
        "{\"ociVersion\":\"1.0.2\",\"linux\":null,\"process\":null}",
        "{\"ociVersion\":\"1.2.1+dev\",\"linux\":{\"resources\":null,\"cgroupsPath\":\"\"}}",
        "{\"ociVersion\":\"1.0.2\",\"linux\":{\"resources\":{\"memory\":null,\"cpu\":{},"
            + "\"pids\":{\"limit\":null},\"devices\":[],\"unified\":{},\"rdma\":null,"
            + "\"blockIO\":{\"weight\":0,\"leafWeight\":0},\"network\":{\"classID\":0}}}}",
        "{\"ociVersion\":\"1.0.2\",\"linux\":{\"resources\":{\"memory\":{\"limit\":0,\"swap\":0,"
            + "\"reservation\":0,\"kernel\":-1,\"disableOOMKiller\":false},"
            + "\"cpu\":{\"shares\":0,\"period\":0,\"cpus\":\"\",\"mems\":\"\"}}}}",
        "\uFEFF{\"ociVersion\":\"1.0.2\"}"
      })
  void documentsThatAskForNothing(String json) throws Exception {
    OciSpec spec = OciSpec.parse(json);

    assertThat(spec.limits().isEmpty()).isTrue();
    assertThat(spec.resourceLimits()).isEmpty();
    assertThat(spec.cgroupsPath()).isEmpty();
    assertThat(spec.oomScoreAdj()).isEmpty();
  }

  static Stream<Arguments> wrongDocuments() {
    return Stream.of(
        wrong("", "the document is no JSON: it is empty"),
        wrong("{", "the document is no JSON: Unexpected end-of-input"),
        wrong("{}{}", "the document is no JSON: something follows"),
        wrong("{\"a\":1,\"a\":2}", "the document is no JSON: Duplicate"),
        wrong("[".repeat(200), "the document is no JSON: "),
        wrong("{\n\"a\":tru}", "line 2, column"),
        wrong("[]", "the document: expected an object, found an array"),
        wrong("3", "the document: expected an object, found 3"),
        wrong("{}", "ociVersion: it is missing (give it in the document)"),
        // A resources object alone would silently be no limit at all.
        wrong("{\"memory\":{\"limit\":64}}", "ociVersion: it is missing"),
        wrong("{\"ociVersion\":1}", "ociVersion: expected a string, found 1"),
        wrong("{\"ociVersion\":\"2.0.0\"}", "ociVersion: expected version 1", "\"2.0.0\""),
        wrong(
            "{\"ociVersion\":\"1.0.0\",\"linux\":[]}", "linux: expected an object, found an array"),
        wrong(
            "{\"ociVersion\":\"1.0.0\",\"linux\":{\"cgroupsPath\":\"/a/../b\"}}",
            "linux.cgroupsPath: ",
            "leads out"),
        process("\"rlimits\":{}", "process.rlimits: expected an array, found an object"),
        process("\"rlimits\":[3]", "process.rlimits[0]: expected an object, found 3"),
        process("\"rlimits\":[{\"soft\":1,\"hard\":2}]", "process.rlimits[0].type: it is missing"),
        process(
            "\"rlimits\":[{\"type\":\"NOFILE\",\"soft\":1,\"hard\":2}]",
            "process.rlimits[0].type: expected a resource such as \"RLIMIT_NOFILE\", found"
                + " \"NOFILE\""),
        process(
            "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1}]",
            "process.rlimits[0].hard: it is missing"),
        process(
            "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":3,\"hard\":2}]",
            "process.rlimits[0]: the soft limit is above the hard limit"),
        process(
            "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":3,\"hard\":18446744073709551614}]",
            "process.rlimits[0].hard: expected an integer from 0 to 9223372036854775807"),
        process(
            "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":2},"
                + "{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":2}]",
            "process.rlimits[1].type: \"RLIMIT_CPU\" is given more than once"),
        process(
            "\"oomScoreAdj\":1001",
            "process.oomScoreAdj: expected an integer from -1000 to 1000, found 1001"),
        resources(
            "\"memory\":{\"limit\":\"64M\"}",
            "linux.resources.memory.limit: expected an integer, found \"64M\" (change it in the"
                + " document, or leave it out)"),
        resources("\"memory\":{\"limit\":1.0}", "linux.resources.memory.limit: ", "found 1.0"),
        resources("\"memory\":{\"limit\":1e3}", "linux.resources.memory.limit: ", "found 1e3"),
        resources("\"memory\":{\"limit\":-2}", "linux.resources.memory.limit: ", "found -2"),
        resources(
            "\"memory\":{\"limit\":9223372036854775808}",
            "linux.resources.memory.limit: expected an integer from -1 to"),
        resources("\"memory\":{\"limit\":" + "9".repeat(900) + "}", "memory.limit: ", "…"),
        resources("\"memory\":{\"limit\":true}", "memory.limit: ", "found true"),
        resources("\"memory\":{\"limit\":{}}", "memory.limit: ", "found an object"),
        resources("\"memory\":{\"swappiness\":201}", "memory.swappiness: ", "201"),
        resources("\"memory\":{\"disableOOMKiller\":1}", "memory.disableOOMKiller: ", "found 1"),
        resources("\"cpu\":{\"shares\":-1}", "linux.resources.cpu.shares: "),
        resources("\"cpu\":{\"idle\":2}", "linux.resources.cpu.idle: "),
        resources("\"cpu\":{\"cpus\":3}", "linux.resources.cpu.cpus: expected a string"),
        resources("\"pids\":{\"limit\":\"5\"}", "linux.resources.pids.limit: "),
        resources("\"pids\":7", "linux.resources.pids: expected an object, found 7"),
        resources("\"blockIO\":{\"weight\":9}", "linux.resources.blockIO.weight: "),
        resources("\"blockIO\":{\"weight\":1001}", "linux.resources.blockIO.weight: "),
        resources(
            "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"weight\":10}]}",
            "linux.resources.blockIO.weightDevice[0].minor: it is missing"),
        resources(
            "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0}]}",
            "linux.resources.blockIO.throttleReadBpsDevice[0].rate: it is missing"),
        resources(
            "\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":0}]",
            "linux.resources.hugepageLimits[0].pageSize: "),
        resources("\"network\":{\"classID\":4294967296}", "linux.resources.network.classID: "),
        resources(
            "\"network\":{\"priorities\":[{\"name\":\"eth0\"}]}",
            "linux.resources.network.priorities[0].priority: it is missing"),
        resources("\"rdma\":{\"a b\":{}}", "linux.resources.rdma[\"a b\"]: "),
        resources(
            "\"rdma\":{\"mlx\":{\"hcaHandles\":-1}}", "linux.resources.rdma.mlx.hcaHandles: "),
        resources(
            "\"unified\":{\"memory.high\":3}",
            "linux.resources.unified[\"memory.high\"]: expected a string, found 3"),
        resources("\"devices\":[{\"access\":\"rwm\"}]", "linux.resources.devices[0].allow: "),
        resources("\"devices\":[{\"allow\":true}]", "linux.resources.devices[0].access: "),
        resources(
            "\"devices\":[{\"allow\":true,\"access\":\"rx\"}]",
            "linux.resources.devices[0].access: ",
            "\"rx\""),
        resources(
            "\"devices\":[{\"allow\":true,\"type\":\"p\",\"access\":\"r\"}]",
            "linux.resources.devices[0].type: "),
        resources(
            "\"devices\":[{\"allow\":true,\"major\":-2,\"access\":\"r\"}]",
            "linux.resources.devices[0].major: "));
  }

  private static Arguments process(String members, String... parts) {
    return wrong("{\"ociVersion\":\"1.0.2\",\"process\":{" + members + "}}", parts);
  }

  private static Arguments resources(String members, String... parts) {
    return wrong(Documents.resources(members), parts);
  }

  private static Arguments wrong(String json, String... parts) {
    return Arguments.of(json, parts);
  }

  @ParameterizedTest
  @MethodSource("wrongDocuments")
  void wrongOnesAreNamedByTheirPath(String json, String[] parts) {
    assertThatThrownBy(() -> OciSpec.parse(json))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContainingAll(parts)
        .extracting(wrong -> ((HoldfastException) wrong).remedy())
        .isNotEqualTo("");
  }

  static Stream<Arguments> senselessValues() {
    return Stream.of(
        resources("\"memory\":{\"swap\":64}", "linux.resources.memory.swap: ", "memory.limit"),
        resources("\"memory\":{\"limit\":-1,\"swap\":64}", "linux.resources.memory.swap: "),
        resources("\"memory\":{\"limit\":65,\"swap\":64}", "memory.swap: ", "less than"),
        resources("\"cpu\":{\"quota\":999}", "linux.resources.cpu.quota: ", "999"),
        resources("\"cpu\":{\"period\":999}", "linux.resources.cpu.period: ", "999"),
        resources("\"cpu\":{\"quota\":5000,\"period\":1000001}", "cpu.quota: ", "1000001"),
        resources("\"cpu\":{\"cpus\":\"0-\"}", "linux.resources.cpu.cpus: \"0-\" is not a list"),
        resources("\"cpu\":{\"mems\":\"1-0\"}", "linux.resources.cpu.mems: \"1-0\""),
        resources("\"cpu\":{\"burst\":60000001}", "linux.resources.cpu.burst: "),
        resources("\"cpu\":{\"realtimeRuntime\":2000000}", "linux.resources.cpu.realtimeRuntime: "),
        resources("\"cpu\":{\"realtimePeriod\":60000001}", "linux.resources.cpu.realtimePeriod: "),
        resources("\"pids\":{\"limit\":4194305}", "linux.resources.pids.limit: ", "4194305"),
        resources(
            "\"network\":{\"priorities\":[{\"name\":\"eth0\",\"priority\":1},"
                + "{\"name\":\"a/b\",\"priority\":1}]}",
            "linux.resources.network.priorities[1]: \"a/b\""),
        resources("\"unified\":{\"memory.high\":\"\"}", "linux.resources.unified[\"memory.high\"]"),
        resources("\"unified\":{\"../x\":\"1\"}", "linux.resources.unified[\"../x\"]: "),
        resources("\"unified\":{\"a/b.c\":\"1\"}", "linux.resources.unified[\"a/b.c\"]: "),
        resources(
            "\"devices\":[{\"allow\":false,\"type\":\"c\",\"major\":1,\"access\":\"r\"},"
                + "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"r\"}]",
            "linux.resources.devices: ",
            "in it"));
  }

  @ParameterizedTest
  @MethodSource("senselessValues")
  void whatHasNoMeaningIsNamedToo(String json, String[] parts) throws Exception {
    OciSpec spec = OciSpec.parse(json);
    assertThatThrownBy(spec::limits)
        .isInstanceOf(HoldfastException.class)
        .hasMessageContainingAll(parts);
  }

  @Test
  void files() throws Exception {
    Path file = temp.resolve("config.json");
    Files.writeString(file, "{\"ociVersion\":\"1.0.2\"}");
    assertThat(OciSpec.read(file).ociVersion()).isEqualTo("1.0.2");
    Files.write(file, "{\"ociVersion\":\"\u00fc\"}".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> OciSpec.read(file)).hasMessageContaining("no JSON: Invalid UTF-8");
    assertThatThrownBy(() -> OciSpec.read(temp.resolve("none")))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContainingAll("cannot read", "none: there is no such file");
    assertThatThrownBy(() -> OciSpec.read(temp)).isInstanceOf(HoldfastException.class);
    assertThatThrownBy(() -> OciSpec.read(Path.of("/dev/zero")))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("more than 16 MiB");
  }
}
