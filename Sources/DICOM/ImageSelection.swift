import FileIO

/// The images of a series that are its slices; screenshots and scouts, which exporters file under the same UID, are
/// counted.
struct ImageSelection {
    private(set) var slices: [Slice] = []
    /// The number of images without a place in the patient.
    private(set) var captureCount = 0
    /// The number of images that lie across the slices.
    private(set) var scoutCount = 0

    /// The cosine between the normals of a scout and the slices that is not reached.
    private static let scoutCosine = 0.7

    /// Reads the places of a series' images.
    ///
    /// - Throws: `InputError` where one that is a slice by all other signs is at fault, with the number of those that
    ///   have the same fault.
    init(_ images: [DataSet]) throws {
        var faults: [(image: DataSet, error: InputError)] = []
        for image in images {
            do { slices.append(try Slice(image)) } catch let error as InputError { faults.append((image, error)) }
        }
        var own: [InputError] = []
        for (image, error) in faults {
            guard let usual = slices.first, Self.isNoSlice(image, beside: usual) else {
                own.append(error)
                continue
            }
            if image.has(.imagePositionPatient), Self.liesAcross(image, usual) {
                scoutCount += 1
            } else {
                captureCount += 1
            }
        }
        guard var error = own.first else { return }
        let alike = own.count { ($0.place, $0.problem) == (error.place, error.problem) }
        if alike > 1 { error.problem += ", and so in \(alike - 1) more of the series' \(images.count) files" }
        throw error
    }

    /// Whether an image that cannot be read as a slice is none: it lacks what every slice has, and is another kind of
    /// object, lies across or has another size, or lacks several of these things.
    private static func isNoSlice(_ image: DataSet, beside usual: Slice) -> Bool {
        guard !image.isEnhanced, !image.has(.numberOfFrames) || image.text(.numberOfFrames) == "1" else { return false }
        let missing = [Tag.imagePositionPatient, .imageOrientationPatient, .pixelSpacing].count { !image.has($0) }
        let isPicture = (try? image.count(.samplesPerPixel)) ?? 1 != 1 || (try? image.count(.bitsAllocated)) == 8
        guard missing > 0 || isPicture else { return false }
        let kinds: Set<String> = ["SECONDARY", "SCOUT", "SCREEN SAVE", "SCREENSHOT", "OTHER"]
        return missing > 1 || image.isOtherStorage || !kinds.isDisjoint(with: image.texts(.imageType))
            || (try? image.count(.rows)) != usual.rows || (try? image.count(.columns)) != usual.columns
            || liesAcross(image, usual)
    }

    private static func liesAcross(_ image: DataSet, _ usual: Slice) -> Bool {
        guard let cosines = try? image.numbers(.imageOrientationPatient, count: 6) else { return false }
        let row = PatientVector(cosines[0], cosines[1], cosines[2])
        let column = PatientVector(cosines[3], cosines[4], cosines[5])
        return abs(row.cross(column).dot(usual.rowDirection.cross(usual.columnDirection))) < scoutCosine
    }
}
