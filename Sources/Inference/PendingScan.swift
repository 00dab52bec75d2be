import Basics
import CT
import PatchData

/// A scan that is read when its turn comes.
public struct PendingScan {
    /// The scan's series.
    public var seriesUID: String
    /// The clean volume's extent in voxels, approximately: the work of searching it.
    public var extent: ZYX<Int>
    /// The files that the scan is made of, by which a search that goes on knows that it is still the same.
    public var files: [String]
    /// The reading of the scan as a clean volume.
    public var read: () throws -> CleanVolume
    /// The reason why the scan cannot be read, where that is known already.
    public private(set) var failure: (any Error)?

    /// Creates a scan to be read later.
    ///
    /// - Parameters:
    ///   - seriesUID: The scan's series.
    ///   - extent: The clean volume's extent in voxels, approximately.
    ///   - files: The files that it is made of.
    ///   - read: Reads the scan; called once, by the rank that searches it.
    public init(
        seriesUID: String, extent: ZYX<Int>, files: [String] = [], read: @escaping () throws -> CleanVolume
    ) {
        self.seriesUID = seriesUID
        self.extent = extent
        self.files = files
        self.read = read
    }

    /// Creates a scan that cannot be read.
    public init(seriesUID: String, failure: any Error) {
        self.init(seriesUID: seriesUID, extent: ZYX(1, 1, 1)) { throw failure }
        self.failure = failure
    }

    /// Creates a scan of a clean volume's file, of which only series and extent are read now.
    ///
    /// - Throws: `InputError` where the file is no clean volume.
    public init(cleanVolume path: String) throws {
        let (seriesUID, extent) = try CleanVolumeFile.identity(path)
        self.init(seriesUID: seriesUID, extent: extent, files: [path]) { try CleanVolumeFile.read(path) }
    }

    /// The clean volumes of a data set's fold; one that is missing or damaged becomes a scan that cannot be read.
    public static func scans(of dataset: PatchDataset, fold: Int) -> [PendingScan] {
        dataset.volumes(fold: fold).map { volume in
            do { return try PendingScan(cleanVolume: volume.path) } catch {
                return PendingScan(seriesUID: volume.seriesUID, failure: error)
            }
        }
    }
}
