/// The ways in which a list's header can name its columns.
///
/// A name is taken as it stands, or without regard to case, blanks, hyphens and underscores (`coord_x` is `coordX`);
/// the column of series also by the names that other programs give it. Two columns that could be meant are an error:
/// none is taken by its place.
enum ColumnNames {
    /// The names, without case and signs, that mean the same as ours.
    private static let synonyms = [
        "seriesuid": ["seriesuids", "seriesinstanceuid", "seriesinstanceuids", "seriesid", "series", "uid", "scanid"]
    ]

    /// Finds the column of a name.
    ///
    /// - Parameters:
    ///   - name: Our name of the column.
    ///   - header: The names in the file.
    /// - Returns: Nil where there is none.
    /// - Throws: The problem, in words, where several columns could be meant.
    static func place(of name: String, in header: [String]) throws(Ambiguity) -> Int? {
        let exact = header.indices.filter { header[$0] == name }
        if exact.count > 1 { throw Ambiguity(problem: "\(exact.count) columns are named \(name)") }
        if let place = exact.first { return place }
        let key = plain(name)
        for keys in [[key], synonyms[key] ?? []] {
            let places = header.indices.filter { keys.contains(plain(header[$0])) }
            if places.count > 1 {
                let names = places.map { header[$0] }.joined(separator: " and ")
                throw Ambiguity(problem: "the columns \(names) could each be \(name)")
            }
            if let place = places.first { return place }
        }
        return nil
    }

    /// The reason why a column cannot be told.
    struct Ambiguity: Error { var problem: String }

    private static func plain(_ name: String) -> String {
        name.lowercased().filter { !" -_".contains($0) }
    }
}
