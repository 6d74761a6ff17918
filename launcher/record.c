#include "record.h"

#include <string.h>

#include "sha256.h"

static const double MIN_REMAINING_S = 10, CLOCK_TOLERANCE_S = 5;

/* In the order of the digests in a record: each version without a terminal, then with one. */
static const char *const EXPECTED[] = {"v1", "v1", "v1beta1", "v1beta1"};

static bool is_hex(const char *at, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (memchr("0123456789abcdef", at[i], 16) == NULL) return false;
    }
    return true;
}

bool is_session_id(const char *text) { return strlen(text) == SESSION_ID && is_hex(text, SESSION_ID); }

static bool is_ascii(struct text text) {
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte == 0 || byte > 127) return false;
    }
    return true;
}

static bool read_approved(struct text line, struct record *record) {
    struct text wall, boottime;
    if (!text_cut(&line, ' ', &wall) || !text_cut(&line, ' ', &boottime)) return false;
    record->boot_id = line;
    return memchr(line.at, ' ', line.length) == NULL && text_seconds(wall, &record->approved_wall) &&
           text_seconds(boottime, &record->approved_boottime);
}

static bool read_until(struct text line, struct record *record) {
    struct text reuse;
    return text_cut(&line, ' ', &reuse) && text_seconds(reuse, &record->reuse_until) &&
           text_seconds(line, &record->token_expires_at);
}

static bool is_identity_of(struct text identity, const char *session_id) {
    char hex[SHA256_HEX + 1];
    sha256_of(identity.at, identity.length, hex);
    return memcmp(hex, session_id, SESSION_ID) == 0;
}

bool record_read(struct text stored, const char *session_id, struct record *record) {
    enum { IDENTITY, APPROVED, UNTIL, RESTS_ON, EXEC_INFO, CLUSTER, FACTS, STATUS, LINES };
    static const char *const NAMES[LINES] = {
        "identity=", "approved=", "until=", "rests_on=", "exec_info=", "cluster=", "facts=", "status=",
    };
    struct text lines[LINES], magic;
    if (!is_ascii(stored) || !text_cut(&stored, '\n', &magic)) return false;
    if (!text_is(magic, "kubectl-stepup session 2")) return false;
    for (int i = 0; i < LINES; i++) {
        if (!text_cut(&stored, '\n', &lines[i]) || !text_take(&lines[i], NAMES[i])) return false;
    }
    record->rests_on = lines[RESTS_ON];
    record->exec_info = lines[EXEC_INFO];
    record->status = lines[STATUS];
    return stored.length == 0 && read_approved(lines[APPROVED], record) && read_until(lines[UNTIL], record) &&
           is_identity_of(lines[IDENTITY], session_id);
}

bool record_usable(const struct record *record, const struct moment *now) {
    if (!text_is(record->boot_id, now->boot_id) || now->boottime < record->approved_boottime) return false;
    if (now->wall < record->approved_wall - CLOCK_TOLERANCE_S) return false;
    double by_wall = now->wall - record->approved_wall, by_boottime = now->boottime - record->approved_boottime;
    double elapsed = by_wall > by_boottime ? by_wall : by_boottime;
    double token_end = record->token_expires_at - MIN_REMAINING_S;
    double end = record->reuse_until < token_end ? record->reuse_until : token_end;
    return elapsed < end - record->approved_wall;
}

const char *record_version(const struct record *record, const char *exec_info) {
    enum { COUNT = sizeof EXPECTED / sizeof EXPECTED[0] };
    if (record->exec_info.length != COUNT * (SHA256_HEX + 1) - 1) return NULL;
    char hex[SHA256_HEX + 1];
    sha256_of(exec_info, strlen(exec_info), hex);
    const char *version = NULL;
    for (int i = 0; i < COUNT; i++) {
        const char *expected = record->exec_info.at + i * (SHA256_HEX + 1);
        /* The record is malformed where the number of digests is not that of versions: no digest holds a space. */
        if ((i > 0 && expected[-1] != ' ') || !is_hex(expected, SHA256_HEX)) return NULL;
        if (version == NULL && memcmp(hex, expected, SHA256_HEX) == 0) version = EXPECTED[i];
    }
    return version;
}
