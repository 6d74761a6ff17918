/* The fast path of allowed commands: a command line that the policy allowed before, whatever its target, becomes
 * kubectl at once. It does what kubectl_stepup/fastpath/allowed_command.py does;
 * kubectl_stepup/policy/allowed_commands.py keeps the lines. */
#ifndef ALLOWED_COMMAND_H
#define ALLOWED_COMMAND_H

/* Become kubectl with these words, or return: the Python program evaluates the line. */
void allowed_command_serve(char **words);

#endif
