/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * versus_openblas.c: this library beside the usual way to convolve in C, im2col and a BLAS.
 *
 * One thread. For each layer the contenders take turns in one run, so that a drifting clock hurts
 * them alike; printed are medians, the spread (90th over 10th percentile), GFLOP/s by the direct
 * count, and the ratio of times. Usage: bench_versus_openblas [rounds]. Built when OpenBLAS is found.
 */
#include <cblas.h>
#include <faltung.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

extern void openblas_set_num_threads(int threads);

typedef struct layer {
    const char *name;
    int64_t n, ic, oc, in, kernel, stride, padding;
    fal_layout layout;
} layer;

static const layer layers[] = {
    {"3x3 64->64 @56 nchw", 1, 64, 64, 56, 3, 1, 1, FAL_NCHW},
    {"3x3 64->64 @56 nhwc", 1, 64, 64, 56, 3, 1, 1, FAL_NHWC},
    {"3x3 128->128 @28 nchw", 1, 128, 128, 28, 3, 1, 1, FAL_NCHW},
    {"3x3 512->512 @7 nchw", 1, 512, 512, 7, 3, 1, 1, FAL_NCHW},
    {"3x3 s2 128->256 @28 nchw", 1, 128, 256, 28, 3, 2, 1, FAL_NCHW},
    {"1x1 64->256 @56 nchw", 1, 64, 256, 56, 1, 1, 0, FAL_NCHW},
    {"1x1 64->256 @56 nhwc", 1, 64, 256, 56, 1, 1, 0, FAL_NHWC},
    {"7x7 s2 3->64 @224 nchw", 1, 3, 64, 224, 7, 2, 3, FAL_NCHW},
};

enum { CONTENDERS = 3, ROUNDS_MAX = 1000 };
static const char *const contenders[CONTENDERS] = {"prepacked", "one call", "im2col+sgemm"};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *block(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (memory == NULL) exit(fprintf(stderr, "out of memory\n"));
    return memory;
}

static void *filled(const fal_tensor *t)
{
    float *data = block((size_t)fal_tensor_count(t) * sizeof(float));
    for (int64_t i = 0; i < fal_tensor_count(t); i++) data[i] = (float)(i * 7 % 13 - 6) / 8;
    return data;
}

/* One layer with everything a contender needs. */
typedef struct contest {
    layer l;
    int64_t out;
    fal_operands o;
    fal_conv_params params;
    fal_context context;
    fal_plan *plan;
    fal_plan_info info;
    void *packed, *workspace;
    float *columns; /* (ic*k*k, out*out), or (out*out, k*k*ic) for nhwc */
} contest;

static void check(fal_status status, const fal_error *error)
{
    if (status != FAL_OK) exit(fprintf(stderr, "%s: %s\n", fal_status_name(status), error->found));
}

/* The textbook im2col of one image. */
static void im2col(const contest *c)
{
    const layer *l = &c->l;
    const float *x = c->o.x.data;
    const int64_t taps = l->kernel * l->kernel, pixels = c->out * c->out;
    for (int64_t oy = 0; oy < c->out; oy++)
        for (int64_t ky = 0; ky < l->kernel; ky++)
            for (int64_t kx = 0; kx < l->kernel; kx++) {
                const int64_t iy = oy * l->stride + ky - l->padding, tap = ky * l->kernel + kx;
                for (int64_t ic = 0; ic < l->ic; ic++)
                    for (int64_t ox = 0; ox < c->out; ox++) {
                        const int64_t ix = ox * l->stride + kx - l->padding, pixel = oy * c->out + ox;
                        const bool in = iy >= 0 && iy < l->in && ix >= 0 && ix < l->in;
                        if (l->layout == FAL_NCHW)
                            c->columns[(ic * taps + tap) * pixels + pixel] =
                                in ? x[(ic * l->in + iy) * l->in + ix] : 0;
                        else
                            c->columns[(pixel * taps + tap) * l->ic + ic] =
                                in ? x[(iy * l->in + ix) * l->ic + ic] : 0;
                    }
            }
}

static void run_openblas(const contest *c)
{
    const int pixels = (int)(c->out * c->out), k = (int)(c->l.ic * c->l.kernel * c->l.kernel),
              oc = (int)c->l.oc;
    const float *columns = c->columns;
    if (c->l.kernel == 1 && c->l.stride == 1)
        columns = c->o.x.data; /* the image is the matrix */
    else
        im2col(c);
    if (c->l.layout == FAL_NCHW)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, oc, pixels, k, 1, c->o.w.data, k, columns,
                    pixels, 0, c->o.y.data, pixels);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, pixels, oc, k, 1, columns, k, c->o.w.data, oc,
                    0, c->o.y.data, oc);
}

static void run_contender(const contest *c, int which)
{
    if (which == 0)
        check(fal_plan_execute(c->plan, &c->o, c->packed, c->workspace, c->info.workspace_bytes,
                               c->context.error),
              c->context.error);
    else if (which == 1)
        check(fal_conv(&c->context, &c->o.x, &c->o.w, NULL, &c->params, &c->o.y), c->context.error);
    else
        run_openblas(c);
}

static void prepare(contest *c, const layer *l, fal_error *error)
{
    *c = (contest){.l = *l, .context = {.threads = 1, .error = error}};
    c->params = (fal_conv_params){.stride = {l->stride, l->stride},
                                  .padding_begin = {l->padding, l->padding},
                                  .padding_end = {l->padding, l->padding},
                                  .layout = l->layout};
    if (l->layout == FAL_NCHW) {
        c->o.x = FAL_TENSOR(NULL, FAL_F32, l->n, l->ic, l->in, l->in);
        c->o.w = FAL_TENSOR(NULL, FAL_F32, l->oc, l->ic, l->kernel, l->kernel);
    } else {
        c->o.x = FAL_TENSOR(NULL, FAL_F32, l->n, l->in, l->in, l->ic);
        c->o.w = FAL_TENSOR(NULL, FAL_F32, l->kernel, l->kernel, l->ic, l->oc);
    }
    check(fal_conv_output_shape(false, &c->o.x, &c->o.w, &c->params, &c->o.y, error), error);
    c->out = c->o.y.shape[l->layout == FAL_NCHW ? 2 : 1];
    c->o.x.data = filled(&c->o.x);
    c->o.w.data = filled(&c->o.w);
    c->o.y.data = filled(&c->o.y);
    c->columns = block((size_t)(l->ic * l->kernel * l->kernel * c->out * c->out) * sizeof(float));
    check(fal_plan_create(&c->context, FAL_OP_CONV, &c->o, &c->params, &c->plan), error);
    check(fal_plan_describe(c->plan, &c->info), error);
    c->packed = block(c->info.packed_bytes);
    c->workspace = block(c->info.workspace_bytes);
    check(fal_plan_pack_weights(c->plan, &c->o.w, c->packed, error), error);
}

static void release(contest *c)
{
    fal_plan_destroy(c->plan);
    free(c->packed);
    free(c->workspace);
    free(c->columns);
    free(c->o.x.data);
    free(c->o.w.data);
    free(c->o.y.data);
}

int main(int argc, char **argv)
{
    const int asked = argc > 1 ? atoi(argv[1]) : 51;
    const int rounds = asked < 1 ? 1 : asked > ROUNDS_MAX ? ROUNDS_MAX : asked;
    static double times[CONTENDERS][ROUNDS_MAX];
    fal_error error = {0};
    openblas_set_num_threads(1);
    printf("%-26s %-13s %10s %8s %8s %8s\n", "layer", "contender", "time us", "spread", "GFLOP/s", "vs BLAS");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        contest c;
        prepare(&c, &layers[i], &error);
        for (int which = 0; which < CONTENDERS; which++) run_contender(&c, which); /* warm up */
        for (int r = 0; r < rounds; r++)
            for (int which = 0; which < CONTENDERS; which++) {
                const double start = now();
                run_contender(&c, which);
                times[which][r] = now() - start;
            }
        for (int which = 0; which < CONTENDERS; which++)
            qsort(times[which], (size_t)rounds, sizeof(double), by_value);
        const double flops =
            2.0 * (double)(c.l.n * c.l.ic * c.l.oc * c.l.kernel * c.l.kernel * c.out * c.out);
        for (int which = 0; which < CONTENDERS; which++) {
            const double *t = times[which], median = t[rounds / 2];
            printf("%-26s %-13s %10.1f %8.2f %8.1f %8.2f\n", which == 0 ? c.l.name : "", contenders[which],
                   median * 1e6, t[rounds * 9 / 10] / t[rounds / 10], flops / median * 1e-9,
                   times[CONTENDERS - 1][rounds / 2] / median);
        }
        release(&c);
    }
    return 0;
}
