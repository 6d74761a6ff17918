/* The little of D-Bus that reading a secret takes: what kubectl_stepup/sessions/stores/dbus.py sends and reads.
 *
 * Spec: D-Bus Specification 0.43: authentication EXTERNAL, the wire format, message bus addresses. */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* What goes out in one piece. Nothing of it is checked until it is sent: what does not fit fails there. */
struct outgoing {
    unsigned char data[4096];
    size_t length;
    bool is_full;
};

/* A method call; the addressee, object, interface and method are texts of ours. */
struct call {
    const char *to, *path, *interface, *member, *signature;
};

void put_bytes(struct outgoing *out, const void *data, size_t length);
void put_number(struct outgoing *out, uint32_t number);
void put_text(struct outgoing *out, const char *text);
void put_signature(struct outgoing *out, const char *signature);
void put_padding(struct outgoing *out, size_t to);

/* What came in, read in order. A value that is not there in whole is empty, and so are all after it. */
struct incoming {
    const unsigned char *data;
    size_t length, at;
    bool is_broken;
};

uint32_t take_number(struct incoming *in);
struct text take_text(struct incoming *in);
struct text take_array(struct incoming *in);
struct text take_signature(struct incoming *in);

/* Connect to the bus of that address, and wait no longer than that for each answer; a descriptor, or -1 where there is
 * no bus of this user's own. */
int bus_connect(const char *addresses, int timeout_s);

/* Begin what is sent first: this user's name, and the call that every connection starts with, of serial number 1. */
void bus_greet(struct outgoing *out);

/* Add a call with this body. */
void bus_call(struct outgoing *out, uint32_t serial, const struct call *call, const struct outgoing *body);

/* Send it; false where that does not work. */
bool bus_send(int bus, const struct outgoing *out);

/* Wait for the reply to a call, and pass over all else; false where there is none, or an error. It lasts until the
 * next one is waited for. */
bool bus_reply(int bus, uint32_t serial, struct incoming *reply);

#endif
