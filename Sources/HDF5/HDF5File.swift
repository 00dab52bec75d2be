import CHDF5
import FileIO

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An open HDF5 file, closed when it goes out of scope.
///
/// Files are written in the format of HDF5 1.10, whose metadata carries checksums, without time stamps: the same
/// content gives the same bytes. A file may be used from several threads; calls take turns.
///
/// **Damage and malice.** In this format a flipped bit is found by its checksum, in metadata before the library decodes
/// them. Refused, before the library gets to see what a file says of itself, are: parts of the superblock that are
/// seldom used (`Superblock`), links and data that lead to other files, filters besides deflate, shuffle and
/// Fletcher-32, numbers that are not a processor's own, texts of variable length, extents and chunks larger than the
/// stored bytes can fill, and walks along more than 65,536 links. That does not make the library safe from a file that
/// someone forged with right checksums, or wrote in the format of HDF5 1.6, which has none: HDF5 1.10 reads beyond its
/// buffers where such a file's attributes, names, addresses or virtual datasets lie, and may crash, or reserve (not
/// fill) up to 4 GiB. Take files in that format only from people from whom you would take a program.
///
///     try HDF5File.write(to: "weights.h5") { file in
///         try file.write("/model/weight", shape: [2, 2], values: [1, 2, 3, 4] as [Float])
///         try file.setAttribute("format", to: "luna-weights")
///     }
///     let file = try HDF5File(reading: "weights.h5")
///     let weight = try file.read("/model/weight", as: Float.self)     // (shape: [2, 2], values: [1, 2, 3, 4])
public struct HDF5File: ~Copyable, Sendable {
    let site: Site
    let handle: Handle

    /// The file's path as the user gave it.
    public var path: String { site.file }

    /// Opens a file for reading, without locking it.
    ///
    /// - Throws: `InputError` where there is no file, it is not HDF5, truncated or damaged; `FileError` where the
    ///   system refuses to open it.
    public init(reading path: String) throws {
        let site = Site(file: path, isWriting: false)
        guard let size = FileContent.size(path) else {
            throw InputError(
                path, FileContent.isDirectory(path) ? "a directory, expected an HDF5 file" : "no such file")
        }
        guard access(path, R_OK) == 0 else { throw FileError(path, "open") }
        try Superblock.check(path, size: size)
        handle = try Library.run {
            // Weakly closed: an open dataset keeps its file open, also where the file goes out of scope first.
            guard let access = Handle(H5Pcreate(luna_h5_class_file_access()), closedBy: H5Pclose),
                luna_h5_disable_locking(access.id) >= 0, H5Pset_fclose_degree(access.id, H5F_CLOSE_WEAK) >= 0,
                let file = Handle(H5Fopen(path, luna_h5_read_only(), access.id), closedBy: H5Fclose)
            else { throw site.failure(nil, "open") }
            return file
        }
        self.site = site
    }

    /// Creates a file, replacing what stands there. Prefer `write(to:_:)`, which leaves no half of a file.
    ///
    /// - Parameters:
    ///   - path: The file's place.
    ///   - name: The path that errors name, where it is not the one written to.
    /// - Throws: `FileError` where the system refuses.
    public init(creating path: String, named name: String? = nil) throws {
        let site = Site(file: name ?? path, isWriting: true)
        handle = try Library.run {
            guard let creation = Handle(H5Pcreate(luna_h5_class_file_create()), closedBy: H5Pclose),
                H5Pset_obj_track_times(creation.id, false) >= 0,
                let access = Handle(H5Pcreate(luna_h5_class_file_access()), closedBy: H5Pclose),
                H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0,
                H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) >= 0,
                let file = Handle(H5Fcreate(path, luna_h5_truncate(), creation.id, access.id), closedBy: H5Fclose)
            else { throw site.failure(nil, "create") }
            return file
        }
        self.site = site
    }

    /// Writes a file durably, in one piece or not at all (`AtomicFile`).
    ///
    /// - Parameters:
    ///   - path: The file's place.
    ///   - body: Fills the file.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`, or `FileError`; `path` is then as it was.
    public static func write<Result>(
        to path: String, _ body: (borrowing HDF5File) throws -> Result
    ) throws -> Result {
        try AtomicFile.write(to: path) { temporary in
            let file = try HDF5File(creating: temporary, named: path)
            let result = try body(file)
            try file.close()
            return result
        }
    }

    /// Closes the file and reports what could not be written: buffered data reaches the system only here.
    ///
    /// - Throws: `FileError` for a file that was written, `InputError` for one that was read.
    public consuming func close() throws {
        let site = site
        Library.enter()
        defer { Library.leave() }
        guard handle.close() else { throw site.failure(nil, "close") }
    }
}
