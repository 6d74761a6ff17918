/* Pieces of a text that is not ours to change: no copies, no terminating zeros. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    const char *at;
    size_t length;
};

bool text_is(struct text text, const char *string);

/* Return what stands before the first `separator` and leave in `rest` what follows it; false where there is none. */
bool text_cut(struct text *rest, char separator, struct text *piece);

/* Take `prefix` off; false, and nothing taken, where the text begins otherwise. */
bool text_take(struct text *rest, const char *prefix);

/* Read a number written as digits, or digits, a point and digits: seconds. Anything else, such as a
 * sign or an exponent, is left to the Python program, which knows more forms. */
bool text_seconds(struct text text, double *seconds);

#endif
