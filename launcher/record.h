/* A stored session: its form, and when it may be used, as in kubectl_stepup/sessions/stored_session.py. */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>

#include "scope.h"
#include "text.h"

enum { SESSION_ID = 32 };

/* The pieces point into the text that was read. */
struct record {
    double approved_wall, approved_boottime, reuse_until, token_expires_at;
    struct text boot_id, rests_on, exec_info, status;
};

/* Whether a text has the form of a session id: 32 lower-case hex digits. */
bool is_session_id(const char *text);

/* Read a record; false for a malformed one, and for one whose identity is not that of the session id. */
bool record_read(struct text stored, const char *session_id, struct record *record);

/* Whether the session may still be used. */
bool record_usable(const struct record *record, const struct moment *now);

/* Return the version to answer in if the whole KUBERNETES_EXEC_INFO is one of the expected ones, else NULL. */
const char *record_version(const struct record *record, const char *exec_info);

#endif
