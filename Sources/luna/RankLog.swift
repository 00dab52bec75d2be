import Foundation
import Logging

/// Log lines on standard error: what rank 0 has to say, and warnings of every rank with its number.
struct RankLog: LogHandler {
    let rank: Int
    let size: Int
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    /// A logger for this rank; ranks other than 0 speak from `warning` up.
    static func logger(rank: Int, size: Int) -> Logger {
        Logger(label: "luna") { _ in
            RankLog(rank: rank, size: size, logLevel: rank == 0 ? .info : .warning)
        }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let level = event.level >= .warning ? "\(event.level): " : ""
        let name = size > 1 && rank > 0 ? "rank \(rank): " : ""
        FileHandle.standardError.write(Data("\(name)\(level)\(event.message)\n".utf8))
    }
}
