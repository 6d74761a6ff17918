/* This terminal session, and the time: what kubectl_stepup/sessions/scope.py says, on Linux. */
#ifndef SCOPE_H
#define SCOPE_H

#include <stdbool.h>

enum { SCOPE_SIZE = 96, BOOT_ID_SIZE = 64 };

/* Seconds by the wall clock and since boot, and which boot. */
struct moment {
    double wall, boottime;
    char boot_id[BOOT_ID_SIZE];
};

/* Both give false where /proc does not tell. */
bool terminal_scope(char scope[SCOPE_SIZE]);
bool moment_now(struct moment *now);

#endif
