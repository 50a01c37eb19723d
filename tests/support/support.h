/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * support.h: what the tests of convolution share.
 *
 * Guarded memory, deterministic data, strided test tensors whose gaps are watched, random valid
 * problems with a one-line reproducer, comparisons that print it, an allocator that counts and
 * fails, executors in several orders, and one way to run any operator by any path. Everything is
 * a function of a seed, so that a failure is repeated by its printed line. Needs only faltung.h.
 */
#ifndef FAL_TESTS_SUPPORT_H
#define FAL_TESTS_SUPPORT_H

#include <faltung.h>

/* ---- random numbers (random.c) ---------------------------------------------------------------
 * Counter based: the value at a place does not depend on what was drawn before. */

uint64_t test_random(uint64_t seed, uint64_t counter);
/* A stream for code that draws one number after another. */
typedef struct test_stream {
    uint64_t seed, counter;
} test_stream;
/* Uniform in low..high, both included. */
int64_t test_draw(test_stream *stream, int64_t low, int64_t high);
/* True once in `one_in` draws. */
bool test_chance(test_stream *stream, int64_t one_in);
/* One of `count` numbers. */
int64_t test_pick(test_stream *stream, const int64_t *values, int64_t count);

typedef enum test_fill {
    TEST_INT,     /* -8..8, every fourth 0; 0..8 for unsigned; -2..2 for f16 (range) */
    TEST_INT1,    /* -1, 0, 1 */
    TEST_ONEHOT,  /* one 1, at element seed modulo count */
    TEST_IDX,     /* its own linear index */
    TEST_REAL,    /* uniform in -1..1 */
    TEST_POS,     /* uniform in 0.1..1 */
    TEST_WIDE,    /* plus or minus 2^e, e uniform in -30..30 */
    TEST_SPECIAL, /* TEST_INT with NaN, infinities and -0 at a few places */
    TEST_ZERO,
    TEST_NAN /* NaN; the lowest value for integers */
} test_fill;
/* Fills every element; the value depends on seed and on the element's row-major number only. */
void test_fill_tensor(const fal_tensor *t, test_fill fill, uint64_t seed);
/* Next index in row-major order; false after the last. Start from zeros when the count is not 0. */
bool test_next(const fal_tensor *t, int64_t *index);

/* ---- guarded memory (guard.c) -----------------------------------------------------------------
 *
 *     PROT_NONE | slack ... data | PROT_NONE      TEST_AT_END: the byte after data faults
 *     PROT_NONE | data ... slack | PROT_NONE      TEST_AT_START: the byte before data faults
 *
 * Slack bytes (where alignment or the page size leaves some) hold TEST_ROGUE. */

enum { TEST_ROGUE = 0xFF }; /* a NaN in every floating type, -1 in every signed one */

typedef enum test_side { TEST_AT_END, TEST_AT_START } test_side;
typedef struct test_guard {
    unsigned char *map, *data;
    size_t map_bytes, bytes;
} test_guard;
/* `bytes` bytes, aligned to `alignment` (a power of two), filled with TEST_ROGUE. */
test_guard test_guard_new(size_t bytes, size_t alignment, test_side side);
/* The slack still holds TEST_ROGUE. */
bool test_guard_intact(const test_guard *guard);
void test_guard_free(test_guard *guard);

/* ---- tensors (tensors.c) ---------------------------------------------------------------------- */

/* A tensor in guarded memory. */
typedef struct test_tensor {
    fal_tensor t;
    test_guard guard;
    int64_t low; /* element offset of the memory's first element from t.data */
} test_tensor;
/* seed 0: row-major, at the end of its memory. Otherwise a random order of axes, gaps, negative
 * strides and side of the guard. Every byte holds TEST_ROGUE. */
test_tensor test_tensor_new(fal_dtype dtype, int32_t rank, const int64_t *shape, uint64_t seed);
/* A new row-major tensor with the elements of `t` converted to `dtype`. */
test_tensor test_tensor_copy(const fal_tensor *t, fal_dtype dtype);
/* No byte between the elements or around them has changed. */
bool test_tensor_gaps_intact(const test_tensor *tensor);
/* A hash of every byte of the memory, gaps included. */
uint64_t test_tensor_hash(const test_tensor *tensor);
void test_tensor_free(test_tensor *tensor);

/* ---- arithmetic on tensors (arithmetic.c) ------------------------------------------------------ */

/* A new row-major tensor filled by `fill`. */
test_tensor test_made(fal_dtype dtype, int32_t rank, const int64_t *shape, test_fill fill, uint64_t seed);
/* A new row-major tensor p*a + q*b of a's type. */
test_tensor test_sum(double p, const fal_tensor *a, double q, const fal_tensor *b);
/* The sum of the products of corresponding elements, in double. */
double test_dot(const fal_tensor *a, const fal_tensor *b);
/* Element number `i` of a row-major walk. */
void test_index(const fal_tensor *t, int64_t i, int64_t *index);

/* ---- comparison (compare.c) -------------------------------------------------------------------
 * Each prints `repro` and the first difference to standard error, and returns false. */

/* Equal as numbers: -0 equals 0, NaN equals NaN. */
bool test_equal(const fal_tensor *actual, const fal_tensor *expected, const char *repro);
/* Equal bit for bit. */
bool test_same_bits(const fal_tensor *actual, const fal_tensor *expected, const char *repro);
/* |actual - expected| <= gamma(terms + 1) * gauge, plus half a unit of a 16-bit type. gauge is f64
 * and terms i64, both of the same shape. */
bool test_within_bound(const fal_tensor *actual, const fal_tensor *expected, const fal_tensor *gauge,
                       const fal_tensor *terms, const char *repro);

/* ---- problems (problem.c) ---------------------------------------------------------------------- */

typedef struct test_problem {
    uint64_t seed;
    bool transposed, batched, has_bias;
    fal_dtype dtype;
    int32_t spatial;
    int64_t n, ic, oc; /* channels of one group */
    int64_t in[FAL_MAX_SPATIAL], k[FAL_MAX_SPATIAL], out[FAL_MAX_SPATIAL];
    fal_conv_params params;
} test_problem;

enum { TEST_MAX_PRODUCTS = 1 << 17, TEST_TEXT = 512 };

/* A random valid problem of at most TEST_MAX_PRODUCTS products: rank 1..3, groups and depthwise,
 * stride and dilation 1..4, pads of any sign, every padding mode, both layouts, flips, beta and
 * bias. Its sums of TEST_INT data are exact in float32, gradients included. dtype is f32. */
test_problem test_problem_random(uint64_t seed);
/* Computes p->out from the explicit pads (by counting windows, not by the library). */
void test_problem_sizes(test_problem *p);
/* One line that names the problem: seed, shapes and parameters. */
const char *test_problem_text(const test_problem *p, char text[TEST_TEXT]);
/* Tensors without data. */
fal_operands test_problem_shapes(const test_problem *p);
/* Channels-last views of the channels-first operands of p. */
fal_operands test_channels_last(const test_problem *p, const fal_operands *first);

/* ---- running (run.c) ---------------------------------------------------------------------------- */

/* The four tensors of a problem, with memory. */
typedef struct test_case {
    test_problem p;
    test_tensor x, w, bias, y;
    fal_operands operands;
} test_case;
/* Allocates and fills every operand with `fill`; strides != 0 gives random strides. Integers write
 * y as i32. */
test_case test_case_new(const test_problem *p, test_fill fill, uint64_t strides);
void test_case_free(test_case *c);

/* Forward and gradients of the problem's family (transposed or not). */
typedef enum test_kind { TEST_FORWARD, TEST_GRAD_INPUT, TEST_GRAD_WEIGHT } test_kind;
enum { TEST_KINDS = 3 };
fal_operator test_operator(const test_problem *p, test_kind kind);
/* The operand that `op` writes. */
const fal_tensor *test_written(fal_operator op, const fal_operands *operands);
/* A fresh memory for the written operand(s) of `c`: the others are shared. */
typedef struct test_result {
    test_tensor out, bias; /* bias has memory for the gradient of the weight only */
    fal_operands operands;
} test_result;
/* `strides` as for test_case_new. Holds NaN, or the old y when beta is not 0. */
test_result test_result_new(const test_case *c, fal_operator op, uint64_t strides);
void test_result_free(test_result *r);

/* By the one-call function of the operator. */
fal_status test_call(const fal_context *context, fal_operator op, const fal_operands *operands,
                     const fal_conv_params *params);
/* By a plan, in guarded workspace filled with `garbage`; packed: with weights packed before. */
fal_status test_plan(const fal_context *context, fal_operator op, const fal_operands *operands,
                     const fal_conv_params *params, bool packed, unsigned char garbage);
/* Forward by the one-call function into a new row-major tensor of the shape that the library names;
 * asserts that it succeeds. */
test_tensor test_conv(bool transposed, const fal_tensor *x, const fal_tensor *w, const fal_tensor *bias,
                      const fal_conv_params *params);
/* The operator `kind` of p's family on these operands (the unused and the bias may be NULL), into a new
 * row-major tensor; beta is taken as 0. One-call function, plan and packed plan take turns by p->seed.
 * Asserts success. Without x, w or y the shapes are p's own. */
test_tensor test_apply(const test_problem *p, test_kind kind, const fal_operands *operands);
/* Row-major float64 copies of operands, which hold every narrower type exactly. */
typedef struct test_wide {
    test_tensor memory[4];
    fal_operands operands;
} test_wide;
test_wide test_widen(const fal_operands *operands);
void test_wide_free(test_wide *wide);
/* Prints status and message; for assertions that name the problem. */
bool test_ok(fal_status status, const fal_error *error, const char *repro);

/* ---- memory (memory.c) ------------------------------------------------------------------------
 * An allocator that gives guarded, rogue-filled blocks, counts them and fails when told. Not for
 * several threads. */

enum { TEST_MAX_BLOCKS = 64 };
typedef struct test_memory {
    int64_t calls;     /* allocations asked for */
    int64_t fail_from; /* 0: never; else the number of the first call that fails */
    bool fail_once;    /* only that call fails, not the later ones */
    int64_t live;      /* blocks not yet released */
    bool broken;       /* a release of a wrong block or size, or a slack byte that changed */
    test_guard block[TEST_MAX_BLOCKS];
} test_memory;
fal_allocator test_allocator(test_memory *memory);

/* ---- executors (executors.c) ------------------------------------------------------------------- */

typedef struct test_runs {
    int64_t runs, tasks; /* parallel-fors and tasks seen */
    int32_t most;        /* the largest count */
} test_runs;
/* One after another, 0 first. */
fal_executor test_executor_serial(test_runs *runs);
/* One after another, the last first. */
fal_executor test_executor_reversed(test_runs *runs);
/* Every task on a thread of its own. */
fal_executor test_executor_threads(test_runs *runs);

#endif
