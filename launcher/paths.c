#include "paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_absolute(const char *path) { return path != NULL && *path == '/'; }

static bool fits(int length) { return length >= 0 && length < PATH_MAX; }

bool path_of_ours(const char *variable, const char *otherwise, const char *file, char path[PATH_MAX]) {
    const char *named = getenv(variable), *home = getenv("HOME");
    if (is_absolute(named)) return fits(snprintf(path, PATH_MAX, "%s/kubectl-stepup/%s", named, file));
    return is_absolute(home) && fits(snprintf(path, PATH_MAX, "%s/%s/kubectl-stepup/%s", home, otherwise, file));
}

bool path_of_python_program(char path[PATH_MAX]) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length <= 0) return false;
    path[length] = '\0';
    char *name = strrchr(path, '/');
    size_t directory = name == NULL ? 0 : (size_t)(name - path) + 1;
    if (directory == 0 || directory + sizeof PYTHON_PROGRAM > PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path + directory, PYTHON_PROGRAM, sizeof PYTHON_PROGRAM);
    return true;
}

static bool is_same(const struct stat *one, const char *path) {
    struct stat other;
    return stat(path, &other) == 0 && one->st_dev == other.st_dev && one->st_ino == other.st_ino;
}

static bool is_program(const char *path, const char *ours) {
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode)) return false;
    return !is_same(&found, "/proc/self/exe") && !is_same(&found, ours) && access(path, X_OK) == 0;
}

bool path_of_kubectl(char path[PATH_MAX]) {
    char ours[PATH_MAX];
    if (!path_of_python_program(ours)) return false;
    const char *caller = getenv("KUBECTL_PATH"), *entry = getenv("PATH");
    if (is_absolute(caller) && is_program(caller, ours)) return fits(snprintf(path, PATH_MAX, "%s", caller));
    while (entry != NULL) {
        size_t length = strcspn(entry, ":");
        if (is_absolute(entry) && length < PATH_MAX) {
            const char *separator = entry[length - 1] == '/' ? "" : "/";
            int made = snprintf(path, PATH_MAX, "%.*s%skubectl", (int)length, entry, separator);
            if (fits(made) && is_program(path, ours)) return true;
        }
        entry = entry[length] == ':' ? entry + length + 1 : NULL;
    }
    return false;
}
