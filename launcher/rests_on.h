/* The files that a session was evaluated with, as kubectl_stepup/sessions/rests_on.py has them. */
#ifndef RESTS_ON_H
#define RESTS_ON_H

#include <stdbool.h>

#include "text.h"

/* Whether the files of a record's line are still what they were; false also for a malformed line. */
bool rests_on_unchanged(struct text line);

#endif
