package dev.holdfast.cli;

import dev.holdfast.Child;
import dev.holdfast.Result;
import dev.holdfast.Signal;
import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Usage;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The schema {@code holdfast.run/1}. */
final class JsonReport {
  private JsonReport() {}

  static byte[] of(Result result) {
    Json json = new Json().text("schema", "holdfast.run/1").text("name", result.name());
    json.array("command");
    for (String word : result.command()) {
      json.text(word);
    }
    json.endArray().text("mechanism", result.mechanism().text());
    result.mechanism().caveat().ifPresent(caveat -> json.text("caveat", caveat));
    cgroup(json, result.cgroupPaths());
    json.text("outcome", result.outcome().text());
    exit(json, result.exit().orElse(null));
    json.text("startedAt", result.startedAt().toString()).seconds("wallSeconds", result.wall());
    usage(json, result.usage());
    json.array("limits");
    for (AppliedLimit limit : result.limits()) {
      limit(json, limit, result.evidence(limit));
    }
    json.endArray();
    return json.object("cleanup")
        .number("killedMembers", result.cleanup().killedMembers())
        .truth("removed", result.cleanup().removed())
        .seconds("seconds", result.cleanup().time())
        .endObject()
        .line();
  }

  private static void cgroup(Json json, Map<String, String> paths) {
    if (paths.isEmpty()) {
      json.unknown("cgroup");
      return;
    }
    json.object("cgroup");
    for (Map.Entry<String, String> path : paths.entrySet()) {
      json.text(path.getKey(), path.getValue());
    }
    json.endObject();
  }

  private static void exit(Json json, Child.@Nullable Exit exit) {
    Signal signal = exit == null ? null : exit.signal().orElse(null);
    if (exit == null || signal != null) {
      json.unknown("exitCode");
    } else {
      json.number("exitCode", exit.code());
    }
    if (signal == null) {
      json.unknown("signal");
    } else {
      json.text("signal", signal.toString());
    }
  }

  private static void usage(Json json, Usage usage) {
    json.object("cpu")
        .seconds("totalSeconds", usage.cpu().total())
        .seconds("userSeconds", usage.cpu().user())
        .seconds("systemSeconds", usage.cpu().system())
        .seconds("throttledSeconds", usage.cpu().throttled())
        .number("throttledPeriods", usage.cpu().throttledPeriods())
        .endObject();
    json.object("memory")
        .number("peakBytes", usage.memory().peak())
        .number("oomKills", usage.memory().oomKills())
        .endObject();
    json.object("pids")
        .number("peak", usage.pids().peak())
        .number("rejected", usage.pids().rejected())
        .endObject();
    json.object("io")
        .number("readBytes", usage.io().readBytes())
        .number("writeBytes", usage.io().writeBytes())
        .endObject();
    json.object("pressure")
        .seconds("cpuSomeSeconds", usage.pressure().cpuSome())
        .seconds("memorySomeSeconds", usage.pressure().memorySome())
        .seconds("ioSomeSeconds", usage.pressure().ioSome())
        .endObject();
  }

  private static void limit(Json json, AppliedLimit limit, AppliedLimit.Evidence evidence) {
    json.object().text("limit", limit.kind().optionName()).text("requested", limit.requested());
    effective(json, limit.effective().orElse(null));
    json.text("status", word(limit.status()))
        .text("by", limit.by())
        .text("reason", limit.reason())
        .text("evidence", word(evidence))
        .endObject();
  }

  private static void effective(Json json, @Nullable LimitValue value) {
    if (value == null) {
      json.unknown("effective");
    } else if (value instanceof LimitValue.Count count) {
      json.number("effective", count.value());
    } else if (value instanceof LimitValue.Cpus cpus) {
      json.number("effective", cpus.value());
    } else {
      json.text("effective", value.toString());
    }
  }

  /** An enum's name as the schema words it. */
  static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
