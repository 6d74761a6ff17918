/* Our files by the environment (what kubectl_stepup/config/places.py says, on Linux), and the programs. */
#ifndef PATHS_H
#define PATHS_H

#include <limits.h>
#include <stdbool.h>

#ifndef SYSTEM_POLICY /* tests have one of their own */
#define SYSTEM_POLICY "/etc/kubectl-stepup/policy.yaml"
#endif
#define PYTHON_PROGRAM "kubectl_stepup-python"

/* Name a file in our directory under $`variable`, or where that is no absolute path under $HOME/`otherwise`. */
bool path_of_ours(const char *variable, const char *otherwise, const char *file, char path[PATH_MAX]);

/* Name the Python program, which is installed beside this one. */
bool path_of_python_program(char path[PATH_MAX]);

/* Name the kubectl that kubectl_stepup/kubectl/process.py finds: $KUBECTL_PATH, else the first on $PATH; no relative
 * entry, and never a link to this program. */
bool path_of_kubectl(char path[PATH_MAX]);

#endif
