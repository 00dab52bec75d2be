// Who is to blame when nothing goes on: judged by one rank from what all have left in the run's directory.

/// The time for which a value has not changed, as seen by an observer who looks at it now and then.
///
/// Time in which the observer itself stood still – its process stopped, the machine asleep – does not count.
public struct Stillness: Sendable {
    /// The number of seconds without a change.
    public private(set) var seconds: Double
    private var value: Int?
    private var lastLook: ContinuousClock.Instant?

    /// Creates a value that has stayed the same for some seconds already.
    public init(seconds: Double = 0) { self.seconds = seconds }

    /// Takes note of the value at a look.
    ///
    /// - Parameter interval: The usual number of seconds between looks.
    public mutating func look(at value: Int, now: ContinuousClock.Instant, interval: Double) {
        if value != self.value {
            seconds = 0
        } else if let lastLook {
            seconds += min((now - lastLook) / .seconds(1), 2 * interval)
        }
        self.value = value
        lastLook = now
    }
}

/// The view that a rank has of another, or of itself.
public struct Sighting: Sendable {
    /// The last heartbeat, if there is any.
    public var heartbeat: Heartbeat?
    /// The time for which the heartbeat's number has stayed the same.
    public var stillness: Stillness

    /// Creates a view of a rank; by default nothing has been seen of it.
    public init(heartbeat: Heartbeat? = nil, stillness: Stillness = Stillness()) {
        self.heartbeat = heartbeat
        self.stillness = stillness
    }

    /// Whether the rank has ended, or gives no sign of life.
    public var isSilent: Bool {
        guard let heartbeat, heartbeat.state == .running else { return true }
        return stillness.seconds > Heartbeat.patience * heartbeat.interval
    }

    /// Seconds since the rank made progress, as it said last: a rank that says nothing is not judged before it counts
    /// as silent.
    var idle: Double { heartbeat?.idle ?? 0 }

    /// Seconds for which the rank surely made no progress: a rank whose heartbeats are late may be hard at work. Nil
    /// for a rank that has ended or was never seen, from which nothing is to be expected.
    var certainIdle: Double? {
        guard let heartbeat, heartbeat.state == .running else { return nil }
        return isSilent ? heartbeat.idle + stillness.seconds : heartbeat.idle
    }
}

/// A judgement on what one rank sees.
public struct StallJudgement: Sendable {
    /// The view of each rank, by its number.
    public let sightings: [Int: Sighting]

    /// Judges what was seen of the ranks.
    public init(sightings: [Int: Sighting]) { self.sightings = sightings }

    /// The rank that has to report: the lowest of those that wait, or, where none waits, the lowest that is alive.
    public var teller: Int? {
        let alive = sightings.filter { !$0.value.isSilent }
        return alive.filter { $0.value.heartbeat?.isWaiting == true }.keys.min() ?? alive.keys.min()
    }

    /// Seconds since any rank made progress; silent ranks make none.
    public var seconds: Double { sightings.values.filter { !$0.isSilent }.map(\.idle).min() ?? 0 }

    /// Seconds for which surely no rank made progress: certain enough to end a job for.
    public var certainSeconds: Double { sightings.values.compactMap(\.certainIdle).min() ?? 0 }

    /// The ranks that the others wait for: of those behind, the ones that do not wait themselves, if there are any.
    public var missing: [Int] {
        let heard = sightings.values.filter { !$0.isSilent }.compactMap(\.heartbeat)
        let arrived = heard.map { ($0.step, $0.collectives) }.max { $0 < $1 } ?? (0, 0)
        let behind = sightings.filter { _, sighting in
            guard !sighting.isSilent, let heartbeat = sighting.heartbeat else { return true }
            return (heartbeat.step, heartbeat.collectives) < arrived
        }
        let busy = behind.filter { $0.value.isSilent || $0.value.heartbeat?.isWaiting != true }
        return (busy.isEmpty ? behind : busy).keys.sorted()
    }

    /// The most ranks that a message names.
    private static let named = 8

    /// The ranks that have not arrived, and where they are.
    public var description: String {
        let missing = missing
        let waiting = sightings.values.count { !$0.isSilent && $0.heartbeat?.isWaiting == true }
        if missing.isEmpty {
            let all = sightings.keys.sorted()
            guard all.count > 1, waiting == all.count, let place = sightings[all[0]]?.place else {
                return list(all) { "\($0) is \($1.place)" }
            }
            return "all \(all.count) ranks have arrived and wait, \(place): the network between them may be down"
        }
        let told = list(missing) { name, sighting in
            guard let heartbeat = sighting.heartbeat else { return "\(name) has left no sign of life" }
            if heartbeat.state != .running {
                return "\(name) has ended (\(heartbeat.failure ?? heartbeat.state.rawValue))"
            }
            if sighting.isSilent { return "\(name) gives no sign of life, last seen \(sighting.place)" }
            return "\(name) has not arrived, \(sighting.place)"
        }
        return waiting == 0 ? told : "\(told); \(waiting) of \(sightings.count) ranks wait"
    }

    private func list(_ ranks: [Int], _ text: (_ name: String, Sighting) -> String) -> String {
        let parts = ranks.prefix(Self.named).map { rank in
            let sighting = sightings[rank] ?? Sighting()
            return text("rank \(rank)" + (sighting.heartbeat.map { " on \($0.host)" } ?? ""), sighting)
        }
        let more = ranks.count - parts.count
        return parts.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }
}

extension Sighting {
    /// `in forward of step 13 for 61 s`.
    fileprivate var place: String {
        guard let heartbeat else { return "nowhere" }
        let seconds = heartbeat.time - heartbeat.phaseBegan + stillness.seconds
        return "in \(heartbeat.phase.rawValue) of step \(heartbeat.step + 1) for \(Int(max(0, seconds).rounded())) s"
    }
}
