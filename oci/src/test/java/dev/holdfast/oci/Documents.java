package dev.holdfast.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Texts to read. */
final class Documents {
  private Documents() {}

  /** A document with every member that we know, and some that we do not. */
  static String full() {
    try (InputStream in = Documents.class.getResourceAsStream("full.json")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A configuration with these members in {@code linux.resources}. */
  static String resources(String members) {
    return "{\"ociVersion\":\"1.0.2\",\"linux\":{\"resources\":{" + members + "}}}";
  }
}
