/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wisdom.c: lines of text, sorted by their keys; see wisdom.h for what a line says.
 *
 * Every entry is kept as the line it will be written as, so that what another version wrote comes out as
 * it went in. A search is a binary one over keys.
 */
#include "planner/wisdom.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

typedef struct entry {
    char *line;      /* without its end, then 0 */
    size_t length;   /* of the line */
    size_t key;      /* length of the key */
    int64_t time_ns; /* as measured */
    int32_t row;     /* of the solver, or -1: not one of this library */
} entry;

struct fal_wisdom {
    fal_allocator allocator;
    int64_t count, capacity;
    entry *entries;    /* sorted by key */
    char machine[128]; /* the processor's name without spaces */
};

enum { FIRST_CAPACITY = 16, CHECKSUM_TEXT = 11 /* " # 5d41402a" */ };

/* ---- lines ------------------------------------------------------------------------------------- */

static uint32_t checksum(const char *text, size_t length)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

/* Digits up to the character that must follow them. */
static bool take_number(const char **at, const char *end, char after, int64_t *number)
{
    const char *first = *at;
    for (*number = 0; *at < end && **at >= '0' && **at <= '9'; ++*at)
        if (!fal__mul_add(*number, 10, **at - '0', number)) return false;
    if (*at == first || *at == end || **at != after) return false;
    ++*at;
    return true;
}

static int32_t row_of(const char *name, size_t length, int64_t version)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    for (int32_t i = 0; i < count && i < FAL__SOLVERS_MAX; i++)
        if (strlen(solvers[i]->name) == length && memcmp(solvers[i]->name, name, length) == 0)
            return solvers[i]->version == version ? i : -1;
    return -1;
}

/* Where " = " stands; NULL: nowhere. */
static const char *find_equal(const char *text, const char *end)
{
    for (; end - text >= 3; text++)
        if (memcmp(text, " = ", 3) == 0) return text;
    return NULL;
}

/* Reads `length` bytes into an entry without memory; false when they are no entry. */
static bool parse(const char *text, size_t length, entry *e)
{
    char written[CHECKSUM_TEXT + 1];
    int64_t version, threads;
    if (length <= CHECKSUM_TEXT || length >= FAL__WISDOM_LINE) return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~') return false;
    const char *end = text + length - CHECKSUM_TEXT;
    snprintf(written, sizeof written, " # %08" PRIx32, checksum(text, length - CHECKSUM_TEXT));
    if (memcmp(end, written, CHECKSUM_TEXT) != 0) return false;
    const char *equal = find_equal(text, end);
    if (equal == NULL || equal == text) return false;
    const char *name = equal + 3, *at = memchr(name, '/', (size_t)(end - name));
    if (at == NULL || at == name) return false;
    const size_t name_length = (size_t)(at++ - name);
    *e = (entry){.length = length, .key = (size_t)(equal - text)};
    if (!take_number(&at, end, ' ', &version) || !take_number(&at, end, ' ', &e->time_ns) || end - at < 4 ||
        memcmp(at, "ns, ", 4) != 0)
        return false;
    at += 4;
    if (!take_number(&at, end, ' ', &threads) || end - at != 7 || memcmp(at, "threads", 7) != 0) return false;
    e->row = row_of(name, name_length, version);
    return true;
}

/* ---- the table --------------------------------------------------------------------------------- */

/* The place of a key among the entries, and whether it is there. */
static int64_t place_of(const fal_wisdom *wisdom, const char *key, size_t length, bool *found)
{
    int64_t low = 0, high = wisdom->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const entry *e = &wisdom->entries[middle];
        const size_t shorter = e->key < length ? e->key : length;
        int order = memcmp(e->line, key, shorter);
        if (order == 0) order = (e->key > length) - (e->key < length);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static fal_status grow(fal_wisdom *wisdom, fal_error *error)
{
    if (wisdom->count < wisdom->capacity) return FAL_OK;
    const int64_t capacity = wisdom->capacity > 0 ? 2 * wisdom->capacity : FIRST_CAPACITY;
    const size_t old = (size_t)wisdom->capacity * sizeof(entry);
    void *entries;
    FAL__TRY(fal__allocate(&wisdom->allocator, (size_t)capacity * sizeof(entry), "wisdom", &entries, error));
    if (wisdom->count > 0) memcpy(entries, wisdom->entries, (size_t)wisdom->count * sizeof(entry));
    fal__release(&wisdom->allocator, wisdom->entries, old);
    wisdom->entries = entries;
    wisdom->capacity = capacity;
    return FAL_OK;
}

/* Of two findings about one problem: one that this library can use, then the shorter time, then, so that
 * no order of merging matters, the one whose text comes first. */
static bool better(const entry *a, const char *a_text, const entry *b)
{
    if ((a->row >= 0) != (b->row >= 0)) return a->row >= 0;
    if (a->time_ns != b->time_ns) return a->time_ns < b->time_ns;
    return strncmp(a_text, b->line, a->length) < 0;
}

/* Enters a parsed line. When its key is known it replaces the other if it is better, or in any case. */
static fal_status enter(fal_wisdom *wisdom, const entry *parsed, const char *text, bool in_any_case,
                        fal_error *error)
{
    bool found;
    void *line;
    const int64_t place = place_of(wisdom, text, parsed->key, &found);
    if (found && !in_any_case && !better(parsed, text, &wisdom->entries[place])) return FAL_OK;
    if (!found) FAL__TRY(grow(wisdom, error));
    FAL__TRY(fal__allocate(&wisdom->allocator, parsed->length + 1, "wisdom", &line, error));
    memcpy(line, text, parsed->length);
    ((char *)line)[parsed->length] = '\0';
    entry *e = &wisdom->entries[place];
    if (found) {
        fal__release(&wisdom->allocator, e->line, e->length + 1);
    } else {
        memmove(e + 1, e, (size_t)(wisdom->count - place) * sizeof *e);
        wisdom->count++;
    }
    *e = *parsed;
    e->line = line;
    return FAL_OK;
}

/* ---- what plans ask ---------------------------------------------------------------------------- */

static size_t write_key(const fal_wisdom *wisdom, const fal__problem *problem, const char *level, bool packs,
                        char *key)
{
    char words[FAL__WISDOM_LINE];
    fal__wisdom_problem(problem, words, sizeof words);
    const int length = snprintf(key, FAL__WISDOM_LINE, "%s %s %s | %s packed%d", FAL_VERSION_STRING, level,
                                wisdom->machine, words, packs);
    return length > 0 && length < FAL__WISDOM_LINE - 128 ? (size_t)length : 0;
}

int32_t fal__wisdom_find(const fal_wisdom *wisdom, const fal__problem *problem, const char *level, bool packs)
{
    char key[FAL__WISDOM_LINE];
    bool found;
    const size_t length = write_key(wisdom, problem, level, packs, key);
    const int64_t place = place_of(wisdom, key, length, &found);
    return found ? wisdom->entries[place].row : -1;
}

fal_status fal__wisdom_learn(fal_wisdom *wisdom, const fal__finding *finding, fal_error *error)
{
    char line[FAL__WISDOM_LINE];
    int32_t count;
    const fal__solver *solver = fal__solvers(&count)[finding->row];
    size_t length = write_key(wisdom, finding->problem, finding->level, finding->packs, line);
    if (length == 0) return FAL_OK; /* numbers of a length that no real problem has */
    entry parsed;
    length += (size_t)snprintf(line + length, sizeof line - length,
                               " = %s/%" PRId32 " %.0f ns, %" PRId32 " threads", solver->name,
                               solver->version, finding->seconds * 1e9, finding->threads);
    length += (size_t)snprintf(line + length, sizeof line - length, " # %08" PRIx32, checksum(line, length));
    if (!parse(line, length, &parsed))
        return fal__fail(error, FAL_E_INTERNAL, "wisdom", "a line of wisdom that cannot be read again");
    return enter(wisdom, &parsed, line, true, error);
}

/* ---- the public functions ---------------------------------------------------------------------- */

fal_status fal_wisdom_create(const fal_context *context, fal_wisdom **out)
{
    const fal_allocator allocator = context != NULL ? context->allocator : (fal_allocator){0};
    fal_error *error = context != NULL ? context->error : NULL;
    void *memory;
    if (out == NULL) return fal__fail(error, FAL_E_NULL, "wisdom", "wisdom is NULL");
    *out = NULL;
    FAL__TRY(fal__allocator_check(&allocator, error));
    FAL__TRY(fal__allocate(&allocator, sizeof(fal_wisdom), "wisdom", &memory, error));
    fal_wisdom *wisdom = memory;
    *wisdom = (fal_wisdom){.allocator = allocator};
    fal_cpu_name(wisdom->machine, sizeof wisdom->machine);
    for (char *c = wisdom->machine; *c != '\0'; c++)
        if (*c == ' ' || *c == '=' || *c == '|') *c = '_';
    *out = wisdom;
    return FAL_OK;
}

void fal_wisdom_destroy(fal_wisdom *wisdom)
{
    if (wisdom == NULL) return;
    const fal_allocator allocator = wisdom->allocator;
    for (int64_t i = 0; i < wisdom->count; i++)
        fal__release(&allocator, wisdom->entries[i].line, wisdom->entries[i].length + 1);
    fal__release(&allocator, wisdom->entries, (size_t)wisdom->capacity * sizeof(entry));
    fal__release(&allocator, wisdom, sizeof *wisdom);
}

fal_status fal_wisdom_import(fal_wisdom *wisdom, const char *text, int64_t *ignored, fal_error *error)
{
    int64_t strange = 0;
    if (wisdom == NULL) return fal__fail(error, FAL_E_NULL, "wisdom", "wisdom is NULL");
    if (text == NULL) return fal__fail(error, FAL_E_NULL, "text", "text is NULL");
    while (*text != '\0') {
        const size_t line = strcspn(text, "\n");
        const size_t length = line > 0 && text[line - 1] == '\r' ? line - 1 : line;
        entry parsed;
        if (parse(text, length, &parsed))
            FAL__TRY(enter(wisdom, &parsed, text, false, error));
        else if (length > 0 && text[0] != '#')
            strange++;
        text += line + (text[line] == '\n');
    }
    if (ignored != NULL) *ignored = strange;
    return FAL_OK;
}

size_t fal_wisdom_export(const fal_wisdom *wisdom, char *text, size_t capacity)
{
    size_t length = 0;
    if (text != NULL && capacity > 0) text[0] = '\0';
    if (wisdom == NULL) return 0;
    for (int64_t i = 0; i < wisdom->count; i++) {
        const entry *e = &wisdom->entries[i];
        if (text != NULL && length < capacity) snprintf(text + length, capacity - length, "%s\n", e->line);
        length += e->length + 1;
    }
    return length;
}

fal_status fal_wisdom_merge(fal_wisdom *wisdom, const fal_wisdom *other, fal_error *error)
{
    if (wisdom == NULL || other == NULL) {
        const char *name = wisdom == NULL ? "wisdom" : "other";
        return fal__fail(error, FAL_E_NULL, name, "%s is NULL", name);
    }
    for (int64_t i = 0; wisdom != other && i < other->count; i++)
        FAL__TRY(enter(wisdom, &other->entries[i], other->entries[i].line, false, error));
    return FAL_OK;
}

int64_t fal_wisdom_count(const fal_wisdom *wisdom)
{
    return wisdom != NULL ? wisdom->count : 0;
}
