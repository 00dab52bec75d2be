// What Swift's SIMD types cannot say portably: vector operations that are one instruction where the target has it,
// and the table of kernels that each instruction set's module fills.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CK_INLINE static inline __attribute__((always_inline, unused))

typedef float ck_f16 __attribute__((vector_size(64)));  // SIMD16<Float>
typedef float ck_f8 __attribute__((vector_size(32)));   // SIMD8<Float>
typedef float ck_f16u __attribute__((vector_size(64), aligned(4)));
typedef float ck_f8u __attribute__((vector_size(32), aligned(4)));
typedef int32_t ck_i16 __attribute__((vector_size(64)));
typedef double ck_d16 __attribute__((vector_size(128)));
typedef double ck_d16u __attribute__((vector_size(128), aligned(8)));

// a * b + c. Fused where the target has the instruction; elsewhere the fused form would be a library call per lane.
#if defined(__FMA__) || defined(__aarch64__)
CK_INLINE ck_f16 ck_fma16(ck_f16 a, ck_f16 b, ck_f16 c) { return __builtin_elementwise_fma(a, b, c); }
CK_INLINE ck_f8 ck_fma8(ck_f8 a, ck_f8 b, ck_f8 c) { return __builtin_elementwise_fma(a, b, c); }
#else
CK_INLINE ck_f16 ck_fma16(ck_f16 a, ck_f16 b, ck_f16 c) { return a * b + c; }
CK_INLINE ck_f8 ck_fma8(ck_f8 a, ck_f8 b, ck_f8 c) { return a * b + c; }
#endif

// Swift's own operators work lane by lane and leave it to the optimiser to find vectors in that, which it does not always.
CK_INLINE ck_f16 ck_add16(ck_f16 a, ck_f16 b) { return a + b; }
CK_INLINE ck_f16 ck_subtract16(ck_f16 a, ck_f16 b) { return a - b; }
CK_INLINE ck_f16 ck_multiply16(ck_f16 a, ck_f16 b) { return a * b; }
CK_INLINE ck_f8 ck_add8(ck_f8 a, ck_f8 b) { return a + b; }
CK_INLINE ck_f8 ck_subtract8(ck_f8 a, ck_f8 b) { return a - b; }
CK_INLINE ck_f8 ck_multiply8(ck_f8 a, ck_f8 b) { return a * b; }
CK_INLINE ck_f16 ck_splat16(float value) {
    ck_f16 v = {value};
    return __builtin_shufflevector(v, v, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
CK_INLINE ck_f8 ck_splat8(float value) {
    ck_f8 v = {value};
    return __builtin_shufflevector(v, v, 0, 0, 0, 0, 0, 0, 0, 0);
}

// Asks for the cache line at p, to be kept in the second-level cache; p may be any address.
CK_INLINE void ck_prefetch(const float *p) { __builtin_prefetch(p, 0, 2); }

CK_INLINE ck_f16 ck_load16(const float *p) { return *(const ck_f16u *)p; }
CK_INLINE ck_f8 ck_load8(const float *p) { return *(const ck_f8u *)p; }
CK_INLINE void ck_store16(float *p, ck_f16 v) { *(ck_f16u *)p = v; }
CK_INLINE void ck_store8(float *p, ck_f8 v) { *(ck_f8u *)p = v; }
// The lower eight lanes only; the upper ones are zero.
CK_INLINE ck_f16 ck_load_low(const float *p) {
    ck_f8 v = *(const ck_f8u *)p;
    return __builtin_shufflevector(v, (ck_f8){0}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
CK_INLINE void ck_store_low(float *p, ck_f16 v) {
    *(ck_f8u *)p = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
}
CK_INLINE ck_f16 ck_max16(ck_f16 a, ck_f16 b) { return __builtin_elementwise_max(a, b); }
CK_INLINE ck_f8 ck_max8(ck_f8 a, ck_f8 b) { return __builtin_elementwise_max(a, b); }

// p[0 ..< 16] += v, and the lower eight lanes only. Swift's own conversion is a generic whose specialisation is a weak
// symbol of the standard library: the linker would take one module's, whatever its instruction set, for all.
CK_INLINE void ck_add_doubles(double *p, ck_f16 v) {
    *(ck_d16u *)p = *(ck_d16u *)p + __builtin_convertvector(v, ck_d16);
}
CK_INLINE void ck_add_doubles_low(double *p, ck_f16 v) {
    for (int lane = 0; lane < 8; lane++) p[lane] += v[lane];
}

// v where a > b, else 0.
CK_INLINE ck_f16 ck_where_greater16(ck_f16 a, ck_f16 b, ck_f16 v) {
    return (ck_f16)((ck_i16)(a > b) & (ck_i16)v);
}

// Eight rows of eight floats, transposed: out[j * out_stride + i] = in[i * in_stride + j].
CK_INLINE void ck_transpose8(const float *in, ptrdiff_t in_stride, float *out, ptrdiff_t out_stride) {
    ck_f8 r[8], s[8];
    for (int i = 0; i < 8; i++) r[i] = *(const ck_f8u *)(in + i * in_stride);
    // Pairs of rows interleaved, then pairs of pairs, then halves exchanged.
    for (int i = 0; i < 8; i += 2) {
        s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = __builtin_shufflevector(s[i], s[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        r[i + 1] = __builtin_shufflevector(s[i], s[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        r[i + 2] = __builtin_shufflevector(s[i + 1], s[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
        r[i + 3] = __builtin_shufflevector(s[i + 1], s[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 4; i++) {
        *(ck_f8u *)(out + i * out_stride) = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(ck_f8u *)(out + (i + 4) * out_stride) = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

// Floats from one component to the next where a component needs `floats`: an odd number of cache lines, so that the
// components of a tile, written one after the other, spread over all sets of the first-level cache.
CK_INLINE ptrdiff_t ck_component_stride(ptrdiff_t floats) { return ((floats + 15) / 16 | 1) * 16; }

// A map of activations [N, D, H, W, stride], of which the first `channels` floats of each voxel count. Kernels that
// take eight channels at a time want a multiple of 8. In arguments below a map whose `values` are null is not there.
// Sizes are ptrdiff_t, which Swift knows as Int.
typedef struct {
    float *values;
    ptrdiff_t samples, depth, height, width, channels;
    ptrdiff_t stride;           // floats from voxel to voxel
} ck_map;

// How a map is cut into tiles of outputs.
typedef struct {
    ptrdiff_t samples, depth, height, width;
    ptrdiff_t tile_depth, tile; // outputs per tile along z, and along y and x: 2 or 4
} ck_tiling;

CK_INLINE ptrdiff_t ck_tiles_along(ptrdiff_t extent, ptrdiff_t tile) { return (extent + tile - 1) / tile; }

// Tiles of all samples.
CK_INLINE ptrdiff_t ck_tile_count(const ck_tiling *t) {
    return t->samples * ck_tiles_along(t->depth, t->tile_depth) * ck_tiles_along(t->height, t->tile) *
           ck_tiles_along(t->width, t->tile);
}

// What a kernel does to the numbers of a map as it reads them: ReLU(x · scale + shift). Without a scale, nothing.
typedef struct {
    const float *scale, *shift; // [C], or [N][C]
    ptrdiff_t sample_stride;    // floats from sample to sample: C, or 0 where all samples have the same
} ck_activation;

// A 3x3x3 convolution of stride 1 and padding 1.
typedef struct {
    ck_map input, output;       // multiples of 8 channels
    ck_activation activation;   // of the input; the padding is behind it
    ptrdiff_t input_first;      // which plane of the input lies at the output's first
    const float *weights;       // transformed: [tile_depth + 2][tile + 2][tile + 2] components, each in panels
    const float *bias;          // [C_out], or null
    ck_tiling tiling;           // of the output
    ptrdiff_t block;            // tiles per work item
    ptrdiff_t component_stride; // floats from component to component of `weights`
    int streams_weights;        // whether they are fetched ahead: too many for the second-level cache
} ck_convolution;

// The gradient of such a convolution's transformed weights, for one component along z and some input channels.
typedef struct {
    ck_map input, output_gradient;
    ck_activation activation;   // of the input; only with few channels
    float *weights_gradient;    // components as of ck_convolution.weights, each [C_in][C_out]
    ck_tiling tiling;
    ptrdiff_t block, component_stride;
    ptrdiff_t first_channel, channels;  // the input channels of this item
    ptrdiff_t z_component;              // 0 ..< tile_depth + 2
    // For few channels: the tiles of this item, which has all channels and components.
    ptrdiff_t first_tile, end_tile;
} ck_weights_gradient;

// Weights [C_out, C_in, 3, 3, 3] into components, or components' gradients back.
typedef struct {
    const float *source;        // PyTorch's layout
    float *transformed;
    float *gradient;            // PyTorch's layout; only for the way back
    ptrdiff_t input_channels;   // of `transformed`, padded
    ptrdiff_t source_channels;  // of the weights: those beyond are zero
    ptrdiff_t output_channels;  // of `transformed`
    // Floats in PyTorch's layout from input to input channel, and from output to output channel.
    ptrdiff_t row_stride, column_stride;
    ptrdiff_t flip;             // 1: taps reversed (for the gradient of the data)
    ptrdiff_t tile_depth, tile, component_stride;
} ck_weights;

// Per-channel arithmetic over voxels [first, first + count).
typedef struct {
    ck_map x;                   // before normalisation
    ck_map residual;            // added before the activation, or none
    ck_map y;
    const float *scale, *shift;                     // y = x * scale + shift
    const float *residual_scale, *residual_shift;   // or null: the residual as it is
    ptrdiff_t rectify;          // 1: ReLU
} ck_affine;

// The gradient of a normalisation and of the ReLU behind it: one pass for the sums, one that applies them.
// Where the ReLU was zero is seen in its output `y`, and the gradient is masked in place by the first pass; or, with
// no such map, it is computed again from `x`: y = x * scale + shift. With neither there was no ReLU.
typedef struct {
    ck_map x;                   // before normalisation
    ck_map y;                   // after the activation, or none
    const float *scale, *shift; // or null
    ck_map gradient;            // of y
    ck_map x_gradient;          // may be x or gradient
    ptrdiff_t channels;
    const float *mean, *inverse_deviation;
    const float *factor, *gain, *gradient_mean, *projection_mean;   // for the second pass
} ck_normalization_gradient;

// Max-pooling of 2x2x2 voxels, of a map or of ReLU(map * scale + shift).
typedef struct {
    ck_map x;
    const float *scale, *shift; // or null
    ck_map y;                   // [N, D/2, H/2, W/2, stride]
    const float *y_gradient;    // [N, D/2, H/2, W/2, channels]
    float *x_gradient;          // [N, D, H, W, channels]
} ck_pooling;

// The right side B [depth, columns] of matrix products, brought into panels.
typedef struct {
    const float *source;
    ptrdiff_t depth_stride, column_stride;  // floats in `source`
    ptrdiff_t depth, columns;
    float *panels;                          // panels_size(depth, columns) floats
} ck_panels;

// C [rows, columns] = A [rows, depth] B.
typedef struct {
    const float *a;
    ptrdiff_t a_row, a_depth;   // floats from row to row, and from one depth to the next
    const float *b;             // in panels
    const float *bias;          // [columns], added to every row, or null
    float *c;
    ptrdiff_t c_row;
    ptrdiff_t rows, depth, columns;
    ptrdiff_t adds;             // 1: C += A B; then without a bias
} ck_product;

// The first layer: one input channel, output channels C a multiple of 8.
typedef struct {
    ck_map input;               // [N, D, H, W, 1]
    ptrdiff_t channels;         // C
    float *output;              // [N, D, H, W, C]
    const float *weights;       // [27][C]
    const float *bias;          // [C]
    const float *output_gradient;   // [N, D, H, W, C]
    float *weights_gradient;    // [27][C], of one plane
    const float *scale, *shift; // [C]: the output is ReLU(convolution * scale + shift); or null: the convolution
} ck_first_convolution;

typedef struct {
    float *parameters, *momentum;
    const float *gradients;
    float learning_rate, decay, momentum_factor;
    int32_t nesterov;           // whether the gradient is added to the momentum once more
} ck_descent;

typedef struct {
    float *parameters, *mean, *square;
    const float *gradients;
    float step_size, beta1, beta2, root_correction, epsilon, decay;
} ck_adam;

// One instruction set's kernels. `scratch` belongs to the calling thread, begins on a cache line and has as many floats
// as the function ending in `_scratch` says for the same arguments.
typedef struct {
    // Multiply-adds on registers alone; gives back how many floating-point operations that were.
    ptrdiff_t (*multiply_adds)(ptrdiff_t rounds, float *numbers);
    void (*winograd)(const ck_convolution *, ptrdiff_t item, float *scratch);
    ptrdiff_t (*winograd_scratch)(const ck_convolution *);
    void (*winograd_weights_gradient)(const ck_weights_gradient *, float *scratch);
    ptrdiff_t (*winograd_weights_gradient_scratch)(const ck_weights_gradient *);
    void (*winograd_narrow_weights)(const ck_weights_gradient *, float *scratch);
    ptrdiff_t (*winograd_narrow_weights_scratch)(const ck_weights_gradient *);
    void (*winograd_transform_weights)(const ck_weights *, ptrdiff_t first_channel, float *scratch);
    void (*winograd_restore_weights)(const ck_weights *, ptrdiff_t first_channel, float *scratch);
    ptrdiff_t (*winograd_filters_scratch)(void);    // of both
    void (*first_convolution)(const ck_first_convolution *, ptrdiff_t row, float *scratch);
    void (*first_moments)(const ck_first_convolution *, const float *shift, ptrdiff_t plane, float *scratch,
                          double *sums);
    void (*first_normalization_sums)(const ck_first_convolution *, const ck_normalization_gradient *, ptrdiff_t plane,
                                     float *scratch, double *sums);
    void (*first_convolution_weights)(const ck_first_convolution *, const ck_normalization_gradient *, ptrdiff_t plane,
                                      float *scratch);
    ptrdiff_t (*first_convolution_scratch)(const ck_first_convolution *);   // of all four
    void (*moments)(const ck_map *, const float *shift, ptrdiff_t first, ptrdiff_t count, double *sums);
    void (*affine)(const ck_affine *, ptrdiff_t first, ptrdiff_t count);
    void (*normalization_sums)(const ck_normalization_gradient *, ptrdiff_t first, ptrdiff_t count, double *sums);
    void (*normalization_apply)(const ck_normalization_gradient *, ptrdiff_t first, ptrdiff_t count);
    void (*pool)(const ck_pooling *, ptrdiff_t row);
    void (*unpool)(const ck_pooling *, ptrdiff_t row);
    void (*pool_normalized)(const ck_pooling *, ptrdiff_t row);
    void (*pool_normalization_sums)(const ck_pooling *, const ck_normalization_gradient *, ptrdiff_t plane,
                                    double *sums);
    void (*pool_normalization_apply)(const ck_pooling *, const ck_normalization_gradient *, ptrdiff_t row);
    void (*add)(const ck_map *destination, const ck_map *source, ptrdiff_t first, ptrdiff_t count);
    ptrdiff_t (*panels_size)(ptrdiff_t depth, ptrdiff_t columns);
    void (*pack)(const ck_panels *);
    void (*product)(const ck_product *, float *scratch);
    ptrdiff_t (*product_scratch)(void);
    void (*descend)(const ck_descent *, ptrdiff_t first, ptrdiff_t count);
    void (*adam)(const ck_adam *, ptrdiff_t first, ptrdiff_t count);
} ck_kernels;

// The instruction sets of this processor and of what the operating system saves: 2 AVX-512 F+DQ+BW+VL, 1 AVX2+FMA,
// 0 neither.
int ck_instruction_set(void);
