/* Sessions in the Secret Service: what kubectl_stepup/sessions/stores/secret_service.py and item_values.py read.
 *
 * Only what lies open, in one item, whole. Spec: Secret Service API 0.2, with a "plain" session: the bus is this
 * user's own. */
#ifndef SECRET_SERVICE_H
#define SECRET_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "found.h"

/* Connect to the bus of that address; false where it is not to be had. */
bool secret_service_open(const char *address);

/* Read the value of a name. ODD: it is not to be had, not in one item, or over by now: a service may take its time. */
enum found secret_service_read(const char *name, char *buffer, size_t size, size_t *length);

#endif
