/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer_onednn.c: oneDNN 2, three times: on the caller's layout, on the layout that it likes best, and by
 * its Winograd.
 *
 * x, w and y are three memories, here called roles. Each has the caller's description, made of our
 * strides, and the primitive's, which is the same or is reached by a reorder. Reorders are never timed:
 * weights are reordered beforehand, as a program would; x and y are in "onednn" the caller's, and in the
 * other two whatever oneDNN chose, as if the layers before and after had chosen it too. Pooling and
 * up-sampling have no w.
 */
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "bench/peer.h"

enum { X, W, Y, ROLES };
typedef enum way { CALLERS_LAYOUT, OWN_LAYOUT, WINOGRAD } way;

typedef struct role {
    dnnl_memory_desc_t user_md;
    dnnl_memory_t user, own;  /* `own` is the primitive's; the same object when no reorder is needed */
    dnnl_primitive_t in, out; /* reorders, or NULL */
    int argument;
} role;

typedef struct dnn {
    const bench_problem *problem;
    way chosen;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    role roles[ROLES];
    int written; /* the role of the result */
    bool weights;
} dnn;

static bool ok(dnnl_status_t status)
{
    return status == dnnl_success;
}

static void release(void *state)
{
    dnn *d = state;
    for (int i = 0; i < ROLES; i++) {
        role *r = &d->roles[i];
        if (r->in != NULL) dnnl_primitive_destroy(r->in);
        if (r->out != NULL) dnnl_primitive_destroy(r->out);
        if (r->own != NULL && r->own != r->user) dnnl_memory_destroy(r->own);
        if (r->user != NULL) dnnl_memory_destroy(r->user);
    }
    if (d->primitive != NULL) dnnl_primitive_destroy(d->primitive);
    if (d->description != NULL) dnnl_primitive_desc_destroy(d->description);
    if (d->stream != NULL) dnnl_stream_destroy(d->stream);
    if (d->engine != NULL) dnnl_engine_destroy(d->engine);
    free(d);
}

/* ---- Our tensors in oneDNN's words ---- */

/* x or y: (n, c, space...) with the strides that our layout gives. */
static bool describe_image(const fal_tensor *t, fal_layout layout, dnnl_memory_desc_t *md)
{
    const bool last = layout == FAL_NHWC;
    const int c = last ? t->rank - 1 : 1, first = last ? 1 : 2;
    dnnl_dims_t dims = {t->shape[0], t->shape[c]}, strides = {t->strides[0], t->strides[c]};
    for (int a = 0; a < t->rank - 2; a++) {
        dims[2 + a] = t->shape[first + a];
        strides[2 + a] = t->strides[first + a];
    }
    return ok(dnnl_memory_desc_init_by_strides(md, t->rank, dims, dnnl_f32, strides));
}

/* w: (g, oc/g, ic/g, k...), also when transposed; without g where there is one group. */
static bool describe_weight(const fal_tensor *t, const fal_conv_geometry *g, dnnl_memory_desc_t *md)
{
    const bool last = g->layout == FAL_NHWC;
    const int outer = last ? t->rank - 1 : 0, inner = last ? t->rank - 2 : 1, first = last ? 0 : 2;
    const int oc = g->transposed ? inner : outer, ic = g->transposed ? outer : inner;
    const int lead = g->groups > 1;
    const int64_t per_group = t->shape[outer] / g->groups;
    dnnl_dims_t dims = {g->groups}, strides = {per_group * t->strides[outer]};
    dims[lead] = oc == outer ? per_group : t->shape[oc];
    dims[lead + 1] = ic == outer ? per_group : t->shape[ic];
    strides[lead] = t->strides[oc];
    strides[lead + 1] = t->strides[ic];
    for (int a = 0; a < t->rank - 2; a++) {
        dims[lead + 2 + a] = t->shape[first + a];
        strides[lead + 2 + a] = t->strides[first + a];
    }
    return ok(dnnl_memory_desc_init_by_strides(md, t->rank + lead, dims, dnnl_f32, strides));
}

static bool describe_roles(dnn *d)
{
    const bench_problem *p = d->problem;
    const fal_layout layout = p->params.layout;
    return describe_image(&p->operands.x, layout, &d->roles[X].user_md) &&
           (!d->weights || describe_weight(&p->operands.w, &p->geometry, &d->roles[W].user_md)) &&
           describe_image(&p->operands.y, layout, &d->roles[Y].user_md);
}

/* ---- The primitive ---- */

/* The same dimensions, with the layout left to oneDNN where `free`. */
static dnnl_memory_desc_t wish(const role *r, bool free)
{
    dnnl_memory_desc_t md = r->user_md;
    if (free) dnnl_memory_desc_init_by_tag(&md, md.ndims, md.dims, dnnl_f32, dnnl_format_tag_any);
    return md;
}

typedef struct window {
    dnnl_dims_t strides, dilates, begin, end;
} window;

static window window_of(const fal_conv_geometry *g)
{
    window v = {{0}, {0}, {0}, {0}};
    for (int a = 0; a < g->spatial; a++) {
        v.strides[a] = g->axis[a].stride;
        v.dilates[a] = g->axis[a].dilation - 1;
        v.begin[a] = g->axis[a].begin;
        v.end[a] = g->axis[a].end - g->axis[a].output_padding;
    }
    return v;
}

/* The forward convolution, which is also what the gradients ask for as a hint. */
static bool make_forward(const dnn *d, const dnnl_memory_desc_t md[ROLES], const window *v,
                         dnnl_primitive_desc_t *description)
{
    const bool winograd = d->chosen == WINOGRAD;
    if (d->problem->geometry.transposed) {
        dnnl_deconvolution_desc_t desc;
        return ok(dnnl_dilated_deconvolution_forward_desc_init(
                   &desc, dnnl_forward_inference,
                   winograd ? dnnl_deconvolution_winograd : dnnl_deconvolution_direct, &md[X], &md[W], NULL,
                   &md[Y], v->strides, v->dilates, v->begin, v->end)) &&
               ok(dnnl_primitive_desc_create(description, &desc, NULL, d->engine, NULL));
    }
    dnnl_convolution_desc_t desc;
    const bool training = d->problem->op != BENCH_CONV;
    return ok(dnnl_dilated_convolution_forward_desc_init(
               &desc, training ? dnnl_forward_training : dnnl_forward_inference,
               winograd ? dnnl_convolution_winograd : dnnl_convolution_direct, &md[X], &md[W], NULL, &md[Y],
               v->strides, v->dilates, v->begin, v->end)) &&
           ok(dnnl_primitive_desc_create(description, &desc, NULL, d->engine, NULL));
}

static bool make_pooling(const dnn *d, const dnnl_memory_desc_t *x, const dnnl_memory_desc_t *y,
                         dnnl_primitive_desc_t *description)
{
    const fal_pool_params *p = &d->problem->pool;
    const bool global = p->extent == FAL_POOL_GLOBAL;
    dnnl_dims_t kernel = {0}, strides = {0}, dilates = {0}, begin = {0}, end = {0};
    for (int a = 0; a < x->ndims - 2; a++) {
        kernel[a] = global ? x->dims[2 + a] : p->kernel[a];
        strides[a] = p->stride[a] != 0 ? p->stride[a] : kernel[a];
        dilates[a] = p->dilation[a] > 1 ? p->dilation[a] - 1 : 0;
        begin[a] = p->padding_begin[a];
        end[a] = p->padding_end[a];
    }
    dnnl_pooling_v2_desc_t desc;
    return p->padding == FAL_PADDING_EXPLICIT &&
           ok(dnnl_pooling_v2_forward_desc_init(&desc, dnnl_forward_inference,
                                                p->kind == FAL_POOL_MAX ? dnnl_pooling_max
                                                                        : dnnl_pooling_avg_include_padding,
                                                x, y, strides, kernel, dilates, begin, end)) &&
           ok(dnnl_primitive_desc_create(description, &desc, NULL, d->engine, NULL));
}

static bool make_resampling(const dnn *d, const dnnl_memory_desc_t *x, const dnnl_memory_desc_t *y,
                            dnnl_primitive_desc_t *description)
{
    dnnl_resampling_desc_t desc;
    return ok(dnnl_resampling_forward_desc_init(&desc, dnnl_forward_inference,
                                                d->problem->op == BENCH_UPSAMPLE ? dnnl_resampling_linear
                                                                                 : dnnl_resampling_nearest,
                                                NULL, x, y)) &&
           ok(dnnl_primitive_desc_create(description, &desc, NULL, d->engine, NULL));
}

/* What has no weights; oneDNN knows no Winograd for it. */
static bool make_plain(dnn *d)
{
    const bool free = d->chosen == OWN_LAYOUT;
    const dnnl_memory_desc_t x = wish(&d->roles[X], free), y = wish(&d->roles[Y], free);
    if (d->chosen == WINOGRAD) return false;
    switch (d->problem->op) {
    case BENCH_MAX_POOL:
    case BENCH_AVERAGE_POOL:
    case BENCH_GLOBAL_POOL: return make_pooling(d, &x, &y, &d->description);
    case BENCH_UPSAMPLE:
    case BENCH_UPSAMPLE_NEAREST: return make_resampling(d, &x, &y, &d->description);
    default: return false;
    }
}

static bool make_description(dnn *d)
{
    if (!d->weights) return make_plain(d);
    const bool free = d->chosen != CALLERS_LAYOUT;
    const dnnl_alg_kind_t algorithm =
        d->chosen == WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
    const dnnl_memory_desc_t md[ROLES] = {wish(&d->roles[X], free), wish(&d->roles[W], true),
                                          wish(&d->roles[Y], free)};
    const window v = window_of(&d->problem->geometry);
    const bench_operator op = d->problem->op;
    dnnl_primitive_desc_t forward = NULL;
    dnnl_convolution_desc_t desc;
    if (op == BENCH_CONV || op == BENCH_CONV_TRANSPOSE) return make_forward(d, md, &v, &d->description);
    if (!make_forward(d, md, &v, &forward)) return false;
    const bool described =
        op == BENCH_GRAD_INPUT
            ? ok(dnnl_dilated_convolution_backward_data_desc_init(&desc, algorithm, &md[X], &md[W], &md[Y],
                                                                  v.strides, v.dilates, v.begin, v.end))
            : ok(dnnl_dilated_convolution_backward_weights_desc_init(
                  &desc, algorithm, &md[X], &md[W], NULL, &md[Y], v.strides, v.dilates, v.begin, v.end));
    const bool made =
        described && ok(dnnl_primitive_desc_create(&d->description, &desc, NULL, d->engine, forward));
    dnnl_primitive_desc_destroy(forward);
    return made;
}

/* What each role is to the primitive: its argument and the question for its description. */
static void name_roles(dnn *d, dnnl_query_t query[ROLES])
{
    static const int plain[ROLES] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                     diff[ROLES] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST};
    static const dnnl_query_t plain_md[ROLES] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
                              diff_md[ROLES] = {dnnl_query_diff_src_md, dnnl_query_diff_weights_md,
                                                dnnl_query_diff_dst_md};
    const bench_operator op = d->problem->op;
    const bool gradient = op == BENCH_GRAD_INPUT || op == BENCH_GRAD_WEIGHT;
    d->written = !gradient ? Y : op == BENCH_GRAD_INPUT ? X : W;
    for (int i = 0; i < ROLES; i++) {
        const bool is_diff = gradient && (i == Y || i == d->written);
        d->roles[i].argument = is_diff ? diff[i] : plain[i];
        query[i] = is_diff ? diff_md[i] : plain_md[i];
    }
}

static bool make_reorder(const dnn *d, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                         dnnl_primitive_t *reorder)
{
    dnnl_primitive_desc_t description = NULL;
    const bool made =
        ok(dnnl_reorder_primitive_desc_create(&description, from, d->engine, to, d->engine, NULL)) &&
        ok(dnnl_primitive_create(reorder, description));
    if (description != NULL) dnnl_primitive_desc_destroy(description);
    return made;
}

static bool make_role(dnn *d, int i, dnnl_query_t query)
{
    role *r = &d->roles[i];
    const dnnl_memory_desc_t *own = dnnl_primitive_desc_query_md(d->description, query, 0);
    if (own == NULL || !ok(dnnl_memory_create(&r->user, &r->user_md, d->engine, DNNL_MEMORY_NONE)))
        return false;
    if (dnnl_memory_desc_equal(own, &r->user_md)) {
        r->own = r->user;
        return true;
    }
    return ok(dnnl_memory_create(&r->own, own, d->engine, DNNL_MEMORY_ALLOCATE)) &&
           (i == d->written ? make_reorder(d, own, &r->user_md, &r->out)
                            : make_reorder(d, &r->user_md, own, &r->in));
}

static bool reorder(const dnn *d, dnnl_primitive_t primitive, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    return primitive == NULL || (ok(dnnl_primitive_execute(primitive, d->stream, 2, arguments)) &&
                                 ok(dnnl_stream_wait(d->stream)));
}

static void place(void *state, const fal_operands *o)
{
    dnn *d = state;
    void *const data[ROLES] = {o->x.data, o->w.data, o->y.data};
    for (int i = 0; i < ROLES; i++) {
        if (d->roles[i].user == NULL) continue;
        dnnl_memory_set_data_handle(d->roles[i].user, data[i]);
        reorder(d, d->roles[i].in, d->roles[i].user, d->roles[i].own);
    }
}

static bool make(dnn *d)
{
    dnnl_query_t query[ROLES];
    name_roles(d, query);
    if (!ok(dnnl_engine_create(&d->engine, dnnl_cpu, 0)) ||
        !ok(dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags)) || !describe_roles(d) ||
        !make_description(d) || !ok(dnnl_primitive_create(&d->primitive, d->description)))
        return false;
    for (int i = 0; i < ROLES; i++)
        if ((d->weights || i != W) && !make_role(d, i, query[i])) return false;
    place(d, &d->problem->operands);
    return true;
}

static void *prepare(const bench_problem *problem, way chosen)
{
#ifdef _OPENMP
    omp_set_num_threads(problem->context.threads); /* oneDNN takes as many as OpenMP would */
#endif
    dnn *d = problem->offset.rank == 0 ? calloc(1, sizeof *d) : NULL; /* it knows no deformable one */
    if (d == NULL) return NULL;
    d->problem = problem;
    d->chosen = chosen;
    d->weights = problem->operands.w.rank > 0;
    if (make(d)) return d;
    release(d);
    return NULL;
}

static void *prepare_callers(const bench_problem *problem)
{
    return prepare(problem, CALLERS_LAYOUT);
}

static void *prepare_own(const bench_problem *problem)
{
    return prepare(problem, OWN_LAYOUT);
}

static void *prepare_winograd(const bench_problem *problem)
{
    return prepare(problem, WINOGRAD);
}

static bool run(void *state)
{
    const dnn *d = state;
    dnnl_exec_arg_t arguments[ROLES];
    int count = 0;
    for (int i = 0; i < ROLES; i++)
        if (d->roles[i].own != NULL)
            arguments[count++] = (dnnl_exec_arg_t){d->roles[i].argument, d->roles[i].own};
    return ok(dnnl_primitive_execute(d->primitive, d->stream, count, arguments)) &&
           ok(dnnl_stream_wait(d->stream));
}

static bool result(void *state)
{
    const dnn *d = state;
    const role *r = &d->roles[d->written];
    return reorder(d, r->out, r->own, r->user);
}

static void detail(void *state, char *text, size_t capacity)
{
    const dnn *d = state;
    const char *name = "";
    dnnl_primitive_desc_query(d->description, dnnl_query_impl_info_str, 0, (void *)&name);
    snprintf(text, capacity, "%s", name);
}

static void version(char *text, size_t capacity)
{
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, capacity, "%d.%d.%d", v->major, v->minor, v->patch);
}

const bench_peer bench_onednn = {.name = "onednn",
                                 .version = version,
                                 .prepare = prepare_callers,
                                 .place = place,
                                 .run = run,
                                 .result = result,
                                 .detail = detail,
                                 .release = release};
const bench_peer bench_onednn_any = {.name = "onednn-any",
                                     .version = version,
                                     .prepare = prepare_own,
                                     .place = place,
                                     .run = run,
                                     .result = result,
                                     .detail = detail,
                                     .release = release};
const bench_peer bench_onednn_winograd = {.name = "onednn-winograd",
                                          .version = version,
                                          .prepare = prepare_winograd,
                                          .place = place,
                                          .run = run,
                                          .result = result,
                                          .detail = detail,
                                          .release = release};
