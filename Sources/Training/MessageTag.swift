import Exchange

/// The tags of messages between ranks: those of the gradients' buckets, and one of ours.
enum MessageTag {
    /// Of what a site has for itself.
    static let site = GradientReduction.spareTag

    /// What travels with a tag, for people.
    static func name(_ tag: Int) -> String {
        tag == site ? "site's state" : GradientReduction.messageName(tag: tag)
    }
}
