import CHDF5
import FileIO

/// A filter of a chunked dataset.
public enum HDF5Filter: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of equal significance side by side, which deflate better.
    case shuffle
    /// zlib's compression, with its level: 1 (fast) to 9 (small).
    case deflate(Int)
    /// A checksum, held against the bytes when they are read.
    case fletcher32
    /// A filter that is not read, with its registered number.
    case other(Int)

    public var description: String {
        switch self {
        case .shuffle: "shuffle"
        case .deflate(let level): "deflate \(level)"
        case .fletcher32: "fletcher32"
        case .other(let id): "filter \(id)"
        }
    }
}

/// An open dataset with what is known about it before any of it is read.
///
/// Its extents have been held against the bytes that the file stores for it, so that reading it cannot ask for more
/// memory than the file can fill.
public struct HDF5Dataset: ~Copyable, Sendable {
    let site: Site
    let handle: Handle
    /// The dataset's absolute path in the file.
    public let path: String
    /// The extents, slowest axis first; empty for a scalar.
    public let shape: [Int]
    /// The kind of the elements.
    public let kind: HDF5Kind
    /// The extents of a chunk, or nil where the dataset is not chunked.
    public let chunk: [Int]?
    /// The filters of each chunk, in the order in which they were applied when writing.
    public let filters: [HDF5Filter]
    /// The number of bytes that the file stores for the elements, after compression.
    public let storedBytes: Int

    /// Whether the bytes carry a checksum, so that reading flipped ones is an error. An empty dataset has none to flip.
    public var isChecksummed: Bool { filters.contains(.fletcher32) || shape.contains(0) }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    init(site: Site, file: hid_t, path: String) throws {
        Library.enter()
        defer { Library.leave() }
        guard let handle = Handle(H5Dopen2(file, path, luna_h5_default()), closedBy: H5Dclose) else {
            throw site.failure(path, "open the dataset")
        }
        guard let type = Handle(H5Dget_type(handle.id), closedBy: H5Tclose),
            let space = Handle(H5Dget_space(handle.id), closedBy: H5Sclose),
            let creation = Handle(H5Dget_create_plist(handle.id), closedBy: H5Pclose)
        else { throw site.failure(path, "examine the dataset") }
        let shape = try site.extents(of: space.id, path)
        let (chunk, filters) = try Self.layout(site, path, creation.id, rank: shape.count)
        let kind = HDF5Kind(type: type.id)
        var stored = Int(clamping: H5Dget_storage_size(handle.id))
        if !site.isWriting {
            // What the file says of itself, but never more than there is.
            stored = min(stored, FileContent.size(site.file) ?? 0)
            try Self.requireOwnLayout(site, path, creation.id, filters)
            try Self.validate(site, path, shape, kind, stored: stored, isPacked: !filters.isEmpty)
            if let chunk, !shape.contains(0) {
                try Self.validate(site, path, chunk, kind, stored: stored, isPacked: !filters.isEmpty)
            }
        }
        (self.site, self.path, self.shape, self.kind, self.chunk) = (site, path, shape, kind, chunk)
        (self.filters, self.storedBytes) = (filters, stored)
        self.handle = handle
    }

    private static func layout(
        _ site: Site, _ path: String, _ creation: hid_t, rank: Int
    ) throws -> (chunk: [Int]?, filters: [HDF5Filter]) {
        guard H5Pget_layout(creation) == H5D_CHUNKED else { return (nil, []) }
        var extents = [hsize_t](repeating: 0, count: rank)
        guard rank > 0, H5Pget_chunk(creation, Int32(rank), &extents) == rank, !extents.contains(0) else {
            throw site.failure(path, "examine the chunks")
        }
        let count = H5Pget_nfilters(creation)
        guard count >= 0 else { throw site.failure(path, "examine the filters") }
        let filters = (0..<UInt32(count)).map { index -> HDF5Filter in
            var (flags, values, used): (UInt32, [UInt32], Int) = (0, [0, 0, 0, 0], 4)
            let id = H5Pget_filter2(creation, index, &flags, &used, &values, 0, nil, nil)
            switch id {
            case 1: return .deflate(Int(values[0]))
            case 2: return .shuffle
            case 3: return .fletcher32
            default: return .other(Int(id))
            }
        }
        return (extents.map { Int(clamping: $0) }, filters)
    }

    /// Refuses data that lie in other files, and filters that no file of this project uses: the library would open
    /// what a file names, load plug-ins, or run decoders known to write beyond their buffers.
    private static func requireOwnLayout(
        _ site: Site, _ path: String, _ creation: hid_t, _ filters: [HDF5Filter]
    ) throws {
        let layout = H5Pget_layout(creation)
        guard [H5D_COMPACT, H5D_CONTIGUOUS, H5D_CHUNKED].contains(layout), H5Pget_external_count(creation) == 0 else {
            throw site.mismatch(path, "its data lie in other files", remedy: "write them into one file")
        }
        for case .other(let id) in filters {
            throw site.mismatch(
                path, "packed with filter \(id), which is not read",
                remedy: "pack it with deflate, shuffle or fletcher32")
        }
    }

    /// Refuses extents that the stored bytes cannot fill. Deflate packs at most 1,032 bytes into one; an extent beyond
    /// that is damage, or a trap.
    private static func validate(
        _ site: Site, _ path: String, _ shape: [Int], _ kind: HDF5Kind, stored: Int, isPacked: Bool
    ) throws {
        let bytes = try site.count(shape, elementSize: kind.elementBytes, path) * kind.elementBytes
        let (limit, overflow) = stored.multipliedReportingOverflow(by: isPacked ? 1032 : 1)
        guard overflow || bytes <= limit else {
            throw site.mismatch(
                path, "extents \(shape) need \(bytes) bytes, of which \(stored) stored bytes can hold at most \(limit)",
                remedy: "the file is damaged or incomplete: restore it or make it again")
        }
    }

    /// Reads all elements, row-major.
    ///
    /// - Throws: `InputError` where they are of another kind, or damaged.
    public func read<Element: HDF5Element>(as element: Element.Type) throws -> [Element] {
        try requireKind(Element.self)
        let count = count
        guard count > 0 else { return [] }
        try requireWholeChunks(0..<(shape.first ?? 0))
        return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            try Library.run {
                let status = H5Dread(
                    handle.id, Element.hdf5MemoryType, luna_h5_all(), luna_h5_all(), luna_h5_default(),
                    buffer.baseAddress)
                guard status >= 0 else { throw site.failure(path, "read") }
            }
            initialized = count
        }
    }

    /// Reads the elements whose index along the first axis lies in `rows`, row-major.
    ///
    /// - Throws: `InputError` where they are of another kind, or damaged.
    /// - Precondition: `rows` lies inside the first extent.
    public func read<Element: HDF5Element>(rows: Range<Int>, as element: Element.Type) throws -> [Element] {
        try requireKind(Element.self)
        let (extents, count) = slab(rows)
        guard count > 0 else { return [] }
        try requireWholeChunks(rows)
        return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            try Library.run {
                try select(rows, extents, "read") { memory, selection in
                    H5Dread(
                        handle.id, Element.hdf5MemoryType, memory, selection, luna_h5_default(), buffer.baseAddress)
                }
            }
            initialized = count
        }
    }

    /// Writes the elements whose index along the first axis lies in `rows`.
    ///
    /// - Throws: `FileError` where the system refuses.
    /// - Precondition: `rows` lies inside the first extent, and `values` fills it.
    public func write<Element: HDF5Element>(rows: Range<Int>, values: [Element]) throws {
        let (extents, count) = slab(rows)
        precondition(count == values.count, "\(values.count) values do not fill rows \(rows) of shape \(shape)")
        guard count > 0 else { return }
        try Library.run {
            try select(rows, extents, "write") { memory, selection in
                values.withUnsafeBytes {
                    H5Dwrite(handle.id, Element.hdf5MemoryType, memory, selection, luna_h5_default(), $0.baseAddress)
                }
            }
        }
    }

    /// Reads all strings of a dataset of strings.
    ///
    /// - Throws: `InputError` where it holds something else, or is damaged.
    public func readStrings() throws -> [String] {
        try requireWholeChunks(0..<(shape.first ?? 0))
        let (limit, overflow) = storedBytes.multipliedReportingOverflow(by: 1032)
        return try StringTransfer(site: site, place: path).read(kind, shape: shape, limit: overflow ? .max : limit) {
            H5Dread(handle.id, $0, luna_h5_all(), luna_h5_all(), luna_h5_default(), $1)
        }
    }

    private func slab(_ rows: Range<Int>) -> (extents: [Int], count: Int) {
        precondition(!shape.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= shape[0], "rows \(rows) of \(shape)")
        let extents = [rows.count] + shape.dropFirst()
        return (extents, extents.reduce(1, *))
    }

    private func select(
        _ rows: Range<Int>, _ extents: [Int], _ operation: String, _ transfer: (hid_t, hid_t) -> herr_t
    ) throws {
        let start = [hsize_t(rows.lowerBound)] + [hsize_t](repeating: 0, count: shape.count - 1)
        let count = extents.map { hsize_t($0) }
        guard let space = Handle(H5Dget_space(handle.id), closedBy: H5Sclose),
            H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, count, nil) >= 0,
            let memory = Handle(H5Screate_simple(Int32(count.count), count, nil), closedBy: H5Sclose),
            transfer(memory.id, space.id) >= 0
        else { throw site.failure("\(path) [\(rows.lowerBound)]", operation) }
    }

    private func requireKind<Element: HDF5Element>(_ element: Element.Type) throws {
        guard kind.converts(to: Element.self) else {
            throw site.mismatch(path, "holds \(kind), expected \(Element.hdf5Name)")
        }
    }
}

extension Site {
    /// Returns a dataspace's extents. To be called inside `Library.run`.
    func extents(of space: hid_t, _ place: String) throws -> [Int] {
        let rank = H5Sget_simple_extent_ndims(space)
        guard rank >= 0 else { throw failure(place, "examine the extents") }
        if H5Sget_simple_extent_type(space) == H5S_NULL { return [0] }
        var extents = [hsize_t](repeating: 0, count: Int(rank))
        guard rank == 0 || H5Sget_simple_extent_dims(space, &extents, nil) >= 0 else {
            throw failure(place, "examine the extents")
        }
        return try extents.map {
            guard let extent = Int(exactly: $0) else { throw mismatch(place, "an extent of \($0)") }
            return extent
        }
    }

    /// Counts the elements of a shape.
    ///
    /// - Throws: `InputError` where their number, or that of their bytes, overflows.
    func count(_ shape: [Int], elementSize: Int, _ place: String) throws -> Int {
        var bytes = max(1, elementSize)
        if shape.contains(0) { return 0 }
        for extent in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw mismatch(place, "extents \(shape) overflow") }
            bytes = product
        }
        return bytes / max(1, elementSize)
    }
}
