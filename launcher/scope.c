#include "scope.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "files.h"

enum { FIELD_SIZE = 24 };

/* Fields 6, 7 and 22 of proc_pid_stat(5). */
struct process {
    char leader[FIELD_SIZE], terminal[FIELD_SIZE], started[FIELD_SIZE];
};

static bool keep(char field[FIELD_SIZE], const char *word) {
    size_t length = strlen(word);
    if (length >= FIELD_SIZE || strspn(word, "-0123456789") != length) return false;
    memcpy(field, word, length + 1);
    return true;
}

static bool read_process(const char *name, struct process *found) {
    char path[32 + FIELD_SIZE], text[4096 + 1];
    snprintf(path, sizeof path, "/proc/%s/stat", name);
    ssize_t length = read_once(path, text, sizeof text - 1);
    if (length <= 0) return false;
    text[length] = '\0';
    /* The second field, the command's name, may hold anything, brackets too: the last one closes it. */
    char *rest = strrchr(text, ')');
    if (rest == NULL) return false;
    int number = 3;
    char *place = NULL;
    for (char *word = strtok_r(rest + 1, " \n", &place); word != NULL; word = strtok_r(NULL, " \n", &place)) {
        if (number == 6 && !keep(found->leader, word)) return false;
        if (number == 7 && !keep(found->terminal, word)) return false;
        if (number == 22) return keep(found->started, word);
        number++;
    }
    return false;
}

bool terminal_scope(char scope[SCOPE_SIZE]) {
    struct process own, leader;
    if (!read_process("self", &own)) return false;
    /* The leader may have exited, or be hidden (hidepid): its pid stays taken for as long as its session lives. */
    const char *started = read_process(own.leader, &leader) ? leader.started : "gone";
    if (strcmp(own.terminal, "0") != 0) {
        snprintf(scope, SCOPE_SIZE, "tty-%s-%s-%s", own.terminal, own.leader, started);
    } else {
        snprintf(scope, SCOPE_SIZE, "sid-%s-%s", own.leader, started);
    }
    return true;
}

static bool seconds(clockid_t clock, double *found) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return false;
    *found = (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
    return true;
}

bool moment_now(struct moment *now) {
    ssize_t length = read_once("/proc/sys/kernel/random/boot_id", now->boot_id, BOOT_ID_SIZE - 1);
    if (length <= 0) return false;
    now->boot_id[length] = '\0';
    now->boot_id[strcspn(now->boot_id, "\n")] = '\0';
    return seconds(CLOCK_REALTIME, &now->wall) && seconds(CLOCK_BOOTTIME, &now->boottime);
}
