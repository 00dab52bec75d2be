import FileIO

/// The images of a folder by series, and the other things in it.
struct FolderContents {
    private struct Series {
        let uid: String
        var images: [DataSet] = []

        /// Whether its images are slices, which have a place; captured screens have none. Images of several frames have
        /// theirs elsewhere and are refused later, with a message.
        var isScan: Bool { images.contains { $0.has(.imagePositionPatient) || $0.has(.numberOfFrames) } }

        var description: String {
            let name = uid.isEmpty ? "'' (no UID)" : uid
            let size = images.first.flatMap { image -> String? in
                guard let columns = try? image.required(.columns), let rows = try? image.required(.rows) else {
                    return nil
                }
                return " of \(columns) x \(rows)"
            }
            return "\(name) '\(images.first?.text(.seriesDescription) ?? "")', \(images.count) slices\(size ?? "")"
        }
    }

    /// The series by UID; localizers are not among their images.
    private var series: [Series] = []
    private let otherCount: Int
    private var imagelessCount = 0
    private var otherModalities: [String: Int] = [:]
    var scoutCount = 0
    private var captureCount = 0
    private var otherSeriesCount = 0

    /// Reads the headers of a folder's files.
    ///
    /// - Throws: `InputError` where a DICOM file is damaged; `FileError` where one cannot be read.
    init(_ folder: DICOMFolder) throws {
        otherCount = folder.otherCount
        var byUID: [String: Series] = [:]
        for path in folder.files {
            let image = try DataSet(path: path)
            guard image.pixels != nil else {
                guard !image.isCTImage else {
                    throw InputError(
                        path, at: Tag.pixelData.description, "missing from a CT image",
                        remedy: "the file is cut off: copy it again from its source")
                }
                imagelessCount += 1
                continue
            }
            // Anonymised files may have lost the modality.
            let modality = image.text(.modality)
            guard modality.isEmpty || modality == "CT" else {
                otherModalities[modality, default: 0] += 1
                continue
            }
            guard !image.texts(.imageType).contains("LOCALIZER") else {
                scoutCount += 1
                continue
            }
            let uid = image.text(.seriesInstanceUID)
            byUID[uid, default: Series(uid: uid)].images.append(image)
        }
        for group in byUID.values.sorted(by: { $0.uid < $1.uid }) {
            if group.isScan { series.append(group) } else { captureCount += group.images.count }
        }
    }

    /// Takes the images of the series asked for, or of the only one.
    ///
    /// - Throws: `InputError` that lists what there is.
    mutating func choose(_ uid: String?, folder: String) throws -> [DataSet] {
        guard !series.isEmpty else {
            let found = notes.joined(separator: ", ")
            throw InputError(
                folder, "holds DICOM, but no CT series\(found.isEmpty ? "" : " (\(found))")",
                remedy: "give the folder of a CT series")
        }
        let chosen = series.filter { uid == nil || $0.uid == uid }
        guard chosen.count == 1 else {
            let list = series.prefix(20).map(\.description).joined(separator: "; ")
            let rest = series.count > 20 ? "; and \(series.count - 20) more" : ""
            let problem = uid.map { "no CT series \($0) among" } ?? "holds \(series.count) CT series:"
            throw InputError(folder, "\(problem) \(list)\(rest)", remedy: "choose one with --series UID")
        }
        otherSeriesCount = series.count - 1
        return chosen[0].images
    }

    /// The files that were left out, counted in words.
    var notes: [String] {
        func note(_ count: Int, _ one: String, _ several: String) -> String? {
            count == 0 ? nil : count == 1 ? "1 \(one)" : "\(count) \(several)"
        }
        let others = otherModalities.sorted { $0.key < $1.key }.map { modality, count in
            "\(count) \(count == 1 ? "image" : "images") of modality \(modality)"
        }
        return [
            note(otherCount, "file that is not DICOM", "files that are not DICOM"),
            note(imagelessCount, "DICOM file without an image", "DICOM files without an image"),
            note(scoutCount, "scout image", "scout images"),
            note(captureCount, "image without a place in the patient", "images without a place in the patient"),
            note(otherSeriesCount, "other CT series", "other CT series"),
        ].compactMap(\.self) + others
    }
}
