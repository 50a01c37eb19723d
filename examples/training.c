/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * training.c: a network learns to take the noise out of pictures.
 *
 *     picture 1 x 64 x 64                             the loss compares with the picture without noise
 *       conv 3x3, 16     relu                         conv 3x3, 1
 *         max-pool 2x2                                  ^
 *           conv 3x3, 32   relu   ->   conv-transpose 2x2 s2, 16   relu
 *
 * Forward, backward and a step of gradient descent, with nothing but the public header: layers own weights
 * and gradients, activations are plain arrays, and one context serves all calls. Pictures are rectangles at
 * random places, made as they are needed.
 *
 *     cc -O2 -Iinclude examples/training.c build/libfaltung.a -lm -fopenmp -o training && ./training [STEPS]
 */
#include <faltung.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 8, SIDE = 64, PIXELS = BATCH * SIDE * SIDE, HIDDEN = 16, LAYERS = 4, REPORTS = 10 };

static fal_error error;
static const fal_context context = {.error = &error};

/* Ends the program with the library's message when a call fails. */
static void check(fal_status status)
{
    char text[512];
    if (status == FAL_OK) return;
    fal_error_message(&error, text, sizeof text);
    fprintf(stderr, "training: %s\n", text);
    exit(1);
}

/* ---- Data ---- */

/* Uniform in 0..1, the same in every run. */
static float draw(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u; /* Knuth's linear congruence */
    return (float)(state >> 8) * 0x1p-24f;
}

/* Three bright rectangles on black in every picture, and the same with noise. */
static void draw_batch(float *clean, float *noisy)
{
    for (int i = 0; i < PIXELS; i++) clean[i] = 0;
    for (int r = 0; r < 3 * BATCH; r++) {
        float *picture = clean + r / 3 * SIDE * SIDE;
        const int top = (int)(draw() * 48), left = (int)(draw() * 48), size = 4 + (int)(draw() * 12);
        for (int y = top; y < top + size; y++)
            for (int x = left; x < left + size; x++) picture[y * SIDE + x] = 1;
    }
    for (int i = 0; i < PIXELS; i++) noisy[i] = clean[i] + 0.8f * (draw() + draw() - 1);
}

/* ---- The network ---- */

/* A layer with its result, and the gradient of that. */
typedef struct stage {
    fal_conv_layer *layer;
    fal_tensor y, gy;
} stage;

static void allocate(fal_tensor *t)
{
    t->data = calloc((size_t)fal_tensor_count(t), sizeof(float));
    if (t->data == NULL) exit(1);
}

static stage make_stage(bool transposed, const fal_conv_layer_options *options, const fal_tensor *x)
{
    stage s;
    check(
        (transposed ? fal_conv_transpose_layer_create : fal_conv_layer_create)(&context, options, &s.layer));
    check(fal_conv_layer_output_shape(s.layer, x, &s.y, &error));
    s.gy = s.y;
    allocate(&s.y);
    allocate(&s.gy);
    return s;
}

typedef struct network {
    stage stages[LAYERS];
    fal_pool_params pool;
    fal_tensor pooled, gradient_of_pooled;
} network;

static network make_network(const fal_tensor *x)
{
    network n = {.pool = {.kernel = {2, 2}}};
    fal_conv_layer_options options = {.in_channels = 1,
                                      .out_channels = HIDDEN,
                                      .spatial = 2,
                                      .kernel = {3, 3},
                                      .params = {.padding = FAL_PADDING_SAME},
                                      .seed = 1};
    n.stages[0] = make_stage(false, &options, x);
    check(fal_pool_output_shape(&n.stages[0].y, &n.pool, &n.pooled, &error));
    n.gradient_of_pooled = n.pooled;
    allocate(&n.pooled);
    allocate(&n.gradient_of_pooled);
    options.in_channels = HIDDEN, options.out_channels = 2 * HIDDEN;
    n.stages[1] = make_stage(false, &options, &n.pooled);
    fal_conv_layer_options up = {.in_channels = 2 * HIDDEN,
                                 .out_channels = HIDDEN,
                                 .spatial = 2,
                                 .kernel = {2, 2},
                                 .params = {.stride = {2, 2}},
                                 .seed = 2};
    n.stages[2] = make_stage(true, &up, &n.stages[1].y);
    options.in_channels = HIDDEN, options.out_channels = 1;
    n.stages[3] = make_stage(false, &options, &n.stages[2].y);
    return n;
}

/* y = max(y, 0), and the gradient of that: nothing where y is 0. */
static void relu(const fal_tensor *y)
{
    const int64_t count = fal_tensor_count(y);
    float *v = y->data;
    for (int64_t i = 0; i < count; i++) v[i] = v[i] > 0 ? v[i] : 0;
}

static void relu_backward(const fal_tensor *y, const fal_tensor *gy)
{
    const float *v = y->data;
    float *g = gy->data;
    const int64_t count = fal_tensor_count(y);
    for (int64_t i = 0; i < count; i++) g[i] = v[i] > 0 ? g[i] : 0;
}

static void forward(const network *n, const fal_tensor *x)
{
    const stage *s = n->stages;
    check(fal_conv_layer_forward(&context, s[0].layer, x, &s[0].y));
    relu(&s[0].y);
    check(fal_pool(&context, &s[0].y, &n->pool, &n->pooled, NULL));
    check(fal_conv_layer_forward(&context, s[1].layer, &n->pooled, &s[1].y));
    relu(&s[1].y);
    check(fal_conv_layer_forward(&context, s[2].layer, &s[1].y, &s[2].y));
    relu(&s[2].y);
    check(fal_conv_layer_forward(&context, s[3].layer, &s[2].y, &s[3].y));
}

/* From the gradient of the last result to those of all parameters. */
static void backward(const network *n, const fal_tensor *x)
{
    const stage *s = n->stages;
    check(fal_conv_layer_backward(&context, s[3].layer, &s[2].y, &s[3].gy, &s[2].gy));
    relu_backward(&s[2].y, &s[2].gy);
    check(fal_conv_layer_backward(&context, s[2].layer, &s[1].y, &s[2].gy, &s[1].gy));
    relu_backward(&s[1].y, &s[1].gy);
    check(fal_conv_layer_backward(&context, s[1].layer, &n->pooled, &s[1].gy, &n->gradient_of_pooled));
    check(fal_pool_grad(&context, &s[0].y, &n->gradient_of_pooled, &n->pool, &s[0].gy));
    relu_backward(&s[0].y, &s[0].gy);
    check(fal_conv_layer_backward(&context, s[0].layer, x, &s[0].gy, NULL));
}

/* The mean of the squared differences, and its gradient. */
static double loss_of(const fal_tensor *y, const fal_tensor *gy, const float *wanted)
{
    const float *v = y->data;
    float *g = gy->data;
    double sum = 0;
    for (int i = 0; i < PIXELS; i++) {
        const float difference = v[i] - wanted[i];
        sum += (double)difference * (double)difference;
        g[i] = 2 * difference / PIXELS;
    }
    return sum / PIXELS;
}

/* Every parameter one step down its gradient. */
static void descend(const network *n, float rate)
{
    for (int l = 0; l < LAYERS; l++) {
        fal_conv_layer *layer = n->stages[l].layer;
        for (int32_t p = 0; p < fal_conv_layer_parameter_count(layer); p++) {
            fal_tensor value, gradient;
            const char *name;
            check(fal_conv_layer_parameter(layer, p, &name, &value, &gradient, &error));
            float *v = value.data;
            const float *g = gradient.data;
            const int64_t count = fal_tensor_count(&value);
            for (int64_t i = 0; i < count; i++) v[i] -= rate * g[i];
        }
        fal_conv_layer_zero_grad(layer);
    }
}

static void release(network *n)
{
    for (int l = 0; l < LAYERS; l++) {
        fal_conv_layer_destroy(n->stages[l].layer);
        free(n->stages[l].y.data);
        free(n->stages[l].gy.data);
    }
    free(n->pooled.data);
    free(n->gradient_of_pooled.data);
}

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    static float clean[PIXELS], noisy[PIXELS];
    const int steps = argc > 1 ? atoi(argv[1]) : 200, every = steps < REPORTS ? 1 : steps / REPORTS;
    const fal_tensor x = FAL_TENSOR(noisy, FAL_F32, BATCH, 1, SIDE, SIDE);
    network n = make_network(&x);
    double seconds = 0, loss = 0;
    for (int step = 0; step < steps; step++) {
        draw_batch(clean, noisy);
        const double start = now();
        forward(&n, &x);
        loss = loss_of(&n.stages[3].y, &n.stages[3].gy, clean);
        backward(&n, &x);
        descend(&n, 0.2f);
        seconds += now() - start;
        if (step % every == 0) printf("step %4d   loss %.4f\n", step, loss);
    }
    printf("step %4d   loss %.4f   %.2f ms a step\n", steps - 1, loss, 1e3 * seconds / steps);
    release(&n);
    return 0;
}
