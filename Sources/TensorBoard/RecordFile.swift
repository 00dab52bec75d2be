// TFRecord, the frame of event files: length (8 bytes), its checksum (4), content, the content's checksum (4), all
// little-endian. https://www.tensorflow.org/tutorials/load_data/tfrecord

enum RecordFile {
    /// Returns a record as it is stored.
    static func framed(_ content: [UInt8]) -> [UInt8] {
        let length = little(UInt64(content.count))
        return length + little(CRC32C.masked(length)) + content + little(CRC32C.masked(content))
    }

    /// Finds the records of a file up to its end or the first that is cut off or damaged, where TensorBoard stops, too.
    ///
    /// - Returns: The content of each, and the place of the whole record.
    static func records(in bytes: [UInt8]) -> [(content: ArraySlice<UInt8>, place: Range<Int>)] {
        var records: [(content: ArraySlice<UInt8>, place: Range<Int>)] = []
        var start = 0
        while bytes.count - start >= 16 {
            let length = bytes[start..<start + 8]
            let count = number(length)
            guard count <= UInt64(bytes.count - start - 16),
                number(bytes[start + 8..<start + 12]) == UInt64(CRC32C.masked(length))
            else { break }
            let content = bytes[start + 12..<start + 12 + Int(count)]
            let end = content.endIndex + 4
            guard number(bytes[content.endIndex..<end]) == UInt64(CRC32C.masked(content)) else { break }
            records.append((content, start..<end))
            start = end
        }
        return records
    }

    private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
