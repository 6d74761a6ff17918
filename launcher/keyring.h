/* Sessions in the Linux kernel's keyrings: what kubectl_stepup/sessions/stores/kernel.py reads. Spec: keyctl(2). */
#ifndef KEYRING_H
#define KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "found.h"

/* Read the value of the key of that name in the session keyring and below: what was handed to this process tree. */
enum found keyring_handed_over(const char *name, char *buffer, size_t size, size_t *length);

/* Read the value of the key of that name where sessions are kept: the user's keyring, or this login session's. */
enum found keyring_read(bool of_login_session, const char *name, char *buffer, size_t size, size_t *length);

#endif
