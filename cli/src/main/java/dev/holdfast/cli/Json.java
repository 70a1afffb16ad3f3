package dev.holdfast.cli;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** One JSON object on one line. What is not known is {@code null}. */
final class Json {
  private static final int SECOND_DIGITS = 9;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(2048);
  private final JsonGenerator generator =
      new JsonFactory().createGenerator(ObjectWriteContext.empty(), bytes);

  Json() {
    generator.writeStartObject();
  }

  Json object(String name) {
    generator.writeObjectPropertyStart(name);
    return this;
  }

  /** An object in an array. */
  Json object() {
    generator.writeStartObject();
    return this;
  }

  Json endObject() {
    generator.writeEndObject();
    return this;
  }

  Json array(String name) {
    generator.writeArrayPropertyStart(name);
    return this;
  }

  Json endArray() {
    generator.writeEndArray();
    return this;
  }

  /** A text in an array. */
  Json text(String value) {
    generator.writeString(wellFormed(value));
    return this;
  }

  Json text(String name, String value) {
    generator.writeStringProperty(name, wellFormed(value));
    return this;
  }

  Json text(String name, Optional<String> value) {
    return value.isPresent() ? text(name, value.get()) : unknown(name);
  }

  Json number(String name, long value) {
    generator.writeNumberProperty(name, value);
    return this;
  }

  Json number(String name, OptionalLong value) {
    return value.isPresent() ? number(name, value.getAsLong()) : unknown(name);
  }

  Json number(String name, double value) {
    generator.writeName(name);
    generator.writeNumber(plain(BigDecimal.valueOf(value)));
    return this;
  }

  Json seconds(String name, Duration value) {
    generator.writeName(name);
    generator.writeNumber(seconds(value));
    return this;
  }

  Json seconds(String name, Optional<Duration> value) {
    return value.isPresent() ? seconds(name, value.get()) : unknown(name);
  }

  Json truth(String name, boolean value) {
    generator.writeBooleanProperty(name, value);
    return this;
  }

  Json unknown(String name) {
    generator.writeNullProperty(name);
    return this;
  }

  /** The finished line, with its end of line. */
  byte[] line() {
    generator.writeEndObject();
    generator.close();
    bytes.write('\n');
    return bytes.toByteArray();
  }

  /** In seconds, exactly, without an exponent. */
  static String seconds(Duration value) {
    return plain(
        BigDecimal.valueOf(value.getSeconds())
            .add(BigDecimal.valueOf(value.getNano(), SECOND_DIGITS)));
  }

  private static String plain(BigDecimal value) {
    return value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
  }

  /** Arguments may be any bytes, JSON is UTF-8: what does not fit becomes U+FFFD. */
  private static String wellFormed(String text) {
    StringBuilder fixed = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      if (fixed == null) {
        fixed = new StringBuilder(text);
      }
      fixed.setCharAt(i, '\uFFFD');
    }
    return fixed == null ? text : fixed.toString();
  }
}
