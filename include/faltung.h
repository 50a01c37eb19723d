/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * faltung: convolution for C programs.
 *
 * Every convolution a neural network or a filter bank uses, exactly as PyTorch and ONNX define it,
 * on strided tensors that the caller owns. The library needs libc and libm, keeps no hidden state,
 * and never prints, aborts or exits. A complete program:
 *
 *     #include <faltung.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         float x[] = {1, 2, 3, 4}, w[] = {1, 0, 0, -1}, y[16];
 *         fal_error error = {0};
 *         fal_context context = {.error = &error};
 *         fal_conv_params params = {.stride = {2, 2}};
 *         fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 2, 2), tw = FAL_TENSOR(w, FAL_F32, 1, 1, 2, 2);
 *         fal_tensor ty = FAL_TENSOR(y, FAL_F32, 1, 1, 4, 4);
 *         if (fal_conv_transpose(&context, &tx, &tw, NULL, &params, &ty) != FAL_OK)
 *             return fprintf(stderr, "%s\n", error.found), 1;
 *         for (int i = 0; i < 16; i++) printf("%g%c", y[i], i % 4 == 3 ? '\n' : ' ');
 *         return 0;
 *     }
 *
 * Contents: 1 conventions, 2 status and errors, 3 tensors, 4 context, 5 parameters, 6 shapes,
 * 7 one-call operators, 8 plans, 9 reference, 10 lowerings, 11 arithmetic, 12 index map, 13 pooling,
 * 14 padding and up-sampling, 15 deformable, separable and integer convolution, 16 dialects,
 * 17 layers, 18 machine.
 */
#ifndef FALTUNG_H
#define FALTUNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FAL_VERSION_MAJOR  0
#define FAL_VERSION_MINOR  1
#define FAL_VERSION_PATCH  0
#define FAL_VERSION_STRING "0.1.0"

/* Only these names leave the shared library. */
#if defined(_WIN32) && !defined(FAL_STATIC)
#ifdef FAL_BUILDING
#define FAL_API __declspec(dllexport)
#else
#define FAL_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define FAL_API __attribute__((visibility("default")))
#else
#define FAL_API
#endif

/* ==== 1. Conventions =============================================================================
 *
 * Letters.  n batch; g groups; ic, oc input and output channels; i, o input and output size of an
 *           axis; k kernel taps; s stride; d dilation; p padding (begin, end). Sizes are elements
 *           unless a name ends in _bytes. Axis 0 of a spatial array is the slowest: (D, H, W),
 *           (H, W) or (L).
 * Zero.     In a parameter struct 0 means "not given" and takes the default written beside the
 *           field, so a zeroed struct is a valid one.
 * Layouts.  A layout names the order of a tensor's axes; strides are free in every layout.
 *             FAL_NCHW  input (n, c, space...)   weight (oc, ic/g, k...)   transposed (ic, oc/g, k...)
 *             FAL_NHWC  input (n, space..., c)   weight (k..., ic/g, oc)   transposed (k..., oc/g, ic)
 *           The number of spatial axes is the weight's rank minus 2. A tensor with one axis less
 *           is unbatched, and so is its result.
 * Memory.   The caller owns every buffer. No byte outside a tensor's elements is read or written.
 *           Pointers need the alignment of their element type, no more. Outputs must not overlap
 *           inputs; inputs may overlap each other.
 * Threads.  No function keeps state between calls. A plan is immutable and may run on many threads
 *           at once, each with a workspace of its own.
 * Errors.   Every fallible function returns a fal_status and, when given a fal_error, fills it.
 *           After a refused argument nothing has been written.
 * Padding.  A tap that falls on zero padding does not exist: an infinite weight there gives no NaN.
 */

/* ==== 2. Status and errors ======================================================================= */

/* Numbers are fixed for ever; new ones are only appended. fal_status_name() gives "E_SHAPE". */
typedef enum fal_status {
    FAL_OK = 0,
    FAL_E_NULL = 1,         /* a required pointer is NULL */
    FAL_E_HANDLE = 2,       /* a handle or packed buffer belongs to something else */
    FAL_E_VALUE = 3,        /* an enum or number out of its range */
    FAL_E_RANK = 4,         /* wrong number of axes */
    FAL_E_DIM = 5,          /* an axis has an impossible size */
    FAL_E_SHAPE = 6,        /* shapes that do not fit together */
    FAL_E_STRIDE = 7,       /* convolution stride */
    FAL_E_DILATION = 8,     /* convolution dilation */
    FAL_E_PADDING = 9,      /* padding, output padding, padding mode */
    FAL_E_GROUPS = 10,      /* groups do not divide the channels */
    FAL_E_KERNEL = 11,      /* kernel empty or larger than the padded input */
    FAL_E_DTYPE = 12,       /* element type unknown, mixed or not supported here */
    FAL_E_LAYOUT = 13,      /* tensor strides that cannot serve (overlap, read only, no such view) */
    FAL_E_OVERFLOW = 14,    /* a size does not fit 64 bits, or a result does not fit its type */
    FAL_E_ALIAS = 15,       /* an output overlaps another operand */
    FAL_E_ALIGN = 16,       /* a pointer is not aligned to its element type */
    FAL_E_BUFSIZE = 17,     /* a caller's buffer or array is too small */
    FAL_E_WORKSPACE = 18,   /* workspace missing or too small */
    FAL_E_LIMIT = 19,       /* above a limit that can be raised */
    FAL_E_NOMEM = 20,       /* the allocator returned NULL */
    FAL_E_UNSUPPORTED = 21, /* a valid request that this build cannot serve */
    FAL_E_THREADS = 22,     /* impossible number of threads */
    FAL_E_INTERNAL = 23,    /* a defect of the library: please report it */
    /* 40 to 59: the file readers and writers of the command. */
    FAL_E_IO = 40,         /* the operating system refused */
    FAL_E_TRUNCATED = 41,  /* the file ends before its data does */
    FAL_E_MAGIC = 42,      /* not a file of this kind */
    FAL_E_VERSION = 43,    /* a version of the format that is not known */
    FAL_E_HEADER = 44,     /* a header that breaks the format's rules */
    FAL_E_TRAILING = 45,   /* bytes after the end */
    FAL_E_DUPLICATE = 46,  /* a name given twice */
    FAL_E_OVERLAP = 47,    /* regions of a file overlap or leave holes */
    FAL_E_CHECKSUM = 48,   /* stored and computed checksum differ */
    FAL_E_COMPRESSED = 49, /* compressed data that cannot be read */
    FAL_E_BOMB = 50,       /* data that expands beyond what its header declares */
    FAL_E_NAME = 51,       /* a member name that is not allowed */
    FAL_E_NOTFOUND = 52,   /* no such file, member or tensor */
    FAL_E_ENCODING = 53,   /* text that is not in the format's character set */
    FAL_E_EXISTS = 54,     /* the output exists and overwriting was not asked for */
    FAL_E_USAGE = 60       /* a command line that cannot be understood */
} fal_status;

/* What went wrong, in parts, so that a program can use them and a person can read them. Texts are
 * printable ASCII without a final full stop, always terminated, cut when too long. */
typedef struct fal_error {
    fal_status status;
    char field[64];     /* the argument: "x", "stride[1]", "weights.npz:conv1" */
    char found[192];    /* "input has 6 channels, weight expects 8 (groups 2 x 4)" */
    char allowed[320];  /* "must be 1..2147483647", or empty when `found` says it all */
    char hint[160];     /* what to do, only when it is certain enough to say; else empty */
    char fix_field[32]; /* the parameter that the hint would set ("layout"), or empty */
    char fix_value[32]; /* and its value ("nhwc") */
} fal_error;

/* fal_error_message writes "found; allowed; hint" (the parts that are not empty) as one line, at
 * most `capacity` bytes with the final 0, and returns the length of the whole line without it. */
FAL_API size_t fal_error_message(const fal_error *error, char *text, size_t capacity);
/* "shapes do not fit together"; "unknown status" for a number that is none. Never NULL. */
FAL_API const char *fal_status_string(fal_status status);
/* "E_SHAPE"; "E_UNKNOWN" for a number that is none. Never NULL. */
FAL_API const char *fal_status_name(fal_status status);
/* FAL_VERSION_STRING of the library that is linked. */
FAL_API const char *fal_version(void);

/* ==== 3. Tensors ================================================================================= */

enum { FAL_MAX_RANK = 12, FAL_MAX_SPATIAL = 3 };

typedef enum fal_dtype {
    FAL_DTYPE_NONE = 0,
    FAL_F32 = 1,
    FAL_F64 = 2,
    FAL_F16 = 3,  /* IEEE binary16, stored as uint16_t */
    FAL_BF16 = 4, /* the upper half of a float32, stored as uint16_t */
    FAL_I8 = 5,
    FAL_U8 = 6,
    FAL_I16 = 7,
    FAL_I32 = 8,
    FAL_I64 = 9
} fal_dtype;

enum { FAL_READ_ONLY = 1 }; /* fal_tensor.flags: writing through this view is refused */

/* A strided view of memory that somebody else owns. `data` points at element [0, 0, ...]; element
 * [i, j, ...] lies (i*strides[0] + j*strides[1] + ...) elements further. Strides may be negative or
 * 0; the stride of an axis of size 1 is never used. */
typedef struct fal_tensor {
    void *data;
    fal_dtype dtype;
    int32_t rank;
    uint32_t flags;
    int64_t shape[FAL_MAX_RANK];
    int64_t strides[FAL_MAX_RANK];
} fal_tensor;

/* fal_tensor_of makes a row-major tensor. A bad type, rank or size gives a tensor whose dtype is
 * FAL_DTYPE_NONE, which every other function refuses. */
FAL_API fal_tensor fal_tensor_of(void *data, fal_dtype dtype, int32_t rank, const int64_t *shape);
#ifndef __cplusplus
/* FAL_TENSOR(data, FAL_F32, 1, 3, 224, 224): fal_tensor_of with the shape written out. */
#define FAL_TENSOR(data, dtype, ...)                                                              \
    fal_tensor_of((data), (dtype), (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
                  (int64_t[]){__VA_ARGS__})
#endif

FAL_API size_t fal_dtype_bytes(fal_dtype dtype);     /* bytes of one element; 0 when unknown */
FAL_API const char *fal_dtype_name(fal_dtype dtype); /* "f32", "bf16", "i8"; "none" */
FAL_API fal_dtype fal_dtype_parse(const char *name); /* also "float32", "uint8", ... */
FAL_API bool fal_dtype_is_integer(fal_dtype dtype);

/* fal_tensor_check refuses an unknown type, a rank outside 0..12, a negative size, and sizes or
 * strides whose products overflow. `name` is used in the message. */
FAL_API fal_status fal_tensor_check(const fal_tensor *t, const char *name, fal_error *error);
FAL_API int64_t fal_tensor_count(const fal_tensor *t);   /* elements; -1 when it overflows */
FAL_API bool fal_tensor_is_compact(const fal_tensor *t); /* row-major without gaps */
/* The lowest and one past the highest element offset from `data` that the view reaches. */
FAL_API fal_status fal_tensor_extent(const fal_tensor *t, int64_t *low, int64_t *high);
/* One element as a number; i64 values beyond 2^53 need fal_tensor_get_int. No bounds check. */
FAL_API double fal_tensor_get(const fal_tensor *t, const int64_t *index);
FAL_API int64_t fal_tensor_get_int(const fal_tensor *t, const int64_t *index);
FAL_API void fal_tensor_set(const fal_tensor *t, const int64_t *index, double value);
FAL_API void fal_tensor_set_int(const fal_tensor *t, const int64_t *index, int64_t value);

/* Views. Each writes a new view of the same memory to *out (which may be the input) and copies
 * nothing. O(rank). */
/* axes[j] is the input axis that becomes axis j. */
FAL_API fal_status fal_tensor_permute(const fal_tensor *t, const int32_t *axes, fal_tensor *out,
                                      fal_error *error);
/* Python's t[start:stop:step] on one axis, without its wrap-around: start, start+step, ... while
 * before stop. step may be negative; a stop of -1 then reaches element 0. */
FAL_API fal_status fal_tensor_slice(const fal_tensor *t, int32_t axis, int64_t start, int64_t stop,
                                    int64_t step, fal_tensor *out, fal_error *error);
/* The same elements in row-major order under another shape; FAL_E_LAYOUT when the strides do not
 * allow it without a copy. */
FAL_API fal_status fal_tensor_reshape(const fal_tensor *t, int32_t rank, const int64_t *shape,
                                      fal_tensor *out, fal_error *error);
/* (M, N, ...) with tile (a, b, ...) -> (M/a, N/b, ..., a, b, ...). Tiles must divide the sizes. */
FAL_API fal_status fal_tensor_tile(const fal_tensor *t, const int64_t *tile, fal_tensor *out,
                                   fal_error *error);
/* Sliding windows over `count` axes starting at axis `first`: (..., i, j, ...) -> the axes become
 * the window positions, and the window axes are inserted right after them, so that
 * (N,C,H,W) with first=2 gives (N,C,oh,ow,kh,kw) and (N,H,W,C) with first=1 (N,oh,ow,kh,kw,C).
 * stride and dilation may be NULL (all 1). The result is read only: its elements overlap. */
FAL_API fal_status fal_tensor_windows(const fal_tensor *t, int32_t first, int32_t count,
                                      const int64_t *kernel, const int64_t *stride, const int64_t *dilation,
                                      fal_tensor *out, fal_error *error);
/* Reverses one axis. */
FAL_API fal_status fal_tensor_flip(const fal_tensor *t, int32_t axis, fal_tensor *out, fal_error *error);
/* NumPy's broadcast rule: missing leading axes and axes of size 1 get stride 0. Read only. */
FAL_API fal_status fal_tensor_broadcast(const fal_tensor *t, int32_t rank, const int64_t *shape,
                                        fal_tensor *out, fal_error *error);
/* Splits `axis` of size groups*c into (groups, c) and swaps them: (..., c, groups, ...). Read in
 * order it is the channel shuffle. */
FAL_API fal_status fal_tensor_shuffle(const fal_tensor *t, int32_t axis, int64_t groups, fal_tensor *out,
                                      fal_error *error);

/* Copies. */
/* Copies between any two views of equal shape, converting the type: to an integer by rounding half
 * to even and saturating (NaN gives 0), between integers by saturating, to a narrower float by
 * rounding half to even. The views must not overlap. */
FAL_API fal_status fal_tensor_copy(const fal_tensor *src, const fal_tensor *dst, fal_error *error);
FAL_API fal_status fal_tensor_fill(const fal_tensor *t, double value, fal_error *error);
/* dst of size (i-1)*factor[a]+1 on every axis: the elements of src with factor-1 zeros between. */
FAL_API fal_status fal_tensor_zero_stuff(const fal_tensor *src, const int64_t *factor, const fal_tensor *dst,
                                         fal_error *error);

/* How an axis continues beyond its ends. Other libraries' names are beside it. Any reach is legal:
 * reflections and wraps repeat as often as needed. */
typedef enum fal_padding_mode {
    FAL_PAD_ZEROS = 0,
    FAL_PAD_REFLECT = 1,   /* c b | a b c d | c b    NumPy reflect, SciPy mirror, OpenCV REFLECT_101 */
    FAL_PAD_SYMMETRIC = 2, /* b a | a b c d | d c    NumPy symmetric, SciPy reflect, OpenCV REFLECT */
    FAL_PAD_REPLICATE = 3, /* a a | a b c d | d d    NumPy edge, SciPy nearest */
    FAL_PAD_CIRCULAR = 4,  /* c d | a b c d | a b    NumPy wrap */
    FAL_PAD_CONSTANT = 5   /* v v | a b c d | v v    with padding_value */
} fal_padding_mode;

/* fal_border_index gives the element of an axis of `size` that stands at `position`, which may lie
 * anywhere; -1 when none does (zeros and constant outside, or an empty axis). O(1). */
FAL_API int64_t fal_border_index(fal_padding_mode mode, int64_t position, int64_t size);
/* dst[i] = src extended by `mode`, on every axis begin[a] before; a negative begin crops. dst's shape
 * decides the end. Complexity O(count of dst). */
FAL_API fal_status fal_tensor_pad(const fal_tensor *src, const int64_t *begin, fal_padding_mode mode,
                                  double value, const fal_tensor *dst, fal_error *error);

/* ==== 4. Context ================================================================================= */

/* Memory. Both functions or neither; alignment is a power of two of at most 64. */
typedef struct fal_allocator {
    void *user;
    void *(*allocate)(void *user, size_t bytes, size_t alignment); /* NULL when there is none */
    void (*release)(void *user, void *memory, size_t bytes);
} fal_allocator;

/* Parallel-for. run() calls task(argument, index) exactly once for every index in 0..count-1, in
 * any order, on any threads, and returns when all have ended. count never exceeds `threads`. The
 * default, OpenMP, ends the process itself when it cannot get memory for its threads; a program that
 * must survive that brings an executor, or asks for one thread. */
typedef struct fal_executor {
    void *user;
    void (*run)(void *user, int32_t count, void (*task)(void *argument, int32_t index), void *argument);
} fal_executor;

/* Instruction sets, each including those before it. */
typedef enum fal_cpu_level {
    FAL_CPU_AUTO = 0,
    FAL_CPU_GENERIC = 1, /* the compiler's baseline: SSE2 on x86-64; NEON on 64-bit ARM, its only level */
    FAL_CPU_AVX2 = 2,    /* x86-64-v3: AVX2, FMA, F16C */
    FAL_CPU_AVX512 = 3   /* x86-64-v4: AVX-512 F, BW, DQ, VL, CD */
} fal_cpu_level;

/* What measuring found out, as text that can be kept: see section 8. */
typedef struct fal_wisdom fal_wisdom;

/* What a call may use. A NULL context and a zeroed one mean the defaults. The struct is the
 * caller's; it is read during a call and not kept, except that a plan keeps the allocator and the
 * executor. Give two threads two contexts, or leave `error` NULL. */
typedef struct fal_context {
    fal_allocator allocator;      /* default: the C library's */
    fal_executor executor;        /* default: OpenMP, or serial when built without it */
    int32_t threads;              /* default 0: the processors this process may use; 1..1024 */
    fal_cpu_level cpu;            /* default 0: the best; else a cap (never above the machine's) */
    uint64_t workspace_cap_bytes; /* default 0: no cap */
    double measure_seconds;       /* default 0: algorithms are chosen by estimates; else the best few are
                                     timed for about so long, per plan, in memory of the allocator */
    fal_wisdom *wisdom;           /* default NULL; asked before estimates, and told what was measured */
    double cycles_per_second;     /* of a core, to predict times with; default 0: cycles only */
    fal_error *error;             /* filled by a failing call */
} fal_context;

/* ==== 5. Parameters ============================================================================== */

typedef enum fal_layout { FAL_NCHW = 0, FAL_NHWC = 1 } fal_layout;

/* How much padding. K = d*(k-1)+1 is the effective kernel. */
typedef enum fal_padding {
    FAL_PADDING_EXPLICIT = 0,   /* padding_begin, padding_end */
    FAL_PADDING_VALID = 1,      /* none */
    FAL_PADDING_SAME = 2,       /* o = ceil(i/s), the odd element at the end (ONNX SAME_UPPER);
                                   transposed: o = i*s */
    FAL_PADDING_SAME_LOWER = 3, /* the same, the odd element at the beginning */
    FAL_PADDING_FULL = 4,       /* K-1 on both sides */
    FAL_PADDING_CAUSAL = 5      /* K-1 before, none after */
} fal_padding;

typedef enum fal_accuracy {
    FAL_ACCURACY_DEFAULT = 0,
    FAL_ACCURACY_STRICT = 1, /* each output one fixed-order sum over its receptive field */
    FAL_ACCURACY_FAST = 2
} fal_accuracy;

/* What becomes of a finished sum v = beta*y + bias + products, before it is rounded to y's type. A NaN
 * stays one. In the type of the sum: f32 for f16 and bf16. */
typedef enum fal_activation {
    FAL_ACTIVATION_NONE = 0,
    FAL_ACTIVATION_RELU = 1,       /* max(v, 0) */
    FAL_ACTIVATION_CLAMP = 2,      /* min(max(v, low), high) */
    FAL_ACTIVATION_LEAKY_RELU = 3, /* v > 0 ? v : slope*v */
    FAL_ACTIVATION_HARD_SWISH = 4  /* v * min(max(v + 3, 0), 6) / 6 */
} fal_activation;

/* Parameters of every operator with a window. One entry per spatial axis. */
typedef struct fal_conv_params {
    int64_t stride[FAL_MAX_SPATIAL];         /* default 1 */
    int64_t dilation[FAL_MAX_SPATIAL];       /* default 1 */
    int64_t padding_begin[FAL_MAX_SPATIAL];  /* default 0; negative crops */
    int64_t padding_end[FAL_MAX_SPATIAL];    /* default 0; negative crops */
    fal_padding padding;                     /* default: the two arrays above; a rule excludes them */
    fal_padding_mode padding_mode;           /* default zeros; transposed: zeros only */
    double padding_value;                    /* for FAL_PAD_CONSTANT */
    int64_t groups;                          /* default 1 */
    bool flip_kernel;                        /* true convolution instead of cross-correlation */
    fal_layout layout;                       /* default FAL_NCHW */
    int64_t output_padding[FAL_MAX_SPATIAL]; /* transposed only: default 0; < stride or < dilation */
    int64_t output_size[FAL_MAX_SPATIAL];    /* transposed only: default 0 = by the formula; else
                                                output_padding is derived from it */
    double beta;                             /* y = beta*y + result; default 0 (y is not read) */
    fal_activation activation;               /* forward operators only; integers: RELU and CLAMP, and
                                                only the result of it must fit y's type */
    double activation_low, activation_high;  /* CLAMP: low <= high; integers: whole numbers */
    double activation_slope;                 /* LEAKY_RELU: default 0 = 0.01 */
    fal_accuracy accuracy;
    const char *algorithm;           /* default NULL: any. Names of solvers, separated by commas: only these;
                                        "-name": not this one ("-winograd.f2x3,-winograd.f4x3") */
    bool reproducible;               /* the choice of solver, and with it the bits of an image's result, does
                                        not depend on the batch, packing, measuring or wisdom */
    int32_t spatial;                 /* unfold, fold: number of spatial axes; default rank-2 */
    int64_t kernel[FAL_MAX_SPATIAL]; /* unfold, fold: window size (others take the weight's) */
} fal_conv_params;

/* ==== 6. Shapes ================================================================================== */

/* One axis of a convolution or transposed convolution, every number resolved. As an argument, a
 * stride or dilation of 0 means 1 and is replaced by it. */
typedef struct fal_axis {
    int64_t input, kernel, stride, dilation, begin, end, output_padding, output;
} fal_axis;

/* A whole problem, resolved: what a call with these tensors would compute. */
typedef struct fal_conv_geometry {
    bool transposed;
    bool batched; /* false: tensors have no batch axis and n is 1 */
    int32_t spatial;
    int64_t n, groups, in_channels, out_channels; /* channels of all groups together */
    fal_axis axis[FAL_MAX_SPATIAL];
    fal_padding_mode padding_mode;
    bool flip_kernel;
    fal_layout layout;
} fal_conv_geometry;

/* fal_conv_describe checks shapes and parameters of conv (or its transpose) and resolves every
 * default. Only shapes are read; data may be NULL. This is the check every operator makes. */
FAL_API fal_status fal_conv_describe(bool transposed, const fal_tensor *x, const fal_tensor *w,
                                     const fal_conv_params *params, fal_conv_geometry *out, fal_error *error);
/* fal_conv_output_shape gives y with the right shape, x's type, row-major strides and no data. */
FAL_API fal_status fal_conv_output_shape(bool transposed, const fal_tensor *x, const fal_tensor *w,
                                         const fal_conv_params *params, fal_tensor *y, fal_error *error);

/* ==== 7. One-call operators ======================================================================
 *
 * Types: all operands share one type. f32, f64: computed in it. f16, bf16: accumulated in f32,
 * rounded once. Integers: exact; FAL_E_OVERFLOW when a result does not fit y's type, which may be
 * any integer type. `bias` has out_channels elements, or is NULL. Time O(n * oc * ic/g * k * o).
 * Each call plans, allocates a workspace from the context, runs and releases it. Its choice of solver counts
 * the packing of weights, that of a plan does not: equal bits of both need params.reproducible. */

/* y[n,oc,o] = beta*y + bias[oc] + sum over ic, t of x[n,ic, o*s + t*d - p] * w[oc,ic,t] */
FAL_API fal_status fal_conv(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                            const fal_tensor *bias, const fal_conv_params *params, const fal_tensor *y);
/* y[n,oc, i*s + t*d - p] += x[n,ic,i] * w[ic,oc,t], then bias everywhere. No zero is multiplied. */
FAL_API fal_status fal_conv_transpose(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                                      const fal_tensor *bias, const fal_conv_params *params,
                                      const fal_tensor *y);
/* Gradients of the two above for an incoming gradient gy of y's shape. Any of gx, gw, gb may be
 * NULL (not wanted); x is needed for gw and for the shape of gx, w for gx and the shape of gw. */
FAL_API fal_status fal_conv_grad(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                                 const fal_tensor *gy, const fal_conv_params *params, const fal_tensor *gx,
                                 const fal_tensor *gw, const fal_tensor *gb);
FAL_API fal_status fal_conv_transpose_grad(const fal_context *context, const fal_tensor *x,
                                           const fal_tensor *w, const fal_tensor *gy,
                                           const fal_conv_params *params, const fal_tensor *gx,
                                           const fal_tensor *gw, const fal_tensor *gb);

/* ==== 8. Plans ===================================================================================
 *
 * plan once, run often: execute allocates nothing, takes no lock and cannot fail on valid input.
 *
 *     fal_plan_create(&context, FAL_OP_CONV, &operands, &params, &plan);
 *     fal_plan_describe(plan, &info);                  // workspace_bytes, packed_bytes, solver
 *     fal_plan_pack_weights(plan, &w, packed);         // optional: packed_bytes of memory
 *     fal_plan_execute(plan, &operands, packed, workspace, info.workspace_bytes);
 *     fal_plan_destroy(plan);
 */
typedef enum fal_operator {
    FAL_OP_CONV = 0,
    FAL_OP_CONV_TRANSPOSE = 1,
    FAL_OP_CONV_GRAD_INPUT = 2,
    FAL_OP_CONV_GRAD_WEIGHT = 3,
    FAL_OP_CONV_TRANSPOSE_GRAD_INPUT = 4,
    FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT = 5
} fal_operator;

/* Operands keep their place in the layer; the operator says which of them is written.
 *   forward        reads x, w, bias            writes y
 *   grad input     reads y (the gradient), w   writes x (its gradient)
 *   grad weight    reads x, y (the gradient)   writes w (its gradient) and bias (its gradient)
 * A tensor whose rank and dtype are 0 is not given; only bias may be missing. For planning data may be
 * NULL, but weights that are given are looked at: kernels that are products of a column and a row have a
 * faster algorithm. For execution shapes and strides must be those of the plan. */
typedef struct fal_operands {
    fal_tensor x, w, bias, y;
} fal_operands;

typedef struct fal_plan fal_plan;

typedef struct fal_plan_info {
    const char *solver; /* "implicit-gemm" */
    const char *kernel; /* "f32 14x32 avx512" */
    int32_t problems;   /* canonical problems it was rewritten into (phases) */
    int32_t threads;
    size_t workspace_bytes;        /* for execute with packed == NULL */
    size_t workspace_packed_bytes; /* for execute with packed weights */
    size_t packed_bytes;           /* 0: this operator has no weights to pack */
    int64_t multiply_adds;         /* products the solver forms */
    double predicted_cycles;       /* of one execution with packed weights, on one thread */
    double predicted_seconds;      /* on the plan's threads; 0 without context.cycles_per_second */
} fal_plan_info;

enum { FAL_WORKSPACE_ALIGNMENT = 64 }; /* of workspace and packed weights */

FAL_API fal_status fal_plan_create(const fal_context *context, fal_operator op, const fal_operands *operands,
                                   const fal_conv_params *params, fal_plan **plan);
FAL_API void fal_plan_destroy(fal_plan *plan); /* NULL is fine */
FAL_API fal_status fal_plan_describe(const fal_plan *plan, fal_plan_info *info);
/* Writes packed_bytes bytes. The result serves every execute of this plan, on any thread. */
FAL_API fal_status fal_plan_pack_weights(const fal_plan *plan, const fal_tensor *w, void *packed,
                                         fal_error *error);
/* packed NULL: the weights in operands are packed into the workspace on every call. Otherwise
 * operands.w.data is not read. */
FAL_API fal_status fal_plan_execute(const fal_plan *plan, const fal_operands *operands, const void *packed,
                                    void *workspace, size_t workspace_bytes, fal_error *error);
/* A text for people: candidates, the chosen one, the refused ones and why, memory, operations.
 * Returns the length of the whole text; writes at most `capacity` bytes with the final 0. */
FAL_API size_t fal_plan_explain(const fal_plan *plan, char *text, size_t capacity);

/* What became of a solver in the choice for one canonical problem. */
typedef enum fal_verdict {
    FAL_VERDICT_CHOSEN = 0,
    FAL_VERDICT_SLOWER = 1,   /* by its estimate, or as measured */
    FAL_VERDICT_EXCLUDED = 2, /* by params.algorithm or the workspace cap */
    FAL_VERDICT_REFUSED = 3   /* it does not compute this problem */
} fal_verdict;

typedef struct fal_plan_candidate {
    const char *solver;
    fal_verdict verdict;
    double predicted_cycles; /* on one thread; 0: none */
    double measured_seconds; /* 0: not measured */
    char reason[160];        /* of the verdict: "only f32", "measured", "by wisdom" */
} fal_plan_candidate;

/* Solver `number` (from 0) in the choice for problem `problem`; FAL_E_VALUE past the last of either. */
FAL_API fal_status fal_plan_candidate_at(const fal_plan *plan, int32_t problem, int32_t number,
                                         fal_plan_candidate *candidate);

/* Wisdom: which solver measuring chose for which problem, type and strides on which machine (processor,
 * caches, instruction set, version of the library), whatever the number of threads. As text it is one
 * line per entry, and texts of several machines may be joined. Plans that only ask it may do so on many
 * threads at once; nobody else may use it during a plan that measures, or during an import. */
FAL_API fal_status fal_wisdom_create(const fal_context *context, fal_wisdom **wisdom);
FAL_API void fal_wisdom_destroy(fal_wisdom *wisdom); /* NULL is fine; after the last use by a context */
/* Adds the entries of a text. Of two for the same problem the one with the shorter time stays, so that
 * the order of merging does not matter. Lines that are none, or whose checksum is wrong, are passed over
 * and counted in *ignored (may be NULL). */
FAL_API fal_status fal_wisdom_import(fal_wisdom *wisdom, const char *text, int64_t *ignored,
                                     fal_error *error);
/* The entries in the order of their text. Returns the length of the whole text; writes at most
 * `capacity` bytes with the final 0. */
FAL_API size_t fal_wisdom_export(const fal_wisdom *wisdom, char *text, size_t capacity);
FAL_API fal_status fal_wisdom_merge(fal_wisdom *wisdom, const fal_wisdom *other, fal_error *error);
FAL_API int64_t fal_wisdom_count(const fal_wisdom *wisdom); /* entries */

/* ==== 9. Reference ===============================================================================
 *
 * The specification: one plain loop nest per operator, accumulating in double (integers in 128
 * bits). Slow on purpose. operands and op as for plans. No context: it is serial and allocates
 * nothing. */
FAL_API fal_status fal_reference(fal_operator op, const fal_operands *operands, const fal_conv_params *params,
                                 fal_error *error);
/* The gauge beside it: the written operand receives sum |x||w| + |bias|, times the greatest slope of the
 * activation, and `terms` (same shape, FAL_I64, may be a zeroed tensor) the number of products of each
 * element. */
FAL_API fal_status fal_reference_gauge(fal_operator op, const fal_operands *operands,
                                       const fal_conv_params *params, const fal_tensor *terms,
                                       fal_error *error);

/* ==== 10. Lowerings ==============================================================================
 *
 * Convolution as matrices. K = product of the kernel, P = number of windows. */

/* unfold (im2col): nchw (n, c*K, P), c slowest; nhwc (n, P, K*c), c fastest. cols may have any
 * strides, so windows as rows or as columns is a permuted view. Every padding mode. */
FAL_API fal_status fal_unfold_shape(const fal_tensor *x, const fal_conv_params *params, fal_tensor *cols,
                                    fal_error *error);
FAL_API fal_status fal_unfold(const fal_tensor *x, const fal_conv_params *params, const fal_tensor *cols,
                              fal_error *error);
/* fold (col2im): the adjoint of unfold: overlapping windows are summed. x's shape is given by the caller. */
FAL_API fal_status fal_fold(const fal_tensor *cols, const fal_conv_params *params, const fal_tensor *x,
                            fal_error *error);
/* The im2col view: nchw (n, c, o..., k...), nhwc (n, o..., k..., c). Needs no padding beyond a crop. */
FAL_API fal_status fal_unfold_view(const fal_tensor *x, const fal_conv_params *params, fal_tensor *view,
                                   fal_error *error);

/* One non-zero of the kernel matrix. */
typedef struct fal_matrix_entry {
    int64_t row, column; /* flattened (channel, space) output and input index of one image */
    int64_t weight;      /* element number of the weight in row-major order of its shape */
} fal_matrix_entry;

/* The kernel matrix F of a geometry: vec(y) = F vec(x) for one image; vec() flattens in the layout's
 * own axis order. Border modes other than zeros add up entries of the same place; constant borders
 * are the same as zeros (they act as a bias). Shape (oc*o, ic*i). */
FAL_API fal_status fal_matrix_shape(const fal_conv_geometry *geometry, int64_t *rows, int64_t *columns,
                                    int64_t *entries, fal_error *error);
/* Entries sorted by row, then column, then weight; `capacity` must hold them all. */
FAL_API fal_status fal_matrix_sparse(const fal_conv_geometry *geometry, fal_matrix_entry *entries,
                                     int64_t capacity, int64_t *count, fal_error *error);
/* Adds the entries' weights into the rank-2 tensor `matrix` (filled with zeros first). */
FAL_API fal_status fal_matrix_dense(const fal_conv_geometry *geometry, const fal_tensor *w,
                                    const fal_tensor *matrix, fal_error *error);
/* c = a b on rank-2 tensors of one type, tile by tile. */
FAL_API fal_status fal_matmul(const fal_tensor *a, const fal_tensor *b, const fal_tensor *c,
                              fal_error *error);

/* ==== 11. Arithmetic =============================================================================
 *
 * Integers only, 64 bits, checked: FAL_E_OVERFLOW instead of a wrong number. Sources: Dumoulin and
 * Visin, "A guide to convolution arithmetic for deep learning" (2016); Araujo et al., "Computing
 * receptive fields" (Distill, 2019). */

/* K = d*(k-1)+1 */
FAL_API fal_status fal_effective_kernel(int64_t kernel, int64_t dilation, int64_t *effective,
                                        fal_error *error);
/* axis->output = floor((i + begin + end - K)/s) + 1; FAL_E_KERNEL when the kernel does not fit. */
FAL_API fal_status fal_conv_size(fal_axis *axis, fal_error *error);
/* axis->output = (i-1)*s - begin - end + K + output_padding; FAL_E_SHAPE when below 1 (an empty
 * input gives 0). */
FAL_API fal_status fal_conv_transpose_size(fal_axis *axis, fal_error *error);
/* As fal_conv_size; with ceil_mode rounded up, but a last window that would start in the end
 * padding is dropped (PyTorch). */
FAL_API fal_status fal_pool_size(fal_axis *axis, bool ceil_mode, fal_error *error);
/* Fills begin and end from the rule; also output_padding for transposed `same`. */
FAL_API fal_status fal_padding_resolve(fal_axis *axis, fal_padding rule, bool transposed, fal_error *error);
/* Sets output_padding so that the transposed output is `wanted`; refuses what no value below
 * max(stride, dilation) gives, and says which sizes can be had. */
FAL_API fal_status fal_output_padding_for(fal_axis *axis, int64_t wanted, fal_error *error);
/* ONNX ConvTranspose's output_shape: the pads that give it. `upper`: the odd element at the end
 * (auto_pad SAME_UPPER); else at the beginning (NOTSET, SAME_LOWER). */
FAL_API fal_status fal_onnx_output_shape(fal_axis *axis, int64_t wanted, bool upper, fal_error *error);
/* ONNX's auto_pad words: "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER". */
FAL_API fal_status fal_onnx_auto_pad(const char *word, fal_padding *rule, fal_error *error);
/* The transposed convolution that maps conv's output size back to its input size. */
FAL_API fal_status fal_associated_transpose(const fal_axis *conv, fal_axis *transposed, fal_error *error);

/* A layer of a stack along one axis. */
typedef struct fal_layer {
    int64_t kernel, stride, dilation, begin, end; /* 0: kernel, stride, dilation 1 */
    bool transposed;
} fal_layer;

/* What one output of a layer sees of the stack's input. Output o sees the positions
 * start + o*jump ... start + o*jump + size - 1. Rational: a transposed layer divides the jump, so
 * jump, start and centre are numerators over `denominator`. */
typedef struct fal_field {
    int64_t size;         /* positions; for a transposed layer an upper bound over its phases */
    int64_t denominator;  /* of the three below; 1 without transposed layers */
    int64_t jump, start;  /* times denominator */
    int64_t centre_twice; /* 2 * centre of output 0, times denominator */
} fal_field;

/* fields[l] describes the output of layer l. O(count). */
FAL_API fal_status fal_receptive_field(const fal_layer *layers, int32_t count, fal_field *fields,
                                       fal_error *error);

/* counts[o] (axis->output entries) = taps that read a real input for output o. */
FAL_API fal_status fal_coverage_outputs(const fal_axis *axis, bool transposed, int64_t *counts,
                                        fal_error *error);
/* counts[i] (axis->input entries) = (output, tap) pairs that read input i. */
FAL_API fal_status fal_coverage_inputs(const fal_axis *axis, bool transposed, int64_t *counts,
                                       fal_error *error);

typedef struct fal_counts {
    int64_t parameters;                              /* weights, and biases if asked */
    int64_t multiply_adds;                           /* as the field counts: padding included */
    int64_t real_multiply_adds;                      /* products with a real input only */
    int64_t input_bytes, weight_bytes, output_bytes; /* weight_bytes includes the bias */
} fal_counts;
FAL_API fal_status fal_conv_counts(const fal_conv_geometry *geometry, fal_dtype dtype, bool bias,
                                   fal_counts *out, fal_error *error);

/* fal_solve lists the parameter sets of one axis that give `output` from `input`. A field of the
 * query that is 0 (begin, end, output_padding: -1) is free, else fixed. Simplest first: no output
 * padding, symmetric padding, least padding, smallest dilation, stride and odd kernel. Free padding
 * runs over 0..K-1 on each side. More than 2^26 candidates give FAL_E_LIMIT. */
typedef struct fal_solve_query {
    fal_axis axis; /* input and output are required */
    bool transposed;
    int64_t max_kernel;   /* default 0 = 11 */
    int64_t max_stride;   /* default 0 = 8 */
    int64_t max_dilation; /* default 0 = 1 */
} fal_solve_query;
/* Writes up to `capacity` solutions and the whole number to *count. */
FAL_API fal_status fal_solve(const fal_solve_query *query, fal_axis *solutions, int64_t capacity,
                             int64_t *count, fal_error *error);

/* ==== 12. Index map ==============================================================================
 *
 * Which input cells and weight taps meet in which output cell. Everything faltung explains, prints
 * as a matrix or draws comes from here. In these functions a NULL list only counts; a list that is
 * too short gives FAL_E_BUFSIZE and is left alone. */

/* One meeting on one axis. */
typedef struct fal_tap {
    int64_t tap;      /* 0..k-1, in the weight's own order (flip_kernel already applied) */
    int64_t position; /* on the extended input axis; outside 0..i-1 it is border */
    int64_t index;    /* the input cell that stands there, or -1 when none does */
} fal_tap;

/* All taps of output `o` of one axis, by ascending tap of the walk; at most axis->kernel entries.
 * For a transposed axis only taps that meet a real input are listed. */
FAL_API fal_status fal_axis_taps(const fal_axis *axis, bool transposed, fal_padding_mode mode, bool flip,
                                 int64_t o, fal_tap *taps, int64_t capacity, int64_t *count,
                                 fal_error *error);
/* The inverse: which output and tap read input cell i (border copies included). `outputs[j]` pairs with
 * `taps[j]`. */
FAL_API fal_status fal_axis_readers(const fal_axis *axis, bool transposed, fal_padding_mode mode, bool flip,
                                    int64_t i, int64_t *outputs, fal_tap *taps, int64_t capacity,
                                    int64_t *count, fal_error *error);

/* One product of an output element. */
typedef struct fal_term {
    int64_t ic;                        /* input channel, of all groups */
    int64_t input[FAL_MAX_SPATIAL];    /* input cell; -1 on an axis where it is border */
    int64_t position[FAL_MAX_SPATIAL]; /* position on the extended axes */
    int64_t tap[FAL_MAX_SPATIAL];
    bool inside; /* false: a border tap without a cell */
} fal_term;

/* All terms of output element (oc, o...), channel slowest, in the order the reference adds them. */
FAL_API fal_status fal_conv_terms(const fal_conv_geometry *geometry, int64_t oc, const int64_t *o,
                                  fal_term *terms, int64_t capacity, int64_t *count, fal_error *error);

/* ==== 13. Pooling ================================================================================
 *
 * One function and one gradient for all windows that have no weights. Padding never competes, adds
 * nothing and is never an index. Float types and, for max and average, integers (average: exact sum,
 * division truncated as in C). A window without a single input cell gives -infinity (the type's least
 * integer) and index -1 for max, 0 for the others. Sums run in double and are rounded once; an average
 * adds up each row of a window (the last axis), and then the rows. */

typedef enum fal_pool_kind {
    FAL_POOL_MAX = 0,     /* ties: first; NaN wins, of several the last; as PyTorch */
    FAL_POOL_AVERAGE = 1, /* sum / divisor, see exclude_padding, divisor */
    FAL_POOL_LP = 2       /* (sum |x|^norm)^(1/norm) over the cells that exist; norm may be INFINITY */
} fal_pool_kind;

/* Where an index of max pooling counts from. */
typedef enum fal_index_mode {
    FAL_INDEX_PLANE = 0, /* within the (unpadded) plane of one image and channel: PyTorch */
    FAL_INDEX_TENSOR = 1 /* within the whole tensor: ONNX */
} fal_index_mode;

/* How the windows lie. */
typedef enum fal_pool_extent {
    FAL_POOL_WINDOW = 0,   /* kernel, stride, dilation, padding */
    FAL_POOL_ADAPTIVE = 1, /* output_size; window o is floor(o*i/O) .. ceil((o+1)*i/O) - 1 */
    FAL_POOL_GLOBAL = 2    /* all of every axis after the second (nhwc: between first and last) */
} fal_pool_extent;

typedef struct fal_pool_params {
    fal_pool_kind kind;
    fal_pool_extent extent;
    int32_t spatial;                        /* default: rank of x minus 2 */
    int64_t kernel[FAL_MAX_SPATIAL];        /* FAL_POOL_WINDOW: required */
    int64_t stride[FAL_MAX_SPATIAL];        /* default: the kernel */
    int64_t dilation[FAL_MAX_SPATIAL];      /* default 1 */
    int64_t padding_begin[FAL_MAX_SPATIAL]; /* default 0, not negative */
    int64_t padding_end[FAL_MAX_SPATIAL];
    fal_padding padding;                  /* default: the two arrays above */
    int64_t output_size[FAL_MAX_SPATIAL]; /* FAL_POOL_ADAPTIVE: default 0 = the input's size */
    bool ceil_mode;                       /* fal_pool_size's rule */
    bool exclude_padding;                 /* average: divide by the cells that exist; default: by the
                                             window clipped to input and padding (PyTorch) */
    int64_t divisor;                      /* average: default 0 = as above; else this number */
    double norm;                          /* Lp: default 0 = 2; > 0 */
    fal_index_mode index_mode;
    bool column_major; /* index: ONNX storage_order 1, the last axis slowest */
    fal_layout layout;
} fal_pool_params;

/* y with the right shape, x's type and no data. */
FAL_API fal_status fal_pool_output_shape(const fal_tensor *x, const fal_pool_params *params, fal_tensor *y,
                                         fal_error *error);
/* `indices`: FAL_I64 of y's shape for max pooling, or NULL. */
FAL_API fal_status fal_pool(const fal_context *context, const fal_tensor *x, const fal_pool_params *params,
                            const fal_tensor *y, const fal_tensor *indices);
/* gx for gy of y's shape. x is read for max (the same cell as forward gets all) and Lp (0 where the
 * norm is 0). */
FAL_API fal_status fal_pool_grad(const fal_context *context, const fal_tensor *x, const fal_tensor *gy,
                                 const fal_pool_params *params, const fal_tensor *gx);
/* y[indices[o]] = x[o], zeros elsewhere; a cell named twice keeps the last in row-major order. y's
 * shape is the caller's; params gives layout, spatial, index_mode and column_major. An index outside
 * is refused (FAL_E_VALUE) before anything is written. With FAL_INDEX_TENSOR the indices count in a
 * tensor of `index_shape` (NULL: y's shape) whose cells keep their place in y. */
FAL_API fal_status fal_max_unpool(const fal_context *context, const fal_tensor *x, const fal_tensor *indices,
                                  const fal_pool_params *params, const int64_t *index_shape,
                                  const fal_tensor *y);
FAL_API fal_status fal_max_unpool_grad(const fal_context *context, const fal_tensor *indices,
                                       const fal_tensor *gy, const fal_pool_params *params,
                                       const int64_t *index_shape, const fal_tensor *gx);

/* ==== 14. Padding and up-sampling ================================================================ */

/* The adjoint of fal_tensor_pad: gx[cell] = sum of gy over the positions that show the cell. */
FAL_API fal_status fal_tensor_pad_grad(const fal_tensor *gy, const int64_t *begin, fal_padding_mode mode,
                                       const fal_tensor *gx, fal_error *error);

typedef enum fal_upsample_mode { FAL_UPSAMPLE_BILINEAR = 0, FAL_UPSAMPLE_NEAREST = 1 } fal_upsample_mode;

/* Which input position an output stands on; i and o are the sizes. */
typedef enum fal_coordinates {
    FAL_HALF_PIXEL = 0, /* (x + 1/2)*i/o - 1/2, clamped: PyTorch align_corners=False; nearest: floor(x*i/o) */
    FAL_ALIGN_CORNERS = 1,  /* x*(i-1)/(o-1) */
    FAL_TRANSPOSED_CONV = 2 /* the transposed convolution with stride s = o/i (rounded up) and the
                               triangle kernel 1-|t|/s, padding s-1: inputs stay at multiples of s, the
                               ends fade to the zeros outside; o is s*(i-1)+1 or s*i */
} fal_coordinates;

typedef struct fal_upsample_params {
    fal_upsample_mode mode;
    fal_coordinates coordinates;
    int32_t spatial; /* default: rank of x minus 2 */
    fal_layout layout;
} fal_upsample_params;

/* Linear along 1 to 3 axes (bilinear in the plane). The sizes of x and y decide the factor. */
FAL_API fal_status fal_upsample(const fal_context *context, const fal_tensor *x,
                                const fal_upsample_params *params, const fal_tensor *y);
FAL_API fal_status fal_upsample_grad(const fal_context *context, const fal_tensor *gy,
                                     const fal_upsample_params *params, const fal_tensor *gx);

/* ==== 15. Deformable, separable and integer convolution ========================================== */

/* Deformable convolution in 2-D, version 1 (no mask) and 2. With K = kh*kw taps and q offset groups:
 *   offset (n, q*2*K, oh, ow)   channel 2*t of a group is dy of tap t, 2*t + 1 is dx
 *   mask   (n, q*K, oh, ow)     factor of each sample; missing: 1
 * A tap samples x bilinearly at (o*s - p + t*d + dy, ...); cells outside are the number 0, so that, unlike
 * a tap on zero padding, they do meet the weight. The layout orders the
 * axes of all tensors alike. Missing tensors have rank and dtype 0. Source: Dai et al. 2017, Zhu et
 * al. 2019; torchvision's deform_conv2d. */
typedef struct fal_deform_operands {
    fal_tensor x, offset, mask, w, bias, y;
} fal_deform_operands;

/* params: stride, dilation, padding, groups, layout, beta, activation; offset_groups: 0 = 1. */
FAL_API fal_status fal_deform_conv(const fal_context *context, const fal_deform_operands *operands,
                                   const fal_conv_params *params, int64_t offset_groups);
/* operands.y is the incoming gradient. Every tensor of `gradients` that is given is written (y is
 * ignored). Where the slope of a sample jumps, at whole positions, the gradient of the offset takes the
 * slope toward growing y and x; outside the open interval (-1, size) it is 0. */
FAL_API fal_status fal_deform_conv_grad(const fal_context *context, const fal_deform_operands *operands,
                                        const fal_conv_params *params, int64_t offset_groups,
                                        const fal_deform_operands *gradients);
FAL_API fal_status fal_deform_conv_reference(const fal_deform_operands *operands,
                                             const fal_conv_params *params, int64_t offset_groups,
                                             fal_error *error);

/* Depthwise, then pointwise (1x1), each with its own bias or NULL. params belong to the depthwise
 * convolution, but for beta and activation, which concern y; its groups are the channels of x. */
typedef struct fal_separable_operands {
    fal_tensor x, depthwise, depthwise_bias, pointwise, pointwise_bias, y;
} fal_separable_operands;
FAL_API fal_status fal_separable_output_shape(const fal_separable_operands *operands,
                                              const fal_conv_params *params, fal_tensor *y, fal_error *error);
FAL_API fal_status fal_separable_conv(const fal_context *context, const fal_separable_operands *operands,
                                      const fal_conv_params *params);
/* operands.y is the incoming gradient; given tensors of `gradients` are written. */
FAL_API fal_status fal_separable_conv_grad(const fal_context *context, const fal_separable_operands *operands,
                                           const fal_conv_params *params,
                                           const fal_separable_operands *gradients);

/* ONNX ConvInteger: y = sum (x - x_zero)*(w - w_zero), exact in 32 bits; padding holds x_zero and so
 * adds 0. x and w are i8 or u8 each, y is i32. w_zero: NULL, one element, or out_channels of w's type. */
FAL_API fal_status fal_conv_integer(const fal_context *context, const fal_tensor *x, int32_t x_zero,
                                    const fal_tensor *w, const fal_tensor *w_zero,
                                    const fal_conv_params *params, const fal_tensor *y);

/* ==== 16. Dialects ===============================================================================
 *
 * The same words mean different things in different frameworks; a dialect turns them into the numbers of
 * fal_axis. */

typedef enum fal_dialect {
    FAL_DIALECT_TORCH = 0,
    FAL_DIALECT_TENSORFLOW = 1, /* and Keras */
    FAL_DIALECT_ONNX = 2,
    FAL_DIALECT_JAX = 3,
    FAL_DIALECT_CAFFE = 4,
    FAL_DIALECT_SCIPY_CONVOLVE = 5,
    FAL_DIALECT_SCIPY_CORRELATE = 6,
    FAL_DIALECT_SCIPY_CONVOLVE2D = 7,
    FAL_DIALECT_SCIPY_CORRELATE2D = 8,
    FAL_DIALECT_NDIMAGE_CONVOLVE = 9,
    FAL_DIALECT_NDIMAGE_CORRELATE = 10,
    FAL_DIALECT_MATLAB = 11,
    FAL_DIALECT_OPENCV = 12,
    FAL_DIALECTS = 13
} fal_dialect;

/* What a program of that framework says about one axis. */
typedef struct fal_dialect_request {
    fal_dialect dialect;
    int32_t version; /* ONNX: the opset, default 0 = newest; others: 0 */
    bool transposed, pooling, ceil_mode;
    fal_axis axis;       /* input, kernel, stride, dilation in the framework's own counting, 0 where its own
                            default is meant; begin, end when `padding` is "explicit" or NULL; output_padding;
                            output: the wanted size of a transposed convolution (output_shape of ONNX and
                            TensorFlow, output_size of PyTorch), else 0 */
    const char *padding; /* "same", "valid", "full", "SAME_UPPER", "NOTSET", ...: the framework's word, in any
                            case; NULL: the numbers, or the default of a framework that takes none */
} fal_dialect_request;

typedef struct fal_dialect_answer {
    fal_axis axis;    /* as this library says it, output included */
    bool ceil_mode;   /* pooling: the output is fal_pool_size's, rounded up */
    bool flip_kernel; /* the framework's function is a true convolution, or an unmirrored transposed one:
                         what fal_conv_params.flip_kernel must be */
    fal_padding_mode border; /* what the framework puts outside by default */
    int64_t shift_twice; /* twice the distance, in input pixels, from cell 0, where a centred kernel has its
                            middle for output 0, to where this one has it; positive: to the right.
                            Transposed: the block of input 0, in output pixels */
    char note[160];      /* what a porter should know, or empty */
} fal_dialect_answer;

FAL_API fal_status fal_dialect_resolve(const fal_dialect_request *request, fal_dialect_answer *answer,
                                       fal_error *error);
FAL_API const char *fal_dialect_name(fal_dialect dialect); /* "torch", "tf", "scipy.correlate2d" */
FAL_API fal_status fal_dialect_parse(const char *name, fal_dialect *out, fal_error *error);
/* The order of a weight's axes: shows a framework's weight in this library's NCHW order (a view). Taps
 * keep their order: see flip_kernel.
 *   PyTorch, ONNX, Caffe   conv (oc, ic/g, k...)   transposed (ic, oc/g, k...)
 *   TensorFlow             conv (k..., ic/g, oc)   transposed (k..., oc/g, ic)
 *   JAX (Flax's order)     conv (k..., ic/g, oc)   transposed (k..., ic, oc/g)
 *   SciPy, MATLAB, OpenCV  (k...), shown as (1, 1, k...)
 * `depthwise`: TensorFlow's (k..., c, multiplier), shown as (c, multiplier, 1, k...), one axis more, which
 * becomes (c*multiplier, 1, k...) on copying; elsewhere a depthwise weight is a grouped one. */
FAL_API fal_status fal_dialect_weight(fal_dialect dialect, bool transposed, bool depthwise,
                                      const fal_tensor *weight, fal_tensor *out, fal_error *error);

/* ==== 17. Layers =================================================================================
 *
 * Objects that own a weight and a bias, initialised as PyTorch's modules are: Kaiming-uniform with
 * a = sqrt(5), so weight and bias are uniform in +-1/sqrt(ic/g * taps) (transposed: oc/g * taps), from
 * a seed. Float32 or float64. Their parameters have PyTorch's names, for files. */

typedef struct fal_conv_layer_options {
    int64_t in_channels, out_channels; /* required */
    int32_t spatial;                   /* 1 to 3; required */
    int64_t kernel[FAL_MAX_SPATIAL];   /* required */
    fal_conv_params params;            /* stride, padding, dilation, groups, padding mode, layout ... */
    bool no_bias;
    fal_dtype dtype; /* default FAL_F32 */
    uint64_t seed;
} fal_conv_layer_options;

typedef struct fal_conv_layer fal_conv_layer;

FAL_API fal_status fal_conv_layer_create(const fal_context *context, const fal_conv_layer_options *options,
                                         fal_conv_layer **layer);
FAL_API fal_status fal_conv_transpose_layer_create(const fal_context *context,
                                                   const fal_conv_layer_options *options,
                                                   fal_conv_layer **layer);
/* A depthwise and a pointwise convolution; out_channels are the pointwise ones, params.groups is ignored. */
FAL_API fal_status fal_separable_layer_create(const fal_context *context,
                                              const fal_conv_layer_options *options, fal_conv_layer **layer);
FAL_API void fal_conv_layer_destroy(fal_conv_layer *layer); /* NULL is fine */

/* A parameter or its gradient by number: "weight", "bias"; separable: "depthwise.weight", ... The
 * tensors are views of the layer's memory and may be written. */
FAL_API int32_t fal_conv_layer_parameter_count(const fal_conv_layer *layer);
FAL_API fal_status fal_conv_layer_parameter(const fal_conv_layer *layer, int32_t number, const char **name,
                                            fal_tensor *value, fal_tensor *gradient, fal_error *error);
FAL_API fal_status fal_conv_layer_output_shape(const fal_conv_layer *layer, const fal_tensor *x,
                                               fal_tensor *y, fal_error *error);
FAL_API fal_status fal_conv_layer_forward(const fal_context *context, const fal_conv_layer *layer,
                                          const fal_tensor *x, const fal_tensor *y);
/* Writes gx (or nothing when NULL) and adds to the parameters' gradients. */
FAL_API fal_status fal_conv_layer_backward(const fal_context *context, fal_conv_layer *layer,
                                           const fal_tensor *x, const fal_tensor *gy, const fal_tensor *gx);
FAL_API void fal_conv_layer_zero_grad(fal_conv_layer *layer);

/* ==== 18. Machine ================================================================================ */

/* "Intel Xeon Platinum 8488C, caches 48K 2048K 107520K"; "unknown" where it cannot be told. Returns the
 * length of the whole text; writes at most `capacity` bytes with the final 0. */
FAL_API size_t fal_cpu_name(char *text, size_t capacity);
/* The best level this machine and its operating system support. */
FAL_API fal_cpu_level fal_cpu_detect(void);
/* "generic" (on 64-bit ARM "neon"), "avx2", "avx512" */
FAL_API const char *fal_cpu_level_name(fal_cpu_level level);
/* The threads a default context uses: processors this process may run on; 1 in a serial build. */
FAL_API int32_t fal_thread_count(void);
/* "openmp" or "serial". */
FAL_API const char *fal_executor_name(void);

#ifdef __cplusplus
}
#endif

#endif /* FALTUNG_H */
