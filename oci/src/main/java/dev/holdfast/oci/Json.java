package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/** Reads a text as JSON (RFC 8259). */
final class Json {
  /** Far more than a configuration has, and far less than a stack takes. */
  private static final int DEEPEST = 100;

  private Json() {}

  /**
   * The document's value.
   *
   * @throws HoldfastException if it is no JSON, or an object names a member twice: it would be
   *     unclear which of the two holds
   */
  static Node parse(byte[] text) throws HoldfastException {
    JsonFactory factory =
        JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(DEEPEST).build())
            .build();
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), text)) {
      if (parser.nextToken() == null) {
        throw noJson("it is empty", null);
      }
      Node document = new Node("", value(parser));
      if (parser.nextToken() != null) {
        throw noJson("something follows its value", null);
      }
      return document;
    } catch (JacksonException wrong) {
      throw noJson(why(wrong), wrong);
    }
  }

  private static HoldfastException noJson(
      String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new HoldfastException(
        "the document is no JSON", why, "give the config.json of an OCI bundle", cause);
  }

  private static String why(JacksonException wrong) {
    String message = String.valueOf(wrong.getOriginalMessage()).lines().findFirst().orElse("");
    var location = wrong.getLocation();
    return location == null
        ? message
        : message + ", line " + location.getLineNr() + ", column " + location.getColumnNr();
  }

  private static Object value(JsonParser parser) {
    JsonToken token = parser.currentToken();
    return switch (token) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> array(parser);
      case VALUE_STRING -> parser.getString();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Node.Numeral(parser.getString());
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> Node.NULL;
      default -> throw new AssertionError(token);
    };
  }

  private static Map<String, Object> object(JsonParser parser) {
    Map<String, Object> members = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      members.put(name, value(parser));
    }
    return members;
  }

  private static List<Object> array(JsonParser parser) {
    List<Object> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value(parser));
    }
    return items;
  }
}
