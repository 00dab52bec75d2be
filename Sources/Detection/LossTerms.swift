/// How many cells of a step's crops enter the means of the loss; summed over replicas.
public struct LossCounts: Hashable, Sendable {
    /// Cells with label 1.
    public var positives: Int
    /// Negatives that mining keeps.
    public var negatives: Int

    public init(positives: Int = 0, negatives: Int = 0) {
        self.positives = positives
        self.negatives = negatives
    }

    public static func + (a: Self, b: Self) -> Self {
        LossCounts(positives: a.positives + b.positives, negatives: a.negatives + b.negatives)
    }
}

/// The loss and what is logged with it, of one micro-batch's share of a step: the shares add up to the step's.
public struct LossTerms: Hashable, Sendable {
    /// ½ mean cross-entropy of the positives.
    public var positiveClassification = 0.0
    /// ½ mean cross-entropy of the kept negatives.
    public var negativeClassification = 0.0
    /// Mean smooth-L1 over positives of (dz, dy, dx, dd).
    public var regression = [0.0, 0.0, 0.0, 0.0]
    public var positivesCorrect = 0.0
    public var positives = 0.0
    public var negativesCorrect = 0.0
    public var negatives = 0.0

    public init() {}

    public var classification: Double { positiveClassification + negativeClassification }
    public var total: Double { classification + regression.reduce(0, +) }

    public static func + (a: Self, b: Self) -> Self {
        LossTerms(vector: zip(a.vector, b.vector).map { $0 + $1 })
    }

    /// The terms as numbers that a reduction can add up.
    public var vector: [Double] {
        [positiveClassification, negativeClassification] + regression
            + [positivesCorrect, positives, negativesCorrect, negatives]
    }

    /// The length of `vector`.
    public static let vectorCount = 10

    /// - Precondition: `vectorCount` numbers.
    public init(vector: [Double]) {
        precondition(vector.count == Self.vectorCount, "\(vector.count) numbers are no loss terms")
        positiveClassification = vector[0]
        negativeClassification = vector[1]
        regression = Array(vector[2..<6])
        positivesCorrect = vector[6]
        positives = vector[7]
        negativesCorrect = vector[8]
        negatives = vector[9]
    }
}
