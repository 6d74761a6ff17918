#include "keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_gone(int error) {
    return error == ENOKEY || error == EKEYEXPIRED || error == EKEYREVOKED || error == EKEYREJECTED;
}

static enum found failed(void) { return is_gone(errno) || errno == EACCES ? NONE : UNUSABLE; }

static enum found read_key(long key, char *buffer, size_t size, size_t *length) {
    long found = syscall(SYS_keyctl, KEYCTL_READ, key, buffer, size);
    if (found < 0) return failed();
    if ((size_t)found > size) return NONE; /* no session of ours is that long */
    *length = (size_t)found;
    return FOUND;
}

static long search(long keyring, const char *name) {
    return syscall(SYS_keyctl, KEYCTL_SEARCH, keyring, "user", name, 0);
}

enum found keyring_handed_over(const char *name, char *buffer, size_t size, size_t *length) {
    long key = search(KEY_SPEC_SESSION_KEYRING, name);
    return key < 0 ? failed() : read_key(key, buffer, size, length);
}

enum found keyring_read(bool of_login_session, const char *name, char *buffer, size_t size, size_t *length) {
    long key = search(of_login_session ? KEY_SPEC_SESSION_KEYRING : KEY_SPEC_USER_KEYRING, name);
    if (key < 0) return failed();
    enum found found = read_key(key, buffer, size, length);
    if (found != NONE || errno != EACCES || of_login_session) return found;
    /* A key with the kernel's usual permissions needs possession: link the user keyring into the session keyring. */
    if (syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING) != 0) return failed();
    return read_key(key, buffer, size, length);
}
