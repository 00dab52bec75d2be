import Exchange

/// The tags of messages between ranks: those of the gradients' buckets, and one more.
enum MessageTag {
    /// The tag of messages that carry a site's own state.
    static let site = GradientReduction.spareTag

    /// The name of what travels with a tag, for people.
    static func name(_ tag: Int) -> String {
        tag == site ? "site's state" : GradientReduction.messageName(tag: tag)
    }
}
