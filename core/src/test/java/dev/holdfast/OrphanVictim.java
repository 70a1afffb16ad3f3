package dev.holdfast;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.holdfast.testing.Jvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The JVM that dies in {@link OrphanTest}. It does what its {@link OrphanRound} says once it reads
 * "go"; prints "job" for each job that it has started members in, and "settled" when all of them
 * have. On "halt" it halts, and on "fill" it takes memory until there is none.
 */
public final class OrphanVictim {
  /** Instead of a mechanism: has the members without jobs. */
  static final String WITHOUT = "without";

  /** Instead of a mechanism: has one job, and prints "ready". */
  static final String NEXT = "next";

  private static final long STEP = 8 << 20;

  private static final int PROT_READ_WRITE = 0x1 | 0x2;

  private static final int MAP_PRIVATE_ANONYMOUS_POPULATE = 0x2 | 0x20 | 0x8000;

  /** Of those that are started on and on, how many may stay: a slow end finds no more of them. */
  private static final int STAYING = 100;

  private final OrphanRound round;
  private final MechanismChoice mechanism;
  private final Optional<Path> root;
  private final List<Job> jobs = new ArrayList<>();
  private List<Path> anchor = List.of();

  private OrphanVictim(OrphanRound round, MechanismChoice mechanism, Optional<Path> root) {
    this.round = round;
    this.mechanism = mechanism;
    this.root = root;
  }

  /** A seed, a mechanism, and perhaps where the anchor shall be. */
  public static void main(String[] arguments) throws Exception {
    OrphanRound round = OrphanRound.of(Long.parseLong(arguments[0]));
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    orders.readLine();
    Thread.ofPlatform().daemon().start(() -> obey(orders));
    Optional<Path> root =
        arguments.length > 2 ? Optional.of(Path.of(arguments[2])) : Optional.empty();
    switch (arguments[1]) {
      case WITHOUT -> withoutJobs(round);
      case NEXT -> new OrphanVictim(round, MechanismChoice.AUTO, root).open();
      default -> new OrphanVictim(round, MechanismChoice.valueOf(arguments[1]), root).live();
    }
    say(arguments[1].equals(NEXT) ? "ready" : "settled");
    Jvm.awaitDeath();
  }

  private static void obey(BufferedReader orders) {
    try {
      switch (orders.readLine()) {
        case "halt" -> Runtime.getRuntime().halt(7);
        case "fill" -> fill();
        case null, default -> {}
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Has the kernel itself put a page behind every address. In User-mode Linux a page that a program
   * touches first takes two ways through its tracer; beside hundreds of members that is minutes.
   */
  private static void fill() {
    Linker linker = Linker.nativeLinker();
    MethodHandle mmap =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("mmap"),
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    try {
      while (true) {
        long address =
            (long)
                mmap.invokeExact(0L, STEP, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_POPULATE, -1, 0L);
        if (address == -1) {
          throw new AssertionError("mmap");
        }
      }
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** The control: the same members, as a program without jobs has them. */
  private static void withoutJobs(OrphanRound round) throws IOException {
    List<InputStream> streams = new ArrayList<>();
    for (String kinds : round.kinds()) {
      streams.add(
          new ProcessBuilder(Members.of(kinds, List.of()).words()).start().getInputStream());
      say("job");
    }
    for (InputStream stream : streams) {
      stream.readNBytes(OrphanRound.MEMBERS / OrphanRound.JOBS);
    }
  }

  private void live() throws Exception {
    List<Child> children = new ArrayList<>();
    for (String kinds : round.kinds()) {
      Job job = open();
      children.add(job.start(Members.of(kinds, groups(job)).stdout(Output.pipe())));
      say("job");
    }
    for (int i = 0; i < children.size(); i++) {
      children.get(i).stdout().readNBytes(OrphanRound.MEMBERS / OrphanRound.JOBS);
      if (round.frozen().get(i) && !jobs.get(i).cgroupPaths().isEmpty()) {
        jobs.get(i).freeze();
      }
    }
    if (round.moment() == OrphanRound.Moment.STARTING) {
      startMore(jobs.stream().filter(job -> !round.frozen().get(jobs.indexOf(job))).toList());
    }
  }

  private Job open() throws IOException {
    Job.Builder builder = Job.builder().mechanism(mechanism);
    root.ifPresent(builder::cgroupRoot);
    Job job = builder.open();
    jobs.add(job);
    return job;
  }

  /** Of the first job in every hierarchy; of the others where it tells who is a member. */
  private List<Path> groups(Job job) throws IOException {
    if (job.cgroupPaths().isEmpty()) {
      return List.of();
    }
    if (anchor.isEmpty()) {
      List<Path> all = Groups.directoriesOf(job);
      anchor = all.stream().map(Path::getParent).toList();
      return all;
    }
    String path = job.cgroupPaths().values().iterator().next();
    String name = path.substring(path.lastIndexOf('/') + 1);
    return List.of(Groups.membership(anchor).resolve(name));
  }

  /** For ever: members that end at once, and at the beginning some that stay. */
  private void startMore(List<Job> into) {
    for (int thread = 0; thread < 2; thread++) {
      int first = thread;
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            try {
              for (int i = first; true; i += 2) {
                Job job = into.get(i % into.size());
                String kind = i < STAYING && i % 2 == 0 ? "p" : "q";
                job.start(Members.of(kind, List.of()).stdout(Output.discard()));
              }
            } catch (IOException | InterruptedException e) {
              throw new AssertionError(e);
            }
          });
    }
  }

  private static void say(String word) {
    System.out.println(word);
    System.out.flush();
  }
}
