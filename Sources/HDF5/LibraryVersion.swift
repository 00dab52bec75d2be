import CHDF5

/// The HDF5 library in use.
public enum HDF5Library {
    /// The library's version, such as `1.10.8`.
    public static var version: String {
        var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
        let status = Library.run { H5get_libversion(&major, &minor, &release) }
        return status >= 0 ? "\(major).\(minor).\(release)" : "unknown"
    }
}
