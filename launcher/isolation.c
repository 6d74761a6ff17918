#include "isolation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paths.h"

#define PREFIX "PYTHON"
#define SAFE_PATH "PYTHONSAFEPATH="

extern char **environ;

static bool begins(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* Whether this program lies in `bin` below that directory; a relative one would be the caller's, and beside a link to
 * our `bin` lie other libraries than ours. */
static bool is_installed_below(const char *directory, size_t length) {
    char ours[PATH_MAX], bin[PATH_MAX];
    struct stat one, other;
    if (length == 0 || *directory != '/' || !path_of_python_program(ours)) return false;
    *strrchr(ours, '/') = '\0';
    int made = snprintf(bin, sizeof bin, "%.*s/bin", (int)length, directory);
    return made > 0 && made < PATH_MAX && lstat(bin, &one) == 0 && stat(ours, &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* What of a variable leads to our own package: the whole of it, one entry of a list, or nothing. */
static char *leading_to_us(const char *entry) {
    static const char *const NAMES[] = {"PYTHONUSERBASE=", "PYTHONPATH="};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (!begins(entry, NAMES[i])) continue;
        for (const char *at = entry + strlen(NAMES[i]); *at != '\0';) {
            size_t length = i == 0 ? strlen(at) : strcspn(at, ":");
            char *kept = NULL;
            if (is_installed_below(at, length) && asprintf(&kept, "%s%.*s", NAMES[i], (int)length, at) != -1) {
                return kept;
            }
            at += length + (at[length] == ':' ? 1 : 0);
        }
    }
    return NULL;
}

bool isolate_python(void) {
    size_t count = 0;
    bool says_safe_path = false;
    while (environ[count] != NULL) count++;
    /* Each variable, what may stay of it, the two at the end, and the NULL that closes the list. */
    char **kept = calloc(count * 2 + 3, sizeof *kept), **next = kept;
    if (kept == NULL) return false;
    for (char **entry = environ; *entry != NULL; entry++) {
        if (begins(*entry, CALLERS PREFIX)) continue; /* only this program may set these */
        if (!begins(*entry, PREFIX)) {
            *next++ = *entry;
            continue;
        }
        says_safe_path = says_safe_path || begins(*entry, SAFE_PATH);
        char *own = leading_to_us(*entry);
        if (asprintf(next++, CALLERS "%s", *entry) == -1) return false;
        if (own != NULL) *next++ = own;
    }
    *next++ = SAFE_PATH "1";
    if (!says_safe_path) *next++ = CALLERS SAFE_PATH;
    environ = kept;
    return true;
}
