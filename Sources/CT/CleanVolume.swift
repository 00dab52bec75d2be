import Basics

/// A scan after preprocessing: 1 mm isotropic, UInt8, lungs kept, everything else `CleanVolume.padding`.
public struct CleanVolume: Sendable {
    /// The grey level of everything that is not lung or close to it.
    public static let padding: UInt8 = 170

    /// The scan's name: LUNA16's `seriesuid`.
    public var seriesUID: String
    /// The number of voxels along each axis, which are as many mm.
    public var extent: ZYX<Int>
    /// The grey levels, `[z, y, x]`, x fastest.
    public var voxels: [UInt8]
    /// The way back to world millimetres.
    public var frame: WorldFrame
    /// The annotated nodules whose centres lie in this volume, in its voxels, in the order of the annotations.
    public var nodules: [Nodule]
    /// The annotations whose centres lie outside this volume: to be reported, of no use for training.
    public var outsideLabels: [NoduleAnnotation]
    /// Whether the lungs were found by luna (`LungSegmentation`) and not given by a mask.
    public var hasSegmentedLungs = false
    /// The oddities of the scan's values that a person should know of, a sentence each.
    public var warnings: [String] = []

    /// Makes a clean volume from its parts.
    ///
    /// - Precondition: `voxels` fill `extent`.
    public init(
        seriesUID: String, extent: ZYX<Int>, voxels: [UInt8], frame: WorldFrame, nodules: [Nodule] = [],
        outsideLabels: [NoduleAnnotation] = []
    ) {
        precondition(voxels.count == extent.product, "\(voxels.count) voxels do not fill a volume of \(extent)")
        self.seriesUID = seriesUID
        self.extent = extent
        self.voxels = voxels
        self.frame = frame
        self.nodules = nodules
        self.outsideLabels = outsideLabels
    }
}
