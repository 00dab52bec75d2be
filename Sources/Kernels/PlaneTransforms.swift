// The two-dimensional transforms of one plane of a tile: rows first, then columns. The scratch holds the plane between
// the two, six or four vectors of 16 floats in a row.

import CKernels

/// Bᵀ d B of one plane for the channels of one vector: component p goes to `out + p * componentStride`.
///
/// - Parameters:
///   - six, four: A row of d, for m = 4 and for m = 2.
@inline(__always)
func transformInput<V: Vector>(
    tile: Int, out: MutableFloats, componentStride: Int, scratch: MutableFloats, six row6: (Int) -> Six<V>,
    four row4: (Int) -> Four<V>
) {
    if tile == 4 {
        for y in 0..<6 { put(inputTransform4(row6(y)), scratch + y * 96, 16) }
        for x in 0..<6 {
            let column: Six<V> = six(scratch + x * 16, 96)
            put(inputTransform4(column), out + x * componentStride, 6 * componentStride)
        }
    } else {
        for y in 0..<4 { put(inputTransform2(row4(y)), scratch + y * 64, 16) }
        for x in 0..<4 {
            let column: Four<V> = four(scratch + x * 16, 64)
            put(inputTransform2(column), out + x * componentStride, 4 * componentStride)
        }
    }
}

/// A dY Aᵀ of one plane for the channels of one vector; component p goes to `out + p * componentStride`.
///
/// - Parameters:
///   - four, two: A row of dY, for m = 4 and for m = 2.
@inline(__always)
func transformGradient<V: Vector>(
    tile: Int, out: MutableFloats, componentStride: Int, scratch: MutableFloats, four row4: (Int) -> Four<V>,
    two row2: (Int) -> Two<V>
) {
    if tile == 4 {
        for y in 0..<4 { put(outputGradientTransform4(row4(y)), scratch + y * 96, 16) }
        for x in 0..<6 {
            let column: Four<V> = four(scratch + x * 16, 96)
            put(outputGradientTransform4(column), out + x * componentStride, 6 * componentStride)
        }
    } else {
        for y in 0..<2 { put(outputGradientTransform2(row2(y)), scratch + y * 64, 16) }
        for x in 0..<4 {
            let column: Two<V> = (V(at: scratch + x * 16), V(at: scratch + x * 16 + 64))
            put(outputGradientTransform2(column), out + x * componentStride, 4 * componentStride)
        }
    }
}
