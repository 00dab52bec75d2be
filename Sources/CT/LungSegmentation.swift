import Basics
import FileIO

/// A segmentation of the lungs, for scans that have no lung mask.
///
/// The way is that of the winners of the 2017 Data Science Bowl (F. Liao and others, "Evaluate the malignancy of
/// pulmonary nodules using the 3-D deep leaky noisy-or network", 2019; `preprocessing/step1.py` of their published
/// solution): air slice by slice (`AirMask`), the part of it that is neither outside nor bowel (`LungSelection`),
/// enclosed vessels filled in, left and right parted by erosion (`LungSeparation`), the trachea cut off (`LungShape`).
/// Steps and constants are theirs, with care where they suppose a square, uncut, full-sized scan of a grown-up; each
/// file says where. A healthy lung comes out well; one filled with fluid or tumour is left out or found in part.
/// Nodules at the wall are left to the hull that preprocessing lays around the mask.
public enum LungSegmentation {
    /// The number of voxels beyond which nothing is a scan: 8 GB of them.
    private static let voxelLimit = 1 << 32

    /// Segments the lungs of a scan.
    ///
    /// - Parameter scan: HU, with any spacing, its axes along the world's.
    /// - Returns: A mask on the same grid with LUNA16's labels: 3 is the patient's left lung (towards greater x of the
    ///   world), 4 the right one, 0 everything else, airways included. Where there is only one lung there is only its
    ///   label.
    /// - Throws: `InputError` where no lungs are found, saying what is there instead, or the axes are oblique.
    /// - Complexity: About twice the memory of `Int16` voxels.
    public static func mask(of scan: Volume<Int16>) throws -> Volume<UInt8> { try segment(scan) }

    /// Segments the lungs of a scan whose values are not whole numbers.
    ///
    /// - Parameter scan: HU, with any spacing, its axes along the world's; a value that is not a number counts as 0 HU.
    /// - Returns: A mask on the same grid with LUNA16's labels, as of a scan in whole numbers.
    /// - Throws: `InputError` where no lungs are found, saying what is there instead, or the axes are oblique.
    public static func mask(of scan: Volume<Float>) throws -> Volume<UInt8> { try segment(scan) }

    static func segment<Voxel: VoxelScalar>(_ scan: Volume<Voxel>) throws -> Volume<UInt8> {
        let source = scan.source.isEmpty ? "the scan" : scan.source
        let signs = try Preprocessing.axisSigns(scan.geometry, source: source)
        let spacing = scan.geometry.spacing
        guard scan.extent.product <= voxelLimit else {
            throw InputError(
                source, at: "DimSize", "\(scan.extent.product) voxels, expected at most \(voxelLimit)",
                remedy: "cut the scan to the chest, or give a lung mask")
        }
        var lungs: BitVolume
        let middle: Double
        do {
            let air = AirMask(of: scan)
            middle = air.middle
            lungs = try LungSelection(air: air, spacing: spacing, headIsLast: signs.z > 0, source: source).lungs()
        }
        LungShape.fillHoles(&lungs)
        let separated = LungSeparation(spacing: spacing, middle: middle).separate(lungs)
        var mask = Volume(
            geometry: scan.geometry, voxels: [UInt8](repeating: 0, count: scan.extent.product), source: "")
        let (left, right): (UInt8, UInt8) = (3, 4)
        for (lung, label) in [
            (separated.lower, signs.x > 0 ? right : left), (separated.higher, signs.x > 0 ? left : right),
        ] {
            guard var lung else { continue }
            LungShape.keepMainPart(&lung)
            LungShape.fillHolesOfSlices(&lung)
            for (index, word) in lung.words.enumerated() where word != 0 {
                let (row, column) = index.quotientAndRemainder(dividingBy: lung.wordsPerRow)
                let first = row * scan.extent.x + 64 * column
                for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 { mask.voxels[first + bit] = label }
            }
        }
        return mask
    }
}
