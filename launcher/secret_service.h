/* Sessions in the Secret Service: what kubectl_stepup/sessions/stores/secret_service.py and item_values.py read.
 *
 * It reads only a value that is unlocked and whole in one item. Spec: Secret Service API 0.2, with a "plain" session:
 * the bus is this user's own. */
#ifndef SECRET_SERVICE_H
#define SECRET_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "found.h"

/* Connect to the bus of that address; false where that fails. */
bool secret_service_open(const char *address);

/* Read the value of a name. LEFT_TO_PYTHON: it cannot be read, is not in one item, or has expired by now: a service may
 * take its time. */
enum found secret_service_read(const char *name, char *buffer, size_t size, size_t *length);

#endif
