#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "supervise.h"
#include "wire.h"

enum {
    LONGEST_PATH = 4096,
    MOST_LINKS = 40,
    REQUEST_WITHIN_S = 10,
    SMALL_FILE = 1024 * 1024, /* read before its size is announced */
    MOST_ENTRIES = 1000,      /* of one page */
    MOST_SCANNED = 2000000,   /* names in a directory that may be growing while it is read */
};

static int host;
static uint8_t buffer[HEADER_BYTES + MAX_PAYLOAD];

/* ---- the connection ---- */

static void send_all(const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = send(host, bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(0); /* nobody wants the answer; what has no name yet vanishes */
        bytes += n;
        length -= (size_t)n;
    }
}

static void send_frame(struct frame *f)
{
    frame_end(f);
    send_all(f->bytes, f->length);
}

/* What must not outlive a failure. */
static struct {
    int directory;
    char name[64]; /* empty when there is nothing */
} temporary;

static void clean_up(void)
{
    if (temporary.name[0] != 0)
        unlinkat(temporary.directory, temporary.name, 0);
    temporary.name[0] = 0;
}

static _Noreturn void refuse(const char *code, const char *detail)
{
    clean_up();
    uint8_t bytes[256];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, FRAME_ERROR);
    frame_text(&f, code);
    frame_text(&f, detail);
    send_frame(&f);
    _exit(0);
}

static _Noreturn void refuse_for(int error)
{
    const char *code = "io_error";
    switch (error) {
    case ENOENT:
        code = "not_found";
        break;
    case ELOOP:
    case ENAMETOOLONG:
    case ENOTDIR:
        code = "invalid_path";
        break;
    case EISDIR:
        code = "is_directory";
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        code = "not_permitted";
        break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        code = "no_space";
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        code = "no_resources";
        break;
    default:
        break;
    }
    const char *detail = strerrordesc_np(error);
    refuse(code, detail == NULL ? "unknown error" : detail);
}

static void receive(uint8_t *to, size_t length)
{
    while (length > 0) {
        ssize_t n = recv(host, to, length, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { /* the host is gone, or has lost interest */
            clean_up();
            _exit(0);
        }
        to += n;
        length -= (size_t)n;
    }
}

/* A copy, terminated; NULL when there is none or it is too long. */
static char *read_path(struct fields *in)
{
    struct text text = read_text(in);
    return in->bad || text.length > LONGEST_PATH ? NULL : strndup(text.at, text.length);
}

static void send_count(enum frame_type type, uint64_t count)
{
    uint8_t bytes[HEADER_BYTES + 8];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, type);
    frame_u64(&f, count);
    send_frame(&f);
}

/* ---- places ---- */

/* Where something is, or will be: a directory that is there, directories below it that are not, and a name. */
struct place {
    int directory;
    char *missing; /* "a/b/name" when a is not there; else NULL */
    char name[NAME_MAX + 1];
};

/* Returns 0, or why it is not possible. */
static int enter(struct place *place, const char *name)
{
    int next = openat(place->directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (next < 0)
        return errno;
    if (place->directory != AT_FDCWD)
        close(place->directory);
    place->directory = next;
    return 0;
}

static void must_enter(struct place *place, const char *name)
{
    int error = enter(place, name);
    if (error != 0)
        refuse_for(error);
}

/* Follows the path (from the place's directory, when it is relative) up to its last name. Changes it. */
static void follow(struct place *place, char *path)
{
    if (*path == '/')
        must_enter(place, "/");
    for (;;) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length > NAME_MAX)
            refuse("invalid_path", "a name is longer than 255 bytes");
        char *next = path + length + strspn(path + length, "/");
        if (*next == 0) {
            memcpy(place->name, path, length);
            place->name[length] = 0;
            if (path[length] == '/' && length > 0) { /* "x/" is the directory x */
                must_enter(place, place->name);
                place->name[0] = 0;
            }
            return;
        }
        path[length] = 0;
        int error = enter(place, path);
        path[length] = '/';
        if (error == ENOENT) {
            place->missing = path;
            return;
        }
        if (error != 0)
            refuse_for(error);
        path = next;
    }
}

static const char *or_itself(const char *name) { return *name == 0 ? "." : name; }

/* ---- upload ---- */

/* Follows links of the name too: a file is written where a program that opens the path would write it. */
static struct place target_of(char *path)
{
    static char link[PATH_MAX + 1];
    struct place place = {.directory = AT_FDCWD};
    for (int links = 0;; links++) {
        follow(&place, path);
        if (place.missing != NULL)
            return place;
        ssize_t n = readlinkat(place.directory, place.name, link, sizeof link - 1);
        if (n < 0)
            return place;
        if (links == MOST_LINKS)
            refuse_for(ELOOP);
        link[n] = 0;
        path = link;
    }
}

/* Whether there is a file in that place; refuses what a file must not replace. */
static bool replaces(const struct place *place, struct stat *there)
{
    if (place->missing != NULL)
        return false;
    if (*place->name == 0 || strcmp(place->name, ".") == 0 || strcmp(place->name, "..") == 0)
        refuse_for(EISDIR);
    if (fstatat(place->directory, place->name, there, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            refuse_for(errno);
        return false;
    }
    if (S_ISDIR(there->st_mode))
        refuse_for(EISDIR);
    if (!S_ISREG(there->st_mode))
        refuse("not_a_file", "there is something that is not a regular file");
    return true;
}

static void choose_temporary(int directory)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (uint64_t)now_us();
    temporary.directory = directory;
    snprintf(temporary.name, sizeof temporary.name, ".sandglass-upload-%d-%016llx", getpid(), (unsigned long long)random);
}

/* A file without a name, which nothing in the sandbox can touch and no crash leaves behind; where there is no such thing, one
 * with a name of its own. */
static int open_temporary(int directory, bool *named)
{
    int file = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    *named = file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT);
    if (*named) {
        choose_temporary(directory);
        file = openat(directory, temporary.name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file < 0)
            temporary.name[0] = 0;
    }
    if (file < 0)
        refuse_for(errno);
    return file;
}

static uint64_t take_content(int file, uint64_t most)
{
    uint64_t total = 0;
    for (;;) {
        receive(buffer, HEADER_BYTES);
        uint32_t length = decode_u32(buffer + 1);
        if (buffer[0] == FRAME_END && length == 8) {
            receive(buffer, 8);
            struct fields in = {buffer, buffer + 8, false};
            if (read_u64(&in) != total)
                refuse("bad_request", "END counts other bytes than came");
            return total;
        }
        if (buffer[0] != FRAME_DATA || length == 0 || length > MAX_PAYLOAD)
            refuse("bad_request", "expected DATA or END");
        if (length > most - total)
            refuse("too_large", "more bytes than were announced as the most");
        receive(buffer, length);
        for (size_t written = 0; written < length;) {
            ssize_t n = write(file, buffer + written, length - written);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                refuse_for(n < 0 ? errno : ENOSPC);
            written += (size_t)n;
        }
        total += length;
    }
}

/* Makes what is missing of the way to the place, and goes there. */
static void make_way(struct place *place)
{
    char *path = place->missing;
    place->missing = NULL;
    place->directory = dup(place->directory); /* the temporary file is in the old one */
    if (place->directory < 0)
        refuse_for(errno);
    for (;;) {
        size_t length = strcspn(path, "/");
        char *next = path + length + strspn(path + length, "/");
        if (length > NAME_MAX)
            refuse_for(ENAMETOOLONG);
        if (*next == 0) {
            if (path[length] == '/')
                refuse_for(EISDIR);
            memcpy(place->name, path, length + 1);
            return;
        }
        path[length] = 0;
        if (mkdirat(place->directory, path, 0777) < 0 && errno != EEXIST)
            refuse_for(errno);
        int error = enter(place, path);
        if (error != 0)
            refuse_for(error == ENOENT ? ELOOP : error); /* a link that leads nowhere */
        path = next;
    }
}

/* Longer names than these can't be made later, when the content is here. */
static void check_names(const char *path)
{
    for (; *path != 0; path += strspn(path, "/")) {
        size_t length = strcspn(path, "/");
        if (length > NAME_MAX)
            refuse_for(ENAMETOOLONG);
        path += length;
    }
}

static void upload(struct fields *in)
{
    char *path = read_path(in);
    uint64_t most = read_u64(in);
    if (path == NULL || *path != '/' || in->bad || in->at != in->end)
        refuse("bad_request", "UPLOAD is malformed");
    struct place place = target_of(path);
    if (place.missing != NULL) {
        check_names(place.missing);
        place.missing = strdup(place.missing); /* the buffer is needed */
        if (place.missing == NULL)
            refuse_for(ENOMEM);
    }
    struct stat there;
    bool replacing = replaces(&place, &there);
    bool named;
    int file = open_temporary(place.directory, &named);
    struct frame ready;
    uint8_t header[HEADER_BYTES];
    frame_begin(&ready, header, sizeof header, FRAME_READY);
    send_frame(&ready);
    uint64_t total = take_content(file, most);
    if (replacing) { /* its owner's and its permissions stay; where that is not allowed, the file is as a new one */
        if (fchown(file, there.st_uid, there.st_gid) < 0) {
        }
        if (fchmod(file, there.st_mode & 0777) < 0) {
        }
    }
    int beside = place.directory;
    if (place.missing != NULL)
        make_way(&place);
    replaces(&place, &there); /* what has come there meanwhile */
    if (!named) {
        char self[64];
        snprintf(self, sizeof self, "/proc/self/fd/%d", file);
        choose_temporary(beside);
        if (linkat(AT_FDCWD, self, beside, temporary.name, AT_SYMLINK_FOLLOW) < 0) {
            temporary.name[0] = 0;
            refuse_for(errno);
        }
    }
    if (renameat(beside, temporary.name, place.directory, place.name) < 0)
        refuse_for(errno);
    temporary.name[0] = 0;
    send_count(FRAME_END, total);
}

/* ---- download ---- */

/* Looks at what is there before opening it: opening a FIFO could wait, and opening a device do anything. */
static int open_file(char *path, struct stat *st)
{
    struct place place = {.directory = AT_FDCWD};
    follow(&place, path);
    if (place.missing != NULL)
        refuse_for(ENOENT);
    int there = openat(place.directory, or_itself(place.name), O_PATH | O_CLOEXEC);
    if (there < 0 || fstat(there, st) < 0)
        refuse_for(errno);
    if (S_ISDIR(st->st_mode))
        refuse_for(EISDIR);
    if (!S_ISREG(st->st_mode))
        refuse("not_a_file", "it is not a regular file");
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", there);
    int file = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* the very same, whatever has the name now */
    if (file < 0)
        refuse_for(errno);
    return file;
}

static size_t read_some(int file, uint8_t *to, size_t length)
{
    for (;;) {
        ssize_t n = read(file, to, length);
        if (n >= 0)
            return (size_t)n;
        if (errno != EINTR)
            refuse_for(errno);
    }
}

/*
 * The head of the file, up to SMALL_FILE bytes. Files of /proc and /sys do not know their size, so that of a small file is
 * what could be read of it.
 */
static uint8_t *read_head(int file, size_t *length, bool *all)
{
    uint8_t *head = malloc(SMALL_FILE + 1);
    if (head == NULL)
        refuse_for(ENOMEM);
    *length = 0;
    *all = false;
    while (*length <= SMALL_FILE && !*all) {
        size_t n = read_some(file, head + *length, SMALL_FILE + 1 - *length);
        *length += n;
        *all = n == 0;
    }
    return head;
}

static void send_data(size_t length)
{
    struct frame f;
    frame_begin(&f, buffer, sizeof buffer, FRAME_DATA);
    f.length += length;
    send_frame(&f);
}

static void download(struct fields *in)
{
    char *path = read_path(in);
    uint64_t most = read_u64(in);
    if (path == NULL || *path != '/' || in->bad || in->at != in->end)
        refuse("bad_request", "DOWNLOAD is malformed");
    struct stat st;
    int file = open_file(path, &st);
    uint64_t size = (uint64_t)st.st_size;
    size_t head_length = 0;
    uint8_t *head = NULL;
    if (size <= SMALL_FILE) {
        bool all;
        head = read_head(file, &head_length, &all);
        if (all)
            size = head_length;
        else if (size == 0)
            refuse("too_large", "a file that does not tell its size has more than 1 MiB");
        else if (head_length > size)
            head_length = (size_t)size; /* it has grown: as much as there was */
    }
    if (size > most)
        refuse("too_large", "the file is larger than what may be downloaded");
    send_count(FRAME_READY, size);
    uint64_t sent = 0;
    while (sent < size) {
        size_t room = size - sent < MAX_PAYLOAD ? (size_t)(size - sent) : MAX_PAYLOAD;
        size_t n;
        if (sent < head_length) {
            n = head_length - sent < room ? (size_t)(head_length - sent) : room;
            memcpy(buffer + HEADER_BYTES, head + sent, n);
        } else {
            n = read_some(file, buffer + HEADER_BYTES, room);
        }
        if (n == 0)
            refuse("io_error", "the file has become shorter while it was read");
        send_data(n);
        sent += n;
    }
    send_count(FRAME_END, sent);
}

/* ---- list ---- */

/* The smallest names of those that were seen, in order: a page costs the same memory however large the directory is. */
static char names[MOST_ENTRIES][NAME_MAX + 1];
static char *sorted[MOST_ENTRIES];
static size_t name_count;

/* False when a name had to be left out. */
static bool keep(const char *name, size_t most)
{
    char *slot;
    bool full = name_count == most;
    if (full) {
        if (strcmp(name, sorted[most - 1]) >= 0)
            return false;
        slot = sorted[most - 1];
        name_count--;
    } else {
        slot = names[name_count];
    }
    size_t low = 0, high = name_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(name, sorted[middle]) < 0)
            high = middle;
        else
            low = middle + 1;
    }
    memmove(sorted + low + 1, sorted + low, (name_count - low) * sizeof *sorted);
    sorted[low] = slot;
    name_count++;
    snprintf(slot, NAME_MAX + 1, "%s", name);
    return !full;
}

static uint8_t type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 'f';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    case S_IFBLK:
        return 'b';
    case S_IFCHR:
        return 'c';
    default:
        return '?';
    }
}

static bool send_entry(int directory, const char *name)
{
    struct stat st;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false; /* gone meanwhile */
    struct frame f;
    frame_begin(&f, buffer, sizeof buffer, FRAME_ENTRY);
    frame_u8(&f, type_of(st.st_mode));
    frame_u64(&f, (uint64_t)st.st_size);
    frame_u16(&f, (uint16_t)(st.st_mode & 07777));
    frame_u64(&f, (uint64_t)st.st_mtim.tv_sec * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000);
    frame_text(&f, name);
    send_frame(&f);
    return true;
}

static void list(struct fields *in)
{
    char *path = read_path(in);
    char *after = path == NULL ? NULL : read_path(in);
    uint32_t most = read_u32(in);
    if (after == NULL || *path != '/' || in->bad || in->at != in->end || most == 0 || most > MOST_ENTRIES)
        refuse("bad_request", "LIST is malformed");
    struct place place = {.directory = AT_FDCWD};
    follow(&place, path);
    if (place.missing != NULL)
        refuse_for(ENOENT);
    int fd = openat(place.directory, or_itself(place.name), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR)
        refuse("not_a_directory", "it is not a directory");
    if (fd < 0)
        refuse_for(errno);
    DIR *directory = fdopendir(fd);
    if (directory == NULL)
        refuse_for(errno);
    bool more = false;
    int scanned = 0;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL; errno = 0) {
        if (++scanned > MOST_SCANNED)
            refuse("too_large", "the directory has more entries than can be listed");
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, after) > 0 && !keep(name, most))
            more = true;
    }
    if (errno != 0)
        refuse_for(errno);
    uint64_t sent = 0;
    for (size_t i = 0; i < name_count; i++)
        if (send_entry(fd, sorted[i]))
            sent++;
    uint8_t bytes[HEADER_BYTES + 9];
    struct frame end;
    frame_begin(&end, bytes, sizeof bytes, FRAME_END);
    frame_u64(&end, sent);
    frame_u8(&end, more);
    send_frame(&end);
}

/* ---- the request ---- */

bool is_file_request(uint8_t type) { return type == FRAME_UPLOAD || type == FRAME_DOWNLOAD || type == FRAME_LIST; }

_Noreturn void serve_file(int connection, uint8_t type, uint32_t length)
{
    host = connection;
    fcntl(host, F_SETFL, 0); /* one thing after the other: the socket's buffer and the disk set the pace */
    struct timeval patience = {.tv_sec = REQUEST_WITHIN_S};
    setsockopt(host, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (length > MAX_PAYLOAD)
        refuse("bad_request", "the request is too long");
    uint8_t *payload = malloc(length + 1);
    if (payload == NULL)
        refuse_for(ENOMEM);
    receive(payload, length);
    setsockopt(host, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){0}, sizeof patience);
    struct fields in = {payload, payload + length, false};
    switch (type) {
    case FRAME_UPLOAD:
        upload(&in);
        break;
    case FRAME_DOWNLOAD:
        download(&in);
        break;
    default:
        list(&in);
        break;
    }
    _exit(0);
}
