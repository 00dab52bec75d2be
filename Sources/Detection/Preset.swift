/// One of the two published sets of constants for the same network; modules add theirs in extensions.
public enum Preset: String, Codable, CaseIterable, Sendable {
    /// The constants with which the network was trained on LUNA16 (W. Zhu et al., "DeepLung", WACV 2018).
    case luna16
    /// The constants of the 2017 Data Science Bowl's winners (F. Liao et al., IEEE TNNLS 2019).
    case dsb2017

    /// The names as messages list them: `luna16 or dsb2017`.
    public static var names: String { allCases.map(\.rawValue).joined(separator: " or ") }

    /// The edge lengths of the three anchors, in mm (voxels of a clean volume).
    public var anchors: [Double] {
        switch self {
        case .luna16: [5, 10, 20]
        case .dsb2017: [10, 30, 60]
        }
    }
}
