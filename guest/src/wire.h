/* The frames of the protocol (README.md is the reference) and bounded reading and writing of their fields. */
#ifndef SANDGLASS_WIRE_H
#define SANDGLASS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROTOCOL_VERSION = 1,
    HEADER_BYTES = 5,
    MAX_PAYLOAD = 64 * 1024,  /* of every frame but RUN */
    MAX_REQUEST = 256 * 1024, /* of RUN: a command line and an environment */
};

enum frame_type {
    /* guest to host */
    FRAME_HELLO = 'H',
    FRAME_STARTED = 'S',
    FRAME_STDOUT = 'O',
    FRAME_STDERR = 'E',
    FRAME_TOTALS = 'T',
    FRAME_EXIT = 'X',
    FRAME_ERROR = 'F',
    FRAME_READY = 'Y',
    FRAME_ENTRY = 'n',
    /* host to guest */
    FRAME_RUN = 'R',
    FRAME_STDIN = 'I',
    FRAME_STDIN_EOF = 'C',
    FRAME_SIGNAL = 'G',
    FRAME_KILL = 'K',
    FRAME_ATTACH = 'A',
    FRAME_FORGET = 'W',
    FRAME_UPLOAD = 'U',
    FRAME_DOWNLOAD = 'D',
    FRAME_LIST = 'L',
    /* both ways */
    FRAME_DATA = 'd',
    FRAME_END = 'e',
};

enum run_flag { RUN_STDIN = 1, RUN_DETACHED = 2 };

enum exit_flag {
    EXIT_TIMED_OUT = 1,
    EXIT_KILLED = 2,     /* by a KILL frame */
    EXIT_SIGNALLED = 4,  /* the command ended by a signal */
    EXIT_SURVIVORS = 8,  /* the kernel has not let every killed process go yet */
};

/* A frame being written. A field that does not fit is cut, never overrun. */
struct frame {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
};

void frame_begin(struct frame *f, uint8_t *bytes, size_t capacity, enum frame_type type);
void frame_u8(struct frame *f, uint8_t value);
void frame_u16(struct frame *f, uint16_t value);
void frame_u32(struct frame *f, uint32_t value);
void frame_u64(struct frame *f, uint64_t value);
void frame_text(struct frame *f, const char *text);
void frame_end(struct frame *f);

/* Fields being read; `bad` is set by the first that does not fit, and every later one is empty. */
struct fields {
    uint8_t *at;
    uint8_t *end;
    bool bad;
};

/* Points into the payload; not terminated. */
struct text {
    char *at;
    uint32_t length;
};

uint8_t read_u8(struct fields *in);
uint16_t read_u16(struct fields *in);
uint32_t read_u32(struct fields *in);
uint64_t read_u64(struct fields *in);
struct text read_text(struct fields *in);
uint32_t decode_u32(const uint8_t *at);

#endif
