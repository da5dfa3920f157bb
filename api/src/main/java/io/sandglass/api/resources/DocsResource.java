package io.sandglass.api.resources;

import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;

/**
 * For readers: the OpenAPI document, the page that shows it, and a page for each type of problem.
 */
@Path("/")
@Hidden
public final class DocsResource {
  private static final String POLICY =
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";
  private static final String WEBJAR = "/META-INF/maven/org.webjars/swagger-ui/pom.properties";

  /** What the page needs of the webjar, and nothing else of it. */
  private static final Map<String, String> ASSETS =
      Map.of(
          "swagger-ui.css", "text/css",
          "swagger-ui-bundle.js", "text/javascript",
          "swagger-ui-standalone-preset.js", "text/javascript",
          "favicon-32x32.png", "image/png");

  private static final String PAGE =
      """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <title>Sandglass API</title>
      <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
      <link rel="stylesheet" href="/docs/swagger-ui.css">
      </head>
      <body>
      <div id="swagger-ui"></div>
      <script src="/docs/swagger-ui-bundle.js"></script>
      <script src="/docs/swagger-ui-standalone-preset.js"></script>
      <script src="/docs/initializer.js"></script>
      </body>
      </html>
      """;

  private static final String INITIALIZER =
      """
      window.ui = SwaggerUIBundle({
        url: "/openapi.yaml",
        dom_id: "#swagger-ui",
        deepLinking: true,
        presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
        layout: "StandaloneLayout"
      });
      """;

  private final String assets;

  public DocsResource() {
    this.assets = "/META-INF/resources/webjars/swagger-ui/" + webjarVersion() + "/";
  }

  @GET
  @Path("/openapi.yaml")
  @Produces("application/yaml")
  public InputStream openApi() {
    return DocsResource.class.getResourceAsStream("openapi.yaml");
  }

  @GET
  @Path("/docs")
  public Response docs() {
    return Response.ok(PAGE, "text/html;charset=utf-8")
        .header("Content-Security-Policy", POLICY)
        .build();
  }

  @GET
  @Path("/docs/initializer.js")
  public Response initializer() {
    return Response.ok(INITIALIZER, "text/javascript;charset=utf-8").build();
  }

  @GET
  @Path("/docs/{asset}")
  public Response asset(@PathParam("asset") String asset) {
    String type = ASSETS.get(asset);
    InputStream content =
        type == null ? null : DocsResource.class.getResourceAsStream(assets + asset);
    if (content == null) {
      throw new ProblemException(ProblemType.NOT_FOUND, ProblemType.NOT_FOUND.description());
    }
    return Response.ok(content, type).header("Cache-Control", "max-age=86400").build();
  }

  @GET
  @Path("/problems/{slug}")
  @Produces(MediaType.TEXT_HTML + ";charset=utf-8")
  public Response problem(@PathParam("slug") String slug) {
    ProblemType type =
        ProblemType.ofSlug(slug)
            .orElseThrow(
                () ->
                    new ProblemException(
                        ProblemType.NOT_FOUND, "There is no such type of problem."));
    String page =
        """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>%s</title></head>
        <body>
        <h1>%s</h1>
        <p>%s</p>
        <p>Status %d, code <code>%s</code></p>
        </body>
        </html>
        """
            .formatted(type.title(), type.title(), type.description(), type.status(), type.code());
    return Response.ok(page).header("Content-Security-Policy", "default-src 'none'").build();
  }

  private static String webjarVersion() {
    try (InputStream in = DocsResource.class.getResourceAsStream(WEBJAR)) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
