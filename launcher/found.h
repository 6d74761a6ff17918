/* The outcome of reading a value from a store by its name. */
#ifndef FOUND_H
#define FOUND_H

enum found {
    FOUND,
    NONE,           /* no value of that name */
    UNUSABLE,       /* no such store: no other name need be looked up in it */
    LEFT_TO_PYTHON, /* a value that only the Python program reads, or removes */
};

#endif
