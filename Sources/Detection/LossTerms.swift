/// The numbers of cells of a step's crops that enter the means of the loss; summed over replicas.
public struct LossCounts: Hashable, Sendable {
    /// The number of cells with label 1.
    public var positives: Int
    /// The number of negatives, in training only those that mining keeps.
    public var negatives: Int

    /// Creates the counts of a micro-batch; without arguments, of none.
    public init(positives: Int = 0, negatives: Int = 0) {
        self.positives = positives
        self.negatives = negatives
    }

    /// The counts of two micro-batches together.
    public static func + (a: Self, b: Self) -> Self {
        LossCounts(positives: a.positives + b.positives, negatives: a.negatives + b.negatives)
    }
}

/// The loss and what is logged with it, of one micro-batch's share of a step: the shares add up to the step's.
public struct LossTerms: Hashable, Sendable {
    /// Half the mean cross-entropy of the positives.
    public var positiveClassification = 0.0
    /// Half the mean cross-entropy of the kept negatives.
    public var negativeClassification = 0.0
    /// The four parts of the boxes' loss: in the published recipe the means over the positives of the smooth L1 of dz,
    /// dy, dx and dd, in others the shares of the three axes' offsets, and the rest.
    public var regression = [0.0, 0.0, 0.0, 0.0]
    /// The number of positives with a logit of at least 0.
    public var positivesCorrect = 0.0
    /// The number of positives.
    public var positives = 0.0
    /// The number of kept negatives with a logit below 0.
    public var negativesCorrect = 0.0
    /// The number of kept negatives.
    public var negatives = 0.0

    /// Creates the terms of no crop: all 0.
    public init() {}

    /// The classification's part of the loss.
    public var classification: Double { positiveClassification + negativeClassification }
    /// The loss.
    public var total: Double { classification + regression.reduce(0, +) }

    /// The terms of two shares together.
    public static func + (a: Self, b: Self) -> Self {
        LossTerms(vector: zip(a.vector, b.vector).map { $0 + $1 })
    }

    /// The terms as numbers that a reduction can add up.
    public var vector: [Double] {
        [positiveClassification, negativeClassification] + regression
            + [positivesCorrect, positives, negativesCorrect, negatives]
    }

    /// The number of elements of `vector`.
    public static let vectorCount = 10

    /// Creates the terms from what `vector` gave, or from a sum of such.
    ///
    /// - Precondition: There are `vectorCount` numbers.
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
