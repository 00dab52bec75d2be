// What an event file holds: TensorFlow's messages Event, Summary and TensorProto, with the fields that we use.
// https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto: event, summary, tensor

import Pictures
import Protobuf

/// An entry of an event file.
struct Event {
    /// The time of the entry, in seconds since 1970.
    var wallTime: Double
    var step = 0
    var content: Content

    enum Content {
        /// The format's version: the first entry of every file.
        case fileVersion
        /// The beginning of a run, also of a resumed one: viewers forget what they have seen of this step and later
        /// ones.
        case start
        case values([Value])
    }

    enum Value {
        case scalar(tag: String, Float)
        case image(tag: String, Picture)
        case text(tag: String, markdown: String)
    }

    var encoded: [UInt8] {
        let message = ProtobufMessage {
            $0.add(1, double: wallTime)
            if step != 0 { $0.add(2, integer: step) }
            switch content {
            case .fileVersion: $0.add(3, string: "brain.Event:2")
            case .start: $0.add(7) { $0.add(1, integer: 1) }
            case .values(let values):
                $0.add(5) { summary in for value in values { summary.add(1, message: value.encoded) } }
            }
        }
        return message.bytes
    }
}

extension Event.Value {
    /// The message Summary.Value. Scalars and images are in the older form, which every version of TensorBoard reads
    /// and turns into the newer one; texts have only the newer one.
    fileprivate var encoded: ProtobufMessage {
        ProtobufMessage {
            switch self {
            case .scalar(let tag, let value):
                $0.add(1, string: tag)
                $0.add(2, float: value)
            case .image(let tag, let picture):
                $0.add(1, string: tag)
                $0.add(4) {
                    $0.add(1, integer: picture.height)
                    $0.add(2, integer: picture.width)
                    $0.add(3, integer: 3)  // RGB
                    $0.add(4, bytes: picture.png())
                }
            case .text(let tag, let markdown):
                $0.add(1, string: tag)
                $0.add(8) {  // a tensor of one string, shape []: with an axis it would be shown as a table
                    $0.add(1, integer: 7)
                    $0.add(2) { _ in }
                    $0.add(8, string: markdown)
                }
                $0.add(9) {
                    $0.add(1) { $0.add(1, string: "text") }
                    $0.add(4, integer: 2)  // a tensor
                }
            }
        }
    }
}

/// The facts about a stored event that decide whether a resumed run keeps it.
struct EventSummary: Hashable {
    var step = 0
    var tags: [String] = []
    var isVersion = false
    var isStart = false

    /// Reads an event.
    ///
    /// - Returns: nil where the bytes are no event.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let fields = ProtobufReader.fields(bytes) else { return nil }
        for (number, value) in fields {
            switch (number, value) {
            case (2, .varint(let step)): self.step = Int(truncatingIfNeeded: step)
            case (3, .bytes): isVersion = true
            case (7, .bytes): isStart = true
            case (5, .bytes(let summary)):
                guard let values = ProtobufReader.fields(summary) else { return nil }
                for case (1, .bytes(let value)) in values {
                    guard let parts = ProtobufReader.fields(value) else { return nil }
                    for case (1, .bytes(let tag)) in parts { tags.append(String(decoding: tag, as: UTF8.self)) }
                }
            default: continue
            }
        }
    }
}
