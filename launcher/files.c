#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool open_standard_streams(void) {
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDWR) == -1) return false;
    }
    return true;
}

static ssize_t read_whole(int descriptor, char *buffer, size_t size) {
    ssize_t length;
    do length = read(descriptor, buffer, size);
    while (length == -1 && errno == EINTR);
    return length;
}

ssize_t read_once(const char *path, char *buffer, size_t size) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor == -1) return -1;
    ssize_t length = read_whole(descriptor, buffer, size);
    close(descriptor);
    return length;
}

/* A file is our own if it belongs both to the user we run for and to the user we run as, and to nobody else. */
static bool is_own(const struct stat *found) {
    return found->st_uid == geteuid() && found->st_uid == getuid() && (found->st_mode & 077) == 0;
}

ssize_t read_own(const char *path, char *buffer, size_t size) {
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor == -1) return -1;
    struct stat found;
    ssize_t length = -1;
    if (fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && is_own(&found)) {
        length = read_whole(descriptor, buffer, size);
    }
    close(descriptor);
    if (length >= 0 && length < (ssize_t)size) return length;
    errno = EPERM; /* something unusual, but not missing */
    return -1;
}

bool is_own_directory(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 && S_ISDIR(found.st_mode) && is_own(&found);
}
