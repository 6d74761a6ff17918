/* What reading the value of a name from a store gives. */
#ifndef FOUND_H
#define FOUND_H

enum found {
    FOUND,
    NONE,     /* no value of that name */
    UNUSABLE, /* no such store: no other name in it need be asked for */
    ODD,      /* what only Python reads, or removes */
};

#endif
