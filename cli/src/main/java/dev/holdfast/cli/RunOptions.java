package dev.holdfast.cli;

/** The options of {@code holdfast run}, in the order of its help. */
final class RunOptions {
  private RunOptions() {}

  static OptionParser parser() {
    return new OptionParser(
            "run",
            "holdfast run [OPTIONS] [--] COMMAND [ARG...]",
            "Runs a command in a job of its own. Sizes take K, M, G, T (of 1024); times ms, s, m, h;"
                + " \"max\" lifts a limit.%n")
        .value("SIZE", "hard limit of memory; swap is 0 with it, unless --swap is given", "-m", "--memory")
        .value("SIZE", "above this the kernel reclaims and slows the job down", "--memory-high")
        .value("SIZE", "below this memory is kept as far as possible", "--memory-low")
        .value("SIZE", "below this memory is never reclaimed", "--memory-min")
        .value("SIZE", "swap, on top of memory", "--swap")
        .value("N", "CPU time per time, such as 1.5; from 0.001", "--cpus")
        .value("N", "share of the CPUs against others, 1 to 10000; 100 is usual", "--cpu-weight")
        .value("N", "processes and threads at once", "--pids")
        .value("yes|no", "whether one OOM kill ends the whole job (yes)", "--oom-group")
        .values("NAME=SOFT[:HARD]", "limit of each process, such as nofile=1024; repeatable", "--rlimit")
        .value("USER[:GROUP]", "run as this user", "--user")
        .value("DIR", "run in this directory", "--cwd")
        .values("NAME=VALUE", "set a variable; repeatable", "--env")
        .flag("start from an empty environment", "--clear-env")
        .value("MASK", "file mode creation mask, in octal", "--umask")
        .value("N", "nice value, -20 to 19", "--nice")
        .value("TIME", "end the job after this time", "-t", "--timeout")
        .value("TIME", "end the job when it has used so much CPU time", "--cpu-time")
        .value("TIME", "how long the job has between the signal and the kill (2s)", "--grace")
        .value("NAME", "the signal that asks the job to end (TERM)", "--signal")
        .value("WHICH", "auto, cgroup or process-group (auto)", "--mechanism")
        .value("PATH", "the cgroup directory to use, instead of finding one", "--cgroup-root")
        .value("HOW", "require: a limit that cannot hold is an error; best-effort: it is reported", "--enforce")
        .value("FORMAT", "none, text or json (none)", "--report")
        .value("FILE", "where the report goes, instead of stderr", "--report-file")
        .value("NAME", "the job's name", "--name")
        .flag("say what was tried and chosen, and where a failure came from", "--verbose")
        .flag("this text", "-h", "--help")
        .rest();
  }
}
