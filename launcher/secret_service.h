/* Sessions in the Secret Service: what kubectl_stepup/session/secret_service.py and item_values.py read.
 *
 * Only what lies open, in one item, whole. Spec: Secret Service API 0.2, with a "plain" session: the bus is this
 * user's own. */
#ifndef SECRET_SERVICE_H
#define SECRET_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

enum { SECRET_NAMES = 2 };

/* Ask for the items of both names; false where the service cannot be asked. */
bool secret_service_ask(const char *address, const char *const names[SECRET_NAMES]);

/* Read the value of one of the names that were asked for: the length, 0 where there is none, -1 where it is not to be
 * had, not in one item, or over by now: a service may take its time. */
ssize_t secret_service_read(int name, char *buffer, size_t size);

#endif
