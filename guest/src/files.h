/* One file request: an upload, a download or a listing. */
#ifndef SANDGLASS_FILES_H
#define SANDGLASS_FILES_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a first frame of this type is one of ours. */
bool is_file_request(uint8_t type);

/*
 * Serves the request whose header has been read from `connection`, and ends the process with status 0. Signals are blocked,
 * and nobody else uses the connection.
 */
_Noreturn void serve_file(int connection, uint8_t type, uint32_t length);

#endif
