/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_info.c: faltung info FILE... [-v]
 *
 * Reads headers only; with -v also the numbers, for their range and mean. Names come from the file and
 * are escaped before they are shown.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_out.h"
#include "cli/limits.h"
#include "cli/params.h"
#include "cli/tensors.h"
#include "io/io.h"

typedef struct range {
    double low, high, mean;
    int64_t count, nans;
} range;

static void free_listing(void *memory)
{
    io_listing *listing = memory;
    io_listing_free(listing);
    free(listing);
}

static void measure(const fal_tensor *t, int32_t axis, int64_t *index, range *r)
{
    if (axis < t->rank) {
        for (index[axis] = 0; index[axis] < t->shape[axis]; index[axis]++) measure(t, axis + 1, index, r);
        return;
    }
    double value = fal_tensor_get(t, index);
    if (isnan(value)) {
        r->nans++;
        return;
    }
    r->low = r->count == 0 ? value : fmin(r->low, value);
    r->high = r->count == 0 ? value : fmax(r->high, value);
    r->mean += (value - r->mean) / (double)++r->count;
}

/* The numbers of one entry; `spec` names the file, or already the tensor. */
static fal_status measure_entry(cli_command *command, const char *spec, const io_listing *listing,
                                const io_entry *entry, range *r)
{
    int64_t index[FAL_MAX_RANK] = {0};
    cli_limits limits;
    CLI_TRY(cli_read_limits(command, &limits));
    io_read_options options = {.layout = cli_layout(command), .limits = limits.file};
    io_array array = {0};
    char *name = NULL;
    *r = (range){0};
    if (listing->count > 1) {
        size_t room = strlen(spec) + strlen(entry->name) + 2;
        CLI_TRY(cli_alloc(command, (int64_t)room, 1, (void **)&name));
        snprintf(name, room, "%s:%s", spec, entry->name);
    }
    fal_status status = io_read(name ? name : spec, &options, &array, &command->error);
    command->in_file = status != FAL_OK;
    if (status == FAL_OK) measure(&array.tensor, 0, index, r);
    io_array_free(&array);
    return status;
}

static void print_shape(FILE *out, const io_entry *entry)
{
    char shape[320];
    fal_tensor t = {.rank = entry->rank < 0 ? 0 : entry->rank};
    memcpy(t.shape, entry->shape, sizeof t.shape);
    cli_format_shape(shape, sizeof shape, &t);
    fputs(entry->rank < 0 ? "(unknown shape)" : shape, out);
}

static void print_range(FILE *out, const range *r)
{
    char low[40], high[40], mean[40];
    cli_format_number(low, sizeof low, FAL_F32, r->low);
    cli_format_number(high, sizeof high, FAL_F32, r->high);
    snprintf(mean, sizeof mean, "%.6g", r->mean);
    if (r->count > 0) fprintf(out, "  %s..%s, mean %s", low, high, mean);
    if (r->nans > 0) fprintf(out, "  %" PRId64 " NaN", r->nans);
}

static fal_status print_listing(cli_command *command, const char *spec, const io_listing *listing)
{
    char text[IO_TEXT];
    FILE *out = cli_out(command);
    int width = 0;
    fprintf(out, "%s: %s", io_escape(text, spec, strlen(spec)), io_kind_name(listing->kind));
    if (listing->file_bytes > 0) fprintf(out, ", %" PRIu64 " bytes", listing->file_bytes);
    fprintf(out, "\n");
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = listing->entries[i].name;
        int length = (int)strlen(io_escape(text, name, strlen(name)));
        if (length > width) width = length;
    }
    for (size_t i = 0; i < listing->count; i++) {
        const io_entry *entry = &listing->entries[i];
        fprintf(out, "  %-*s%s%-4s  ", width, io_escape(text, entry->name, strlen(entry->name)),
                width ? "  " : "",
                entry->dtype == FAL_DTYPE_NONE ? entry->stored : fal_dtype_name(entry->dtype));
        print_shape(out, entry);
        fprintf(out, "  %" PRIu64 " bytes%s", entry->bytes, entry->fortran ? ", column-major" : "");
        if (listing->kind == IO_WAV) fprintf(out, ", from %s", entry->stored);
        if (cli_given(command, CLI_VERBOSE) && entry->dtype != FAL_DTYPE_NONE) {
            range r;
            CLI_TRY(measure_entry(command, spec, listing, entry, &r));
            print_range(out, &r);
        }
        fprintf(out, "\n");
    }
    return FAL_OK;
}

static fal_status pack_entry(cli_command *command, const char *spec, const io_listing *listing,
                             const io_entry *entry, json_t *tensors)
{
    char text[IO_TEXT];
    json_t *shape = entry->rank < 0 ? json_null() : cli_json_ints(entry->shape, entry->rank);
    json_t *facts = json_pack(
        "{s:s, s:s, s:s, s:o, s:b, s:I, s:I}", "name", io_escape(text, entry->name, strlen(entry->name)),
        "dtype", fal_dtype_name(entry->dtype), "stored", entry->stored, "shape", shape, "column_major",
        entry->fortran, "bytes", (json_int_t)entry->bytes, "stored_bytes", (json_int_t)entry->stored_bytes);
    json_array_append_new(tensors, facts);
    if (!cli_given(command, CLI_VERBOSE) || entry->dtype == FAL_DTYPE_NONE) return FAL_OK;
    range r;
    CLI_TRY(measure_entry(command, spec, listing, entry, &r));
    json_object_set_new(facts, "nan", json_integer(r.nans));
    if (r.count == 0 || !isfinite(r.mean)) return FAL_OK;
    json_object_set_new(facts, "low", json_real(r.low));
    json_object_set_new(facts, "high", json_real(r.high));
    json_object_set_new(facts, "mean", json_real(r.mean));
    return FAL_OK;
}

static fal_status pack_listing(cli_command *command, const char *spec, const io_listing *listing,
                               json_t *files)
{
    char text[IO_TEXT];
    json_t *tensors = json_array();
    json_array_append_new(files,
                          json_pack("{s:s, s:s, s:I, s:o}", "file", io_escape(text, spec, strlen(spec)),
                                    "kind", io_kind_name(listing->kind), "bytes",
                                    (json_int_t)listing->file_bytes, "tensors", tensors));
    for (size_t i = 0; i < listing->count; i++)
        CLI_TRY(pack_entry(command, spec, listing, &listing->entries[i], tensors));
    return FAL_OK;
}

static fal_status list_one(cli_command *command, const char *spec, json_t *files)
{
    cli_limits limits;
    CLI_TRY(cli_read_limits(command, &limits));
    io_read_options options = {.layout = cli_layout(command), .limits = limits.file};
    io_listing *listing = calloc(1, sizeof *listing);
    if (listing == NULL) return cli_fail(command, FAL_E_NOMEM, NULL, "out of memory");
    CLI_TRY(cli_adopt(command, listing, free_listing));
    fal_status status = io_list(spec, &options, listing, &command->error);
    command->in_file = status != FAL_OK;
    CLI_TRY(status);
    return files ? pack_listing(command, spec, listing, files) : print_listing(command, spec, listing);
}

static void drop_json(void *files)
{
    json_decref(files);
}

fal_status cli_run_info(cli_command *command)
{
    json_t *files = NULL;
    if (command->json) {
        files = json_array();
        if (files == NULL) return cli_fail(command, FAL_E_NOMEM, NULL, "out of memory");
        CLI_TRY(cli_adopt(command, files, drop_json));
    }
    for (int i = 0; i < command->operand_count; i++)
        CLI_TRY(list_one(command, cli_operand(command, i), files));
    return files ? cli_json_print(command, json_pack("{s:O}", "files", files)) : FAL_OK;
}
