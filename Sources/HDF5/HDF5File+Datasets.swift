import CHDF5

/// The packing of a dataset. Deflate is readable wherever HDF5 is.
public enum HDF5Compression: Hashable, Sendable {
    /// Elements as they are.
    case none
    /// Elements packed at zlib's level, 1 (fast) to 9 (small), after a byte shuffle where they have several bytes.
    case deflate(Int)
}

extension HDF5File {
    /// Opens a dataset.
    ///
    /// - Throws: `InputError` where it is missing, damaged, or claims more than the file can hold.
    public func dataset(_ object: String) throws -> HDF5Dataset {
        try requireObject(object, "a dataset")
        guard !isGroup(object) else { throw site.mismatch(object, "a group, expected a dataset") }
        return try HDF5Dataset(site: site, file: handle.id, path: object)
    }

    /// Reads all of a dataset: its shape and its elements, row-major.
    ///
    /// - Throws: `InputError` where it is missing, damaged, of another kind, or claims more than the file can hold.
    public func read<Element: HDF5Element>(
        _ object: String, as element: Element.Type
    ) throws -> (shape: [Int], values: [Element]) {
        let dataset = try dataset(object)
        return (dataset.shape, try dataset.read(as: element))
    }

    /// Reads all of a dataset whose shape is known, row-major.
    ///
    /// - Parameters:
    ///   - object: The dataset's path.
    ///   - expected: The extents; nil stands for one of any size.
    ///   - element: The type of the elements.
    /// - Throws: `InputError` where it is missing, damaged, of another kind or shape, or claims more than the file can
    ///   hold.
    public func read<Element: HDF5Element>(
        _ object: String, shape expected: [Int?], as element: Element.Type
    ) throws -> [Element] {
        let dataset = try dataset(object)
        let matches =
            dataset.shape.count == expected.count && zip(dataset.shape, expected).allSatisfy { $1 == nil || $0 == $1 }
        guard matches else {
            let text = expected.map { $0.map(String.init) ?? "n" }.joined(separator: ", ")
            throw site.mismatch(object, "shape \(dataset.shape), expected [\(text)]")
        }
        return try dataset.read(as: element)
    }

    /// Reads all strings of a dataset.
    ///
    /// - Throws: `InputError` where it is missing, damaged or of another kind.
    public func readStrings(_ object: String) throws -> [String] { try dataset(object).readStrings() }

    /// Creates a dataset to be written row by row; groups on the way to it are made.
    ///
    /// - Parameters:
    ///   - object: The dataset's path.
    ///   - element: The type of the elements.
    ///   - shape: The extents, slowest axis first; empty for a scalar.
    ///   - chunk: The extents of a chunk; nil chooses whole rows up to 4 MiB where a filter needs chunks.
    ///   - compression: The packing of each chunk.
    ///   - checksum: Whether every chunk carries a Fletcher-32 sum. Scalars and empty datasets have no chunks.
    /// - Throws: `FileError` where the object exists, or the system refuses.
    public func createDataset<Element: HDF5Element>(
        _ object: String, as element: Element.Type, shape: [Int], chunk: [Int]? = nil,
        compression: HDF5Compression = .none, checksum: Bool = true
    ) throws -> HDF5Dataset {
        try create(
            object, type: Element.hdf5FileType, elementSize: MemoryLayout<Element>.size, shape: shape, chunk: chunk,
            compression: compression, checksum: checksum)
        return try HDF5Dataset(site: site, file: handle.id, path: object)
    }

    /// Writes a whole dataset; groups on the way to it are made.
    ///
    /// - Throws: `FileError` where the object exists, or the system refuses.
    /// - Precondition: `values` fills `shape`.
    public func write<Element: HDF5Element>(
        _ object: String, shape: [Int], values: [Element], compression: HDF5Compression = .none, checksum: Bool = true
    ) throws {
        precondition(
            shape.reduce(1, *) == values.count, "\(values.count) values do not fill a dataset of shape \(shape)")
        let dataset = try createDataset(
            object, as: Element.self, shape: shape, compression: compression, checksum: checksum)
        guard !values.isEmpty else { return }
        try Library.run {
            let status = values.withUnsafeBytes {
                H5Dwrite(
                    dataset.handle.id, Element.hdf5MemoryType, luna_h5_all(), luna_h5_all(), luna_h5_default(),
                    $0.baseAddress)
            }
            guard status >= 0 else { throw site.failure(object, "write") }
        }
    }

    /// Writes a dataset of strings (UTF-8, without NUL).
    ///
    /// - Throws: `FileError` where the object exists, or the system refuses.
    public func write(_ object: String, strings: [String], checksum: Bool = true) throws {
        let (bytes, width) = StringTransfer.packed(strings)
        try Library.run {
            guard let type = StringTransfer.type(width: width) else { throw site.failure(object, "create") }
            try create(
                object, type: type.id, elementSize: width, shape: [strings.count], chunk: nil, compression: .none,
                checksum: checksum)
            guard !strings.isEmpty else { return }
            let dataset = try HDF5Dataset(site: site, file: handle.id, path: object)
            guard
                H5Dwrite(dataset.handle.id, type.id, luna_h5_all(), luna_h5_all(), luna_h5_default(), bytes) >= 0
            else { throw site.failure(object, "write") }
        }
    }

    /// Makes a group and those above it, as far as they are missing.
    ///
    /// - Throws: `FileError` where the system refuses.
    public func makeGroup(_ group: String) throws {
        try Library.run {
            var path = ""
            for component in group.split(separator: "/") {
                path += "/\(component)"
                if H5Lexists(handle.id, path, luna_h5_default()) > 0 { continue }
                guard let creation = Handle(H5Pcreate(luna_h5_class_group_create()), closedBy: H5Pclose),
                    H5Pset_obj_track_times(creation.id, false) >= 0,
                    Handle(
                        H5Gcreate2(handle.id, path, luna_h5_default(), creation.id, luna_h5_default()),
                        closedBy: H5Gclose) != nil
                else { throw site.failure(path, "make the group") }
            }
        }
    }

    private func create(
        _ object: String, type: hid_t, elementSize: Int, shape: [Int], chunk: [Int]?, compression: HDF5Compression,
        checksum: Bool
    ) throws {
        if let slash = object.lastIndex(of: "/") { try makeGroup(String(object[..<slash])) }
        try Library.run {
            let extents = shape.map { hsize_t($0) }
            let space = Handle(
                shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), extents, nil),
                closedBy: H5Sclose)
            guard let space, let creation = Handle(H5Pcreate(luna_h5_class_dataset_create()), closedBy: H5Pclose),
                H5Pset_obj_track_times(creation.id, false) >= 0,
                H5Pset_fill_time(creation.id, H5D_FILL_TIME_IFSET) >= 0
            else { throw site.failure(object, "create") }
            let wantsChunks = chunk != nil || checksum || compression != .none
            if wantsChunks, !shape.isEmpty, !shape.contains(0) {
                let chunk = (chunk ?? Self.defaultChunk(shape, elementSize: elementSize)).map { hsize_t($0) }
                guard H5Pset_chunk(creation.id, Int32(chunk.count), chunk) >= 0 else {
                    throw site.failure(object, "create")
                }
                if case .deflate(let level) = compression {
                    guard elementSize == 1 || H5Pset_shuffle(creation.id) >= 0,
                        H5Pset_deflate(creation.id, UInt32(level)) >= 0
                    else { throw site.failure(object, "create") }
                }
                guard !checksum || H5Pset_fletcher32(creation.id) >= 0 else { throw site.failure(object, "create") }
            }
            guard
                Handle(
                    H5Dcreate2(
                        handle.id, object, type, space.id, luna_h5_default(), creation.id, luna_h5_default()),
                    closedBy: H5Dclose) != nil
            else { throw site.failure(object, "create") }
        }
    }

    private static func defaultChunk(_ shape: [Int], elementSize: Int) -> [Int] {
        let row = shape.dropFirst().reduce(elementSize, *)
        return [min(shape[0], max(1, (4 << 20) / max(1, row)))] + shape.dropFirst()
    }
}
