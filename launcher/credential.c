#include "credential.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "files.h"
#include "keyring.h"
#include "record.h"
#include "rests_on.h"
#include "secret_service.h"

enum { LARGEST = 1 << 17, KEY_SIZE = 16 + SESSION_ID + SCOPE_SIZE };

struct request {
    const char *session_id, *directory, *store;
    const char *exec_info;
    bool of_login_session;
    struct moment now;
    char terminal[SCOPE_SIZE];
};

enum step { ANSWERED, WRITE_FAILED, NOT_HERE, LEAVE };

static char stored[LARGEST];

static bool parse(char **arguments, struct request *request) {
    for (; *arguments != NULL; arguments += 2) {
        const char *value = arguments[1];
        if (value == NULL) return false;
        const char **option = strcmp(*arguments, "--session") == 0           ? &request->session_id
                              : strcmp(*arguments, "--store-directory") == 0 ? &request->directory
                              : strcmp(*arguments, "--store") == 0           ? &request->store
                                                                             : NULL;
        /* Only the Python program asks a socket (--handover). */
        if (option == NULL || *option != NULL) return false;
        *option = value;
    }
    if (request->store != NULL && strcmp(request->store, "keyring") != 0) return false;
    return request->session_id != NULL && is_session_id(request->session_id);
}

static bool write_whole(struct text text) {
    while (text.length > 0) {
        ssize_t written = write(STDOUT_FILENO, text.at, text.length);
        if (written == -1 && errno == EINTR) continue;
        if (written == -1) return false;
        text.at += written;
        text.length -= (size_t)written;
    }
    return true;
}

static enum step answer(const struct request *request, size_t length) {
    static char credential[LARGEST + 256];
    struct record record;
    /* A malformed record may be no record to Python, which takes the first that it can use. */
    if (!record_read((struct text){stored, length}, request->session_id, &record)) return LEAVE;
    if (!record_usable(&record, &request->now)) return NOT_HERE;
    if (!rests_on_unchanged(record.rests_on)) return LEAVE; /* Python evaluates it with the files as they are now */
    const char *version = record_version(&record, request->exec_info);
    if (version == NULL) return LEAVE; /* Python checks whether it is the enrolled server all the same */
    int written = snprintf(credential, sizeof credential,
                           "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/%s\","
                           "\"spec\":{},\"status\":%.*s}\n",
                           version, (int)record.status.length, record.status.at);
    if (written < 0 || (size_t)written >= sizeof credential) return LEAVE;
    /* What cannot be written, to nobody or beyond a limit, is a failure to say, as in Python, and no end by a signal.
     */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return write_whole((struct text){credential, (size_t)written}) ? ANSWERED : WRITE_FAILED;
}

static enum found read_process_tree(const struct request *request, const char *key, size_t *length) {
    (void)request;
    return keyring_handed_over(key, stored, sizeof stored, length);
}

static enum found read_kernel(const struct request *request, const char *key, size_t *length) {
    return keyring_read(request->of_login_session, key, stored, sizeof stored, length);
}

static enum found read_file(const struct request *request, const char *key, size_t *length) {
    char name[KEY_SIZE], path[PATH_MAX];
    if (request->directory == NULL || !is_own_directory(request->directory)) return UNUSABLE;
    snprintf(name, sizeof name, "%s", key);
    for (char *colon = name; (colon = strchr(colon, ':')) != NULL;) *colon = ',';
    if (snprintf(path, sizeof path, "%s/%s.session", request->directory, name) >= (int)sizeof path)
        return LEFT_TO_PYTHON;
    ssize_t taken = read_own(path, stored, sizeof stored);
    if (taken == -1) return errno == ENOENT ? NONE : LEFT_TO_PYTHON;
    struct text value = {stored, (size_t)taken}, until;
    double end;
    if (!text_cut(&value, '\n', &until) || !text_seconds(until, &end)) return LEFT_TO_PYTHON;
    if (memchr(until.at, '.', until.length) != NULL || end <= request->now.wall) return LEFT_TO_PYTHON;
    memmove(stored, value.at, value.length);
    *length = value.length;
    return FOUND;
}

static enum found read_secret_service(const struct request *request, const char *key, size_t *length) {
    static bool is_open;
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
    if (request->store == NULL || address == NULL) return UNUSABLE;
    if (!is_open && !secret_service_open(address)) return UNUSABLE;
    is_open = true;
    return secret_service_read(key, stored, sizeof stored, length);
}

/* A store, and the scopes in which a session is looked up, in this order. */
struct store {
    enum found (*read)(const struct request *request, const char *key, size_t *length);
    const char *scopes[2];
};

static enum step from_store(const struct request *request, const struct store *store) {
    for (int i = 0; i < 2 && store->scopes[i] != NULL; i++) {
        char key[KEY_SIZE];
        size_t length;
        snprintf(key, sizeof key, "kubectl-stepup:%s:%s", request->session_id, store->scopes[i]);
        enum found found = store->read(request, key, &length);
        if (found == LEFT_TO_PYTHON) return LEAVE;
        if (found == UNUSABLE) return NOT_HERE;
        enum step step = found == FOUND ? answer(request, length) : NOT_HERE;
        if (step != NOT_HERE) return step;
    }
    return NOT_HERE;
}

int credential_serve(char **arguments) {
    struct request request = {.session_id = NULL};
    if (!parse(arguments, &request)) return -1;
    request.exec_info = getenv("KUBERNETES_EXEC_INFO");
    if (request.exec_info == NULL || *request.exec_info == '\0') return -1;
    const char *keyring = getenv("KUBECTL_STEPUP_KEYRING");
    request.of_login_session = keyring != NULL && strcmp(keyring, "session") == 0;
    /* Keep the token out of core files and away from the user's other processes, until the next execve. */
    prctl(PR_SET_DUMPABLE, 0);
    if (!moment_now(&request.now) || !terminal_scope(request.terminal)) return -1;
    const struct store stores[] = {
        {read_process_tree, {"handover"}},
        {read_kernel, {request.terminal, "user"}},
        {read_file, {request.terminal, "user"}},
        {read_secret_service, {request.terminal, "user"}},
    };
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        enum step step = from_store(&request, &stores[i]);
        if (step != NOT_HERE) return step == ANSWERED ? 0 : step == WRITE_FAILED ? 1 : -1;
    }
    return -1;
}
