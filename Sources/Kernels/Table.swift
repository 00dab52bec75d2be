import CKernels

/// This module's kernels.
public func kernelTable() -> ck_kernels {
    ck_kernels(
        multiply_adds: { multiplyAdds($0, $1!) },
        winograd: { winograd($0!, $1, $2!) },
        winograd_scratch: { winogradScratch($0!) },
        winograd_weights_gradient: { winogradWeightsGradient($0!, $1!) },
        winograd_weights_gradient_scratch: { winogradWeightsGradientScratch($0!) },
        winograd_narrow_weights: { winogradNarrowWeights($0!, $1!) },
        winograd_narrow_weights_scratch: { winogradNarrowWeightsScratch($0!) },
        winograd_transform_weights: { winogradTransformWeights($0!, $1, $2!) },
        winograd_restore_weights: { winogradRestoreWeights($0!, $1, $2!) },
        winograd_filters_scratch: { winogradFiltersScratch() },
        first_convolution: { firstConvolution($0!, $1, $2!) },
        first_moments: { firstMoments($0!, $1!, $2, $3!, $4!) },
        first_normalization_sums: { firstNormalizationSums($0!, $1!, $2, $3!, $4!) },
        first_convolution_weights: { firstConvolutionWeights($0!, $1, $2, $3!) },
        first_convolution_scratch: { firstConvolutionScratch($0!) },
        moments: { moments($0!, $1!, $2, $3, $4!) },
        affine: { affine($0!, $1, $2) },
        normalization_sums: { normalizationSums($0!, $1, $2, $3!) },
        normalization_apply: { normalizationApply($0!, $1, $2) },
        pool: { pool($0!, $1) },
        unpool: { unpool($0!, $1) },
        pool_normalized: { poolNormalized($0!, $1) },
        pool_normalization_sums: { poolNormalizationSums($0!, $1!, $2, $3!) },
        pool_normalization_apply: { poolNormalizationApply($0!, $1!, $2) },
        add: { add($0!, $1!, $2, $3) },
        panels_size: { panelsSize($0, $1) },
        pack: { pack($0!) },
        product: { product($0!, $1!) },
        product_scratch: { productScratch() },
        descend: { descend($0!, $1, $2) },
        adam: { adam($0!, $1, $2) })
}
