#include "secret_service.h"

#include <string.h>
#include <time.h>

#include "bus.h"
#include "sha256.h"

#define SERVICE "org.freedesktop.secrets"
#define COLLECTION "/org/freedesktop/secrets/aliases/default"
#define INTERFACE "org.freedesktop.Secret."

enum { TIMEOUT_S = 1, PATH_SIZE = 256 };
enum { OPENING = 2, SEARCHING = 3, GETTING = SEARCHING + SECRET_NAMES };

static int bus = -1;
static char session[PATH_SIZE], items[SECRET_NAMES][PATH_SIZE];

/* The items of a name as the `keyring` library stores them. */
static void put_search(struct outgoing *out, uint32_t serial, const char *name) {
    struct outgoing entries = {.length = 0}, body = {.length = 0};
    put_text(&entries, "service");
    put_text(&entries, name);
    put_padding(&entries, 8);
    put_text(&entries, "username");
    put_text(&entries, "kubectl-stepup");
    put_number(&body, (uint32_t)entries.length);
    put_padding(&body, 8);
    put_bytes(&body, entries.data, entries.length);
    const struct call search = {SERVICE, COLLECTION, INTERFACE "Collection", "SearchItems", "a{ss}"};
    bus_call(out, serial, &search, &body);
}

static void put_opening(struct outgoing *out) {
    struct outgoing body = {.length = 0};
    put_text(&body, "plain");
    put_signature(&body, "s");
    put_text(&body, "");
    const struct call open = {SERVICE, "/org/freedesktop/secrets", INTERFACE "Service", "OpenSession", "sv"};
    bus_call(out, OPENING, &open, &body);
}

static bool copy_path(struct text text, char path[PATH_SIZE]) {
    if (text.length == 0 || text.length >= PATH_SIZE || memchr(text.at, '\0', text.length) != NULL) return false;
    memcpy(path, text.at, text.length);
    path[text.length] = '\0';
    return true;
}

static bool read_opening(void) {
    struct incoming reply;
    if (!bus_reply(bus, OPENING, &reply)) return false;
    take_signature(&reply); /* of the variant with a text in it, which is empty for a plain session */
    take_text(&reply);
    struct text path = take_text(&reply);
    return !reply.is_broken && copy_path(path, session);
}

/* Read the first item that was found, or none. */
static bool read_search(int name) {
    struct incoming reply;
    if (!bus_reply(bus, SEARCHING + (uint32_t)name, &reply)) return false;
    if (take_number(&reply) == 0) return !reply.is_broken;
    struct text path = take_text(&reply);
    return !reply.is_broken && copy_path(path, items[name]);
}

bool secret_service_ask(const char *address, const char *const names[SECRET_NAMES]) {
    struct outgoing out = {.length = 0};
    bus = bus_connect(address, TIMEOUT_S);
    if (bus == -1) return false;
    /* All of it at once: the time that this takes is that of the way there and back. */
    bus_greet(&out);
    put_opening(&out);
    for (int name = 0; name < SECRET_NAMES; name++) put_search(&out, SEARCHING + (uint32_t)name, names[name]);
    if (!bus_send(bus, &out) || !read_opening()) return false;
    for (int name = 0; name < SECRET_NAMES; name++) {
        if (!read_search(name)) return false;
    }
    return true;
}

static int value_of(char character) {
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = character == '\0' ? NULL : strchr(ALPHABET, character);
    return found == NULL ? -1 : (int)(found - ALPHABET);
}

/* RFC 4648, section 4, with its padding and nothing else; the length, 0 for anything odd. */
static size_t decode_base64(struct text text, char *buffer, size_t size) {
    if (text.length == 0 || text.length % 4 != 0 || text.length / 4 * 3 > size) return 0;
    size_t padding = text.at[text.length - 1] != '=' ? 0 : text.at[text.length - 2] != '=' ? 1 : 2, length = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.length; i++) {
        int value = i < text.length - padding ? value_of(text.at[i]) : 0;
        if (value < 0) return 0;
        bits = bits << 6 | (unsigned)value;
        if (i % 4 == 3) {
            for (int shift = 16; shift >= 0; shift -= 8) buffer[length++] = (char)(bits >> shift & 0xff);
            bits = 0;
        }
    }
    return length - padding;
}

/* Read a manifest with the value in it, where no larger one left parts behind: `2 0 <SHA-256> <end> <value> 0 -`. */
static size_t read_manifest(struct text manifest, char *buffer, size_t size) {
    struct text version, parts, digest, until, value, spare;
    double end;
    if (!text_cut(&manifest, ' ', &version) || !text_cut(&manifest, ' ', &parts) ||
        !text_cut(&manifest, ' ', &digest) || !text_cut(&manifest, ' ', &until) || !text_cut(&manifest, ' ', &value) ||
        !text_cut(&manifest, ' ', &spare)) {
        return 0;
    }
    if (!text_is(version, "2") || !text_is(parts, "0") || !text_is(spare, "0") || !text_is(manifest, "-")) return 0;
    if (memchr(until.at, '.', until.length) != NULL || !text_seconds(until, &end) || end <= (double)time(NULL))
        return 0;
    size_t length = decode_base64(value, buffer, size);
    char hex[SHA256_HEX + 1];
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, buffer, length);
    sha256_end(&hash, hex);
    return text_is(digest, hex) ? length : 0;
}

ssize_t secret_service_read(int name, char *buffer, size_t size) {
    struct outgoing out = {.length = 0}, body = {.length = 0};
    struct incoming secret;
    if (*items[name] == '\0') return 0;
    put_text(&body, session);
    const struct call get = {SERVICE, items[name], INTERFACE "Item", "GetSecret", "o"};
    bus_call(&out, GETTING + (uint32_t)name, &get, &body);
    if (!bus_send(bus, &out) || !bus_reply(bus, GETTING + (uint32_t)name, &secret)) return -1;
    take_text(&secret);  /* the session */
    take_array(&secret); /* the parameters of its encryption: none */
    struct text manifest = take_array(&secret);
    size_t length = secret.is_broken ? 0 : read_manifest(manifest, buffer, size);
    return length > 0 ? (ssize_t)length : -1;
}
