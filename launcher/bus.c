#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BUS "org.freedesktop.DBus"

enum { RETURN = 2 };
enum { PATH = 1, INTERFACE = 2, MEMBER = 3, REPLY_SERIAL = 5, DESTINATION = 6, SIGNATURE = 8 };
enum { HEADER = 16, LARGEST = 1 << 18 };

/* What was received and not taken yet: `taken` bytes of it were the message that was read last. */
static unsigned char received[LARGEST];
static size_t filled, taken;
static bool is_welcome;

void put_bytes(struct outgoing *out, const void *data, size_t length) {
    if (out->is_full || length > sizeof out->data - out->length) {
        out->is_full = true;
        return;
    }
    memcpy(out->data + out->length, data, length);
    out->length += length;
}

void put_padding(struct outgoing *out, size_t to) {
    static const unsigned char ZEROS[8];
    put_bytes(out, ZEROS, (to - out->length % to) % to);
}

void put_number(struct outgoing *out, uint32_t number) {
    unsigned char bytes[4] = {(unsigned char)number, (unsigned char)(number >> 8), (unsigned char)(number >> 16),
                              (unsigned char)(number >> 24)};
    put_padding(out, 4);
    put_bytes(out, bytes, sizeof bytes);
}

void put_text(struct outgoing *out, const char *text) {
    put_number(out, (uint32_t)strlen(text));
    put_bytes(out, text, strlen(text) + 1);
}

void put_signature(struct outgoing *out, const char *signature) {
    unsigned char length = (unsigned char)strlen(signature);
    put_bytes(out, &length, 1);
    put_bytes(out, signature, (size_t)length + 1);
}

static struct text take(struct incoming *in, size_t length) {
    if (in->is_broken || length > in->length - in->at) {
        in->is_broken = true;
        return (struct text){"", 0};
    }
    struct text taken_now = {(const char *)in->data + in->at, length};
    in->at += length;
    return taken_now;
}

static void skip_padding(struct incoming *in, size_t to) { take(in, (to - in->at % to) % to); }

static uint32_t number_at(const unsigned char *data) {
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

uint32_t take_number(struct incoming *in) {
    skip_padding(in, 4);
    struct text number = take(in, 4);
    return number.length == 4 ? number_at((const unsigned char *)number.at) : 0;
}

struct text take_array(struct incoming *in) { return take(in, take_number(in)); }

struct text take_text(struct incoming *in) {
    struct text text = take_array(in);
    take(in, 1);
    return text;
}

struct text take_signature(struct incoming *in) {
    struct text length = take(in, 1);
    struct text signature = take(in, length.length == 1 ? (unsigned char)*length.at : 0);
    take(in, 1);
    return signature;
}

static int digit(char character) {
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    if (character >= 'A' && character <= 'F') return character - 'A' + 10;
    return -1;
}

/* Append a text with its %xx decoded; the whole length, 0 where it is malformed or does not fit. */
static size_t unescape(struct text text, char *path, size_t length, size_t size) {
    for (size_t i = 0; i < text.length; i++) {
        char character = text.at[i];
        if (character == '%') {
            int high = i + 2 < text.length ? digit(text.at[i + 1]) : -1;
            int low = high < 0 ? -1 : digit(text.at[i + 2]);
            if (low < 0) return 0;
            character = (char)(high * 16 + low);
            i += 2;
        }
        if (length + 1 >= size) return 0;
        path[length++] = character;
    }
    return length;
}

/* Write the first path of a list of addresses that is a socket of this machine; its length, 0 for none. */
static size_t socket_path(const char *addresses, char *path, size_t size) {
    const char *end = addresses + strlen(addresses);
    for (const char *at = addresses; at < end; at += strcspn(at, ";") + 1) {
        struct text address = {at, strcspn(at, ",;")};
        if (text_take(&address, "unix:path=")) return unescape(address, path, 0, size);
        path[0] = '\0'; /* how connect(2) knows an abstract name */
        if (text_take(&address, "unix:abstract=")) return unescape(address, path, 1, size);
    }
    return 0;
}

/* Whether the other end is this user's: an abstract name is free for every user once its bus is gone, and so is a path
 * in a directory of others. */
static bool is_ours(int bus) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(bus, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer && peer.uid == getuid();
}

int bus_connect(const char *addresses, int timeout_s) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = timeout_s};
    size_t length = socket_path(addresses, address.sun_path, sizeof address.sun_path);
    if (length == 0) return -1;
    int bus = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bus == -1) return -1;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (setsockopt(bus, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
        setsockopt(bus, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
        connect(bus, (struct sockaddr *)&address, size) == 0 && is_ours(bus)) {
        return bus;
    }
    close(bus);
    return -1;
}

void bus_greet(struct outgoing *out) {
    char user[24];
    snprintf(user, sizeof user, "%lu", (unsigned long)getuid());
    put_bytes(out, "\0AUTH EXTERNAL ", 15);
    for (const char *figure = user; *figure != '\0'; figure++) { /* in hex: "0" is 30 */
        put_bytes(out, "3", 1);
        put_bytes(out, figure, 1);
    }
    put_bytes(out, "\r\nBEGIN\r\n", 9);
    const struct outgoing nothing = {.length = 0};
    const struct call hello = {BUS, "/org/freedesktop/DBus", BUS, "Hello", ""};
    bus_call(out, 1, &hello, &nothing);
}

static void put_field(struct outgoing *fields, unsigned char code, const char *kind, const char *value) {
    put_padding(fields, 8);
    put_bytes(fields, &code, 1);
    put_signature(fields, kind);
    if (*kind == 'g') {
        put_signature(fields, value);
    } else {
        put_text(fields, value);
    }
}

void bus_call(struct outgoing *out, uint32_t serial, const struct call *call, const struct outgoing *body) {
    /* Alignment counts from the start of a message, not from that of what is sent in one piece. */
    struct outgoing fields = {.length = 0}, message = {.length = 0};
    put_field(&fields, PATH, "o", call->path);
    put_field(&fields, INTERFACE, "s", call->interface);
    put_field(&fields, MEMBER, "s", call->member);
    put_field(&fields, DESTINATION, "s", call->to);
    if (*call->signature != '\0') put_field(&fields, SIGNATURE, "g", call->signature);
    put_bytes(&message, "l\1\0\1", 4); /* little endian, a call, no flags, version 1 */
    put_number(&message, (uint32_t)body->length);
    put_number(&message, serial);
    put_number(&message, (uint32_t)fields.length);
    put_bytes(&message, fields.data, fields.length);
    put_padding(&message, 8);
    put_bytes(&message, body->data, body->length);
    put_bytes(out, message.data, message.length);
    out->is_full = out->is_full || fields.is_full || message.is_full || body->is_full;
}

bool bus_send(int bus, const struct outgoing *out) {
    if (out->is_full) return false;
    for (size_t sent = 0; sent < out->length;) {
        ssize_t length = send(bus, out->data + sent, out->length - sent, MSG_NOSIGNAL);
        if (length == -1 && errno == EINTR) continue;
        if (length <= 0) return false;
        sent += (size_t)length;
    }
    return true;
}

/* Receive until that many bytes can be read. */
static bool receive(int bus, size_t length) {
    while (filled < length) {
        if (length > sizeof received) return false;
        ssize_t more = recv(bus, received + filled, sizeof received - filled, 0);
        if (more == -1 && errno == EINTR) continue;
        if (more <= 0) return false;
        filled += (size_t)more;
    }
    return true;
}

static void forget(size_t length) {
    filled -= length;
    memmove(received, received + length, filled);
}

static bool welcome(int bus) {
    const unsigned char *end;
    while ((end = memchr(received, '\n', filled)) == NULL) {
        if (!receive(bus, filled + 1)) return false;
    }
    is_welcome = filled >= 3 && memcmp(received, "OK ", 3) == 0;
    forget((size_t)(end - received) + 1);
    return is_welcome;
}

/* Find the serial number that a message answers among its header fields; 0 where there is none. */
static uint32_t answered(const unsigned char *header, size_t length) {
    struct incoming fields = {header, length, HEADER, false};
    while (!fields.is_broken && fields.at < fields.length) {
        skip_padding(&fields, 8);
        struct text code = take(&fields, 1), kind = take_signature(&fields);
        if (text_is(kind, "u")) {
            uint32_t number = take_number(&fields);
            if (code.length == 1 && *code.at == REPLY_SERIAL) return number;
        } else if (text_is(kind, "g")) {
            take_signature(&fields);
        } else {
            take_text(&fields);
        }
    }
    return 0;
}

bool bus_reply(int bus, uint32_t serial, struct incoming *reply) {
    if (!is_welcome && !welcome(bus)) return false;
    while (true) {
        forget(taken);
        taken = 0;
        if (!receive(bus, HEADER) || received[0] != 'l') return false;
        size_t body_length = number_at(received + 4), fields_length = number_at(received + 12);
        if (body_length > LARGEST || fields_length > LARGEST) return false;
        size_t body_at = HEADER + fields_length + (8 - fields_length % 8) % 8;
        if (!receive(bus, body_at + body_length)) return false;
        taken = body_at + body_length;
        if (answered(received, HEADER + fields_length) != serial) continue;
        *reply = (struct incoming){received + body_at, body_length, 0, false};
        return received[1] == RETURN;
    }
}
