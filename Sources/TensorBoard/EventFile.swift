import Basics
import FileIO
import Foundation
import Pictures

/// A log that TensorBoard shows (`tensorboard --logdir DIR`): curves, pictures and texts over the steps of a run.
///
///     let log = try EventFile(directory: "runs/a/tensorboard", keepingUpTo: -1, wallTime: now)
///     try log.append([("loss/total", 0.7), ("learning_rate", 0.01)], step: 1, wallTime: now)
///     try log.append(picture, tag: "crops", step: 1, wallTime: now)
///     try log.append(markdown: "    seed: 0", tag: "configuration", step: 0, wallTime: now)
///     try log.flush()
///
/// Tags with a common prefix before a slash are shown together. Each append reaches the system before it returns, so
/// that a process that is killed loses at most the record it is writing; `flush` brings all to the disk. The same calls
/// give the same bytes: the time is the caller's.
///
/// **Resuming.** A run that goes on from step K writes everything after K again. Opening the log removes from the files
/// in the directory what lies after K, and a record that a kill has cut off, then begins a file of its own: no curve
/// shows a step twice. A TensorBoard that is watching is told to forget the steps after K.
public final class EventFile {
    /// The file's path: `DIR/events.out.tfevents.<seconds>.<host>`.
    public let path: String
    private let handle: FileHandle

    /// Opens a log: makes the directory where there is none, cuts back what it holds, and begins a new file.
    ///
    /// - Parameters:
    ///   - directory: The directory that TensorBoard is given.
    ///   - step: The last completed step of the run; -1 for one that begins: nothing is kept.
    ///   - wallTime: The time now, in seconds since 1970.
    ///   - isOwed: Whether what bears this tag at `step` itself will be written again (the validation after the last
    ///     step, where a checkpoint still owes it), and therefore goes, too.
    /// - Throws: `FileError` where the directory or a file cannot be written; `InputError` where one of the files has
    ///   more than 2 GiB.
    public init(
        directory: String, keepingUpTo step: Int, wallTime: Double, isOwed: (_ tag: String) -> Bool = { _ in false }
    ) throws {
        try FileContent.makeDirectory(directory)
        let earlier = try FileContent.names(inDirectory: directory).filter(Self.isEventFile)
        for name in earlier { try Self.cut("\(directory)/\(name)", keepingUpTo: step, isOwed) }
        path = "\(directory)/\(Self.name(following: earlier, wallTime: wallTime))"
        let version = RecordFile.framed(Event(wallTime: wallTime, content: .fileVersion).encoded)
        try AtomicFile.write(version, to: path)
        guard let handle = FileHandle(forWritingAtPath: path) else { throw FileError(path, "open") }
        self.handle = handle
        do { try handle.seekToEnd() } catch { throw FileError(path, "seek", reason: error.localizedDescription) }
        if !earlier.isEmpty { try append(Event(wallTime: wallTime, step: step + 1, content: .start)) }
    }

    /// Appends one value of a curve.
    ///
    /// - Parameters:
    ///   - value: Rounded to 32 bits; not-a-number and infinities are shown as such.
    ///   - tag: The curve's name.
    ///   - step: The step to which the value belongs.
    ///   - wallTime: The time of the value, in seconds since 1970.
    /// - Throws: `FileError` where the system refuses to write.
    public func append(_ value: Double, tag: String, step: Int, wallTime: Double) throws {
        try append([(tag, value)], step: step, wallTime: wallTime)
    }

    /// Appends one value to each of several curves.
    ///
    /// - Parameters:
    ///   - scalars: The curves' names and their values, rounded to 32 bits; not-a-number and infinities are shown as
    ///     such.
    ///   - step: The step to which the values belong.
    ///   - wallTime: The time of the values, in seconds since 1970.
    /// - Throws: `FileError` where the system refuses to write.
    public func append(_ scalars: [(tag: String, value: Double)], step: Int, wallTime: Double) throws {
        let values = scalars.map { Event.Value.scalar(tag: $0.tag, Float($0.value)) }
        try append(Event(wallTime: wallTime, step: step, content: .values(values)))
    }

    /// Appends a picture.
    ///
    /// - Throws: `FileError` where the system refuses to write.
    public func append(_ picture: Picture, tag: String, step: Int, wallTime: Double) throws {
        try append(Event(wallTime: wallTime, step: step, content: .values([.image(tag: tag, picture)])))
    }

    /// Appends a text in Markdown; lines indented by four blanks are shown as they are.
    ///
    /// - Throws: `FileError` where the system refuses to write.
    public func append(markdown: String, tag: String, step: Int, wallTime: Double) throws {
        let value = Event.Value.text(tag: tag, markdown: markdown)
        try append(Event(wallTime: wallTime, step: step, content: .values([value])))
    }

    /// Forces what was appended to the disk.
    ///
    /// - Throws: `FileError` where the system refuses.
    public func flush() throws {
        do { try handle.synchronize() } catch {
            throw FileError(path, "synchronise", reason: error.localizedDescription)
        }
    }

    private func append(_ event: Event) throws {
        do { try handle.write(contentsOf: Data(RecordFile.framed(event.encoded))) } catch {
            throw FileError(path, "append", reason: error.localizedDescription)
        }
    }
}

extension EventFile {
    /// Whether a name is an event file's. TensorBoard goes by this word; a file that a crash left half-written is none.
    private static func isEventFile(_ name: String) -> Bool { name.contains("tfevents") && !name.contains(".tmp-") }

    /// Rewrites a file without what lies after `step` and without what cannot be read, in one piece or not at all;
    /// removes it where nothing but its head is left.
    private static func cut(_ path: String, keepingUpTo step: Int, _ isOwed: (String) -> Bool) throws {
        let bytes = try FileContent.bytes(path, limit: 1 << 31)
        var kept: [UInt8] = []
        var isEmpty = true
        for (content, place) in RecordFile.records(in: bytes) {
            guard let event = EventSummary(content), event.step <= step, !event.isStart,
                !(event.step == step && event.tags.contains(where: isOwed))
            else { continue }
            kept += bytes[place]
            if !event.isVersion { isEmpty = false }
        }
        if isEmpty {
            guard unlink(path) == 0 else { throw FileError(path, "remove") }
        } else if kept.count < bytes.count {
            try AtomicFile.write(kept, to: path)
        }
    }

    /// A name for the new file. TensorBoard reads files in the order of their names, so its second is later than all
    /// others', also where the clock was set back or another machine's is behind.
    private static func name(following earlier: [String], wallTime: Double) -> String {
        let limit = 9_999_999_999  // ten digits: names sort as times do until 2286
        let seconds = earlier.compactMap { name -> Int? in
            let parts = name.split(separator: ".")
            guard let mark = parts.firstIndex(of: "tfevents"), mark + 1 < parts.count else { return nil }
            return Int(parts[mark + 1]).flatMap { 0..<limit ~= $0 ? $0 : nil }
        }
        let now = wallTime.isFinite ? Int(min(max(0, wallTime), Double(limit))) : 0
        let second = max(now, (seconds.max() ?? -1) + 1)
        return "events.out.tfevents.\(second.zeroPadded(to: 10)).\(host)"
    }

    /// This machine's name without the domain, and with nothing in it that a file name cannot have.
    private static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let label = name.prefix { $0 != 0 && $0 != CChar(46) }.map { UInt8(bitPattern: $0) }
        let text = String(decoding: label, as: UTF8.self)
        return text.isEmpty || text.contains("/") ? "host" : text
    }
}
