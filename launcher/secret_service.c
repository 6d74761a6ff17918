#include "secret_service.h"

#include <string.h>
#include <time.h>

#include "bus.h"
#include "sha256.h"

#define SERVICE "org.freedesktop.secrets"
#define COLLECTION "/org/freedesktop/secrets/aliases/default"
#define INTERFACE "org.freedesktop.Secret."

enum { TIMEOUT_S = 1, PATH_SIZE = 256 };
enum { OPENING = 2 };

static int bus = -1;
/* What is not sent yet. All calls that need no earlier answer are sent together and cost one round trip. */
static struct outgoing waiting;
static char session[PATH_SIZE];

/* The items of a name as the `keyring` library stores them. */
static void put_search(struct outgoing *out, uint32_t number, const char *name) {
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
    bus_call(out, number, &search, &body);
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

static int value_of(char character) {
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = character == '\0' ? NULL : strchr(ALPHABET, character);
    return found == NULL ? -1 : (int)(found - ALPHABET);
}

/* RFC 4648, section 4, with its padding and nothing else; the length, 0 for anything else. */
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

/* Read a manifest with the value in it, where no earlier, larger one left parts behind: `2 0 <SHA-256> <end> <value> 0
 * -`. */
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
    sha256_of(buffer, length, hex);
    return text_is(digest, hex) ? length : 0;
}

static uint32_t serial = OPENING;

bool secret_service_open(const char *address) {
    bus = bus_connect(address, TIMEOUT_S);
    bus_greet(&waiting);
    put_opening(&waiting);
    return bus != -1;
}

/* Send what is queued, wait for the answer to its last call, and take the session's where that was opened before. */
static bool answered(struct incoming *reply) {
    bool is_sent = bus_send(bus, &waiting);
    waiting.length = 0;
    return is_sent && (*session != '\0' || read_opening()) && bus_reply(bus, serial, reply);
}

static enum found read_item(const char *path, char *buffer, size_t size, size_t *length) {
    struct outgoing body = {.length = 0};
    struct incoming secret;
    put_text(&body, session);
    const struct call get = {SERVICE, path, INTERFACE "Item", "GetSecret", "o"};
    bus_call(&waiting, ++serial, &get, &body);
    if (!answered(&secret)) return LEFT_TO_PYTHON;
    take_text(&secret);  /* the session */
    take_array(&secret); /* the parameters of its encryption: none */
    struct text manifest = take_array(&secret);
    *length = secret.is_broken ? 0 : read_manifest(manifest, buffer, size);
    return *length > 0 ? FOUND : LEFT_TO_PYTHON;
}

enum found secret_service_read(const char *name, char *buffer, size_t size, size_t *length) {
    struct incoming found;
    char path[PATH_SIZE];
    put_search(&waiting, ++serial, name);
    if (!answered(&found)) return LEFT_TO_PYTHON;
    if (take_number(&found) == 0) return found.is_broken ? LEFT_TO_PYTHON : NONE;
    struct text first = take_text(&found);
    return !found.is_broken && copy_path(first, path) ? read_item(path, buffer, size, length) : LEFT_TO_PYTHON;
}
