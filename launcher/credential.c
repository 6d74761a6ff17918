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
        /* A socket, --handover, is Python's to ask. */
        if (option == NULL || *option != NULL) return false;
        *option = value;
    }
    if (request->store != NULL && strcmp(request->store, "keyring") != 0) return false;
    return request->session_id != NULL && is_session_id(request->session_id);
}

static void key_of(const struct request *request, const char *scope, char key[KEY_SIZE]) {
    snprintf(key, KEY_SIZE, "kubectl-stepup:%s:%s", request->session_id, scope);
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
    /* One that is odd here may be none to Python, which takes the first that it can use. */
    if (!record_read((struct text){stored, length}, request->session_id, &record)) return LEAVE;
    if (!record_usable(&record, &request->now)) return NOT_HERE;
    const char *version = record_version(&record, request->exec_info);
    if (version == NULL) return LEAVE; /* Python looks whether the server is the enrolled one all the same */
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

static enum step from_process_tree(const struct request *request) {
    char key[KEY_SIZE];
    size_t length;
    key_of(request, "handover", key);
    return keyring_handed_over(key, stored, sizeof stored, &length) == FOUND ? answer(request, length) : NOT_HERE;
}

static enum step from_kernel(const struct request *request) {
    const char *const scopes[] = {request->terminal, "user"};
    for (int i = 0; i < 2; i++) {
        char key[KEY_SIZE];
        size_t length;
        key_of(request, scopes[i], key);
        enum found found = keyring_read(request->of_login_session, key, stored, sizeof stored, &length);
        if (found == UNUSABLE) return NOT_HERE;
        enum step step = found == FOUND ? answer(request, length) : NOT_HERE;
        if (step != NOT_HERE) return step;
    }
    return NOT_HERE;
}

static enum step from_files(const struct request *request) {
    if (request->directory == NULL || !is_own_directory(request->directory)) return NOT_HERE;
    const char *const scopes[] = {request->terminal, "user"};
    for (int i = 0; i < 2; i++) {
        char key[KEY_SIZE], path[PATH_MAX];
        key_of(request, scopes[i], key);
        for (char *colon = key; (colon = strchr(colon, ':')) != NULL;) *colon = ',';
        if (snprintf(path, sizeof path, "%s/%s.session", request->directory, key) >= (int)sizeof path) return LEAVE;
        ssize_t length = read_own(path, stored, sizeof stored);
        if (length == -1) {
            if (errno == ENOENT) continue;
            return LEAVE; /* Python removes what is odd */
        }
        struct text value = {stored, (size_t)length}, until;
        double end;
        if (!text_cut(&value, '\n', &until) || !text_seconds(until, &end)) return LEAVE;
        if (memchr(until.at, '.', until.length) != NULL || end <= request->now.wall) return LEAVE;
        memmove(stored, value.at, value.length);
        enum step step = answer(request, value.length);
        if (step != NOT_HERE) return step;
    }
    return NOT_HERE;
}

static enum step from_secret_service(const struct request *request) {
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
    if (request->store == NULL || address == NULL) return NOT_HERE;
    const char *const scopes[] = {request->terminal, "user"};
    if (!secret_service_open(address)) return NOT_HERE;
    for (int i = 0; i < 2; i++) {
        char key[KEY_SIZE];
        key_of(request, scopes[i], key);
        ssize_t length = secret_service_read(key, stored, sizeof stored);
        if (length == -1) return LEAVE; /* Python reads it from many items, and removes what is odd */
        enum step step = length > 0 ? answer(request, (size_t)length) : NOT_HERE;
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
    /* Let no core file and no other process of the user have the token. The next execve ends this. */
    prctl(PR_SET_DUMPABLE, 0);
    if (!moment_now(&request.now) || !terminal_scope(request.terminal)) return -1;
    enum step (*const places[])(const struct request *) = {
        from_process_tree,
        from_kernel,
        from_files,
        from_secret_service,
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        enum step step = places[i](&request);
        if (step != NOT_HERE) return step == ANSWERED ? 0 : step == WRITE_FAILED ? 1 : -1;
    }
    return -1;
}
