package io.sandglass.api.dataplane;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.apache.hc.core5.http.ClassicHttpResponse;

/** What a node answers in place of what was asked for; empty texts where it says nothing. */
record NodeProblem(int status, String code, String detail) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LARGEST = 64 * 1024;

  /**
   * @throws IOException when the connection breaks
   */
  static NodeProblem read(ClassicHttpResponse response) throws IOException {
    byte[] body = NodeClients.body(response, LARGEST);
    try {
      JsonNode problem = JSON.readTree(body);
      return new NodeProblem(
          response.getCode(), problem.path("code").asText(""), problem.path("detail").asText(""));
    } catch (JsonProcessingException e) {
      return silent(response);
    }
  }

  static NodeProblem silent(ClassicHttpResponse response) {
    return new NodeProblem(response.getCode(), "", "");
  }
}
