/* The fast path of cached credentials: it reads the stores of sessions/release_credential.py, in the same order. */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

/* Write the ExecCredential for `--session ID [--store-directory DIRECTORY] [--store keyring]` and return the exit code;
 * -1, and nothing written, where there is no plain hit: the Python program does the rest. */
int credential_serve(char **arguments);

#endif
