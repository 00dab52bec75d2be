import Basics
import FileIO

/// The images of a folder by series, and the other things in it.
struct FolderContents {
    private struct Series {
        let uid: String
        var images: [DataSet] = []

        /// Whether its images are slices, which have a place; captured screens have none. Images of several frames have
        /// theirs elsewhere and are refused later, with a message.
        var isScan: Bool {
            images.contains { $0.has(.imagePositionPatient) || $0.has(.numberOfFrames) || $0.isEnhanced }
        }

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
    var captureCount = 0
    /// The number of files that repeat a slice byte for byte.
    var copyCount = 0
    private var otherSeriesCount = 0
    private var otherAcquisitionCount = 0
    private var damaged: [DamagedFile] = []

    /// The number of damaged files that are named.
    private static let nameLimit = 5

    /// Reads the headers of a folder's files; a damaged one is kept as such.
    init(_ folder: DICOMFolder) {
        otherCount = folder.otherCount
        damaged = folder.unreadable
        var byUID: [String: Series] = [:]
        for path in folder.files {
            let image: DataSet
            switch DataSet.open(path) {
            case .success(let data): image = data
            case .failure(let file):
                damaged.append(file)
                continue
            }
            let (uid, modality) = (image.text(.seriesInstanceUID), image.text(.modality))
            guard image.pixels != nil else {
                if image.isCTImage {
                    let error = InputError(
                        path, at: Tag.pixelData.description, "missing from a CT image",
                        remedy: "the file is cut off: copy it again from its source")
                    damaged.append(DamagedFile(path: path, error: error, seriesUID: uid, modality: modality))
                } else {
                    imagelessCount += 1
                }
                continue
            }
            // Anonymised files may have lost the modality.
            guard modality.isEmpty || modality == "CT" else {
                otherModalities[modality, default: 0] += 1
                continue
            }
            guard !image.texts(.imageType).contains("LOCALIZER") else {
                scoutCount += 1
                continue
            }
            byUID[uid, default: Series(uid: uid)].images.append(image)
        }
        for group in byUID.values.sorted(by: { $0.uid < $1.uid }) {
            if group.isScan { series.append(group) } else { captureCount += group.images.count }
        }
    }

    /// The CT series in words; nil where there is none.
    var description: String? {
        guard let first = series.first else { return nil }
        return series.count == 1
            ? "the DICOM series \(first.description)" : "\(series.count) DICOM series, such as \(first.description)"
    }

    /// Takes the images of the series asked for, or of the only one.
    ///
    /// - Parameters:
    ///   - uid: The series; nil where there is but one.
    ///   - acquisition: The acquisition's number; nil for all.
    ///   - folder: The folder, for messages.
    /// - Throws: `InputError` that lists what there is, or names a damaged file that may be one of the images.
    mutating func choose(_ uid: String?, acquisition: String? = nil, folder: String) throws -> [DataSet] {
        guard !series.isEmpty else {
            if let file = damaged.first(where: { ["", "CT"].contains($0.modality) }) { throw file.error }
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
        try refuseDamage(in: chosen[0])
        return try Self.images(chosen[0].images, of: acquisition, folder: folder, counting: &otherAcquisitionCount)
    }

    /// Refuses damaged files that are the series' own by their UID, or may be: they lie among its images, and the
    /// damage comes before what would tell.
    private mutating func refuseDamage(in series: Series) throws {
        let places = Set(series.images.map { Path.directory(of: $0.path) })
        let own = damaged.filter { file in
            file.seriesUID.isEmpty
                ? ["", "CT"].contains(file.modality) && places.contains(Path.directory(of: file.path))
                : file.seriesUID == series.uid
        }
        guard let first = own.first else { return }
        damaged.removeAll { file in own.contains { $0.path == file.path } }
        guard var error = first.error as? InputError else { throw first.error }
        if own.count > 1 {
            error.problem += "; damaged as well: " + own.dropFirst().map(\.path).joined(separator: ", ")
        }
        throw error
    }

    private static func images(
        _ images: [DataSet], of acquisition: String?, folder: String, counting others: inout Int
    ) throws -> [DataSet] {
        guard let acquisition else { return images }
        let chosen = images.filter { $0.text(.acquisitionNumber) == acquisition }
        guard !chosen.isEmpty else {
            throw InputError(
                folder, at: Tag.acquisitionNumber.description,
                "no image of number \(acquisition): \(SliceStack.list(images.map { $0.text(.acquisitionNumber) }))",
                remedy: "choose one of them with --acquisition, or leave the option out")
        }
        others = images.count - chosen.count
        return chosen
    }

    /// Adds the notes to an error that follows a series' choice: what was left out may be its cause.
    func explaining(_ error: any Error) -> any Error {
        guard var error = error as? InputError, !series.isEmpty, !notes.isEmpty else { return error }
        error.problem += " (left out: \(notes.joined(separator: ", ")))"
        return error
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
            note(copyCount, "copy of another slice", "copies of other slices"),
            note(otherSeriesCount, "other CT series", "other CT series"),
            note(otherAcquisitionCount, "image of another acquisition", "images of other acquisitions"),
        ].compactMap(\.self) + others + damageNotes
    }

    private var damageNotes: [String] {
        guard !damaged.isEmpty else { return [] }
        let names = damaged.prefix(Self.nameLimit).map { file in
            let error = file.error as? InputError
            let place = error?.place.map { "\($0): " } ?? ""
            return "\(file.path) (\(place)\(error?.problem ?? "\(file.error)"))"
        }
        let rest = damaged.count > names.count ? [", and \(damaged.count - names.count) more"] : []
        let head = damaged.count == 1 ? "1 damaged file: " : "\(damaged.count) damaged files: "
        return [head + names.joined(separator: ", ") + rest.joined()]
    }
}
