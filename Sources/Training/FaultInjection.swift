// Deliberate faults, for tests of how luna copes with them and for nothing else. Without the variable LUNA_FAULT
// nothing happens.
//
//     LUNA_FAULT=kill:rank=1:step=5:phase=backward
//     LUNA_FAULT=nan:rank=0:step=3,flip:rank=1:step=6
//     LUNA_FAULT=slow:rank=3:phase=forward:seconds=0.5
//
//     kill        SIGKILL to the rank
//     stop        SIGSTOP: it stands still until SIGCONT
//     hang        the rank's thread sleeps forever
//     term, usr1  SIGTERM, SIGUSR1: as if the rank were asked to end
//     nan         the first voxel of the rank's first crop is not a number
//     flip        one bit of the rank's parameters changes after the update
//     slow        the phase takes so much longer, in every step if none is named

import FileIO
import Foundation
import Runs

struct FaultInjection {
    enum Kind: String, CaseIterable { case kill, stop, hang, term, usr1, nan, flip, slow }

    /// The place of a fault: the beginning of a phase.
    enum Phase: Hashable {
        case training(TrainingPhase)
        /// The middle of writing a checkpoint, on rank 0.
        case write

        var name: String { if case .training(let phase) = self { phase.rawValue } else { "write" } }
    }

    struct Fault: Equatable {
        var kind: Kind
        var rank: Int
        /// The step, from 1; nil for every one, which only `slow` allows.
        var step: Int?
        var phase = Phase.training(.forward)
        /// The delay of `slow`, s.
        var seconds: Double?
    }

    let text: String
    let faults: [Fault]

    static let variable = "LUNA_FAULT"
    private static let requested: Result<FaultInjection, UsageError>? = ProcessInfo.processInfo.environment[variable]
        .map { text in Result { () throws(UsageError) in try FaultInjection(text) } }

    /// The faults that were asked for, if any.
    static let current = try? requested?.get()

    /// Checks the variable.
    ///
    /// - Throws: `UsageError` where it cannot be read.
    static func check() throws(UsageError) { _ = try requested?.get() }

    init(_ text: String) throws(UsageError) {
        let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        let phases = Phase.allCases.map(\.name).joined(separator: ", ")
        let error = UsageError(
            "\(Self.variable)=\(text): expected KIND:rank=R:step=S[:phase=PHASE][:seconds=T], more after commas; "
                + "kinds: \(kinds); phases: \(phases)")
        var faults: [Fault] = []
        for part in text.split(separator: ",") {
            let fields = part.split(separator: ":").map(String.init)
            guard let kind = fields.first.flatMap(Kind.init) else { throw error }
            var fault = Fault(kind: kind, rank: -1)
            for field in fields.dropFirst() {
                let (key, value) = (field.prefix { $0 != "=" }, field.drop { $0 != "=" }.dropFirst())
                switch (key, Int(value), Phase.allCases.first { $0.name == value }) {
                case ("rank", let rank?, _): fault.rank = rank
                case ("step", let step?, _) where step >= 1: fault.step = step
                case ("phase", _, let phase?): fault.phase = phase
                case ("seconds", _, _):
                    guard let seconds = Double(value), 0...1e9 ~= seconds else { throw error }
                    fault.seconds = seconds
                default: throw error
                }
            }
            let isSlow = kind == .slow
            guard fault.rank >= 0, isSlow == (fault.seconds != nil), isSlow || fault.step != nil else { throw error }
            faults.append(fault)
        }
        guard !faults.isEmpty else { throw error }
        self.text = text
        self.faults = faults
    }

    /// Carries out the fault that is planned for this rank, step and phase, if any.
    func pass(_ phase: Phase, rank: Int, step: Int) {
        for fault in faults where fault.phase == phase && fault.rank == rank && fault.step ?? step == step {
            switch fault.kind {
            case .kill: kill(getpid(), SIGKILL)
            case .stop: kill(getpid(), SIGSTOP)
            case .hang: while true { sleep(3600) }
            case .term: raise(SIGTERM)
            case .usr1: raise(SIGUSR1)
            case .slow: Thread.sleep(forTimeInterval: fault.seconds ?? 0)
            case .nan, .flip: break
            }
        }
    }

    /// Whether data of this rank has to be corrupted in this step.
    func spoils(_ kind: Kind, rank: Int, step: Int) -> Bool {
        faults.contains { $0.kind == kind && $0.rank == rank && $0.step == step }
    }
}

extension FaultInjection.Phase: CaseIterable {
    /// All phases but `start`, which no fault can name.
    static var allCases: [Self] { TrainingPhase.allCases.filter { $0 != .start }.map(Self.training) + [.write] }
}
