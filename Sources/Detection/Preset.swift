/// A set of constants for an experiment; modules add theirs in extensions.
public enum Preset: String, Codable, CaseIterable, Sendable {
    /// The best constants known here: those of LUNA16, with the recipe `dense` and every nodule about equally often.
    case luna
    /// The constants with which the network was trained on LUNA16 (W. Zhu et al., "DeepLung", WACV 2018).
    case luna16
    /// The constants of the 2017 Data Science Bowl's winners (F. Liao et al., IEEE TNNLS 2019).
    case dsb2017

    /// The names as messages list them: `luna, luna16 or dsb2017`.
    public static var names: String {
        let names = allCases.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
    }

    /// The edge lengths of the three anchors, in mm (voxels of a clean volume).
    public var anchors: [Double] {
        switch self {
        case .luna, .luna16: [5, 10, 20]
        case .dsb2017: [10, 30, 60]
        }
    }
}
