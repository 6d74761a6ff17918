#include "text.h"

#include <stdlib.h>
#include <string.h>

bool text_is(struct text text, const char *string) {
    return text.length == strlen(string) && memcmp(text.at, string, text.length) == 0;
}

bool text_cut(struct text *rest, char separator, struct text *piece) {
    const char *found = rest->length ? memchr(rest->at, separator, rest->length) : NULL;
    if (found == NULL) return false;
    *piece = (struct text){rest->at, (size_t)(found - rest->at)};
    rest->at += piece->length + 1;
    rest->length -= piece->length + 1;
    return true;
}

bool text_take(struct text *rest, const char *prefix) {
    size_t length = strlen(prefix);
    if (rest->length < length || memcmp(rest->at, prefix, length) != 0) return false;
    rest->at += length;
    rest->length -= length;
    return true;
}

static size_t digits(const char *at) {
    size_t count = 0;
    while (at[count] >= '0' && at[count] <= '9') count++;
    return count;
}

bool text_seconds(struct text text, double *seconds) {
    char copy[40];
    if (text.length >= sizeof copy) return false;
    memcpy(copy, text.at, text.length);
    copy[text.length] = '\0';
    size_t whole = digits(copy), length = whole;
    if (whole == 0) return false;
    if (copy[whole] == '.') {
        size_t fraction = digits(copy + whole + 1);
        if (fraction == 0) return false;
        length += 1 + fraction;
    }
    if (length != text.length) return false; /* also where a zero byte stands in the text */
    *seconds = strtod(copy, NULL);
    return true;
}
