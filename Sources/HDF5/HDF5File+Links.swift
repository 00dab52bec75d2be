import CHDF5

extension HDF5File {
    /// Returns whether there is an object at an absolute path such as `/model/output.2.bias`.
    public func exists(_ object: String) -> Bool {
        Library.run {
            var path = ""
            // H5Lexists answers only for the last component, and fails where one before it is missing.
            for component in object.split(separator: "/") {
                path += "/\(component)"
                guard H5Lexists(handle.id, path, luna_h5_default()) > 0 else { return false }
            }
            return H5Oexists_by_name(handle.id, path.isEmpty ? "/" : path, luna_h5_default()) > 0
        }
    }

    /// Lists the names in a group, sorted by their bytes.
    ///
    /// - Throws: `InputError` where there is no such group or it is damaged.
    public func names(in group: String = "/") throws -> [String] {
        try requireObject(group, "a group")
        return try linkNames(group)
    }

    /// The sorted names in a group that is there.
    private func linkNames(_ group: String) throws -> [String] {
        try Library.run {
            var names: [String] = []
            let status = withUnsafeMutablePointer(to: &names) { names in
                luna_h5_visit_names(
                    handle.id, group,
                    { name, names in
                        guard let name else { return }
                        names?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
                    }, names)
            }
            guard status >= 0 else { throw site.failure(group, "list") }
            return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    /// Returns whether there is a group at an absolute path.
    public func isGroup(_ object: String) -> Bool {
        Library.run {
            guard let id = Handle(H5Oopen(handle.id, object, luna_h5_default()), closedBy: H5Oclose) else {
                return false
            }
            return H5Iget_type(id.id) == H5I_GROUP
        }
    }

    /// Lists the absolute paths of all datasets below a group, in the order of a walk that sorts each group's names.
    ///
    /// - Throws: `InputError` where a group is damaged, groups are nested deeper than 32, or there are more than 65,536
    ///   links.
    public func datasetPaths(in group: String = "/") throws -> [String] {
        var paths: [String] = []
        var visits = 0
        try requireObject(group, "a group")
        try collect(group, depth: 0, into: &paths, visits: &visits)
        return paths
    }

    private func collect(_ group: String, depth: Int, into paths: inout [String], visits: inout Int) throws {
        // Hard links may form a ring, or lead to one group along so many paths that no walk ends.
        guard depth < 32 else { throw site.mismatch(group, "groups nested deeper than 32") }
        for name in try linkNames(group) {
            let path = group == "/" ? "/\(name)" : "\(group)/\(name)"
            visits += 1
            guard visits <= 65_536 else { throw site.mismatch(group, "more than 65,536 links from group to group") }
            if isGroup(path) {
                try collect(path, depth: depth + 1, into: &paths, visits: &visits)
            } else {
                paths.append(path)
            }
        }
    }

    func requireObject(_ object: String, _ kind: String) throws {
        guard exists(object) else {
            throw site.mismatch(object, "missing, expected \(kind)", remedy: "check that this is the right file")
        }
    }
}
