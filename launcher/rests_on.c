#include "rests_on.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sha256.h"

enum { NUMBERS_SIZE = 256 };

static int hex_digit(char character) {
    static const char DIGITS[] = "0123456789ABCDEF";
    const char *found = character == '\0' ? NULL : strchr(DIGITS, character);
    return found == NULL ? -1 : (int)(found - DIGITS);
}

/* Write a path with its %XX decoded; false where it is malformed or does not fit. */
static bool unquote(struct text quoted, char path[PATH_MAX]) {
    size_t length = 0;
    for (size_t i = 0; i < quoted.length; i++) {
        char character = quoted.at[i];
        if (character == '%') {
            if (quoted.length - i < 3) return false;
            int high = hex_digit(quoted.at[i + 1]), low = hex_digit(quoted.at[i + 2]);
            if (high < 0 || low < 0) return false;
            character = (char)(high * 16 + low);
            i += 2;
        }
        if (character == '\0' || length + 1 >= PATH_MAX) return false;
        path[length++] = character;
    }
    path[length] = '\0';
    return length > 0;
}

/* Add the stamp of a file: of a missing file, the path alone. */
static bool add_file(struct sha256 *hash, struct text quoted) {
    char path[PATH_MAX], numbers[NUMBERS_SIZE] = "absent";
    struct stat found;
    if (!unquote(quoted, path)) return false;
    if (stat(path, &found) == 0) {
        snprintf(numbers, sizeof numbers, "%ju\t%ju\t%jd\t%ld\t%jd\t%ld\t%jd\t%ju\t%ju", (uintmax_t)found.st_dev,
                 (uintmax_t)found.st_ino, (intmax_t)found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
                 (intmax_t)found.st_ctim.tv_sec, found.st_ctim.tv_nsec, (intmax_t)found.st_size,
                 (uintmax_t)found.st_mode, (uintmax_t)found.st_uid);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        return false; /* it may be there */
    }
    sha256_add(hash, quoted.at, quoted.length);
    sha256_add(hash, "\t", 1);
    sha256_add(hash, numbers, strlen(numbers));
    sha256_add(hash, "\n", 1);
    return true;
}

bool rests_on_unchanged(struct text line) {
    struct sha256 hash;
    char hex[SHA256_HEX + 1];
    struct text rest = line, digest, path;
    if (text_is(line, "-")) return true;
    if (!text_cut(&rest, ' ', &digest)) return false;
    sha256_begin(&hash);
    bool is_last = false;
    while (!is_last) {
        is_last = !text_cut(&rest, ' ', &path);
        if (!add_file(&hash, is_last ? rest : path)) return false;
    }
    sha256_end(&hash, hex);
    return text_is(digest, hex);
}
