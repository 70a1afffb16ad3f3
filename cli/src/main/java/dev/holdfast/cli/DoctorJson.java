package dev.holdfast.cli;

import dev.holdfast.Host;
import java.util.Map;
import java.util.Optional;

/** The schema {@code holdfast.doctor/1}. */
final class DoctorJson {
  private DoctorJson() {}

  static byte[] of(Host host) {
    Json json =
        new Json()
            .text("schema", "holdfast.doctor/1")
            .truth("available", host.available())
            .text("mechanism", host.mechanism().text());
    host.mechanism().caveat().ifPresent(caveat -> json.text("caveat", caveat));
    json.text("reason", host.reason()).text("remedy", host.remedy()).text("kernel", host.kernel());
    json.object("cgroup")
        .text("version", host.version().text())
        .text("delegation", host.delegation())
        .array("hierarchies");
    for (Host.Tree tree : host.hierarchies()) {
      json.object()
          .text("version", tree.unified() ? "v2" : "v1")
          .text("mount", tree.mount().toString())
          .text("root", tree.root().toString())
          .truth("writable", tree.writable())
          .array("controllers");
      for (String controller : tree.controllers()) {
        json.text(controller);
      }
      json.endArray().endObject();
    }
    json.endArray().endObject().object("features");
    for (Map.Entry<String, Optional<Boolean>> feature : host.features().entrySet()) {
      if (feature.getValue().isPresent()) {
        json.truth(feature.getKey(), feature.getValue().get());
      } else {
        json.unknown(feature.getKey());
      }
    }
    return json.endObject().line();
  }
}
