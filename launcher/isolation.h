/* Take out of the environment what Python would read from it, before the Python program starts: as python -E -P does,
 * which a script's first line cannot ask for on every system. */
#ifndef ISOLATION_H
#define ISOLATION_H

#include <stdbool.h>

#define CALLERS "KUBECTL_STEPUP_"

/* Rename each PYTHON* variable of the caller to a name that Python does not read: CALLERS before its own. The Python
 * program restores the names, for kubectl and whatever else it starts (kubectl_stepup/isolation.py).
 * PYTHONUSERBASE and an entry of PYTHONPATH that this program was installed below stay, or Python would not find its
 * package. False where there is no memory. */
bool isolate_python(void);

#endif
