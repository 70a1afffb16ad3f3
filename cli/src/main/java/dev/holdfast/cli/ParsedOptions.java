package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a call says.
 *
 * @param values by each given option's long name: its values, none for a flag
 * @param rest what follows the options
 */
record ParsedOptions(Map<String, List<String>> values, List<String> rest) {
  ParsedOptions() {
    this(new LinkedHashMap<>(), new ArrayList<>());
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  void add(Option option) {
    values.put(option.name(), List.of());
  }

  void add(Option option, String value) {
    values.computeIfAbsent(option.name(), name -> new ArrayList<>()).add(value);
  }
}
