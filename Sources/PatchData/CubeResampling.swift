// Linear resampling of a cube, as scipy.ndimage.zoom with order 1 does it: the first and last samples coincide.

enum CubeResampling {
    /// The place of each output voxel between the input's: voxel k lies at k (n_in − 1)/(n_out − 1).
    private static func places(from input: Int, to output: Int) -> [(index: Int, fraction: Float)] {
        (0..<output).map { k in
            let position = output > 1 ? Double(k) * Double(input - 1) / Double(output - 1) : 0
            let index = min(Int(position), max(0, input - 2))
            return (index, input > 1 ? Float(position - Double(index)) : 0)
        }
    }

    /// Cuts a cube out of a larger one.
    ///
    /// - Parameter first: The first voxel in the larger cube, whose side is `side`.
    static func cut(_ voxels: [UInt8], side: Int, first: (Int, Int, Int), size: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size * size * size) { cube, count in
            voxels.withUnsafeBufferPointer { voxels in
                for z in 0..<size {
                    for y in 0..<size {
                        let source = ((first.0 + z) * side + first.1 + y) * side + first.2
                        let target = (z * size + y) * size
                        for x in 0..<size { cube[target + x] = voxels[source + x] }
                    }
                }
            }
            count = size * size * size
        }
    }

    /// Resamples a cube of side `input` to side `output`, rounding to the nearest grey level.
    ///
    /// The result has side `side`: voxels beyond `output` are `padding`, and those that exceed `side` are dropped.
    static func resample(_ cube: [UInt8], from input: Int, to output: Int, side: Int, padding: UInt8) -> [UInt8] {
        let places = places(from: input, to: output)
        let kept = min(output, side)
        let step = input > 1 ? 1 : 0
        var result = [UInt8](repeating: padding, count: side * side * side)
        var plane = [Float](repeating: 0, count: input * input)
        var row = [Float](repeating: 0, count: input)
        cube.withUnsafeBufferPointer { cube in
            result.withUnsafeMutableBufferPointer { result in
                plane.withUnsafeMutableBufferPointer { plane in
                    row.withUnsafeMutableBufferPointer { row in
                        for z in 0..<kept {
                            let (iz, fz) = places[z]
                            let low = iz * input * input
                            let high = low + step * input * input
                            for i in 0..<input * input {
                                let a = Float(cube[low + i])
                                plane[i] = a + fz * (Float(cube[high + i]) - a)
                            }
                            for y in 0..<kept {
                                let (iy, fy) = places[y]
                                for x in 0..<input {
                                    let a = plane[iy * input + x]
                                    row[x] = a + fy * (plane[(iy + step) * input + x] - a)
                                }
                                let target = (z * side + y) * side
                                for x in 0..<kept {
                                    let (ix, fx) = places[x]
                                    let v = row[ix] + fx * (row[ix + step] - row[ix])
                                    result[target + x] = UInt8(v + 0.5)
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }
}
