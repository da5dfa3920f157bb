package io.sandglass.api.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.control.LogUnavailableException;
import io.sandglass.api.control.Origin;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.secrets.MasterKey;
import io.sandglass.api.store.IdempotencyStore;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Gives a repeated request the answer of the first. Answers are kept sealed: they hold what
 * commands printed, and new keys' secrets.
 */
public final class Idempotency {
  /** On an answer that was given before. */
  public static final String REPLAYED = "Idempotency-Replayed";

  private static final TypeReference<Map<String, String>> HEADERS = new TypeReference<>() {};
  private static final Pattern KEY = Pattern.compile("[ -~]{1,255}");

  /**
   * A request that may be a repetition.
   *
   * @param scope whose idempotency keys they are: an organization
   * @param key as sent; null when none was
   * @param ifInDoubt what a repetition hears while the first has no answer; empty when doing it
   *     again is safe, because its ids are the same
   */
  public record Call(
      String scope,
      String actor,
      String requestId,
      String key,
      String method,
      String path,
      String body,
      Optional<ProblemType> ifInDoubt) {}

  private final IdempotencyStore store;
  private final MasterKey master;
  private final ObjectMapper json;
  private final InstantSource clock;

  public Idempotency(
      IdempotencyStore store, MasterKey master, ObjectMapper json, InstantSource clock) {
    this.store = store;
    this.master = master;
    this.json = json;
    this.clock = clock;
  }

  /**
   * Answers a request.
   *
   * @param check what must hold before anything is recorded; not asked again for a repetition
   * @param action does it
   */
  public <T> Response answer(
      Call call, Supplier<T> check, BiFunction<Origin, T, Answer<Reply>> action) {
    if (call.key() == null) {
      Origin origin = new Origin(call.scope(), call.actor(), call.requestId(), null, null);
      return first(action.apply(origin, check.get()));
    }
    if (!KEY.matcher(call.key()).matches()) {
      throw ProblemException.invalid(
          "Idempotency-Key", "Expected 1 to 255 printable ASCII characters.");
    }
    String fingerprint = Ids.digest(call.method(), call.path(), call.body());
    Optional<Response> known = repetition(call, fingerprint, find(call));
    if (known.isPresent()) {
      return known.get();
    }
    T checked = check.get();
    boolean owner = store.reserve(call.scope(), call.key(), fingerprint, clock.instant());
    while (!owner) {
      // Somebody came between, or the first try never came to its end.
      Optional<IdempotencyStore.Entry> entry = find(call);
      Optional<Response> meanwhile = repetition(call, fingerprint, entry);
      if (meanwhile.isPresent()) {
        return meanwhile.get();
      }
      if (entry.isPresent()) {
        break; // doing it again is safe
      }
      owner = store.reserve(call.scope(), call.key(), fingerprint, clock.instant());
    }
    return reserved(call, fingerprint, checked, action, owner);
  }

  /** What is done, and how its end is kept when that comes after the answer has begun. */
  @FunctionalInterface
  public interface Action<T> {

    /**
     * Does it.
     *
     * @param keep takes the answer for repetitions, at the end; not called without an end
     */
    Answer<Reply> apply(Origin origin, T checked, Consumer<Reply> keep);
  }

  /**
   * Answers a request whose answer is written while the work goes on: its first entity is not kept,
   * but what the action keeps.
   */
  public <T> Response stream(Call call, Supplier<T> check, Action<T> action) {
    return answer(
        call,
        check,
        (origin, checked) ->
            action.apply(
                origin, checked, call.key() == null ? reply -> {} : reply -> keep(call, reply)));
  }

  /**
   * @param owner whether it is this request's reservation, to keep or to give back
   */
  private <T> Response reserved(
      Call call,
      String fingerprint,
      T checked,
      BiFunction<Origin, T, Answer<Reply>> action,
      boolean owner) {
    Answer<Reply> answer;
    try {
      answer =
          action.apply(
              new Origin(call.scope(), call.actor(), call.requestId(), call.key(), fingerprint),
              checked);
    } catch (LogUnavailableException e) {
      if (owner && !e.perhapsAppended()) {
        store.release(call.scope(), call.key());
      }
      throw e;
    }
    Response response;
    try {
      response = first(answer);
    } catch (ProblemException e) {
      if (owner
          && (((Answer.Refused<Reply>) answer).aftermath() == Aftermath.NOTHING
              || e.type() == ProblemType.IDEMPOTENCY_CONFLICT
              || e.type() == ProblemType.NO_CAPACITY)) {
        store.release(call.scope(), call.key());
      }
      throw e;
    }
    if (answer instanceof Answer.Done<Reply>(Reply reply) && !reply.isLive()) {
      keep(call, reply);
    }
    return response;
  }

  private Optional<IdempotencyStore.Entry> find(Call call) {
    return store.find(call.scope(), call.key());
  }

  private Optional<Response> repetition(
      Call call, String fingerprint, Optional<IdempotencyStore.Entry> entry) {
    if (entry.isEmpty()) {
      return Optional.empty();
    }
    if (!entry.get().fingerprint().equals(fingerprint)) {
      throw new ProblemException(
          ProblemType.IDEMPOTENCY_CONFLICT,
          "The Idempotency-Key came with another request before.");
    }
    if (entry.get().answer().isEmpty()) {
      call.ifInDoubt()
          .ifPresent(
              type -> {
                throw new ProblemException(type, type.description());
              });
      return Optional.empty();
    }
    return entry.get().answer().map(answer -> again(call, answer));
  }

  private Response again(Call call, IdempotencyStore.Answer answer) {
    try {
      Response.ResponseBuilder response = Response.status(answer.status());
      json.readValue(answer.headers(), HEADERS).forEach(response::header);
      byte[] body = master.open(answer.sealedBody(), context(call));
      if (body.length > 0) {
        response.type(MediaType.APPLICATION_JSON_TYPE).entity(body);
      }
      return response.header(REPLAYED, "true").build();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A kept answer has broken headers", e);
    }
  }

  private void keep(Call call, Reply reply) {
    try {
      byte[] body = reply.entity() == null ? new byte[0] : json.writeValueAsBytes(reply.entity());
      store.answer(
          call.scope(),
          call.key(),
          new IdempotencyStore.Answer(
              reply.status(),
              json.writeValueAsString(reply.headers()),
              master.seal(body, context(call))));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + reply.entity().getClass(), e);
    }
  }

  private static String context(Call call) {
    return call.scope() + "\n" + call.key();
  }

  private static Response first(Answer<Reply> answer) {
    return Answers.response(answer);
  }
}
