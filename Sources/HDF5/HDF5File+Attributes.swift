import CHDF5
import FileIO

extension HDF5File {
    /// Lists the names of an object's attributes, sorted by their bytes.
    ///
    /// - Throws: `InputError` where there is no such object or it is damaged.
    public func attributeNames(of object: String = "/") throws -> [String] {
        try requireObject(object, "an object with attributes")
        return try Library.run {
            guard let owner = Handle(H5Oopen(handle.id, object, luna_h5_default()), closedBy: H5Oclose) else {
                throw site.failure(object, "open")
            }
            // Looks at each attribute, and fails where one is damaged: to list them, HDF5 1.10 makes a table, and where
            // it cannot fill that, it frees entries that it never made.
            guard H5Aexists(owner.id, "any") >= 0 else { throw site.failure(object, "list the attributes") }
            let count = H5Aget_num_attrs(owner.id)
            guard count >= 0 else { throw site.failure(object, "list the attributes") }
            var names: [String] = []
            for index in 0..<UInt64(count) {
                guard
                    let attribute = Handle(
                        H5Aopen_by_idx(
                            owner.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, luna_h5_default(), luna_h5_default()),
                        closedBy: H5Aclose)
                else { throw site.failure(object, "list the attributes") }
                let length = H5Aget_name(attribute.id, 0, nil)
                guard length >= 0 else { throw site.failure(object, "list the attributes") }
                let name = withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { buffer -> String? in
                    H5Aget_name(attribute.id, length + 1, buffer.baseAddress) >= 0
                        ? buffer.baseAddress.map { String(cString: $0) } : nil
                }
                guard let name else { throw site.failure(object, "list the attributes") }
                names.append(name)
            }
            return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    /// Returns whether an object exists and has an attribute of this name.
    public func hasAttribute(_ name: String, of object: String = "/") -> Bool {
        exists(object) && Library.run { H5Aexists_by_name(handle.id, object, name, luna_h5_default()) > 0 }
    }

    /// Returns an attribute's shape (empty for a scalar) and kind.
    ///
    /// - Throws: `InputError` where it is missing or damaged.
    public func attributeInfo(_ name: String, of object: String = "/") throws -> (shape: [Int], kind: HDF5Kind) {
        let attribute = try openAttribute(name, of: object)
        return try Library.run {
            guard let type = Handle(H5Aget_type(attribute.id), closedBy: H5Tclose),
                let space = Handle(H5Aget_space(attribute.id), closedBy: H5Sclose)
            else { throw site.failure(Self.place(object, name), "read the attribute") }
            return (try site.extents(of: space.id, Self.place(object, name)), HDF5Kind(type: type.id))
        }
    }

    /// Reads an attribute that is a number, such as `attribute("epoch", as: Int64.self)`.
    ///
    /// - Throws: `InputError` where it is missing, damaged or of another kind.
    public func attribute<Element: HDF5Element>(
        _ name: String, of object: String = "/", as element: Element.Type
    ) throws -> Element {
        let values = try attribute(name, of: object, as: [Element].self)
        guard values.count == 1 else {
            throw site.mismatch(Self.place(object, name), "\(values.count) values, expected one \(Element.hdf5Name)")
        }
        return values[0]
    }

    /// Reads an attribute that is a list of numbers; a single number is a list of one.
    ///
    /// - Throws: `InputError` where it is missing, damaged or of another kind.
    public func attribute<Element: HDF5Element>(
        _ name: String, of object: String = "/", as element: [Element].Type
    ) throws -> [Element] {
        let (shape, kind) = try attributeInfo(name, of: object)
        let place = Self.place(object, name)
        guard kind.converts(to: Element.self) else {
            throw site.mismatch(place, "holds \(kind), expected \(Element.hdf5Name)")
        }
        let count = try site.count(shape, elementSize: MemoryLayout<Element>.size, place)
        // An attribute lives in the file's metadata.
        guard count * MemoryLayout<Element>.size <= (FileContent.size(path) ?? .max) * 8 else {
            throw site.mismatch(place, "\(count) values, more than the file can hold")
        }
        let attribute = try openAttribute(name, of: object)
        var values = [Element](repeating: .hdf5Zero, count: count)
        try Library.run {
            let status = values.withUnsafeMutableBytes { H5Aread(attribute.id, Element.hdf5MemoryType, $0.baseAddress) }
            guard status >= 0 else { throw site.failure(place, "read the attribute") }
        }
        return values
    }

    /// Reads an attribute that is a text, such as `attribute("format", as: String.self)`.
    ///
    /// - Throws: `InputError` where it is missing, damaged or of another kind.
    public func attribute(_ name: String, of object: String = "/", as string: String.Type) throws -> String {
        let values = try attribute(name, of: object, as: [String].self)
        guard values.count == 1 else {
            throw site.mismatch(Self.place(object, name), "\(values.count) texts, expected one")
        }
        return values[0]
    }

    /// Reads an attribute that is a list of texts; a single text is a list of one.
    ///
    /// - Throws: `InputError` where it is missing, damaged or of another kind.
    public func attribute(_ name: String, of object: String = "/", as strings: [String].Type) throws -> [String] {
        let (shape, kind) = try attributeInfo(name, of: object)
        let place = Self.place(object, name)
        let attribute = try openAttribute(name, of: object)
        return try StringTransfer(site: site, place: place).read(
            kind, shape: shape, limit: FileContent.size(path) ?? .max
        ) { type, buffer in H5Aread(attribute.id, type, buffer) }
    }

    /// Gives an object an attribute that is a number, replacing one of that name.
    ///
    /// - Throws: `FileError` where there is no such object, or the system refuses.
    public func setAttribute<Element: HDF5Element>(_ name: String, of object: String = "/", to value: Element) throws {
        try Library.run {
            let space = Handle(H5Screate(H5S_SCALAR), closedBy: H5Sclose)
            try writeAttribute(name, of: object, type: Element.hdf5FileType, space: space) { attribute in
                withUnsafeBytes(of: value) { H5Awrite(attribute, Element.hdf5MemoryType, $0.baseAddress) }
            }
        }
    }

    /// Gives an object an attribute that is a list of numbers, replacing one of that name.
    ///
    /// - Throws: `FileError` where there is no such object, or the system refuses.
    public func setAttribute<Element: HDF5Element>(
        _ name: String, of object: String = "/", to values: [Element]
    ) throws {
        try Library.run {
            let space = Handle(H5Screate_simple(1, [UInt64(values.count)], nil), closedBy: H5Sclose)
            try writeAttribute(name, of: object, type: Element.hdf5FileType, space: space) { attribute in
                values.withUnsafeBytes {
                    $0.isEmpty ? 0 : H5Awrite(attribute, Element.hdf5MemoryType, $0.baseAddress)
                }
            }
        }
    }

    /// Gives an object an attribute that is a text (UTF-8, without NUL), replacing one of that name.
    ///
    /// - Throws: `FileError` where there is no such object, or the system refuses.
    public func setAttribute(_ name: String, of object: String = "/", to value: String) throws {
        try setAttribute(name, of: object, strings: [value], scalar: true)
    }

    /// Gives an object an attribute that is a list of texts, replacing one of that name.
    ///
    /// - Throws: `FileError` where there is no such object, or the system refuses.
    public func setAttribute(_ name: String, of object: String = "/", to values: [String]) throws {
        try setAttribute(name, of: object, strings: values, scalar: false)
    }

    private func setAttribute(_ name: String, of object: String, strings: [String], scalar: Bool) throws {
        let (bytes, width) = StringTransfer.packed(strings)
        try Library.run {
            guard let type = StringTransfer.type(width: width) else {
                throw site.failure(Self.place(object, name), "write")
            }
            let space = Handle(
                scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, [UInt64(strings.count)], nil), closedBy: H5Sclose)
            try writeAttribute(name, of: object, type: type.id, space: space) { attribute in
                strings.isEmpty ? 0 : H5Awrite(attribute, type.id, bytes)
            }
        }
    }

    /// Creates an attribute and fills it. To be called inside `Library.run`.
    private func writeAttribute(
        _ name: String, of object: String, type: hid_t, space: consuming Handle?, _ write: (hid_t) -> herr_t
    ) throws {
        let place = Self.place(object, name)
        guard let space, let owner = Handle(H5Oopen(handle.id, object, luna_h5_default()), closedBy: H5Oclose) else {
            throw site.failure(place, "write")
        }
        if H5Aexists(owner.id, name) > 0, H5Adelete(owner.id, name) < 0 { throw site.failure(place, "replace") }
        guard
            let attribute = Handle(
                H5Acreate2(owner.id, name, type, space.id, luna_h5_default(), luna_h5_default()), closedBy: H5Aclose),
            write(attribute.id) >= 0
        else { throw site.failure(place, "write") }
    }

    private func openAttribute(_ name: String, of object: String) throws -> Handle {
        guard hasAttribute(name, of: object) else {
            throw site.mismatch(
                object == "/" ? nil : object, "no attribute `\(name)`", remedy: "check that this is the right file")
        }
        return try Library.run {
            guard
                let attribute = Handle(
                    H5Aopen_by_name(handle.id, object, name, luna_h5_default(), luna_h5_default()),
                    closedBy: H5Aclose)
            else { throw site.failure(Self.place(object, name), "open the attribute") }
            return attribute
        }
    }

    private static func place(_ object: String, _ name: String) -> String {
        object == "/" ? "attribute \(name)" : "\(object) attribute \(name)"
    }
}
