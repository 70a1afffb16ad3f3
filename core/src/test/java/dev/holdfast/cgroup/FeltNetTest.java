package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.Systemd;
import dev.holdfast.testing.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Classes and priorities of v1's controllers, as the scheduler of an interface sees them: in
 * guests, whose loopback has three bands meanwhile. What says nothing of itself goes to the second
 * one.
 */
@Needs({Feature.ROOT, Feature.PRIO_QDISC})
@Timeout(120)
class FeltNetTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PACKETS = 50;
  private static final long FIRST_BAND = 0x100001;

  /** To a port where nobody listens: the kernel's answers are of no group. */
  private static final String SEND =
      "exec perl -e 'use Socket; socket(S, PF_INET, SOCK_DGRAM, 0) or die;"
          + " send(S, \"x\", 0, sockaddr_in(9, INADDR_LOOPBACK)) or die for 1 .. 50'";

  @RegisterExtension final LiveGroups groups = new LiveGroups();

  @BeforeEach
  void bands() throws Exception {
    Tool.run("tc", "qdisc", "add", "dev", "lo", "root", "handle", "10:", "prio");
  }

  @AfterEach
  void noBands() throws Exception {
    Tool.run("tc", "qdisc", "delete", "dev", "lo", "root");
  }

  @Test
  @Tag(Place.UML_V1)
  @Tag(Place.UML_HYBRID)
  @Needs({Feature.NET_CLS, Feature.CGROUP_FILTER})
  void aClassIsWhatTheFilterGoesBy() throws Exception {
    Tool.run("tc", "filter", "add", "dev", "lo", "parent", "10:", "handle", "1:", "cgroup");
    Cgroup group = groups.make();
    assertThat(firstOfThoseSentBy(group)).as("without a class").isZero();
    assertThat(group.apply(Limits.builder().netClass(FIRST_BAND).build()).getFirst().by())
        .hasValue("net_cls.classid");
    assertThat(firstOfThoseSentBy(group)).isEqualTo(PACKETS);
    assertThat(firstOfThoseSentBy(groups.make())).as("of another group").isZero();
    group.apply(Limits.builder().netClass(0).build());
    assertThat(firstOfThoseSentBy(group)).as("lifted again").isZero();
  }

  /** v1's hierarchy of it, mounted for the test, beside v2. */
  @Test
  @Systemd
  @Needs(Feature.NET_PRIO)
  void aPriorityIsWhatTheBandsGoBy() throws Exception {
    final int first = 6;
    Path mount = Files.createTempDirectory("hf-net-prio");
    Tool.run("mount", "-t", "cgroup", "-o", "net_prio", "cgroup", mount.toString());
    try (Cgroup group = groups.make();
        Cgroup other = groups.make()) {
      assertThat(firstOfThoseSentBy(group)).as("without a priority").isZero();
      assertThat(group.apply(Limits.builder().netPriority("lo", first).build()).getFirst().by())
          .hasValue("net_prio.ifpriomap");
      assertThat(firstOfThoseSentBy(group)).isEqualTo(PACKETS);
      assertThat(firstOfThoseSentBy(other)).as("of another group").isZero();
      group.apply(Limits.builder().netPriority("lo", 0).build());
      assertThat(firstOfThoseSentBy(group)).as("lifted again").isZero();
    } finally {
      Tool.run("umount", mount.toString());
      Files.delete(mount);
      // The hierarchy ends a moment after its last group has.
      await().atMost(PATIENCE).until(Feature.FREE_NET_PRIO::isPresent);
    }
  }

  /** How many packets came by the first band while the group sent some. */
  private long firstOfThoseSentBy(Cgroup group) throws Exception {
    long before = packets("10:1");
    long beforeUsual = packets("10:2");
    assertThat(groups.run(group, SEND).waitFor()).isZero();
    long first = packets("10:1") - before;
    assertThat(first + packets("10:2") - beforeUsual).as("in all").isGreaterThanOrEqualTo(PACKETS);
    return first;
  }

  /**
   * What a band has passed:
   *
   * <pre>
   * class prio 10:1 parent 10:
   *  Sent 7100 bytes 50 pkt (dropped 0, overlimits 0 requeues 0)
   * </pre>
   */
  private static long packets(String band) throws Exception {
    String shown = Tool.run("tc", "-s", "class", "show", "dev", "lo");
    Matcher sent =
        Pattern.compile("class prio " + band + " .*\\s+Sent [0-9]+ bytes ([0-9]+) pkt")
            .matcher(shown);
    assertThat(sent.find()).as(shown).isTrue();
    return Long.parseLong(sent.group(1));
  }
}
