import FileIO

/// A point or a direction in the patient's coordinates, mm: x grows to the left, y to the back, z to the head (LPS).
typealias PatientVector = SIMD3<Double>

/// A slice of a CT series: its place, and how to make HU of its stored numbers.
struct Slice: Sendable {
    var path: String
    var fileSize: Int
    var columns: Int
    var rows: Int
    /// The distance of neighbours in a row (x), mm.
    var columnSpacing: Double
    /// The distance of neighbours in a column (y), mm.
    var rowSpacing: Double
    /// The centre of the first voxel, mm.
    var position: PatientVector
    /// The unit vector along which the column's index grows.
    var rowDirection: PatientVector
    /// The unit vector along which the row's index grows.
    var columnDirection: PatientVector
    var format: StoredFormat
    var syntax: TransferSyntax
    var pixels: DataSet.PixelElement
    /// The acquisition's number; empty where the file has none.
    var acquisition: String
    var hasPreamble: Bool

    /// The form of numbers in 16-bit words, and what they mean.
    struct StoredFormat: Hashable, Sendable {
        var bitsStored: Int
        /// The position of the highest stored bit in its word.
        var highBit: Int
        var isSigned: Bool
        var slope: Double
        var intercept: Double

        /// Returns the HU of a stored word.
        func value(of word: UInt16) -> Double {
            // To the top of the word, and down again with the sign: clears what overlays left in the other bits.
            let raised = word << UInt16(15 - highBit)
            let shift = Int16(16 - bitsStored)
            let stored = isSigned ? Double(Int16(bitPattern: raised) >> shift) : Double(raised >> UInt16(shift))
            return stored * slope + intercept
        }

        /// Whether every number that can be stored is a whole one of 16 bits in HU.
        var fitsInt16: Bool {
            let low = isSigned ? -Double(1 << (bitsStored - 1)) : 0
            let high = Double(1 << (isSigned ? bitsStored - 1 : bitsStored)) - 1
            let ends = [low * slope + intercept, high * slope + intercept]
            return slope == slope.rounded() && intercept == intercept.rounded()
                && ends.allSatisfy { $0 >= -32768 && $0 <= 32767 }
        }
    }

    /// The number of rows or columns beyond which no scanner makes an image, with room.
    private static let sideLimit = 16384
    /// The most bytes that a compressed frame yields for each of its file: as for deflated ones.
    private static let largestInflation = 1032
    /// The size of a slope or an intercept beyond which it is damaged.
    private static let rescaleLimit = 1e5
    /// The size of a position beyond which it is damaged, mm.
    private static let positionLimit = 1e5
    /// The distance of directions from unit vectors at right angles that the rounding of decimal strings explains.
    private static let directionTolerance = 1e-3

    /// Reads a slice's place and format.
    ///
    /// - Throws: `InputError` naming the element, what was expected and the remedy.
    init(_ data: DataSet) throws {
        path = data.path
        fileSize = data.fileSize
        func refuse(_ tag: Tag, _ problem: String, _ remedy: String) -> InputError {
            InputError(data.path, at: tag.description, problem, remedy: remedy)
        }
        guard !data.isEnhanced else {
            throw refuse(
                data.has(.sopClassUID) ? .sopClassUID : .mediaStorageSOPClassUID,
                "an enhanced CT, whose slices lie in one file with their places in sequences, which is not read",
                "write one file per slice, such as with emf2sf of dcm4che")
        }
        if data.has(.numberOfFrames), try data.numbers(.numberOfFrames, count: 1) != [1] {
            throw refuse(
                .numberOfFrames, "is \(data.text(.numberOfFrames)): several frames in one file, which is not read",
                "write one file per slice, such as with emf2sf of dcm4che")
        }
        let samples = try data.count(.samplesPerPixel) ?? 1
        guard samples == 1 else {
            throw refuse(.samplesPerPixel, "is \(samples): a colour image, expected 1", "leave the file out")
        }
        guard let syntax = TransferSyntax(rawValue: data.transferSyntax) else {
            throw refuse(
                .transferSyntaxUID, "is \(data.transferSyntax), which is not read",
                "write the file anew without compression: gdcmconv --raw IN OUT")
        }
        guard let pixels = data.pixels else { throw refuse(.pixelData, "missing", "leave the file out") }
        self.syntax = syntax
        self.pixels = pixels
        (acquisition, hasPreamble) = (data.text(.acquisitionNumber), data.hasPreamble)
        (columns, rows) = (try data.required(.columns), try data.required(.rows))
        for (tag, count) in [(Tag.columns, columns), (.rows, rows)] where !(1...Self.sideLimit ~= count) {
            throw refuse(tag, "is \(count), expected 1 to \(Self.sideLimit)", "leave the file out")
        }
        let allocated = try data.required(.bitsAllocated)
        guard allocated == 16 else {
            throw refuse(
                .bitsAllocated, "is \(allocated), expected 16", "a CT has 16 bits per voxel: leave the file out")
        }
        let stored = try data.count(.bitsStored) ?? 16
        let highBit = try data.count(.highBit) ?? stored - 1
        guard 2...16 ~= stored, stored - 1...15 ~= highBit else {
            throw refuse(
                .bitsStored, "\(stored) bits up to bit \(highBit) do not lie in 16",
                "export the series again from its source")
        }
        let representation = try data.count(.pixelRepresentation) ?? 0
        guard 0...1 ~= representation else {
            throw refuse(
                .pixelRepresentation, "is \(representation), expected 0 or 1", "export the series again from its source"
            )
        }
        // Both are required of a CT image (PS3.3, C.8.2.1). Readers of any modality take 1 and 0; of a CT that would
        // mean stored numbers as HU.
        for tag in [Tag.rescaleSlope, .rescaleIntercept] where !data.has(tag) {
            throw refuse(
                tag, "missing, so that the stored numbers mean no HU",
                "export the series again from its source; where they are HU, say so in every file: "
                    + "dcmodify -i RescaleSlope=1 -i RescaleIntercept=0 FILE")
        }
        let slope = try data.numbers(.rescaleSlope, count: 1)[0]
        let intercept = try data.numbers(.rescaleIntercept, count: 1)[0]
        for (tag, number) in [(Tag.rescaleSlope, slope), (.rescaleIntercept, intercept)]
        where abs(number) > Self.rescaleLimit || (tag == .rescaleSlope && number == 0) {
            throw refuse(tag, "is \(data.text(tag)), which makes no HU", "export the series again from its source")
        }
        format = StoredFormat(
            bitsStored: stored, highBit: highBit, isSigned: representation == 1, slope: slope, intercept: intercept)

        let spacing = try data.numbers(.pixelSpacing, count: 2)
        guard spacing.allSatisfy({ $0 > 0 }) else {
            throw refuse(
                .pixelSpacing, "is \(data.text(.pixelSpacing)), expected two positive millimetres",
                "export the series again from its source")
        }
        (rowSpacing, columnSpacing) = (spacing[0], spacing[1])
        let place = try data.numbers(.imagePositionPatient, count: 3)
        guard place.allSatisfy({ abs($0) <= Self.positionLimit }) else {
            throw refuse(
                .imagePositionPatient, "is \(data.text(.imagePositionPatient)) mm, which is outside any scanner",
                "export the series again from its source")
        }
        position = PatientVector(place[0], place[1], place[2])
        let cosines = try data.numbers(.imageOrientationPatient, count: 6)
        rowDirection = PatientVector(cosines[0], cosines[1], cosines[2])
        columnDirection = PatientVector(cosines[3], cosines[4], cosines[5])
        guard abs(rowDirection.dot(rowDirection) - 1) < Self.directionTolerance,
            abs(columnDirection.dot(columnDirection) - 1) < Self.directionTolerance,
            abs(rowDirection.dot(columnDirection)) < Self.directionTolerance
        else {
            throw refuse(
                .imageOrientationPatient,
                "is \(data.text(.imageOrientationPatient)), expected two unit vectors at right angles",
                "export the series again from its source")
        }
        try checkSize()
    }

    /// The number of bytes of the pixels once decoded.
    var byteCount: Int { columns * rows * 2 }

    /// The number of bytes that the pixels' element holds behind them, which some exporters pad. They are passed over,
    /// as GDCM and pydicom do.
    var excessByteCount: Int { syntax.isCompressed ? 0 : (pixels.length ?? byteCount) - byteCount }

    /// Refuses a file that cannot hold the pixels that it speaks of.
    private func checkSize() throws {
        if syntax.isCompressed {
            guard pixels.length == nil else {
                throw InputError(
                    path, at: Tag.pixelData.description, "not in fragments, as the compressed pixels must be",
                    remedy: "export the series again from its source")
            }
            guard byteCount / Self.largestInflation <= fileSize else {
                throw InputError(
                    path, at: Tag.rows.description,
                    "\(columns) x \(rows) voxels cannot come from a file of \(fileSize) bytes",
                    remedy: "the file is damaged: copy it again from its source")
            }
        } else {
            guard let length = pixels.length, length >= byteCount else {
                let found = pixels.length.map(String.init) ?? "no"
                throw InputError(
                    path, at: Tag.pixelData.description,
                    "\(found) bytes, expected \(byteCount) for \(columns) x \(rows) voxels",
                    remedy: "the file is damaged: copy it again from its source")
            }
        }
    }
}

extension PatientVector {
    func dot(_ other: Self) -> Double { (self * other).sum() }

    func cross(_ other: Self) -> Self {
        Self(y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)
    }

    var length: Double { dot(self).squareRoot() }
}
