/* This terminal session, and the time, as kubectl_stepup/sessions/scope.py has them on Linux. */
#ifndef SCOPE_H
#define SCOPE_H

#include <stdbool.h>

enum { SCOPE_SIZE = 96, BOOT_ID_SIZE = 64 };

/* Seconds by the wall clock and since boot, and which boot. */
struct moment {
    double wall, boottime;
    char boot_id[BOOT_ID_SIZE];
};

/* Both return false where /proc cannot be read. */
bool terminal_scope(char scope[SCOPE_SIZE]);
bool moment_now(struct moment *now);

#endif
