/* Reading small files whole. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <sys/types.h>

/* Put /dev/null where a standard stream is closed, so that no file that is opened takes its number; false
 * where there is none. */
bool open_standard_streams(void);

/* Read what one read(2) gives, as for files of /proc; the length, or -1. */
ssize_t read_once(const char *path, char *buffer, size_t size);

/* Read a regular file of this user's alone (no bit for others), never through a link; the length, or -1 where there
 * is none (ENOENT), it is another's, or it does not fit. */
ssize_t read_own(const char *path, char *buffer, size_t size);

/* Whether a path is a directory of this user's alone, and no link. */
bool is_own_directory(const char *path);

#endif
