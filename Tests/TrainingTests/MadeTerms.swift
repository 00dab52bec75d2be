import Detection

/// The sums of 200 steps with this classification loss each.
func lossTerms(classification: Double) -> LossTerms {
    var terms = LossTerms()
    terms.positiveClassification = 200 * classification
    return terms
}
