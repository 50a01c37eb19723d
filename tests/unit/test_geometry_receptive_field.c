/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receptive fields against the sets of input positions that a stack really sees: the set of one output
 * is followed down through the layers, tap by tap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

/* A set of positions -HALF..HALF-1. */
enum { HALF = 512, LAYERS = 3 };
typedef struct {
    bool has[2 * HALF];
} set;

static void add(set *s, int64_t position)
{
    assert_in_range(position + HALF, 0, 2 * HALF - 1);
    s->has[position + HALF] = true;
}

/* The inputs that one layer reads for the outputs in `from`, on an axis without ends. */
static void read_by(const fal_layer *layer, const set *from, set *to)
{
    memset(to, 0, sizeof *to);
    for (int64_t o = -HALF; o < HALF; o++) {
        if (!from->has[o + HALF]) continue;
        for (int64_t t = 0; t < layer->kernel; t++) {
            if (!layer->transposed) add(to, o * layer->stride + t * layer->dilation - layer->begin);
            int64_t rest = o + layer->begin - t * layer->dilation;
            if (layer->transposed && rest % layer->stride == 0) add(to, rest / layer->stride);
        }
    }
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

/* Output o of the whole stack against the field of its last layer. Exact: the ends are reached. */
static void check_output(const fal_layer *layers, int32_t count, const fal_field *field, int64_t o,
                         bool exact)
{
    static set a, b;
    memset(&a, 0, sizeof a);
    add(&a, o);
    for (int32_t l = count - 1; l >= 0; l--) {
        read_by(&layers[l], &a, &b);
        a = b;
    }
    int64_t low = HALF, high = -HALF;
    for (int64_t p = -HALF; p < HALF; p++)
        if (a.has[p + HALF]) {
            low = p < low ? p : low;
            high = p;
        }
    int64_t start = field->start + o * field->jump; /* over denominator */
    int64_t first = ceil_div(start, field->denominator), last = first + field->size - 1;
    if (exact) {
        assert_int_equal(field->denominator, 1);
        assert_int_equal(low, first);
        assert_int_equal(high, last);
        assert_int_equal(low + high, field->centre_twice + 2 * o * field->jump);
    } else if (low <= high) { /* a gap between blocks sees nothing */
        assert_true(first <= low);
        assert_true(high <= last);
        assert_true(high - low + 1 <= field->size);
        /* No position lies farther from the centre than half the extent. */
        int64_t centre = field->centre_twice + 2 * o * field->jump, reach = centre - 2 * start;
        assert_true(2 * low * field->denominator >= centre - reach);
        assert_true(2 * high * field->denominator <= centre + reach);
    }
}

static fal_layer layer_number(int64_t n)
{
    fal_layer layer = {.kernel = 1 + n % 4, .stride = 1 + n / 4 % 3, .dilation = 1 + n / 12 % 2};
    layer.begin = n / 24 % 3 - 1;
    layer.transposed = n / 72 % 2 == 1;
    return layer;
}
enum { LAYER_KINDS = 144 };

static void check_stack(const fal_layer *layers, int32_t count)
{
    fal_field fields[LAYERS];
    assert_int_equal(fal_receptive_field(layers, count, fields, NULL), FAL_OK);
    bool exact = true;
    for (int32_t l = 0; l < count; l++) {
        exact = exact && !layers[l].transposed;
        for (int64_t o = -3; o <= 7; o++) check_output(layers, l + 1, &fields[l], o, exact);
    }
}

static void test_one_and_two_layers(void **state)
{
    (void)state;
    for (int64_t first = 0; first < LAYER_KINDS; first++)
        for (int64_t second = first % 5; second < LAYER_KINDS; second += 5)
            check_stack((fal_layer[]){layer_number(first), layer_number(second)}, 2);
}

static void test_three_layers(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 3000; n++)
        check_stack((fal_layer[]){layer_number(n * 7 % LAYER_KINDS), layer_number(n * 31 / 5 % LAYER_KINDS),
                                  layer_number(n * 17 / 3 % LAYER_KINDS)},
                    3);
}

/* A transposed layer straight on the input: the size is what the phase that sees most sees. */
static void test_transposed_size_is_tight(void **state)
{
    (void)state;
    for (int64_t k = 1; k <= 9; k++)
        for (int64_t s = 1; s <= 5; s++) {
            fal_layer layer = {.kernel = k, .stride = s, .dilation = 1, .begin = 1, .transposed = true};
            fal_field field;
            assert_int_equal(fal_receptive_field(&layer, 1, &field, NULL), FAL_OK);
            int64_t most = 0;
            for (int64_t o = 0; o < s; o++) {
                int64_t seen = 0;
                for (int64_t t = 0; t < k; t++) seen += (o + 1 - t) % s == 0;
                most = seen > most ? seen : most;
            }
            assert_int_equal(field.size, most);
        }
}

static void test_known_stacks(void **state)
{
    (void)state;
    fal_field fields[5];
    /* The beginning of a residual network: 7/2, pool 3/2, then 3x3 twice. */
    fal_layer layers[] = {{.kernel = 7, .stride = 2, .begin = 3, .end = 3},
                          {.kernel = 3, .stride = 2, .begin = 1, .end = 1},
                          {.kernel = 3, .begin = 1, .end = 1},
                          {.kernel = 3, .begin = 1, .end = 1}};
    assert_int_equal(fal_receptive_field(layers, 4, fields, NULL), FAL_OK);
    assert_int_equal(fields[0].size, 7);
    assert_int_equal(fields[1].size, 11);
    assert_int_equal(fields[3].size, 27);
    assert_int_equal(fields[3].jump, 4);
    assert_int_equal(fields[3].start, -13);
    assert_int_equal(fields[3].centre_twice, 0);
    /* 2x upsampling with 4/2/1 puts output 0 a quarter of an element before input 0. */
    fal_layer up = {.kernel = 4, .stride = 2, .begin = 1, .end = 1, .transposed = true};
    assert_int_equal(fal_receptive_field(&up, 1, fields, NULL), FAL_OK);
    assert_int_equal(fields[0].size, 2);
    assert_int_equal(fields[0].denominator, 2);
    assert_int_equal(fields[0].jump, 1);
    assert_int_equal(fields[0].start, -2);
    assert_int_equal(fields[0].centre_twice, -1);
    /* Down and up again: whole jumps, so the denominator is gone. */
    fal_layer both[] = {{.kernel = 2, .stride = 2}, {.kernel = 1, .stride = 2, .transposed = true}};
    assert_int_equal(fal_receptive_field(both, 2, fields, NULL), FAL_OK);
    assert_int_equal(fields[1].denominator, 1);
    assert_int_equal(fields[1].jump, 1);
    /* Zeros are defaults: a layer of nothing sees itself. */
    fal_layer nothing = {0};
    assert_int_equal(fal_receptive_field(&nothing, 1, fields, NULL), FAL_OK);
    assert_int_equal(fields[0].size, 1);
    assert_int_equal(fields[0].jump, 1);
    assert_int_equal(fal_receptive_field(NULL, 0, NULL, NULL), FAL_OK);
}

static void test_refusals(void **state)
{
    (void)state;
    fal_error error;
    fal_field fields[70] = {{.size = -7}};
    fal_layer layers[70] = {{.kernel = 3}, {.kernel = 3, .stride = -1}};
    assert_int_equal(fal_receptive_field(layers, 2, fields, &error), FAL_E_STRIDE);
    assert_string_equal(error.found, "layers[1]: stride is -1");
    assert_string_equal(error.allowed, "must be at least 1");
    assert_int_equal(fields[0].size, -7); /* nothing written */
    layers[1] = (fal_layer){.kernel = -1};
    assert_int_equal(fal_receptive_field(layers, 2, fields, NULL), FAL_E_KERNEL);
    layers[1] = (fal_layer){.kernel = 3, .dilation = INT64_MAX};
    assert_int_equal(fal_receptive_field(layers, 2, fields, NULL), FAL_E_OVERFLOW);
    assert_int_equal(fal_receptive_field(layers, -1, fields, NULL), FAL_E_VALUE);
    assert_int_equal(fal_receptive_field(NULL, 1, fields, NULL), FAL_E_NULL);
    assert_int_equal(fal_receptive_field(layers, 1, NULL, NULL), FAL_E_NULL);
    for (int l = 0; l < 70; l++) layers[l] = (fal_layer){.kernel = 3, .stride = 2, .transposed = l % 2 == 1};
    assert_int_equal(fal_receptive_field(layers, 70, fields, NULL), FAL_OK); /* down and up cancel */
    for (int l = 0; l < 70; l++) layers[l].transposed = false;
    assert_int_equal(fal_receptive_field(layers, 70, fields, &error), FAL_E_OVERFLOW);
    for (int l = 0; l < 70; l++) layers[l].transposed = true;
    assert_int_equal(fal_receptive_field(layers, 70, fields, &error), FAL_E_OVERFLOW);
    static const int64_t numbers[] = {INT64_MIN, -1, 0, 1, 3, INT64_C(1) << 62, INT64_MAX};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    for (int n = 0; n < COUNT * COUNT * COUNT * COUNT * 2; n++) {
        int64_t pick[4];
        for (int rest = n / 2, j = 0; j < 4; j++, rest /= COUNT) pick[j] = numbers[rest % COUNT];
        fal_layer two[2] = {{pick[0], pick[1], pick[2], pick[3], pick[3], n % 2},
                            {3, 2, 1, 1, 1, n % 3 == 0}};
        (void)fal_receptive_field(two, 2, fields, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_and_two_layers),
        cmocka_unit_test(test_three_layers),
        cmocka_unit_test(test_transposed_size_is_tight),
        cmocka_unit_test(test_known_stacks),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
