/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_files.c: what is around the formats: names with colons, standard input and output, pipes, and
 * outputs that appear complete or not at all.
 */
#define _XOPEN_SOURCE 700
#include "files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static float values[] = {1, 2, 3, 4, 5, 6};

static fal_tensor small(void)
{
    return FAL_TENSOR(values, FAL_F32, 2, 3);
}

/* ---- names ------------------------------------------------------------------------------------- */

static void colons(void **state)
{
    fal_tensor t = small();
    io_array got;
    fal_error error = {0};
    char spec[256];
    (void)state;
    assert_int_equal(io_write(at("a:b.npy"), NULL, &t, NULL, &error), FAL_OK);
    assert_int_equal(io_write(at("a:b.npz"), NULL, &t, &(io_write_options){.name = "x:y"}, &error), FAL_OK);
    got = read_ok(at("a:b.npy"), NULL);
    io_array_free(&got);
    snprintf(spec, sizeof spec, "%s:x:y", at("a:b.npz"));
    got = read_ok(spec, NULL);
    io_array_free(&got);
    snprintf(spec, sizeof spec, "%s:x", at("a:b.npy"));
    refused_as("no members", spec, NULL, FAL_E_NOTFOUND);
    refused_as("no file", at("nothing.npz:x"), NULL, FAL_E_NOTFOUND);
    assert_int_equal(io_read(at("nothing"), NULL, &got, &error), FAL_E_NOTFOUND);
    assert_string_equal(error.found, "cannot open it: no such file or folder");
    refused_as("folder", scratch, NULL, FAL_E_IO);
    refused_as("empty name", "", NULL, FAL_E_NOTFOUND);
    scratch_files(true);
}

static void kinds(void **state)
{
    static const struct {
        const char *name;
        io_kind kind;
    } rows[] = {{"a.npy", IO_NPY},
                {"npy", IO_NPY},
                {".npz", IO_NPZ},
                {"d.x/a.PNG", IO_PNG},
                {"a.jpeg", IO_JPEG},
                {"a.jpg", IO_JPEG},
                {"a.safetensors", IO_SAFETENSORS},
                {"a.txt", IO_UNKNOWN},
                {"d.npy/a", IO_UNKNOWN},
                {"", IO_UNKNOWN},
                {"npyx", IO_UNKNOWN}};
    static const struct {
        const char *data;
        size_t count;
        fal_status status;
    } foreign[] = {{"GIF89a", 6, FAL_E_MAGIC},
                   {"\x80\2}q", 4, FAL_E_MAGIC},
                   {"hello world", 11, FAL_E_MAGIC},
                   {"\x1f\x8b\x08\0", 4, FAL_E_MAGIC},
                   {"\x8aMNG\r\n\x1a\n", 8, FAL_E_MAGIC}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(io_kind_of_name(rows[i].name), rows[i].kind);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        refused_as("foreign", store("f.png", foreign[i].data, foreign[i].count), NULL, foreign[i].status);
    scratch_files(true);
}

static void escapes(void **state)
{
    char out[IO_TEXT];
    char many[100];
    (void)state;
    memset(many, 'a', sizeof many);
    assert_string_equal(io_escape(out, "a\\b\x1b\n\xff~", 7), "a\\x5cb\\x1b\\x0a\\xff~");
    assert_int_equal(strlen(io_escape(out, many, 64)), 64);
    assert_string_equal(io_escape(out, many, 65) + 60, "a...");
    memset(many, 1, sizeof many);
    assert_string_equal(io_escape(out, many, 16) + 56, "\\x01\\x01");
    assert_string_equal(io_escape(out, many, 17) + 56, "\\x01...");
    assert_string_equal(io_escape(out, "", 0), "");
}

static void long_names_keep_their_end(void **state)
{
    io_array out;
    fal_error error = {0};
    char path[300];
    (void)state;
    memset(path, 'd', sizeof path);
    strcpy(path + 200, "/weights.npy");
    assert_int_equal(io_read(path, NULL, &out, &error), FAL_E_NOTFOUND);
    assert_int_equal(strlen(error.field), 63);
    assert_memory_equal(error.field, "...d", 4);
    assert_string_equal(error.field + 63 - 12, "/weights.npy");
}

/* ---- streams ----------------------------------------------------------------------------------- */

/* Runs `body` in a child whose standard input is a pipe that gives `data`; returns its status. */
static fal_status read_piped(const void *data, size_t count, const char *spec, const io_read_options *how,
                             const fal_tensor *expected)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t writer = fork();
    if (writer == 0) {
        signal(SIGPIPE, SIG_DFL);
        close(pipes[0]);
        for (size_t done = 0; done < count;) {
            size_t step = count - done < 1000 ? count - done : 1000;
            ssize_t written = write(pipes[1], (const char *)data + done, step);
            if (written <= 0) break;
            done += (size_t)written;
        }
        _exit(0);
    }
    int saved = dup(STDIN_FILENO);
    dup2(pipes[0], STDIN_FILENO);
    close(pipes[0]);
    close(pipes[1]);
    io_array out;
    fal_error error = {0};
    fal_status status = io_read(spec, how, &out, &error);
    if (status == FAL_OK && expected != NULL) same_tensor(&out.tensor, expected);
    if (status != FAL_OK) check_refusal(&out, &error, status);
    io_array_free(&out);
    dup2(saved, STDIN_FILENO);
    close(saved);
    waitpid(writer, NULL, 0);
    return status;
}

static void standard_input(void **state)
{
    static const char *const names[] = {"s.npy", "s.npz", "s.safetensors", "s.png"};
    enum { COUNT = 100000 };
    float *x = malloc(sizeof(float) * COUNT);
    fal_error error = {0};
    (void)state;
    for (int i = 0; i < COUNT; i++) x[i] = (float)(i % 256) / 255.0F;
    fal_tensor t = FAL_TENSOR(x, FAL_F32, 1, 1, 250, 400);
    for (int n = 0; n < 4; n++) {
        assert_int_equal(io_write(at(names[n]), NULL, &t, NULL, &error), FAL_OK);
        bytes b = load(at(names[n]));
        assert_int_equal(read_piped(b.data, b.count, "-", NULL, &t), FAL_OK);
        assert_int_not_equal(read_piped(b.data, b.count - 1, "-", NULL, &t), FAL_OK);
        const io_read_options little = {.limits = {.stream_bytes = 5000}};
        if (n != 3) assert_int_equal(read_piped(b.data, b.count, "-", &little, &t), FAL_E_LIMIT);
        free(b.data);
    }
    bytes b = load(at("s.npz"));
    assert_int_equal(read_piped(b.data, b.count, "-:arr_0", NULL, &t), FAL_OK);
    assert_int_equal(read_piped(b.data, b.count, "-:nope", NULL, &t), FAL_E_NOTFOUND);
    free(b.data);
    b = load(at("s.npy"));
    append(&b, "more", 4); /* a stream may hold several arrays */
    assert_int_equal(read_piped(b.data, b.count, "-", NULL, &t), FAL_OK);
    assert_int_equal(read_piped("", 0, "-", NULL, NULL), FAL_E_TRUNCATED);
    free(b.data);
    free(x);
    scratch_files(true);
}

static void standard_output(void **state)
{
    static const char *const formats[] = {NULL, "safetensors", "png"};
    fal_tensor t = small();
    fal_error error = {0};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fflush(stdout);
        int saved = dup(STDOUT_FILENO), file = open(at("out"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(file, STDOUT_FILENO);
        close(file);
        fal_status status = io_write("-", formats[i], &t, NULL, &error);
        dup2(saved, STDOUT_FILENO);
        close(saved);
        assert_int_equal(status, FAL_OK);
        io_array got = read_ok(at("out"), NULL);
        if (i < 2) same_tensor(&got.tensor, &t);
        io_array_free(&got);
    }
    assert_int_equal(scratch_files(true), 1);
}

/* ---- all or nothing ---------------------------------------------------------------------------- */

static void keep_or_overwrite(void **state)
{
    fal_tensor t = small();
    fal_error error = {0};
    const char *path = store("k.npy", "old", 3);
    (void)state;
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(io_write(path, NULL, &t, NULL, &error), FAL_E_EXISTS);
    bytes b = load(path);
    assert_int_equal(b.count, 3);
    free(b.data);
    assert_int_equal(io_write(path, NULL, &t, &(io_write_options){.overwrite = true}, &error), FAL_OK);
    io_array got = read_ok(path, NULL);
    io_array_free(&got);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(scratch_files(true), 1);
}

/* A link stays a link; the file that it names is replaced. */
static void links(void **state)
{
    fal_tensor t = small();
    fal_error error = {0};
    const io_write_options over = {.overwrite = true};
    struct stat status;
    (void)state;
    store("target.npy", "old", 3);
    assert_int_equal(symlink(at("target.npy"), at("link.npy")), 0);
    assert_int_equal(io_write(at("link.npy"), NULL, &t, &over, &error), FAL_OK);
    assert_int_equal(lstat(at("link.npy"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    io_array got = read_ok(at("target.npy"), NULL);
    io_array_free(&got);
    assert_int_equal(unlink(at("target.npy")), 0);
    assert_int_equal(io_write(at("link.npy"), NULL, &t, &over, &error), FAL_E_IO);
    assert_int_equal(scratch_files(true), 1);
}

static void failures_leave_nothing(void **state)
{
    fal_tensor t = small();
    fal_error error = {0};
    const io_write_options over = {.overwrite = true};
    (void)state;
    assert_int_equal(io_write(at("x.txt"), NULL, &t, NULL, &error), FAL_E_UNSUPPORTED);
    assert_int_equal(io_write(at("x.jpg"), NULL, &t, NULL, &error), FAL_E_UNSUPPORTED);
    assert_int_equal(io_write(at("no/x.npy"), NULL, &t, NULL, &error), FAL_E_NOTFOUND);
    assert_int_equal(io_write(scratch, "npy", &t, NULL, &error), FAL_E_IO);
    assert_int_equal(io_write("", "npy", &t, NULL, &error), FAL_E_NOTFOUND);
    if (access("/dev/full", W_OK) == 0) {
        static const char *const formats[] = {"npy", "safetensors", "png"};
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(io_write("/dev/full", formats[i], &t, NULL, &error), FAL_E_IO);
            assert_string_equal(error.found, "cannot write it: no space left on the device");
        }
        assert_int_equal(io_write("/dev/full", "npz", &t, NULL, &error), FAL_E_UNSUPPORTED);
    }
    /* A tensor that the format refuses does not touch the old file. */
    const char *path = store("old.png", "old", 3);
    float many[12] = {0};
    t = FAL_TENSOR(many, FAL_F32, 1, 12, 1, 1);
    assert_int_equal(io_write(path, NULL, &t, &over, &error), FAL_E_SHAPE);
    bytes b = load(path);
    assert_memory_equal(b.data, "old", 3);
    free(b.data);
    assert_int_equal(scratch_files(true), 1);
}

/* A limit on the file's size makes write() fail in the middle, as a full disk does. */
static void full_disk(void **state)
{
    static const char *const names[] = {"f.npy", "f.npz", "f.safetensors", "f.png"};
    (void)state;
    for (int n = 0; n < 4; n++) {
        const char *path = store(names[n], "old", 3);
        pid_t child = fork();
        if (child == 0) {
            enum { COUNT = 400000 };
            float *x = calloc(COUNT, sizeof *x);
            uint32_t noise = 1; /* that deflate cannot shorten */
            for (uint32_t i = 0; i < COUNT; i++) {
                noise = noise * 1664525 + 1013904223;
                x[i] = (float)(noise >> 24) / 255.0F;
            }
            fal_tensor t = FAL_TENSOR(x, FAL_F32, 500, 800);
            fal_error error = {0};
            signal(SIGXFSZ, SIG_IGN);
            const struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000};
            if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(3);
            fal_status status = io_write(path, NULL, &t, &(io_write_options){.overwrite = true}, &error);
            _exit(status == FAL_E_IO && strstr(error.found, "too large") != NULL ? 0 : 1);
        }
        int code = -1;
        waitpid(child, &code, 0);
        assert_int_equal(code, 0);
        bytes b = load(path);
        assert_int_equal(b.count, 3);
        free(b.data);
        assert_int_equal(scratch_files(true), 1);
    }
}

static void clean_up(int number)
{
    io_cleanup_temporaries();
    _exit(128 + number);
}

/* Killed in the middle: the old file stays; the handler leaves no temporary. */
static void interrupted(void **state)
{
    const char *path = store("i.txt", "old", 3);
    int ready[2];
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        io_file file;
        signal(SIGTERM, clean_up);
        alarm(20);
        if (io_file_begin(&file, path, true, NULL) != FAL_OK) _exit(1);
        io_file_write(&file, "new", 3, NULL);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    int before = scratch_files(false), code;
    kill(child, SIGTERM);
    waitpid(child, &code, 0);
    assert_int_equal(before, 2);
    assert_int_equal(WEXITSTATUS(code), 128 + SIGTERM);
    close(ready[0]);
    close(ready[1]);
    bytes b = load(path);
    assert_memory_equal(b.data, "old", 3);
    free(b.data);
    assert_int_equal(scratch_files(true), 1);
}

static void any_file(void **state)
{
    io_file file, other;
    fal_error error = {0};
    char longer[5000];
    (void)state;
    memset(longer, 'z', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(io_file_begin(&file, at("t.txt"), false, &error), FAL_OK);
    assert_int_equal(io_file_print(&file, &error, "%d %s\n", 7, longer), FAL_OK);
    for (int i = 0; i < 100000; i++) assert_int_equal(io_file_write(&file, "line\n", 5, &error), FAL_OK);
    assert_int_not_equal(access(at("t.txt"), F_OK), 0);
    /* Somebody else is faster: without overwriting, theirs stays. */
    assert_int_equal(io_file_begin(&other, at("t.txt"), false, &error), FAL_OK);
    assert_int_equal(io_file_print(&other, &error, "theirs"), FAL_OK);
    assert_int_equal(io_file_commit(&file, &error), FAL_OK);
    assert_int_equal(io_file_commit(&other, &error), FAL_E_EXISTS);
    io_file_abort(&file);
    io_file_abort(&other);
    bytes b = load(at("t.txt"));
    assert_int_equal(b.count, 2 + 4999 + 1 + 500000);
    assert_memory_equal(b.data, "7 zz", 4);
    free(b.data);
    assert_int_equal(io_file_begin(&file, at("u.txt"), false, &error), FAL_OK);
    io_file_abort(&file);
    assert_int_equal(scratch_files(true), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colons),
        cmocka_unit_test(kinds),
        cmocka_unit_test(escapes),
        cmocka_unit_test(long_names_keep_their_end),
        cmocka_unit_test(standard_input),
        cmocka_unit_test(standard_output),
        cmocka_unit_test(keep_or_overwrite),
        cmocka_unit_test(links),
        cmocka_unit_test(failures_leave_nothing),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(any_file),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
