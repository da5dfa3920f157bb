package io.sandglass.api.resources;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.sandglass.api.http.Problem;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Requires;
import io.swagger.v3.core.converter.ModelConverters;
import io.swagger.v3.core.util.Yaml;
import io.swagger.v3.jaxrs2.Reader;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes the OpenAPI document from the resources themselves. */
public final class OpenApi {
  private static final String KEY = "api_key";

  /** What the operation requires of the key; OpenAPI has a word for it with OAuth only. */
  private static final String SCOPE = "x-required-scope";

  private static final List<Class<?>> RESOURCES =
      List.of(
          SandboxesResource.class,
          ExecutionsResource.class,
          ExecutionRecordsResource.class,
          FilesResource.class,
          CommandsResource.class,
          TemplatesResource.class,
          CatalogResource.class,
          HistoryResource.class,
          UsageResource.class,
          WebhooksResource.class,
          AdminResource.class,
          PoolsResource.class,
          QuotaResource.class,
          OperationsResource.class);

  /** What any call below /v1 may be answered with. */
  private static final List<ProblemType> EVERYWHERE =
      List.of(
          ProblemType.INVALID_REQUEST,
          ProblemType.UNAUTHORIZED,
          ProblemType.INSUFFICIENT_SCOPE,
          ProblemType.TOO_MANY_REQUESTS,
          ProblemType.INTERNAL_ERROR,
          ProblemType.DATABASE_UNAVAILABLE);

  /** What any call with a body may be answered with. */
  private static final List<ProblemType> WITH_BODY =
      List.of(
          ProblemType.PAYLOAD_TOO_LARGE,
          ProblemType.UNSUPPORTED_MEDIA_TYPE,
          ProblemType.LOG_UNAVAILABLE);

  private OpenApi() {}

  /** The document as YAML; the same for the same code. */
  public static String yaml(String version) {
    OpenAPI document =
        new Reader(
                new OpenAPI()
                    .info(
                        new Info()
                            .title("Sandglass")
                            .description("Sandboxes for code that AI agents write")
                            .version(version)
                            .license(
                                new License()
                                    .name("Apache-2.0")
                                    .url("https://www.apache.org/licenses/LICENSE-2.0.txt")))
                    .components(
                        new Components()
                            .addSecuritySchemes(
                                KEY,
                                new SecurityScheme()
                                    .type(SecurityScheme.Type.HTTP)
                                    .scheme("bearer")
                                    .description(
                                        "An API key. It must have the scope that the operation"
                                            + " names as "
                                            + SCOPE
                                            + "."))))
            .read(Set.copyOf(RESOURCES));
    for (Class<?> type :
        List.of(Problem.class, WebhookMessage.class, WebhookMessage.WebhookTest.class)) {
      ModelConverters.getInstance()
          .readAll(type)
          .forEach((name, schema) -> document.getComponents().addSchemas(name, schema));
    }
    Map<String, List<ProblemType>> documented = documented();
    Map<String, String> scopes = scopes();
    document
        .getPaths()
        .forEach(
            (path, item) ->
                item.readOperationsMap()
                    .forEach((method, operation) -> complete(path, operation, documented, scopes)));
    document.getPaths().values().forEach(item -> item.readOperations().forEach(OpenApi::sort));
    sort(document);
    try {
      return Yaml.pretty().writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The document cannot be written", e);
    }
  }

  private static void complete(
      String path,
      Operation operation,
      Map<String, List<ProblemType>> documented,
      Map<String, String> scopes) {
    List<ProblemType> problems =
        new ArrayList<>(documented.getOrDefault(operation.getOperationId(), List.of()));
    if (path.startsWith("/v1/")) {
      operation.addSecurityItem(new SecurityRequirement().addList(KEY));
      operation.addExtension(
          SCOPE,
          Objects.requireNonNull(
              scopes.get(operation.getOperationId()),
              () -> operation.getOperationId() + " says no scope: annotate it with @Requires"));
      problems.addAll(EVERYWHERE);
    }
    if (operation.getRequestBody() != null) {
      problems.addAll(WITH_BODY);
    }
    problems.stream()
        .distinct()
        .collect(Collectors.groupingBy(ProblemType::status, TreeMap::new, Collectors.toList()))
        .forEach(
            (status, types) ->
                operation
                    .getResponses()
                    .addApiResponse(
                        Integer.toString(status),
                        new ApiResponse()
                            .description(
                                types.stream()
                                    .map(type -> type.code() + ": " + type.title())
                                    .collect(Collectors.joining("; ")))
                            .content(
                                new Content()
                                    .addMediaType(
                                        Problem.MEDIA_TYPE,
                                        new MediaType()
                                            .schema(
                                                new Schema<>()
                                                    .$ref("#/components/schemas/Problem"))))));
  }

  private static Map<String, List<ProblemType>> documented() {
    return RESOURCES.stream()
        .flatMap(resource -> Arrays.stream(resource.getMethods()))
        .filter(method -> !documented(method).isEmpty())
        .collect(Collectors.toMap(OpenApi::operationId, OpenApi::documented));
  }

  /** Those named at the method, and those of the annotations there that stand for several. */
  private static List<ProblemType> documented(Method method) {
    return Stream.concat(
            Stream.of(method),
            Arrays.stream(method.getAnnotations()).map(Annotation::annotationType))
        .map(element -> element.getAnnotation(Documented.class))
        .filter(Objects::nonNull)
        .flatMap(documented -> Arrays.stream(documented.value()))
        .toList();
  }

  private static Map<String, String> scopes() {
    return RESOURCES.stream()
        .flatMap(resource -> Arrays.stream(resource.getMethods()))
        .filter(
            method -> method.isAnnotationPresent(Requires.class) && !operationId(method).isEmpty())
        .collect(
            Collectors.toMap(
                OpenApi::operationId,
                method -> method.getAnnotation(Requires.class).value().text()));
  }

  private static String operationId(Method method) {
    return method.getAnnotation(io.swagger.v3.oas.annotations.Operation.class).operationId();
  }

  /** Reflection returns methods in no order: only sorted is it the same every time. */
  private static void sort(OpenAPI document) {
    var paths = new io.swagger.v3.oas.models.Paths();
    new TreeMap<>(document.getPaths()).forEach(paths::addPathItem);
    document.setPaths(paths);
    Components components = document.getComponents();
    components.setSchemas(new LinkedHashMap<>(new TreeMap<>(components.getSchemas())));
    document.setTags(
        Stream.ofNullable(document.getTags())
            .flatMap(List::stream)
            .sorted(Comparator.comparing(io.swagger.v3.oas.models.tags.Tag::getName))
            .toList());
  }

  private static void sort(Operation operation) {
    var responses = new io.swagger.v3.oas.models.responses.ApiResponses();
    new TreeMap<>(operation.getResponses()).forEach(responses::addApiResponse);
    operation.setResponses(responses);
  }
}
