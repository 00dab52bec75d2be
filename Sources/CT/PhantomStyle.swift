/// The look and the difficulty of phantoms.
public enum PhantomStyle: String, CaseIterable, Sendable {
    /// A whole small thorax with a few vessels and solid nodules of 4–30 mm: a trial of the whole path, soon learnt.
    case simple
    /// A window of an adult thorax with nodules as LUNA16 has them and much that looks like nodules: a measure for
    /// detectors.
    case hard
}
