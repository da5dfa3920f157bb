package io.sandglass.api.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * Reads JSON bodies and takes nothing for something else: no number for a string, no unknown field,
 * no field twice, nothing after the end, no broken UTF-8, no text that a database or a process's
 * environment could not hold.
 */
public final class JsonBodies {
  private static final int LARGEST = 512 * 1024;

  /** How long a body may take to arrive. */
  private static final Duration LONGEST = Duration.ofSeconds(60);

  /** How much of a body that is too large is still read, so that its sender hears the answer. */
  private static final int LARGEST_DRAINED = 16 * 1024 * 1024;

  private final ObjectMapper json =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .addModule(new SimpleModule().addDeserializer(String.class, new Text()))
          .build();

  /**
   * A body as an object.
   *
   * @param canonical the same for every spelling of the same JSON
   */
  public record Body<T>(T value, String canonical) {}

  /** A body that has to be there. */
  public <T> Body<T> read(InputStream in, Class<T> type) {
    return read(in, type, LARGEST);
  }

  /**
   * A body that has to be there.
   *
   * @param largest bytes it may have
   */
  public <T> Body<T> read(InputStream in, Class<T> type, int largest) {
    return read(bytes(in, largest), type);
  }

  /** A body that may be left out, which is the same as an empty object. */
  public <T> Body<T> readOptional(InputStream in, Class<T> type) {
    byte[] bytes = bytes(in, LARGEST);
    return read(bytes.length == 0 ? new byte[] {'{', '}'} : bytes, type);
  }

  private <T> Body<T> read(byte[] bytes, Class<T> type) {
    String text = decode(bytes);
    try {
      JsonNode tree = json.readTree(text);
      if (!tree.isObject()) {
        throw ProblemException.invalid("", "Expected a JSON object.");
      }
      return new Body<>(
          json.readValue(text, type),
          json.writeValueAsString(json.convertValue(tree, TreeMap.class)));
    } catch (UnrecognizedPropertyException e) {
      throw ProblemException.invalid(pointer(e), "There is no such field.");
    } catch (TextException e) {
      throw ProblemException.invalid(pointer(e), e.getOriginalMessage());
    } catch (MismatchedInputException e) {
      throw ProblemException.invalid(pointer(e), "The value has the wrong type.");
    } catch (StreamConstraintsException e) {
      throw ProblemException.invalid("", "The JSON is nested too deeply, or a number is too long.");
    } catch (JsonMappingException e) {
      throw ProblemException.invalid(pointer(e), "The value cannot be read.");
    } catch (JsonProcessingException e) {
      throw ProblemException.invalid("", "The body is not well-formed JSON" + at(e) + ".");
    }
  }

  private static String at(JsonProcessingException e) {
    return e.getLocation() == null
        ? ""
        : " (line "
            + e.getLocation().getLineNr()
            + ", column "
            + e.getLocation().getColumnNr()
            + ")";
  }

  private static String decode(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes))
          .toString();
    } catch (CharacterCodingException e) {
      throw ProblemException.invalid("", "The body is not UTF-8.");
    }
  }

  private static byte[] bytes(InputStream in, int largest) {
    try {
      byte[] bytes = read(in, largest + 1);
      if (bytes.length <= largest) {
        return bytes;
      }
      byte[] scratch = new byte[16 * 1024];
      long drained = 0;
      for (int read = in.read(scratch);
          read >= 0 && drained < LARGEST_DRAINED;
          read = in.read(scratch)) {
        drained += read;
      }
    } catch (IOException e) {
      throw e.getCause() instanceof TimeoutException
          ? tooSlow()
          : new ProblemException(
              ProblemType.MALFORMED_REQUEST, "The body ended before its announced length.");
    }
    throw new ProblemException(
        ProblemType.PAYLOAD_TOO_LARGE, "A JSON body may have up to " + largest + " bytes.");
  }

  /** Up to {@code most} bytes; who sends one now and then has no end of time for it. */
  private static byte[] read(InputStream in, int most) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] piece = new byte[16 * 1024];
    long start = System.nanoTime();
    while (all.size() < most) {
      int read = in.read(piece, 0, Math.min(piece.length, most - all.size()));
      if (read < 0) {
        break;
      }
      all.write(piece, 0, read);
      if (System.nanoTime() - start > LONGEST.toNanos()) {
        throw tooSlow();
      }
    }
    return all.toByteArray();
  }

  private static ProblemException tooSlow() {
    return new ProblemException(
        ProblemType.REQUEST_TIMEOUT, ProblemType.REQUEST_TIMEOUT.title() + ".");
  }

  private static String pointer(JsonMappingException e) {
    return e.getPath().stream()
        .map(
            step ->
                step.getFieldName() == null
                    ? Integer.toString(step.getIndex())
                    : escape(step.getFieldName()))
        .collect(Collectors.joining("/", e.getPath().isEmpty() ? "" : "/", ""));
  }

  /** A field's name as part of a JSON pointer. */
  public static String escape(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /** A text that would not survive being stored or passed on. */
  private static final class TextException extends MismatchedInputException {
    private static final long serialVersionUID = 1L;

    TextException(JsonParser parser, String message) {
      super(parser, message);
    }
  }

  private static final class Text extends StdScalarDeserializer<String> {
    private static final long serialVersionUID = 1L;

    Text() {
      super(String.class);
    }

    @Override
    public String deserialize(JsonParser parser, DeserializationContext context)
        throws IOException {
      if (!parser.hasToken(JsonToken.VALUE_STRING)) {
        return (String) context.handleUnexpectedToken(String.class, parser);
      }
      String text = parser.getText();
      if (text.indexOf('\0') >= 0) {
        throw new TextException(parser, "The text holds a NUL character.");
      }
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
        throw new TextException(parser, "The text holds half a surrogate pair.");
      }
      return text;
    }
  }
}
