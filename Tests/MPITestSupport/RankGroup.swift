import Foundation
import MPI

/// Ranks that are threads of this process, and the wait for them.
public final class RankGroup: @unchecked Sendable {
    public let size: Int
    private let condition = NSCondition()
    private var slots: [Int: [[Float]]] = [:]
    private var arrived: [Int: Int] = [:]
    private var parts: [[Int]: RankGroup] = [:]
    private var mail: [Address: [[UInt8]]] = [:]

    struct Address: Hashable {
        let from, to, tag: Int
    }

    public init(size: Int) { self.size = size }

    /// The group of some of these ranks; the same for all who ask in the same round.
    func part(_ ranks: [Int], of round: Int) -> RankGroup {
        condition.withLock {
            let key = [round] + ranks
            let part = parts[key] ?? RankGroup(size: ranks.count)
            parts[key] = part
            return part
        }
    }

    /// Everybody's contribution to round `round`, by rank.
    func meet(_ round: Int, rank: Int, _ values: [Float]) -> [[Float]] {
        condition.lock()
        defer { condition.unlock() }
        slots[round, default: Array(repeating: [], count: size)][rank] = values
        arrived[round, default: 0] += 1
        condition.broadcast()
        while arrived[round, default: 0] < size { condition.wait() }
        return slots[round] ?? []
    }

    func post(_ bytes: [UInt8], _ address: Address) {
        condition.withLock { mail[address, default: []].append(bytes) }
    }

    func take(_ address: Address) -> [UInt8]? {
        condition.withLock { mail[address]?.isEmpty == false ? mail[address]?.removeFirst() : nil }
    }

    /// Runs each rank in a thread of its own and returns what they return, by rank.
    public static func run<Result: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (ThreadCommunicator) -> Result
    ) -> [Result] {
        let group = RankGroup(size: size)
        let results = Results<Result>()
        for rank in 0..<size {
            Thread { results.add(rank, body(ThreadCommunicator(rank: rank, group: group))) }.start()
        }
        return results.wait(for: size)
    }

    private final class Results<Result: Sendable>: @unchecked Sendable {
        private let condition = NSCondition()
        private var stored: [Int: Result] = [:]

        func add(_ rank: Int, _ result: Result) {
            condition.withLock {
                stored[rank] = result
                condition.broadcast()
            }
        }

        func wait(for count: Int) -> [Result] {
            condition.withLock {
                while stored.count < count { condition.wait() }
                return stored.sorted { $0.key < $1.key }.map(\.value)
            }
        }
    }
}

/// A rank of a `RankGroup`.
///
/// It has the collectives that reductions need; `broadcast`, sums of integers and `gather` leave alone what they are
/// given.
public final class ThreadCommunicator: Communicator {
    public let rank: Int
    public let size: Int
    public let hostName = "thread"
    /// What the messenger is like.
    public var servesOtherThreads = true
    /// After so many looks for messages there is an error.
    public var looksUntilFailure: Int?
    private let group: RankGroup
    private var round = 0

    public init(rank: Int, group: RankGroup) {
        self.rank = rank
        size = group.size
        self.group = group
    }

    private func meet(_ values: [Float]) -> [[Float]] {
        round += 1
        return group.meet(round, rank: rank, values)
    }

    public func barrier() { _ = meet([]) }
    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {}
    public func sum(_ values: inout [Int]) {}
    public func gather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
    public func abort(_ status: Int32) {}

    public func maximum(_ values: inout [Double]) {
        let all = meet(values.map { Float($0) })
        for index in values.indices { values[index] = all.map { Double($0[index]) }.max() ?? 0 }
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Float>) {
        let all = meet(Array(values))
        for index in values.indices { values[index] = all.reduce(0) { $0 + $1[index] } }
    }

    public func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) {
        let all = meet(Array(values))
        for (rank, part) in parts.enumerated() { for index in part { values[index] = all[rank][index] } }
    }

    public func startSum(_ values: [Int]) -> any PendingSum { KnownSum(values) }

    public func split(_ color: Int) -> any Communicator {
        let colors = meet([Float(color)]).map { $0[0] }
        let ranks = colors.indices.filter { colors[$0] == Float(color) }
        let part = group.part(ranks, of: round)
        return ThreadCommunicator(rank: ranks.firstIndex(of: rank) ?? 0, group: part)
    }

    public func messenger() -> (any Messenger)? { ThreadMessenger(rank, group, servesOtherThreads, looksUntilFailure) }
}

/// Messages that arrive one at a look.
private final class ThreadMessenger: Messenger {
    let servesOtherThreads: Bool
    private let rank: Int
    private let group: RankGroup
    private var looksUntilFailure: Int?

    init(_ rank: Int, _ group: RankGroup, _ servesOtherThreads: Bool, _ looksUntilFailure: Int?) {
        self.rank = rank
        self.group = group
        self.servesOtherThreads = servesOtherThreads
        self.looksUntilFailure = looksUntilFailure
    }

    func start(sends: [Message], receives: [Message], tag: Int) -> any Transfer {
        for message in sends {
            group.post(Array(message.bytes), .init(from: rank, to: message.rank, tag: tag))
        }
        return ThreadTransfer(self, receives, tag)
    }

    /// Whether something is still to come.
    func receive(_ missing: inout [Message], tag: Int) throws(MPIError) -> Bool {
        if let looks = looksUntilFailure {
            guard looks > 0 else { throw MPIError(code: 1, function: "MPI_Testall") }
            looksUntilFailure = looks - 1
        }
        for (place, message) in missing.enumerated() {
            guard let bytes = group.take(.init(from: message.rank, to: rank, tag: tag)) else { continue }
            precondition(bytes.count == message.bytes.count)
            message.bytes.copyBytes(from: bytes)
            missing.remove(at: place)
            break
        }
        return !missing.isEmpty
    }
}

private final class ThreadTransfer: Transfer {
    private let messenger: ThreadMessenger
    private var missing: [Message]
    private let tag: Int

    init(_ messenger: ThreadMessenger, _ missing: [Message], _ tag: Int) {
        self.messenger = messenger
        self.missing = missing
        self.tag = tag
    }

    func isDone() throws(MPIError) -> Bool { try !messenger.receive(&missing, tag: tag) }
}
