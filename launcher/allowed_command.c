#include "allowed_command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "paths.h"
#include "sha256.h"
#include "text.h"

extern char **environ;

enum { LINE_SIZE = PATH_MAX * 2 + 512, LARGEST = 1 << 16 };

static bool fits(int length) { return length >= 0 && length < LINE_SIZE; }

/* Whether the failure of stat(2) says that there is no such file: after any other failure, as in a directory of others,
 * there may be one. */
static bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }

/* Write the stamp of a file as kubectl_stepup/policy/allowed_commands.py does: of a missing file, the path alone. */
static bool stamp(const char *path, char line[LINE_SIZE]) {
    struct stat file, directory;
    char target[PATH_MAX], parent[PATH_MAX];
    if (stat(path, &file) != 0) return is_absent(errno) && fits(snprintf(line, LINE_SIZE, "%s\tabsent", path));
    if (realpath(path, target) == NULL) return false;
    memcpy(parent, target, sizeof parent);
    *strrchr(parent, '/') = '\0';
    if (stat(*parent != '\0' ? parent : "/", &directory) != 0) return false;
    return fits(snprintf(line, LINE_SIZE, "%s\t%s\t%ju\t%ju\t%jd%09ld\t%jd%09ld\t%jd\t%ju\t%ju\t%ju\t%ju", path, target,
                         (uintmax_t)file.st_dev, (uintmax_t)file.st_ino, (intmax_t)file.st_mtim.tv_sec,
                         file.st_mtim.tv_nsec, (intmax_t)file.st_ctim.tv_sec, file.st_ctim.tv_nsec,
                         (intmax_t)file.st_size, (uintmax_t)file.st_mode, (uintmax_t)file.st_uid,
                         (uintmax_t)directory.st_mode, (uintmax_t)directory.st_uid));
}

static bool is_stamp_of(const char *path, struct text line) {
    char expected[LINE_SIZE];
    return stamp(path, expected) && text_is(line, expected);
}

/* The built-in policy lies beside the Python program, and only that knows where. */
static bool is_stamp_of_its_own(struct text line) {
    struct text rest = line, name;
    char path[PATH_MAX];
    if (!text_cut(&rest, '\t', &name) || name.length == 0 || name.length >= sizeof path) return false;
    memcpy(path, name.at, name.length);
    path[name.length] = '\0';
    return *path == '/' && is_stamp_of(path, line);
}

static bool path_of_policy(char path[PATH_MAX]) {
    const char *named = getenv("KUBECTL_STEPUP_POLICY");
    if (named == NULL || *named == '\0') return path_of_ours("XDG_CONFIG_HOME", ".config", "policy.yaml", path);
    if (*named != '/' || strlen(named) >= PATH_MAX) return false;
    memcpy(path, named, strlen(named) + 1);
    return true;
}

/* Whether the lines were evaluated by this version, for this user, by the policy as it is now. */
static bool is_current(struct text *lines) {
    char by[64], policy[PATH_MAX], published[PATH_MAX];
    struct text line;
    snprintf(by, sizeof by, "%s\t%ju", VERSION, (uintmax_t)geteuid());
    if (!text_cut(lines, '\n', &line) || !text_is(line, "kubectl-stepup routine lines 1")) return false;
    if (!text_cut(lines, '\n', &line) || !text_is(line, by)) return false;
    if (!path_of_policy(policy) || !text_cut(lines, '\n', &line) || !is_stamp_of(policy, line)) return false;
    if (!text_cut(lines, '\n', &line) || !is_stamp_of_its_own(line)) return false;
    return path_of_ours("XDG_STATE_HOME", ".local/state", "published.json", published) &&
           text_cut(lines, '\n', &line) && is_stamp_of(published, line);
}

static bool is_among(char **words, struct text digests) {
    struct sha256 hash;
    char hex[SHA256_HEX + 1];
    struct text line;
    sha256_begin(&hash);
    for (char **word = words; *word != NULL; word++) {
        if (word != words) sha256_add(&hash, "", 1);
        sha256_add(&hash, *word, strlen(*word));
    }
    sha256_end(&hash, hex);
    while (text_cut(&digests, '\n', &line)) {
        if (text_is(line, hex)) return true;
    }
    return false;
}

static bool is_known(char **words) {
    static char kept[LARGEST];
    char path[PATH_MAX];
    struct stat found;
    /* A file that the user can write must not replace a policy that the user cannot weaken. */
    if (lstat(SYSTEM_POLICY, &found) == 0 || !is_absent(errno)) return false;
    /* Without $HOME, Python looks up the user's home and sets it for kubectl. */
    const char *home = getenv("HOME");
    if (home == NULL || *home != '/') return false;
    if (!path_of_ours("XDG_CACHE_HOME", ".cache", "routine.lines", path)) return false;
    ssize_t length = read_own(path, kept, sizeof kept);
    if (length <= 0) return false;
    struct text lines = {kept, (size_t)length};
    return is_current(&lines) && is_among(words, lines);
}

void allowed_command_serve(char **words) {
    char path[PATH_MAX];
    if (getenv("KUBECTL_STEPUP_NESTED") != NULL) return; /* part of an elevated run: the Python program records it */
    /* A discovery cache that the environment names could change what the words mean. */
    const char *table = getenv("KUBECACHEDIR");
    if (table != NULL && *table != '\0') return;
    if (*words == NULL || !is_known(words) || !path_of_kubectl(path)) return;
    /* The program's name takes the place of `--`, the word before the first one. */
    char *separator = words[-1];
    words[-1] = path;
    execve(path, words - 1, environ);
    words[-1] = separator;
}
