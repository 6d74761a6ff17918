/* The fast path of allowed commands: a command line that policy allowed before, wherever it goes, becomes kubectl at once.
 * What kubectl_stepup/fastpath/allowed_command.py says; the lines are kept by kubectl_stepup/policy/allowed_commands.py. */
#ifndef ROUTINE_H
#define ROUTINE_H

/* Become kubectl with these words, or return: the Python program evaluates the line. */
void routine_serve(char **words);

#endif
