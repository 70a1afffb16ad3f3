package dev.holdfast.cli;

/** What {@code --report} takes. */
enum ReportFormat {
  NONE,
  TEXT,
  JSON;

  static ReportFormat parse(String text) {
    return switch (text) {
      case "none" -> NONE;
      case "text" -> TEXT;
      case "json" -> JSON;
      default ->
          throw new IllegalArgumentException("\"" + text + "\" is neither none, text nor json");
    };
  }
}
