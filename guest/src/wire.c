#include "wire.h"

#include <string.h>

void frame_begin(struct frame *f, uint8_t *bytes, size_t capacity, enum frame_type type)
{
    f->bytes = bytes;
    f->capacity = capacity;
    f->length = HEADER_BYTES;
    bytes[0] = (uint8_t)type;
}

static void put(struct frame *f, uint64_t value, size_t width)
{
    if (f->capacity - f->length < width)
        return;
    for (size_t i = 0; i < width; i++)
        f->bytes[f->length++] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

void frame_u8(struct frame *f, uint8_t value) { put(f, value, 1); }
void frame_u16(struct frame *f, uint16_t value) { put(f, value, 2); }
void frame_u32(struct frame *f, uint32_t value) { put(f, value, 4); }
void frame_u64(struct frame *f, uint64_t value) { put(f, value, 8); }

void frame_text(struct frame *f, const char *text)
{
    size_t length = strlen(text);
    size_t room = f->capacity - f->length;
    if (room < 4)
        return;
    if (length > room - 4)
        length = room - 4;
    put(f, length, 4);
    memcpy(f->bytes + f->length, text, length);
    f->length += length;
}

void frame_end(struct frame *f)
{
    struct frame header = {f->bytes, HEADER_BYTES, 1};
    put(&header, f->length - HEADER_BYTES, 4);
}

static uint64_t take(struct fields *in, size_t width)
{
    if (in->bad || (size_t)(in->end - in->at) < width) {
        in->bad = true;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | *in->at++;
    return value;
}

uint8_t read_u8(struct fields *in) { return (uint8_t)take(in, 1); }
uint16_t read_u16(struct fields *in) { return (uint16_t)take(in, 2); }
uint32_t read_u32(struct fields *in) { return (uint32_t)take(in, 4); }
uint64_t read_u64(struct fields *in) { return take(in, 8); }

/* A text with a NUL inside is bad: no field of a request may have one. */
struct text read_text(struct fields *in)
{
    uint32_t length = read_u32(in);
    if (in->bad || (size_t)(in->end - in->at) < length || memchr(in->at, 0, length) != NULL) {
        in->bad = true;
        return (struct text){(char *)in->at, 0};
    }
    struct text text = {(char *)in->at, length};
    in->at += length;
    return text;
}

uint32_t decode_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
