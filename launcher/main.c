/* kubectl-stepup: the two fast paths, and for everything else the Python program beside this one.
 *
 * kubectl starts its credential plugin at every command, and `exec` precedes every command; an interpreter takes longer
 * to start than both take together. Whatever is not a plain hit is left to the Python program, which decides everything
 * anew. This program may answer less often than that one, but never where that one would not.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allowed_command.h"
#include "credential.h"
#include "files.h"
#include "isolation.h"
#include "paths.h"

extern char **environ;

/* The codes of docs/reference/exit-codes.md for a failure before kubectl started, and for any other command. */
enum { FAILED = 1, EXEC_FAILED = 125 };

static int become_python_program(char **argv) {
    char path[PATH_MAX];
    if (!isolate_python()) {
        fprintf(stderr, "error: %s: %s\n", argv[0], strerror(errno));
    } else if (path_of_python_program(path)) {
        argv[0] = path;
        execve(path, argv, environ);
        fprintf(stderr, "error: %s: %s\nhint: install kubectl-stepup again\n", path, strerror(errno));
    } else {
        fprintf(stderr, "error: /proc/self/exe: %s\nhint: mount -t proc proc /proc\n", strerror(errno));
    }
    return argv[1] != NULL && strcmp(argv[1], "exec") == 0 ? EXEC_FAILED : FAILED;
}

int main(int argc, char **argv) {
    if (argc < 1) return FAILED; /* execve(2) with an empty list: there is no program's name to replace */
    bool has_streams = open_standard_streams(); /* else an answer could be written to the connection of a bus */
    if (argc > 1 && strcmp(argv[1], "credential") == 0) {
        int code = has_streams ? credential_serve(argv + 2) : -1;
        if (code != -1) _exit(code);
    } else if (argc > 2 && strcmp(argv[1], "exec") == 0 && strcmp(argv[2], "--") == 0) {
        allowed_command_serve(argv + 3);
    }
    return become_python_program(argv);
}
