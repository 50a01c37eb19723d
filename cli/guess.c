/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guess.c: "did you mean --stride?"
 *
 * The distance is the number of letters to insert, remove, replace or swap with their neighbour
 * (optimal string alignment). A guess is offered when a third of the letters or fewer differ.
 */
#include <string.h>

#include "cli/parts.h"

enum { LONGEST = 40 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
    int rows[3][LONGEST + 1];
    int m = (int)strlen(a), n = (int)strlen(b);
    if (m > LONGEST || n > LONGEST) return LONGEST;
    for (int j = 0; j <= n; j++) rows[0][j] = j;
    for (int i = 1; i <= m; i++) {
        int *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= n; j++) {
            now[j] = least(before[j] + 1, now[j - 1] + 1);
            now[j] = least(now[j], before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}

/* Keeps the nearer of two names. */
static void consider(const char *typed, const char *name, const char **best, int *nearest)
{
    int far = distance(typed, name);
    if (far < *nearest) {
        *nearest = far;
        *best = name;
    }
}

static int tolerance(const char *typed)
{
    int length = (int)strlen(typed);
    return length < 3 ? 1 : length / 3 + 1;
}

const char *cli_option_guess(const cli_verb *verb, const char *typed)
{
    const char *best = NULL;
    int nearest = tolerance(typed);
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (cli_verb_takes(verb, (cli_option_id)id)) consider(typed, cli_options[id].name, &best, &nearest);
    return best;
}

const char *cli_verb_guess(const char *typed)
{
    const char *best = NULL;
    int nearest = tolerance(typed);
    for (int i = 0; i < cli_verb_count; i++) consider(typed, cli_verbs[i].name, &best, &nearest);
    return best;
}
