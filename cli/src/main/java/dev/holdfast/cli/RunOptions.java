package dev.holdfast.cli;

import java.util.List;

/** The options of {@code holdfast run}, in the order of its help. */
final class RunOptions {
  private RunOptions() {}

  static Subcommand all() {
    return new Subcommand(
        "run",
        "holdfast run [OPTIONS] [--] COMMAND [ARG...]",
        "Runs a command in a job of its own. Sizes take K, M, G, T (of 1024); times ms, s, m, h;"
            + " \"max\" lifts a limit.",
        List.of(
            Option.value(
                "SIZE",
                "hard limit of memory; swap is 0 with it, unless --swap is given",
                "-m",
                "--memory"),
            Option.value(
                "SIZE", "above this the kernel reclaims and slows the job down", "--memory-high"),
            Option.value("SIZE", "below this memory is kept as far as possible", "--memory-low"),
            Option.value("SIZE", "below this memory is never reclaimed", "--memory-min"),
            Option.value("SIZE", "swap, on top of memory", "--swap"),
            Option.value("N", "CPU time per time, such as 1.5; from 0.001", "--cpus"),
            Option.value(
                "N", "share of the CPUs against others, 1 to 10000; 100 is usual", "--cpu-weight"),
            Option.value(
                "TIME", "CPU time that may be saved up and used beyond --cpus", "--cpu-burst"),
            Option.value("LIST", "processors to run on, such as 0-3,7", "--cpuset-cpus"),
            Option.value("LIST", "memory nodes to use", "--cpuset-mems"),
            Option.value("N", "processes and threads at once", "--pids"),
            Option.value(
                "N",
                "share of the block devices against others, 1 to 10000; 100 is usual",
                "--io-weight"),
            Option.values(
                "DEV:RATE=N[,...]",
                "what may go to and from a disk in a second: rbps=SIZE, wbps=SIZE, riops=N, wiops=N;"
                    + " repeatable",
                "--io-max"),
            Option.values(
                "SIZE=LIMIT",
                "bytes in huge pages of this size, such as 2M=64M; repeatable",
                "--hugetlb"),
            Option.values(
                "RULE",
                "\"c 1:3 rwm\" allows a device, \"!c *:* w\" denies some, \"/dev/null rw\" names one;"
                    + " the last that matches counts; repeatable",
                "--device"),
            Option.value(
                "FILE",
                "resources from an OCI config.json; other options take the place of what it says",
                "--oci"),
            Option.values(
                "FILE=VALUE",
                "any other file of the group, such as memory.swappiness=10 on v1; repeatable",
                "--set"),
            Option.value("yes|no", "whether one OOM kill ends the whole job (yes)", "--oom-group"),
            Option.values(
                "NAME=SOFT[:HARD]",
                "limit of each process, such as nofile=1024; repeatable",
                "--rlimit"),
            Option.value("USER[:GROUP]", "run as this user", "--user"),
            Option.value("DIR", "run in this directory", "--cwd"),
            Option.values("NAME=VALUE", "set a variable; repeatable", "--env"),
            Option.flag("start from an empty environment", "--clear-env"),
            Option.value("MASK", "file mode creation mask, in octal", "--umask"),
            Option.value("N", "nice value, -20 to 19", "--nice"),
            Option.value("TIME", "end the job after this time", "-t", "--timeout"),
            Option.value("TIME", "end the job when it has used so much CPU time", "--cpu-time"),
            Option.value(
                "TIME", "how long the job has between the signal and the kill (2s)", "--grace"),
            Option.value("NAME", "the signal that asks the job to end (TERM)", "--signal"),
            Option.value(
                "WHICH",
                "auto, cgroup, pid-namespace, process-group or process-tree (auto)",
                "--mechanism"),
            Option.value(
                "PATH", "the cgroup directory to use, instead of finding one", "--cgroup-root"),
            Option.value(
                "HOW",
                "require: a limit that cannot hold is an error; best-effort: it is reported, and without a"
                    + " cgroup limits of each process stand in for memory and pids",
                "--enforce"),
            Option.value("FORMAT", "none, text or json (none)", "--report"),
            Option.value("FILE", "where the report goes, instead of stderr", "--report-file"),
            Option.value("NAME", "the job's name", "--name"),
            Option.flag(
                "say what was tried and chosen, and where a failure came from", "--verbose"),
            Option.flag("this text", "-h", "--help")),
        /* takesCommand= */ true);
  }
}
